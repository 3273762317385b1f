// Package tree reads a TOML document into a tree in which every key and value
// keeps its place and its comments, and writes keys and strings. It knows
// nothing of what the document says; that is the business of package config.
//
// Reading is strict: a key that is given twice, or a table that is defined
// twice, is a problem, as TOML has it.
package tree

import (
	"sort"
	"strings"
)

// Kind says what a [Node] is.
type Kind uint8

// The kinds of node.
const (
	String Kind = iota
	Integer
	Float
	Bool
	Time // a date, a time, or both
	Array
	Table
)

// String is what a person calls k.
func (k Kind) String() string {
	return [...]string{"a string", "an integer", "a float", "true or false", "a date or time", "a list", "a table"}[k]
}

// Doc is a document.
type Doc struct {
	// Src is the whole text.
	Src string
	// Head is the comment that opens the file, if an empty line follows it.
	Head []string
	// Root holds everything, in the order of the text.
	Root *Node

	starts []int // of the lines
}

// Node is a value, with its key if it stands in a table.
type Node struct {
	Kind Kind
	Key  string
	// KeyOff is where the key begins, as it was written first; -1 in a list.
	KeyOff int
	// Off and End are where the value begins and ends; of a table that has a
	// header, the header's last key.
	Off, End int
	// Text is what a string holds, without quotes and escapes; of other
	// values it is how they were written.
	Text string
	// List are the elements of a list, or the entries of a table.
	List []*Node
	// Above are the comments on the lines above, one each, "" for an empty
	// line between them or after them; Beside is the one on the same line;
	// Below are those behind the last element of a list or inline table.
	Above  []string
	Beside string
	Below  []string
	// Apart is set if an empty line stands above all that.
	Apart bool

	parts []Part
	made  made
	index map[string]*Node // of a table with many entries
}

// Part is a run of bytes of a string that stand beside each other on one line
// of the document: from byte At of the string on, at offset Off.
type Part struct{ At, Off int }

// Parts say where the bytes of a string stand.
func (n *Node) Parts() []Part {
	if n.parts == nil {
		return []Part{{0, n.Off + 1}}
	}
	return n.parts
}

// Get is the entry of that key, or nil.
func (n *Node) Get(key string) *Node {
	if n.index != nil {
		return n.index[key]
	}
	for _, e := range n.List {
		if e.Key == key {
			return e
		}
	}
	return nil
}

// many is the number of entries from which on a table has an index.
const many = 12

func (n *Node) add(e *Node) {
	n.List = append(n.List, e)
	switch {
	case n.index != nil:
		n.index[e.Key] = e
	case len(n.List) >= many:
		n.index = make(map[string]*Node, 2*many)
		for _, e := range n.List {
			n.index[e.Key] = e
		}
	}
}

// Place is the line and column of an offset, both from 1.
func (d *Doc) Place(off int) (line, col int) {
	line = sort.SearchInts(d.starts, off+1)
	return line, off - d.starts[line-1] + 1
}

// Lines is the text of all lines that the bytes from off to end stand on,
// without the last line end, and where it begins.
func (d *Doc) Lines(off, end int) (text string, start int) {
	line, col := d.Place(off)
	start = off - col + 1
	for line < len(d.starts) && d.starts[line] < end {
		line++
	}
	stop := len(d.Src)
	if line < len(d.starts) {
		stop = d.starts[line]
	}
	return strings.TrimRight(d.Src[start:stop], "\r\n"), start
}

// lineStarts are the offsets at which lines begin.
func lineStarts(src string) []int {
	starts := make([]int, 1, 1+strings.Count(src, "\n"))
	for off := 0; ; {
		i := strings.IndexByte(src[off:], '\n')
		if i < 0 {
			return starts
		}
		off += i + 1
		starts = append(starts, off)
	}
}
