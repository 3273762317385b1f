package config

import "strconv"

// Pos is a place in a file. Line and Col count from 1; Col counts bytes. A
// zero Col means the whole line, a zero Line the whole file.
type Pos struct {
	File string
	Line int
	Col  int
	// From says which use of a template brought the line there; nil for a line
	// that stands for itself.
	From *Origin
}

// Origin is a use of a template.
type Origin struct {
	Template string
	// Pos is where the use stands. If that is in a template too, Pos.From is
	// the use of it.
	Pos Pos
}

// String is "file:line:col", without the parts that are zero.
func (p Pos) String() string {
	s := p.File
	if p.Line > 0 {
		s += ":" + strconv.Itoa(p.Line)
		if p.Col > 0 {
			s += ":" + strconv.Itoa(p.Col)
		}
	}
	return s
}

// Uses are the uses of templates that brought the line of p where it counts,
// the nearest first.
func (p Pos) Uses() []*Origin {
	var all []*Origin
	for o := p.From; o != nil; o = o.Pos.From {
		all = append(all, o)
	}
	return all
}

// compare orders places by file, line and column.
func (p Pos) compare(q Pos) int {
	switch {
	case p.File != q.File:
		if p.File < q.File {
			return -1
		}
		return 1
	case p.Line != q.Line:
		return p.Line - q.Line
	}
	return p.Col - q.Col
}
