package convert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
)

// maxSaid is how many errors, how many warnings and how many losses are kept:
// nobody reads more, and a file may be of millions of bad lines.
const maxSaid = 200

// Writer makes a [Result]: it takes the statements, and what there is to say of
// the foreign file. Most methods add one line each; pos is the place in the
// foreign file that the line comes from. The zero value is ready.
type Writer struct {
	all    []config.Statement
	diags  config.Diagnostics
	losses []Loss
	// files are the lines of what was read, by name.
	files map[string][]string
	// off is set while what is written becomes comments.
	off bool
	// errors and warnings are how many there were, kept or not.
	errors, warnings, lost int
}

// From says what the file of that name holds, so that what is said of it, now
// and when the statements are given their meaning, shows the line.
func (w *Writer) From(name string, src []byte) {
	if w.files == nil {
		w.files = map[string][]string{}
	}
	w.files[name] = strings.Split(string(src), "\n")
}

// Errorf says that the file must not be used; the hint, which may be empty,
// what to do.
func (w *Writer) Errorf(pos config.Pos, hint, format string, args ...any) {
	w.errors++
	if w.errors <= maxSaid {
		w.say(config.Error, pos, hint, fmt.Sprintf(format, args...))
	}
}

// Warnf says something of a file that may be used all the same.
func (w *Writer) Warnf(pos config.Pos, hint, format string, args ...any) {
	w.warnings++
	if w.warnings <= maxSaid {
		w.say(config.Warning, pos, hint, fmt.Sprintf(format, args...))
	}
}

func (w *Writer) say(sev config.Severity, pos config.Pos, hint, message string) {
	st := config.Statement{Pos: pos}
	w.locate(&st)
	w.diags = append(w.diags, st.Diagnose(sev, -1, message, hint))
}

// Lose notes what is not carried over, once.
func (w *Writer) Lose(pos config.Pos, what, format string, args ...any) {
	l := Loss{Pos: pos, What: what, Why: fmt.Sprintf(format, args...)}
	if slices.Contains(w.losses, l) {
		return
	}
	if w.lost++; w.lost <= maxSaid {
		w.losses = append(w.losses, l)
	}
}

// locate gives a statement the line that it comes from.
func (w *Writer) locate(s *config.Statement) {
	lines := w.files[s.Pos.File]
	if n := s.Pos.Line; n > 0 && n <= len(lines) {
		s.Locate(strings.TrimRight(lines[n-1], "\r"))
	}
}

// Off says whether what is written from now on becomes comments, as for a part
// of the foreign file that is switched off.
func (w *Writer) Off(off bool) { w.off = off }

// Comment adds a line of comment.
func (w *Writer) Comment(pos config.Pos, text string) {
	w.add(config.Statement{Kind: config.KindComment, Pos: pos, Text: strings.TrimRight("# "+text, " ")})
}

// Blank adds an empty line: it ends a record.
func (w *Writer) Blank(pos config.Pos) { w.add(config.Statement{Kind: config.KindBlank, Pos: pos}) }

// Global adds a variable.
func (w *Writer) Global(pos config.Pos, name, value string) {
	w.add(config.Statement{Kind: config.KindGlobal, Pos: pos, Name: name, Text: value})
}

// Resident adds the variable by which the checks are made by mond's own
// monitors: where mon is installed too there are others of the same names, and
// classic ones come first.
func (w *Writer) Resident(pos config.Pos) {
	w.Global(pos, "prefer", "resident")
	w.Note("the checks want mond's own monitors, not mon's of the same names")
}

// Timeouts adds the time limits of the kernel's table, if there are any.
func (w *Writer) Timeouts(pos config.Pos, t config.IPVSTimeouts) {
	if words := t.String(); words != "" {
		w.Global(pos, "ipvs_timeouts", words)
	}
}

// Sync adds how connections are copied, if they are.
func (w *Writer) Sync(pos config.Pos, s config.IPVSSync) {
	if words := s.String(); words != "" {
		w.Global(pos, "ipvs_sync", words)
	}
}

// Virtual begins a virtual service.
func (w *Writer) Virtual(pos config.Pos, name string) {
	w.add(config.Statement{Kind: config.KindTop, Pos: pos, Name: "virtual", Text: name})
}

// Top begins a record of another kind, such as a hostgroup or a watch.
func (w *Writer) Top(pos config.Pos, name, text string) {
	w.add(config.Statement{Kind: config.KindTop, Pos: pos, Name: name, Text: text})
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
	if n := len(w.all); n > 0 && !w.off {
		w.all[n-1].Comment = "# " + text
	}
}

func (w *Writer) add(s config.Statement) {
	if w.off {
		s = asComment(s)
	}
	w.locate(&s)
	w.all = append(w.all, s)
}

// asComment is s as a comment that shows it.
func asComment(s config.Statement) config.Statement {
	switch s.Kind {
	case config.KindBlank:
		return s
	case config.KindComment:
		s.Text = "#     " + s.Text
		return s
	}
	line := s.Name + " " + s.Text
	switch {
	case s.Kind == config.KindGlobal:
		line = s.Name + " = " + s.Text
	case s.Kind == config.KindEnv:
		line = "        " + s.Name + "=" + s.Text
	case s.Kind == config.KindPeriod:
		line = "            " + line
	case s.Kind == config.KindService && s.Name != "check":
		line = "        " + line
	case s.Kind != config.KindTop:
		line = "    " + line
	}
	return config.Statement{Kind: config.KindComment, Pos: s.Pos, Text: "# " + strings.TrimRight(line, " ")}
}

// File is what was written, as a file of that name.
func (w *Writer) File(name string) *config.File {
	return &config.File{Name: name, Paths: []string{name}, Mond: true, Statements: w.all}
}

// Result is all that was written and said, of a file of that name.
func (w *Writer) Result(name string) Result {
	cut := func(n int, sev config.Severity, what string) {
		if n > maxSaid {
			w.diags = append(w.diags, config.Diagnostic{Pos: config.Pos{File: name}, Severity: sev, Mark: -1, Message: fmt.Sprintf("and %d more %s", n-maxSaid, what)})
		}
	}
	cut(w.errors, config.Error, "errors")
	cut(w.warnings, config.Warning, "warnings")
	cut(w.lost, config.Warning, "lines that are not carried over")
	w.diags.Sort()
	slices.SortStableFunc(w.losses, func(a, b Loss) int {
		return cmp.Or(strings.Compare(a.Pos.File, b.Pos.File), a.Pos.Line-b.Pos.Line, a.Pos.Col-b.Pos.Col)
	})
	return Result{File: w.File(name), Losses: w.losses, Diagnostics: w.diags}
}

// Words are words as a directive has them that takes a command, such as
// `monitor`: quoted where they must be, and with their dollars doubled, for in
// a virtual service a single one begins a parameter.
func Words(words ...string) string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = quote(Dollars(word))
	}
	return strings.Join(out, " ")
}

// quote is config.Quote, but with the quotes in which a backslash stays one
// where that can be.
func quote(word string) string {
	if strings.ContainsAny(word, "\"\\") && !strings.ContainsRune(word, '\'') {
		if words, err := config.Words("'" + word + "'"); err == nil && len(words) == 1 && words[0].Text == word {
			return "'" + word + "'"
		}
	}
	return config.Quote(word)
}

// Dollars is text with its dollars doubled.
func Dollars(text string) string { return strings.ReplaceAll(text, "$", "$$") }
