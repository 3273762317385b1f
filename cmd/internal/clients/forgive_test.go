package clients

import (
	"regexp"
	"testing"

	"github.com/mondhq/mond/engine/difference"
)

// pardon is a line that mon and mond may say differently.
type pardon struct {
	// difference is the row of the list of differences that allows it.
	difference string
	// step and line are what it is about: a line that matches is left out on
	// both sides.
	step, line *regexp.Regexp
}

// pardons are all there are.
func pardons() []pardon {
	return []pardon{}
}

// forgive leaves out the lines of a step that a difference allows.
func forgive(t *testing.T, step string, lines []string) []string {
	t.Helper()
	var left []string
next:
	for _, line := range lines {
		for _, p := range pardons() {
			if p.step.MatchString(step) && p.line.MatchString(line) {
				continue next
			}
		}
		left = append(left, line)
	}
	return left
}

// TestPardonsAreDifferences: nothing is forgiven that the list does not name.
func TestPardonsAreDifferences(t *testing.T) {
	for _, p := range pardons() {
		if _, ok := difference.Find(p.difference); both && !ok {
			t.Errorf("there is no difference %q", p.difference)
		}
	}
}
