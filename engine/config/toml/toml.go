// Package toml reads and writes a configuration in TOML: the same [config.File]
// that a mon.cf gives, so that everything above it, [config.Expand] and
// [config.Resolve] first of all, sees no difference. What TOML type a directive
// takes follows from its row in config's table of keywords.
//
// It gives no directive a meaning of its own, and it looks into no file that is
// included.
package toml

import (
	"fmt"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml/tree"
)

// blanks are what separates words in a mon.cf.
const blanks = " \t\r\f\v\n"

// Parse reads a configuration in TOML. It reports what is no TOML, what is no
// key of that place, and values of a type that the directive does not take; it
// is a [config.Reader].
func Parse(name string, src []byte) (*config.File, config.Diagnostics) {
	text, marked := strings.CutPrefix(string(src), "\ufeff")
	if marked {
		text = "   " + text // columns count bytes
	}
	doc, problems := tree.Parse(text)
	r := &reader{name: name, doc: doc, words: newWords(), f: &config.File{Name: name, Mond: true, Paths: []string{name}}}
	r.f.Statements = make([]config.Statement, 0, strings.Count(text, "\n")+1) // a guess
	if marked {
		r.say(config.Warning, 0, "save the file as UTF-8 without one", "a byte order mark before the first line")
	}
	for _, p := range problems {
		r.problem(p)
	}
	r.root()
	r.diag.Sort()
	return r.f, r.diag
}

// reader makes statements of a tree.
type reader struct {
	name  string
	doc   *tree.Doc
	words words
	f     *config.File
	diag  config.Diagnostics
	// template is set within one: there a value may be a parameter.
	template bool
	// inService and inCheck are set within a service, and a check of a virtual
	// service.
	inService, inCheck bool
	// used is set where a template may have set something.
	used bool
	// outside is set between records, where empty lines change nothing.
	outside bool
	said    [2]int // by severity
}

// words are the directives by scope and name.
type words struct {
	all    []config.Keyword
	scopes [config.ScopeCheck + 1]map[string]*config.Keyword
}

func newWords() words {
	w := words{all: config.Keywords()}
	for i := range w.all {
		k := &w.all[i]
		if w.scopes[k.Scope] == nil {
			w.scopes[k.Scope] = map[string]*config.Keyword{}
		}
		w.scopes[k.Scope][k.Name] = k
	}
	return w
}

func (w words) find(s config.Scope, name string) *config.Keyword { return w.scopes[s][name] }

// forBelow reports whether k is a variable that in a mon.cf holds for the
// services below it only.
func (w words) forBelow(k *config.Keyword) bool {
	return k.Scope == config.ScopeGlobal && k.Repeat && w.find(config.ScopeService, k.Name) != nil
}

// names are the keys of one scope.
func (w words) names(s config.Scope) []string {
	var out []string
	for i := range w.all {
		if w.all[i].Scope == s {
			out = append(out, w.all[i].Name)
		}
	}
	return out
}

// most is how many errors, and how many warnings, are kept: nobody reads more.
const most = 1000

// say makes a diagnostic about the byte at off of the document.
func (r *reader) say(sev config.Severity, off int, hint, format string, args ...any) {
	if r.said[sev]++; r.said[sev] > most {
		return
	}
	st := config.Statement{Pos: r.pos(off)}
	lines, _ := r.doc.Lines(off, off+1)
	st.Locate(lines)
	r.diag = append(r.diag, st.Diagnose(sev, -1, fmt.Sprintf(format, args...), hint))
}

func (r *reader) errorf(off int, hint, format string, args ...any) {
	r.say(config.Error, off, hint, format, args...)
}

func (r *reader) pos(off int) config.Pos {
	line, col := r.doc.Place(off)
	return config.Pos{File: r.name, Line: line, Col: col}
}

// problem reports what is wrong as TOML.
func (r *reader) problem(p tree.Problem) {
	if p.First >= 0 {
		r.errorf(p.Off, "TOML allows a key and a table once", "%s at %s already", p.Message, r.pos(p.First))
		return
	}
	hint := ""
	if strings.Contains(p.Message, "strings must be quoted") || strings.Contains(p.Message, "at start of value") || strings.Contains(p.Message, "expected keyword") {
		hint = `text and times stand in quotes: "10s"`
	}
	r.errorf(p.Off, hint, "this is no TOML: %s", p.Message)
}

// quote is s between quotes, cut to what can be read at a glance.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return fmt.Sprintf("%q", s)
}
