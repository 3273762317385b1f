// Package lvscf reads lvs.cf, the configuration of Piranha (pulse, lvsd and
// nanny), as virtual services of mond.
//
// It is as strict as Piranha's own reader: key = value with blanks round the =,
// one a line, and a key that is not known is an error. Defaults are written
// out. What pulse does, the failover from one router to the other, and services
// of the kind fos are not carried over but reported.
//
// It runs nothing and asks no kernel.
package lvscf

import (
	"bytes"
	"net/netip"
	"regexp"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

// Name is what --format calls it.
const Name = "lvs.cf"

// Format is the reader of lvs.cf.
func Format() convert.Format { return convert.Format{Name: Name, Is: Is, Read: read} }

var (
	assignment = regexp.MustCompile(`^([a-z0-9_]+)[ \t]+=[ \t]`)
	opening    = regexp.MustCompile(`^(virtual|failover|server)[ \t]+\S+[ \t]+\{$`)
)

// Is reports whether src can only be an lvs.cf: every line is a key and a
// value, or begins or ends a block, and there is a block or a key that is
// Piranha's and none of mon's.
func Is(src []byte) bool {
	blocks, own := false, false
	for line := range bytes.Lines(src) {
		line = bytes.TrimSpace(line)
		switch m := assignment.FindSubmatch(line); {
		case len(line) == 0, line[0] == '#', len(line) == 1 && line[0] == '}':
		case opening.Match(line):
			blocks = true
		case m != nil:
			_, known := globals()[string(m[1])]
			own = own || known
		default:
			return false
		}
	}
	return blocks || own
}

// read is the whole way of a file.
func read(name string, src []byte) convert.Result {
	w := &convert.Writer{}
	w.From(name, src)
	p := parser{w: w, name: name}
	f := p.parse(src)
	c := conversion{
		w: w, file: f, pos: config.Pos{File: name}, checks: convert.Names{}, taken: map[string]bool{},
		hosts: map[netip.Addr]string{}, named: map[string]bool{},
	}
	c.run()
	return w.Result(name)
}
