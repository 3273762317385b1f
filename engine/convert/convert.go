// Package convert reads the configurations of other directors - ldirectord.cf,
// Piranha's lvs.cf, keepalived.conf - as mond's own, with a report of all that
// is not carried over. A package below it a format; here is what they share: the
// writing of statements and the report.
//
// It does not run what they configure, and changes no file.
package convert

import (
	"fmt"
	"strings"

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

// Writer makes the statements of a Result. Its methods add one line each; pos
// is the place in the foreign file that the line comes from.
type Writer struct{ all []config.Statement }

// Comment adds a line of comment.
func (w *Writer) Comment(pos config.Pos, text string) {
	w.add(config.Statement{Kind: config.KindComment, Pos: pos, Text: strings.TrimSpace("# " + text)})
}

// Blank adds an empty line: it ends a record.
func (w *Writer) Blank(pos config.Pos) { w.add(config.Statement{Kind: config.KindBlank, Pos: pos}) }

// Global adds a variable.
func (w *Writer) Global(pos config.Pos, name, value string) {
	w.add(config.Statement{Kind: config.KindGlobal, Pos: pos, Name: name, Text: value})
}

// Virtual begins a virtual service.
func (w *Writer) Virtual(pos config.Pos, name string) {
	w.add(config.Statement{Kind: config.KindTop, Pos: pos, Name: "virtual", Text: name})
}

// Directive adds a directive of the virtual service, above its checks.
func (w *Writer) Directive(pos config.Pos, name, text string) {
	w.add(config.Statement{Kind: config.KindVirtual, Pos: pos, Name: name, Text: text})
}

// Service adds `check`, `period` or a directive of a check.
func (w *Writer) Service(pos config.Pos, name, text string) {
	w.add(config.Statement{Kind: config.KindService, Pos: pos, Name: name, Text: text})
}

// Period adds a directive of a period.
func (w *Writer) Period(pos config.Pos, name, text string) {
	w.add(config.Statement{Kind: config.KindPeriod, Pos: pos, Name: name, Text: text})
}

// Note puts a comment behind the words of the last line.
func (w *Writer) Note(text string) {
	if n := len(w.all); n > 0 {
		w.all[n-1].Comment = "# " + text
	}
}

func (w *Writer) add(s config.Statement) { w.all = append(w.all, s) }

// File is what was written, as a file of that name.
func (w *Writer) File(name string) *config.File {
	return &config.File{Name: name, Paths: []string{name}, Mond: true, Statements: w.all}
}
