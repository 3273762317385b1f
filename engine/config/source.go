package config

import (
	"slices"
	"strings"
)

// FormatSource is the text of a mon.cf in its normal form, which says the same;
// included files and templates stay what they are. A text with errors is not
// formatted: they are among the diagnostics. Of a file that can only be read if
// `syntax = mond` holds from its first line on, it is taken to be included by
// one that says so.
func FormatSource(name string, src []byte) ([]byte, Diagnostics) {
	f, diag := Parse(name, src)
	if diag.HasErrors() {
		if m, more := ParseMond(name, src); !more.HasErrors() {
			f, diag = m, more
		}
	}
	if diag.HasErrors() {
		return nil, diag
	}
	out := Format(f)
	again, _ := parse(name, string(out), manner{mond: f.Mond})
	if at, ok := sameMeaning(f, again); !ok {
		return nil, append(diag, f.Diagnose(Error, at, "the normal form of this line would mean something else", "this is a mistake in mond: please report it"))
	}
	return out, diag
}

// sameMeaning reports whether b says what a does, and with the same comments;
// else where in a they begin to differ.
func sameMeaning(a, b *File) (Pos, bool) {
	if !slices.Equal(comments(a), comments(b)) {
		return Pos{File: a.Name}, false
	}
	x, y := saying(a), saying(b)
	for i, s := range x {
		if i >= len(y) || !s.same(y[i]) {
			return s.Pos, false
		}
	}
	return Pos{File: a.Name}, len(x) == len(y)
}

// saying are the statements of f that say something. Blank lines are not among
// them: what they part is told by the kinds of the lines.
func saying(f *File) []*Statement {
	var all []*Statement
	for i := range f.Statements {
		if k := f.Statements[i].Kind; k != KindBlank && k != KindComment {
			all = append(all, &f.Statements[i])
		}
	}
	return all
}

// same reports whether s and t say the same.
func (s *Statement) same(t *Statement) bool {
	if s.Kind != t.Kind || s.Name != t.Name {
		return false
	}
	split := fields
	switch {
	case s.Text == t.Text:
		return true
	case inWords(s.Name):
		split = func(text string) []Word { words, _ := Words(text); return words }
	case !inFields(s):
		return false
	}
	return slices.EqualFunc(split(s.Text), split(t.Text), func(a, b Word) bool { return a.Text == b.Text })
}

// comments are all of f, in order.
func comments(f *File) []string {
	var all []string
	for i := range f.Statements {
		st := &f.Statements[i]
		all = append(all, st.Inner...)
		if st.Kind == KindComment {
			all = append(all, st.Text)
		}
		if st.Comment != "" {
			all = append(all, st.Comment)
		}
	}
	return all
}

// Standalone is f as a file of its own: if f.Mond is set and something in f
// needs it, a line `syntax = mond` is put on top, below the first comments if
// a blank line follows them.
func (f *File) Standalone() *File {
	if !f.Mond || !slices.ContainsFunc(f.Statements, needsMond) {
		return f
	}
	out := *f
	out.Mond = false
	n := 0
	for i := range f.Statements {
		if k := f.Statements[i].Kind; k == KindBlank && i > 0 {
			n = i + 1
			break
		} else if k != KindComment {
			break
		}
	}
	top := []Statement{{Kind: KindGlobal, Name: "syntax", Text: mond, Pos: Pos{File: f.Name}, mond: true}, {Kind: KindBlank, Pos: Pos{File: f.Name}}}
	out.Statements = slices.Insert(slices.Clone(f.Statements), n, top...)
	return &out
}

// needsMond reports whether a statement can only be read below `syntax = mond`.
func needsMond(s Statement) bool {
	return special(s) || s.Kind == KindInclude || s.Comment != "" || s.Kind == KindMember && strings.HasPrefix(s.Text, "#")
}

// SameMeaning reports whether b says what a does, line for line and comments
// included; else where in a they begin to differ. It is for those who wrote a
// as b in another way.
func SameMeaning(a, b *File) (Pos, bool) {
	gate := func(s Statement) bool { return s.Kind == KindGlobal && s.Name == "syntax" }
	x, y := *a, *b
	x.Statements = slices.DeleteFunc(slices.Clone(a.Statements), gate)
	y.Statements = slices.DeleteFunc(slices.Clone(b.Statements), gate)
	return sameMeaning(&x, &y)
}
