package reach

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mondhq/mond/monitors/tcp/origin"
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
type Address = origin.Address

// To is an option's value: where to connect to instead of to the host.
type To struct {
	addr netip.Addr
	port Port
}

// Given reports whether there is one.
func (t *To) Given() bool { return t.addr.IsValid() }

// Addr is the address.
func (t *To) Addr() netip.Addr { return t.addr }

// Port is the port, 0 without one.
func (t *To) Port() uint16 { return uint16(t.port) }

// or is the address with its port, or with another one if it has none.
func (t *To) or(port uint16) netip.AddrPort {
	if t.port != 0 {
		port = uint16(t.port)
	}
	return netip.AddrPortFrom(t.addr, port)
}

// String is the value as Set reads it, empty without one.
func (t *To) String() string {
	switch {
	case !t.Given():
		return ""
	case t.port == 0:
		return t.addr.String()
	}
	return t.or(0).String()
}

// Set reads an address, or an address and a port: 10.0.0.3, 10.0.0.3:80,
// 2001:db8::3 or [2001:db8::3]:80.
func (t *To) Set(text string) error {
	bare := text
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			bare = inner
		}
	}
	if a, err := netip.ParseAddr(bare); err == nil {
		*t = To{addr: a.Unmap()}
		return nil
	}
	ap, err := netip.ParseAddrPort(text)
	if err != nil || ap.Port() == 0 {
		return errors.New("want an IP address in figures, and a port after a colon if it is another one: 10.0.0.3:80 or [2001:db8::3]:80")
	}
	*t = To{ap.Addr().Unmap(), Port(ap.Port())}
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
