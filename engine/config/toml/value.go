package toml

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml/tree"
)

// directive reads key = value for a row of the table; a list gives one
// statement for each element where mon.cf would have several lines.
func (r *reader) directive(k *config.Keyword, kind config.Kind, n *tree.Node) {
	r.comments(n.Above)
	switch {
	case n.Kind != tree.Array || !k.Repeat || k.Form == config.FormGrant:
		r.one(k, kind, n.KeyOff, n)
		return
	case k.Form == config.FormWords:
		r.rows(k, n, newLine(kind, k.Name, n.KeyOff), func(e *tree.Node) line { return newLine(kind, k.Name, e.Off) })
		return
	}
	for _, e := range n.List {
		r.comments(e.Above)
		if r.dash(k, e) {
			return
		}
		r.one(k, kind, e.Off, e)
	}
	r.beside(n.Beside)
	r.comments(n.Below)
}

// rows reads a list of words of which each line becomes a statement: the first
// one goes on with l, next begins one with its first element.
func (r *reader) rows(k *config.Keyword, n *tree.Node, l line, next func(e *tree.Node) line) {
	row, _ := r.doc.Place(n.Off)
	beside := ""
	for i, e := range n.List {
		at, _ := r.doc.Place(e.Off)
		if i > 0 && at > row {
			r.put(&l, beside)
			l, beside = next(e), ""
		}
		row = at
		r.comments(e.Above)
		switch {
		case e.Kind != tree.String:
			r.wrong(k, e)
		case r.single(k.Name, e, " "):
			l.gap(" ")
			l.exact(e, 0, e.Text)
		}
		if beside != "" {
			r.comments([]string{beside})
		}
		beside = e.Beside
	}
	r.put(&l, beside)
	r.beside(n.Beside)
	r.comments(n.Below)
}

// dash reports words of one line that were written as several lines.
func (r *reader) dash(k *config.Keyword, e *tree.Node) bool {
	if k.Form != config.FormCommand || e.Kind != tree.String || !strings.HasPrefix(e.Text, "-") {
		return false
	}
	r.errorf(e.Off, fmt.Sprintf(`write %s = "PROGRAM %s ..." as one string, or [["PROGRAM", %s, ...]]`, k.Name, shown(e.Text), tree.Quote(shown(e.Text))),
		"each element of %s is a line of its own, and this one begins with -", k.Name)
	return true
}

func shown(text string) string {
	word, _, _ := strings.Cut(text, " ")
	if len(word) > 20 {
		return "-x"
	}
	return word
}

// one reads one value of k; off is where a mon.cf would have the directive.
func (r *reader) one(k *config.Keyword, kind config.Kind, off int, n *tree.Node) {
	l := newLine(kind, k.Name, off)
	ok := false
	switch k.Form {
	case config.FormText, config.FormTime, config.FormTimeWord, config.FormPhrase:
		ok = r.text(&l, k, n)
	case config.FormFlag:
		if !r.flag(k, n) {
			r.comments(n.Below)
			return
		}
		ok = true
	case config.FormYes:
		ok = r.yes(&l, k, n)
	case config.FormNumber, config.FormCounts:
		ok = r.number(&l, k, n)
	case config.FormWords:
		ok = r.list(&l, k, n, " ")
	case config.FormPaths:
		ok = r.list(&l, k, n, ":")
	case config.FormQuoted:
		ok = r.quoted(&l, k, n)
	case config.FormCommand:
		ok = r.command(&l, k, n)
	case config.FormGrant:
		r.grant(k, n)
		return
	case config.FormRecord:
	}
	if !ok {
		l.kind = config.KindBad
	}
	r.put(&l, n.Beside)
	r.comments(n.Below)
}

// takes says what a value of that form looks like.
func takes(f config.Form) (what, example string) {
	switch f {
	case config.FormFlag:
		return "true", "true"
	case config.FormYes:
		return "true or false", "true"
	case config.FormNumber:
		return "an integer", "3"
	case config.FormTime, config.FormTimeWord:
		return "a time with its unit, as a string", `"10s"`
	case config.FormCounts:
		return "an integer or a string", ""
	case config.FormWords:
		return "a list of strings, one word each, or a string", `["a", "b"]`
	case config.FormPaths:
		return "a list of paths, or a string", `["/a", "/b"]`
	case config.FormQuoted:
		return "a list of strings", `["a", "b"]`
	case config.FormCommand:
		return "a program with its words, as a string or a list of words", `"PROGRAM WORD"`
	case config.FormGrant:
		return "a table of programs and their capabilities", `{ "fping.monitor" = ["cap_net_raw"] }`
	case config.FormText, config.FormPhrase, config.FormRecord:
	}
	return "a string", `"..."`
}

// wrong reports a value of the wrong type.
func (r *reader) wrong(k *config.Keyword, n *tree.Node) bool {
	if n.KeyOff < 0 && (k.Form == config.FormWords || k.Form == config.FormPaths || k.Form == config.FormQuoted) {
		r.errorf(n.Off, "write it in quotes", "elements of %s are strings, not %s", k.Name, n.Kind)
		return false
	}
	what, example := takes(k.Form)
	if k.Name == "use" {
		what, example = "a template with its parameters, as a string or a list of such", `"NAME PARAM=VALUE"`
	}
	hint := ""
	switch {
	case (k.Form == config.FormTime || k.Form == config.FormTimeWord) && n.Kind == tree.Integer:
		example = tree.Quote(n.Text + "s")
	case k.Form == config.FormNumber && n.Kind == tree.String && isNumber(n.Text):
		example = n.Text
	case k.Form == config.FormText && (n.Kind == tree.Integer || n.Kind == tree.Float):
		example = tree.Quote(n.Text)
	}
	if example != "" {
		hint = "write " + k.Name + " = " + example
	}
	r.errorf(n.Off, hint, "%s takes %s, not %s", k.Name, what, n.Kind)
	return false
}

func isNumber(text string) bool {
	_, err := strconv.Atoi(text)
	return err == nil
}

// parameter reports whether n is a string that holds a parameter of the
// template it stands in: then its type shows only where the template is used.
func (r *reader) parameter(n *tree.Node) bool {
	return r.template && n.Kind == tree.String && strings.Contains(n.Text, "$")
}

func (r *reader) text(l *line, k *config.Keyword, n *tree.Node) bool {
	if n.Kind != tree.String {
		return r.wrong(k, n)
	}
	l.value(n, k.Form == config.FormPhrase)
	return true
}

// flag reports whether n sets k. What a template set cannot be taken back: a
// mon.cf has no word for it.
func (r *reader) flag(k *config.Keyword, n *tree.Node) bool {
	switch {
	case n.Kind != tree.Bool:
		r.wrong(k, n)
	case n.Text == "true":
		return true
	case r.used:
		r.errorf(n.Off, "remove it here, or "+k.Name+" from the template", "%s = false takes back nothing that a template sets", k.Name)
	}
	return false
}

func (r *reader) yes(l *line, k *config.Keyword, n *tree.Node) bool {
	switch {
	case r.parameter(n):
		l.value(n, false)
	case n.Kind != tree.Bool:
		return r.wrong(k, n)
	case n.Text == "true":
		l.add("yes", n.Off, n.End)
	default:
		l.add("no", n.Off, n.End)
	}
	return true
}

func (r *reader) number(l *line, k *config.Keyword, n *tree.Node) bool {
	switch {
	case n.Kind == tree.Integer:
		v, err := strconv.ParseInt(n.Text, 0, 64)
		if err != nil {
			r.errorf(n.Off, "", "%s is out of range for %s", quote(n.Text), k.Name)
			return false
		}
		l.add(strconv.FormatInt(v, 10), n.Off, n.End)
	case n.Kind == tree.String && k.Form == config.FormCounts, r.parameter(n):
		l.value(n, false)
	default:
		return r.wrong(k, n)
	}
	return true
}

// list reads words, or paths, that are joined by sep.
func (r *reader) list(l *line, k *config.Keyword, n *tree.Node, sep string) bool {
	switch n.Kind {
	case tree.String:
		l.value(n, false)
		return true
	case tree.Array:
	default:
		return r.wrong(k, n)
	}
	ok := true
	for _, e := range n.List {
		r.comments(e.Above)
		if e.Kind != tree.String {
			r.wrong(k, e)
			ok = false
			continue
		}
		ok = r.single(k.Name, e, sep) && ok
		l.gap(sep)
		l.exact(e, 0, e.Text)
		if e.Beside != "" {
			r.comments([]string{e.Beside})
		}
	}
	return ok
}

// single reports an element of a list that a mon.cf would read as none or as
// several.
func (r *reader) single(name string, e *tree.Node, sep string) bool {
	among := sep
	if sep == " " {
		among = blanks
	}
	switch {
	case strings.Trim(e.Text, blanks) == "":
		r.errorf(e.Off, "", "an empty element of %s", name)
	case strings.ContainsAny(e.Text, among):
		r.errorf(e.Off, "make an element of each", "%s holds a %s: it is more than one element of %s", quote(e.Text), sepName(sep), name)
	default:
		return true
	}
	return false
}

func sepName(sep string) string {
	if sep == ":" {
		return "colon"
	}
	return "blank"
}

// quoted reads a word that may hold blanks.
func (r *reader) quoted(l *line, k *config.Keyword, n *tree.Node) bool {
	if n.Kind != tree.String {
		return r.wrong(k, n)
	}
	l.word(n)
	return true
}

// command reads a program with its words.
func (r *reader) command(l *line, k *config.Keyword, n *tree.Node) bool {
	switch n.Kind {
	case tree.String:
		l.value(n, true)
		return true
	case tree.Array:
	default:
		return r.wrong(k, n)
	}
	ok := true
	for _, e := range n.List {
		r.comments(e.Above)
		if e.Kind != tree.String {
			r.errorf(e.Off, "write it in quotes", "words of %s are strings, not %s", k.Name, e.Kind)
			ok = false
			continue
		}
		l.word(e)
		if e.Beside != "" {
			r.comments([]string{e.Beside})
		}
	}
	return ok
}

// grant reads a table of programs and their capabilities.
func (r *reader) grant(k *config.Keyword, n *tree.Node) {
	if n.Kind != tree.Table {
		r.wrong(k, n)
		return
	}
	for _, e := range n.List {
		r.comments(e.Above)
		l := newLine(config.KindGlobal, k.Name, e.KeyOff)
		l.add(e.Key, e.KeyOff, e.KeyOff+1)
		list := line{}
		switch {
		case e.Key == "" || strings.ContainsAny(e.Key, blanks):
			r.errorf(e.KeyOff, "", "%s is no name of a program", quote(e.Key))
			continue
		case e.Kind != tree.Array && e.Kind != tree.String:
			r.errorf(e.Off, `write a list: ["cap_net_raw"]`, "capabilities are a list of strings, not %s", e.Kind)
			continue
		case e.Kind == tree.Array && len(e.List) == 0:
			l.gap(" ")
			l.add("none", e.Off, e.End)
		default:
			if !r.list(&list, &config.Keyword{Name: "grant", Form: config.FormWords}, e, " ") {
				continue
			}
			l.gap(" ")
			l.join(&list)
		}
		r.put(&l, e.Beside)
		r.comments(e.Below)
	}
	r.beside(n.Beside)
	r.comments(n.Below)
}

// join adds another line to l.
func (l *line) join(other *line) {
	start := l.length()
	for _, s := range other.spots {
		l.spots = append(l.spots, spot{start + s.at, s.off, s.fixed})
	}
	l.write(other.string())
	l.end = max(l.end, other.end)
}
