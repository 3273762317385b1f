package auth

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// Problem is something to say about a line of a file.
type Problem struct {
	File string
	// Line counts from 1; 0 is the file as a whole.
	Line int
	// Fatal is set if the file must not be used.
	Fatal bool
	// Text says what is wrong and what to do. It contains no hash, and of a
	// line that may be a password nothing.
	Text string
}

// String is "FILE:LINE: text".
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// fatal joins the fatal problems into one error; nil without one.
func fatal(problems []Problem) error {
	var texts []string
	for _, p := range problems {
		if p.Fatal {
			texts = append(texts, p.String())
		}
	}
	if texts == nil {
		return nil
	}
	return errors.New(strings.Join(texts, "; "))
}

// blanks are what counts as blank in mon's files.
const blanks = " \t\n\v\f\r"

func blank(r rune) bool { return r < 0x80 && strings.ContainsRune(blanks, r) }

// lines are the lines of a file that say something, with their numbers.
func lines(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		n := 0
		for line := range strings.SplitSeq(text, "\n") {
			n++
			if line = strings.Trim(line, blanks); line != "" && line[0] != '#' && !yield(n, line) {
				return
			}
		}
	}
}
