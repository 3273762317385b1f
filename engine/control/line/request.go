package line

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/mondhq/mond/engine/config"
)

// errLong is a command that is too long to be one.
var errLong = errors.New("the line is too long")

// reader reads lines that end in LF, CR or both; empty ones are none. What is
// left without an end is none either.
type reader struct {
	from io.Reader
	most int
	buf  []byte
	// rest is what was read and not yet given out.
	rest []byte
	// seen is how much of rest has no end of a line in it.
	seen int
}

const ends = "\r\n"

// ready reports whether a whole line is there.
func (r *reader) ready() bool {
	r.rest = bytes.TrimLeft(r.rest, ends)
	if bytes.IndexAny(r.rest[r.seen:], ends) >= 0 {
		return true
	}
	r.seen = len(r.rest)
	return false
}

// next is the next line, without its end.
func (r *reader) next() (string, error) {
	for !r.ready() {
		if len(r.rest) > r.most {
			return "", errLong
		}
		if err := r.more(); err != nil {
			return "", err
		}
	}
	i := bytes.IndexAny(r.rest, ends)
	if i > r.most {
		return "", errLong
	}
	text := string(r.rest[:i])
	r.rest, r.seen = r.rest[i+1:], 0
	return text, nil
}

// smallest is the buffer of a client that sends what clients send.
const smallest = 1 << 10

// more reads what there is, into a buffer that grows with the line.
func (r *reader) more() error {
	n := copy(r.buf, r.rest)
	if n == len(r.buf) {
		r.buf = append(r.buf, make([]byte, max(min(len(r.buf), r.most+1-len(r.buf)), smallest))...)
	} else if n == 0 && len(r.buf) > smallest {
		r.buf = make([]byte, smallest)
	}
	got, err := r.from.Read(r.buf[n:])
	r.rest = r.buf[:n+got]
	if got > 0 {
		return nil
	}
	return err
}

// split splits a command into its word, in small letters, and the rest. A word
// does not begin with a blank.
func split(text string) (word, rest string) {
	word, rest = cut(text)
	return strings.ToLower(word), rest
}

// cut splits text at the first blanks.
func cut(text string) (word, rest string) {
	i := strings.IndexFunc(text, isBlank)
	if i < 0 {
		return text, ""
	}
	return text[:i], strings.TrimLeftFunc(text[i:], isBlank)
}

// cut3 splits text at the first and the second blanks.
func cut3(text string) (first, second, rest string) {
	first, rest = cut(text)
	second, rest = cut(rest)
	return first, second, rest
}

// fields are the words of text; there are no quotes.
func fields(text string) []string { return strings.FieldsFunc(text, isBlank) }

// trim is text without blanks at its ends.
func trim(text string) string { return strings.TrimFunc(text, isBlank) }

// isBlank reports whether r is one of ASCII's blanks: names may have other
// bytes of any kind, which are no text.
func isBlank(r rune) bool { return r == ' ' || r == '\t' || r == '\v' || r == '\f' }

// quoted is the first word of text as a shell would read it, with what was
// escaped as Mon::Client does; what follows does not count, and a quote that is
// not closed leaves nothing.
func quoted(text string) string {
	words, err := config.Words(text)
	if err != nil || len(words) == 0 {
		return ""
	}
	return unescape(words[0].Text)
}
