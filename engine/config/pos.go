package config

import "strconv"

// Pos is a place in a file. Line and Col count from 1; Col counts bytes. A
// zero Col means the whole line, a zero Line the whole file.
type Pos struct {
	File string
	Line int
	Col  int
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
