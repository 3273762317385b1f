// Package ldirectord reads ldirectord.cf, the configuration of the Linux
// director daemon, as virtual services of mond.
//
// It reads as ldirectord 4.12 itself does, traps included: a blank line ends a
// section, # begins a comment even between quotes, forwarding without NAT keeps
// the virtual's port, whatever the file says of a real's. Defaults are those of
// its code, not of its manual, and are written out. Names of hosts and services
// are looked up once, when the file is read, as ldirectord does at its start.
//
// It runs nothing and asks no kernel.
package ldirectord

import (
	"bytes"
	"net/netip"
	"regexp"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

// Name is what --format calls it.
const Name = "ldirectord"

// Format is the reader of ldirectord.cf.
func Format() convert.Format { return With(System()) }

// With is the reader with other names of hosts and services than the system's.
func With(names Names) convert.Format {
	return convert.Format{Name: Name, Is: Is, Read: func(name string, src []byte) convert.Result { return read(name, src, names) }}
}

var (
	// assignment is a line at the left edge of an ldirectord.cf.
	assignment = regexp.MustCompile(`^([a-z0-9]+)[ \t]*=|^supervised[ \t]*$`)
	begins     = regexp.MustCompile(`^virtual6?[ \t]*=`)
)

// Is reports whether src can only be an ldirectord.cf. A file with one line at
// its left edge that is no assignment, such as hostgroup or watch, is none.
func Is(src []byte) bool {
	sections, own := false, false
	for line := range bytes.Lines(src) {
		line = bytes.TrimRight(line, "\r\n")
		if len(bytes.TrimSpace(line)) == 0 || strings.IndexByte(" \t#", line[0]) >= 0 {
			continue
		}
		m := assignment.FindSubmatch(line)
		if m == nil {
			return false
		}
		sections = sections || begins.Match(line)
		own = own || unmistakable(string(m[1]))
	}
	return sections || own
}

// unmistakable reports whether a variable of that name is ldirectord's and
// none of mon's.
func unmistakable(name string) bool {
	d := find(name)
	return d != nil && d.scope&global != 0 && name != "timeout"
}

// read is the whole way of a file.
func read(name string, src []byte, names Names) convert.Result {
	w := &convert.Writer{}
	w.From(name, src)
	p := parser{w: w, name: name}
	f := p.parse(src)
	c := conversion{
		w: w, file: f, names: &lookups{names: names, hosts: map[string]netip.Addr{}, fails: map[string]error{}}, pos: config.Pos{File: name},
		checks: convert.Names{}, taken: map[string]bool{}, seen: map[string]config.Pos{},
	}
	c.run()
	return w.Result(name)
}
