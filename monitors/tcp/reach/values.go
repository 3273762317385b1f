package reach

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"
)

// Port is an option's value: a port from 1 to 65535, 0 as long as none was
// chosen.
type Port uint16

// String is the port in figures, empty without one.
func (p *Port) String() string {
	if *p == 0 {
		return ""
	}
	return strconv.Itoa(int(*p))
}

// Set reads a port.
func (p *Port) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return errors.New("want a port from 1 to 65535")
	}
	*p = Port(n)
	return nil
}

// Seconds is an option's value: a time limit above 0 and of 24 hours at most,
// in seconds as mon's monitors take it ("10", "0.5") or with a unit ("500ms").
type Seconds time.Duration

// maxSeconds is the longest time limit.
const maxSeconds = 24 * time.Hour

// String is the limit with its unit.
func (s *Seconds) String() string { return time.Duration(*s).String() }

// Set reads a time limit.
func (s *Seconds) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "s")
	}
	if err != nil || d <= 0 || d > maxSeconds {
		return fmt.Errorf("want a time above 0 and up to %d seconds, such as 10, 0.5 or 500ms", int(maxSeconds.Seconds()))
	}
	*s = Seconds(d)
	return nil
}

// Address is an option's value: an IP address in figures.
type Address struct{ netip.Addr }

// String is the address, empty without one.
func (a *Address) String() string {
	if !a.IsValid() {
		return ""
	}
	return a.Addr.String()
}

// Set reads an address.
func (a *Address) Set(text string) error {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return errors.New("want an IP address in figures")
	}
	a.Addr = addr.Unmap()
	return nil
}

// Pattern is an option's value: a regular expression in Go's syntax (RE2),
// which a match may begin and end anywhere in.
type Pattern struct{ *regexp.Regexp }

// String is the expression, empty without one.
func (p *Pattern) String() string {
	if p.Regexp == nil {
		return ""
	}
	return p.Regexp.String()
}

// Matches reports whether b matches the expression, if there is one. In bytes
// that are no text, \xHH stands for that byte.
func (p *Pattern) Matches(b []byte) bool {
	if p.Regexp == nil || p.Match(b) {
		return true
	}
	return !utf8.Valid(b) && p.MatchString(latin1(b))
}

// latin1 is b with every byte as a character of its own.
func latin1(b []byte) string {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// Set reads an expression.
func (p *Pattern) Set(text string) error {
	re, err := regexp.Compile(text)
	if err != nil {
		return fmt.Errorf("want a regular expression: %w", err)
	}
	p.Regexp = re
	return nil
}
