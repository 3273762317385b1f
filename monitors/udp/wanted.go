package udp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mondhq/mond/monitors/tcp/reach"
)

// wanted is what an answer must be like.
type wanted struct {
	expect      reach.Pattern
	begins      nibbles
	least, most length
}

// given reports whether anything is wanted.
func (w *wanted) given() bool {
	return w.expect.Regexp != nil || len(w.begins) > 0 || w.least.given || w.most.given
}

// fault is what is wrong with an answer, empty if nothing is.
func (w *wanted) fault(b []byte) string {
	switch {
	case w.least.given && len(b) < w.least.n:
		return fmt.Sprintf("has %d bytes, --min-length is %d", len(b), w.least.n)
	case w.most.given && len(b) > w.most.n:
		return fmt.Sprintf("has more bytes than --max-length %d", w.most.n)
	case !w.begins.match(b):
		return "does not begin with " + w.begins.String()
	case !w.expect.Matches(b):
		return fmt.Sprintf("does not match %q", w.expect.String())
	}
	return ""
}

// length is an option's value: a number of bytes.
type length struct {
	n     int
	given bool
}

// String is the number, empty without one.
func (l *length) String() string {
	if !l.given {
		return ""
	}
	return strconv.Itoa(l.n)
}

// Set reads a number. What is longer than is read of an answer cannot be told
// apart.
func (l *length) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n >= maxAnswer {
		return fmt.Errorf("want a number of bytes from 0 to %d", maxAnswer-1)
	}
	*l = length{n, true}
	return nil
}

// nibbles is an option's value: bytes of which halves may be any.
type nibbles []nibble

// nibble is a byte, of which the bits of mask count.
type nibble struct{ value, mask byte }

// String is the value as Set reads it.
func (l *nibbles) String() string {
	var b strings.Builder
	for _, n := range *l {
		b.WriteByte(digit(n.value>>4, n.mask>>4))
		b.WriteByte(digit(n.value&15, n.mask&15))
	}
	return b.String()
}

func digit(value, mask byte) byte {
	if mask == 0 {
		return 'X'
	}
	return "0123456789abcdef"[value]
}

// Set reads digits; blanks and colons may stand between them.
func (l *nibbles) Set(text string) error {
	text = strings.NewReplacer(" ", "", ":", "").Replace(text)
	if text == "" || len(text)%2 != 0 || len(text) > 2*maxAnswer {
		return errNibbles
	}
	out := make(nibbles, len(text)/2)
	for i := range len(text) {
		c, half := text[i], &out[i/2]
		half.value, half.mask = half.value<<4, half.mask<<4
		if c == 'X' || c == 'x' {
			continue
		}
		v, err := strconv.ParseUint(string(c), 16, 8)
		if err != nil {
			return errNibbles
		}
		half.value, half.mask = half.value|byte(v), half.mask|15
	}
	*l = out
	return nil
}

// errNibbles is the error of what is no such value.
var errNibbles = errors.New("want an even number of hexadecimal digits, or X for any, such as 0aXX or \"0a XX\"")

// match reports whether b begins with the bytes.
func (l *nibbles) match(b []byte) bool {
	if len(b) < len(*l) {
		return false
	}
	for i, n := range *l {
		if (b[i]^n.value)&n.mask != 0 {
			return false
		}
	}
	return true
}
