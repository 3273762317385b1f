package tree

import (
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// made says what made a table or list, which decides what may add to it.
type made uint8

const (
	implied  made = iota // the path of a header below it
	byHeader             // [table], or [[table]] for a list
	byDots               // the path of a dotted key
	byValue              // { } or [ ]: whole as it stands
)

// table is the one that [keys] begins.
func (p *parser) table(keys []key) *Node {
	in, ok := p.path(keys)
	last := keys[len(keys)-1]
	if !ok {
		return lost(last)
	}
	n := in.Get(last.name)
	switch {
	case n == nil:
		n = &Node{Kind: Table, Key: last.name}
		in.add(n)
	case n.Kind != Table || n.made != implied:
		p.twice(last.off, n.KeyOff, names(keys)+" is defined")
		return lost(last)
	}
	n.made, n.KeyOff, n.Off, n.End = byHeader, last.off, last.off, last.end
	return n
}

// element is the one that [[keys]] adds to its list.
func (p *parser) element(keys []key) *Node {
	in, ok := p.path(keys)
	last := keys[len(keys)-1]
	if !ok {
		return lost(last)
	}
	n := in.Get(last.name)
	switch {
	case n == nil:
		n = &Node{Kind: Array, Key: last.name, KeyOff: last.off, Off: last.off, End: last.end, made: byHeader}
		in.add(n)
	case n.Kind != Array || n.made != byHeader:
		p.twice(last.off, n.KeyOff, names(keys)+" is defined")
		return lost(last)
	}
	e := lost(last)
	n.List = append(n.List, e)
	return e
}

// lost is a table of the place of k that stands in no other: what a header
// that is refused holds is read all the same.
func lost(k key) *Node {
	return &Node{Kind: Table, KeyOff: k.off, Off: k.off, End: k.end, made: byHeader}
}

// path follows all keys of a header but the last, and makes what is not there.
func (p *parser) path(keys []key) (*Node, bool) {
	in := p.doc.Root
	for i, k := range keys[:len(keys)-1] {
		n := in.Get(k.name)
		switch {
		case n == nil:
			n = &Node{Kind: Table, Key: k.name, KeyOff: k.off, Off: k.off, End: k.end}
			in.add(n)
		case n.Kind == Array && n.made == byHeader:
			n = n.List[len(n.List)-1]
		case n.Kind != Table || n.made == byValue:
			p.twice(k.off, n.KeyOff, names(keys[:i+1])+" is "+n.Kind.String())
			return nil, false
		}
		in = n
	}
	return in, true
}

// assign reads key = value within the table in; nil if that cannot be.
func (p *parser) assign(in *Node, keys []key, v *unstable.Node) *Node {
	for i, k := range keys[:len(keys)-1] {
		n := in.Get(k.name)
		switch {
		case n == nil:
			n = &Node{Kind: Table, Key: k.name, KeyOff: k.off, Off: k.off, End: k.end, made: byDots}
			in.add(n)
		case n.Kind != Table || n.made != byDots:
			p.twice(k.off, n.KeyOff, names(keys[:i+1])+" is defined")
			return nil
		}
		in = n
	}
	last := keys[len(keys)-1]
	if n := in.Get(last.name); n != nil {
		p.twice(last.off, n.KeyOff, names(keys)+" is given")
		return nil
	}
	n := &Node{Key: last.name, KeyOff: last.off}
	p.value(n, v, last.end)
	in.add(n)
	return n
}

// names are keys as they would be written.
func names(keys []key) string {
	all := make([]string, len(keys))
	for i, k := range keys {
		all[i] = Key(k.name)
	}
	return strings.Join(all, ".")
}
