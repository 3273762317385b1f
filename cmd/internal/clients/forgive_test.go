package clients

import (
	"regexp"
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/difference"
)

// pardon is where mond may say something else than mon.
type pardon struct {
	// difference is the row of the list of differences that allows it.
	difference string
	// step matches the steps it is about, mon what mon says there.
	step, mon *regexp.Regexp
	// mond is what stands there instead; "" leaves it out.
	mond string
}

// pardons are all there are.
func pardons() []pardon {
	p := func(difference, step, mon, mond string) pardon {
		return pardon{difference, regexp.MustCompile(step), regexp.MustCompile("(?m)" + mon), mond}
	}
	return []pardon{
		p("unbalanced quotes", "^replay", `monitor=rec\.monitor\\20\\22unbalanced`, "monitor=fail.monitor"),
	}
}

// forgive makes of what mon says in a step what mond is to say.
func forgive(step, text string) string {
	for _, p := range pardons() {
		if p.step.MatchString(step) {
			text = p.mon.ReplaceAllString(text, p.mond)
		}
	}
	if strings.HasPrefix(step, "moncmd") || step == "replay" {
		return sortReplies(text)
	}
	return text
}

// TestPardonsAreDifferences: nothing is forgiven that the list does not name.
func TestPardonsAreDifferences(t *testing.T) {
	for _, p := range pardons() {
		if _, ok := difference.Find(p.difference); both && !ok {
			t.Errorf("there is no difference %q", p.difference)
		}
	}
}
