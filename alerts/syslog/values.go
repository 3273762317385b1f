package syslogalert

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mondhq/mond/plugins/alert"
)

// choice is an option's value: one of several words.
type choice struct {
	text string
	of   []string
}

// String is the word, empty without one.
func (c *choice) String() string { return c.text }

// Set takes one of the words.
func (c *choice) Set(text string) error {
	if !slices.Contains(c.of, text) {
		return errors.New("want one of " + strings.Join(c.of, ", "))
	}
	c.text = text
	return nil
}

// name is an option's value: a word of printable ASCII.
type name struct {
	text string
	most int
}

// String is the word.
func (n *name) String() string { return n.text }

// Set takes a word.
func (n *name) Set(text string) error {
	if !printable(text) || len(text) > n.most || strings.ContainsAny(text, `="][:`) {
		return fmt.Errorf("want up to %d letters, digits and signs without blanks, none of = \" [ ] :", n.most)
	}
	n.text = text
	return nil
}

// size is an option's value: the longest message.
type size int

// String is the size in figures.
func (s *size) String() string { return strconv.Itoa(int(*s)) }

// Set reads a size: receivers must take 480 bytes (RFC 5424 6.1), a datagram
// has room for 65507.
func (s *size) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 480 || n > 65000 {
		return errors.New("want bytes from 480 to 65000")
	}
	*s = size(n)
	return nil
}

// facility is an option's value, in the numbers of RFC 5424 6.2.1.
type facility int

const daemon facility = 3

// facilities are the names in the order of their numbers.
func facilities() []string {
	return []string{
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
		"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	}
}

// String is the name.
func (f *facility) String() string { return facilities()[*f] }

// Set reads a name. The kernel's is not ours to use.
func (f *facility) Set(text string) error {
	i := slices.Index(facilities(), text)
	if i < 1 {
		return errors.New("want one of " + strings.Join(facilities()[1:], ", "))
	}
	*f = facility(i)
	return nil
}

// levels are the severities in the order of their numbers.
func levels() []string {
	return []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}
}

// severities is an option's value: the severity of each kind of notice.
type severities map[string]int

// usual is the default.
func usual() severities {
	s := severities{}
	for k := alert.Failure; k.Valid(); k++ {
		switch k {
		case alert.Failure, alert.Trap, alert.TrapTimeout:
			s[k.String()] = 3
		case alert.Test:
			s[k.String()] = 6
		default:
			s[k.String()] = 5
		}
	}
	return s
}

// of is the severity of a kind.
func (s severities) of(kind string) int { return s[kind] }

// String are all in a list.
func (s severities) String() string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(s)) {
		parts = append(parts, kind+"="+levels()[s[kind]])
	}
	return strings.Join(parts, ",")
}

// Set reads one severity for all, or KIND=SEVERITY,...; kinds that are not
// named keep theirs.
func (s severities) Set(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		kind, level, some := strings.Cut(part, "=")
		if !some {
			level = kind
		}
		n := slices.Index(levels(), level)
		if n < 0 {
			return errors.New("want severities " + strings.Join(levels(), ", "))
		}
		if _, known := s[kind]; some && !known {
			return fmt.Errorf("%.60q is none of the kinds %s", kind, strings.Join(slices.Sorted(maps.Keys(s)), ", "))
		}
		for k := range s {
			if !some || k == kind {
				s[k] = n
			}
		}
	}
	return nil
}
