// Package convert reads the configurations of other directors - ldirectord.cf,
// Piranha's lvs.cf, keepalived.conf - as mond's own, with a report of all that
// is not carried over. A package below it a format; here is what they share: the
// writing of statements and the report.
//
// It does not run what they configure, and changes no file.
package convert

import (
	"fmt"
	"slices"

	"github.com/mondhq/mond/engine/config"
)

// Result is a foreign file in mond's words.
type Result struct {
	// File holds mon.cf statements below `syntax = mond`, with comments, in
	// their normal order. Their positions are those of the foreign file.
	File *config.File
	// Losses are what was not carried over, and what was but means something
	// else, in file order.
	Losses []Loss
	// Diagnostics are mistakes in the foreign file; with errors File is of use
	// for further diagnostics only.
	Diagnostics config.Diagnostics
}

// Loss is something of the foreign file that mond's does not say.
type Loss struct {
	Pos config.Pos
	// What is the directive as it was written.
	What string
	// Why says why, and what to do instead if there is something.
	Why string
}

// String is l in one line.
func (l Loss) String() string { return fmt.Sprintf("%s: %s: %s", l.Pos, l.What, l.Why) }

// Format is a kind of foreign file.
type Format struct {
	// Name is what --format and `monctl convert` call it.
	Name string
	// Is reports whether src can only be such a file: told by its content.
	Is func(src []byte) bool
	// Read reads one; name is for positions and for files it includes.
	Read func(name string, src []byte) Result
}

// Reader reads files of f for [config.Options]: what is lost is a warning, so
// that it is seen at each start.
func (f Format) Reader() config.Reader {
	return func(name string, src []byte) (*config.File, config.Diagnostics) {
		r := f.Read(name, src)
		return r.File, r.All()
	}
}

// All are the diagnostics and, as warnings, the losses, in file order.
func (r Result) All() config.Diagnostics {
	all := slices.Clone(r.Diagnostics)
	for _, l := range r.Losses {
		all = append(all, config.Diagnostic{Pos: l.Pos, Mark: -1, Message: "not carried over: " + l.What, Hint: l.Why})
	}
	all.Sort()
	return all
}

// WithReport is the File with the losses as comments at its end.
func (r Result) WithReport() *config.File {
	out := *r.File
	var w Writer
	if len(r.Losses) > 0 {
		end := config.Pos{File: out.Name}
		w.Blank(end)
		w.Comment(end, "Not carried over:")
		for _, l := range r.Losses {
			w.Comment(l.Pos, "  "+l.String())
		}
	}
	out.Statements = append(slices.Clone(out.Statements), w.all...)
	return &out
}
