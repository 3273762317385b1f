// Package escape is for bytes on a command line: [Text] is an option's value
// that may hold any, [Show] shows bytes that came from somewhere to a person.
//
// It is not a shell's quoting, nor Go's.
package escape

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Text is an option's value: bytes, in which \n \r \t \0 \\ and \xHH stand for
// what a command line cannot hold; \' and \" for quotes, as lvs.cf has them.
type Text []byte

// String is the value as Set reads it.
func (t *Text) String() string {
	var b strings.Builder
	for _, c := range *t {
		b.WriteString(escaped(c))
	}
	return b.String()
}

func escaped(c byte) string {
	switch c {
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	case '\\':
		return `\\`
	}
	if c < ' ' || c >= 0x7f {
		return fmt.Sprintf(`\x%02x`, c)
	}
	return string(c)
}

// Set reads the value.
func (t *Text) Set(s string) error {
	out := make([]byte, 0, len(s))
	for s != "" {
		if s[0] != '\\' {
			out, s = append(out, s[0]), s[1:]
			continue
		}
		c, rest, err := unescape(s)
		if err != nil {
			return err
		}
		out, s = append(out, c), rest
	}
	*t = out
	return nil
}

// unescape reads the escape that s begins with.
func unescape(s string) (c byte, rest string, err error) {
	if len(s) < 2 {
		return 0, "", errors.New(`a backslash ends it: write \\ for a backslash`)
	}
	switch s[1] {
	case 'n':
		return '\n', s[2:], nil
	case 'r':
		return '\r', s[2:], nil
	case 't':
		return '\t', s[2:], nil
	case '0':
		return 0, s[2:], nil
	case '\\', '\'', '"':
		return s[1], s[2:], nil
	case 'x':
		if len(s) >= 4 {
			if n, err := strconv.ParseUint(s[2:4], 16, 8); err == nil {
				return byte(n), s[4:], nil
			}
		}
		return 0, "", errors.New(`\x needs two hexadecimal digits, such as \x0a`)
	}
	return 0, "", fmt.Errorf(`\%c means nothing here: want \n, \r, \t, \0, \\ or \xHH`, s[1])
}

// shown is how many bytes of an answer are shown.
const shown = 80

// Show is the beginning of what a host answered, in quotes.
func Show(b []byte) string {
	more := ""
	if len(b) > shown {
		b, more = b[:shown], "..."
	}
	return strconv.Quote(string(b)) + more
}
