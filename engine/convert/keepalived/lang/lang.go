// Package lang reads the language of keepalived.conf: blocks, quotes, comments,
// included files, conditional lines, definitions and sequences, into a tree in
// which every word has its place. It reads as keepalived 2.2.7 does, its oddities
// included.
//
// It knows no keyword and judges no value: package keepalived does. It runs
// nothing, and what it makes of a file is bounded by [Limits].
package lang

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/mondhq/mond/engine/config"
)

// Options say how a file is read.
type Options struct {
	// ID is what keepalived is given by -i: lines that begin with @ID count.
	// Without it that is the name of this machine, up to the first point.
	ID string
	// Env gives ${_ENV NAME} its value; nil is the environment.
	Env func(name string) (string, bool)
	// Files are where included files come from; nil is the machine's.
	Files  Files
	Limits Limits
}

// Files are what `include` reads.
type Files interface {
	// Glob is as [filepath.Glob].
	Glob(pattern string) ([]string, error)
	// Read returns at most so many bytes of a plain file that is not executable.
	Read(name string, most int64) ([]byte, error)
}

// Limits bound what a file may become; 0 is the default.
type Limits struct {
	// Depth is how deep files may include each other (16), Nested how deep
	// blocks may be in each other (64).
	Depth, Nested int
	// Files is how many may be read in all (1000).
	Files int
	// Bytes is how much text may be read, and how much may be made of it by
	// definitions and sequences (32 MiB each); Lines how many lines that may
	// be (1,000,000).
	Bytes, Lines int
	// Line is how long a line may become (64 KiB).
	Line int
}

func (l Limits) filled() Limits {
	fill := func(n *int, or int) {
		if *n <= 0 {
			*n = or
		}
	}
	fill(&l.Depth, 16)
	fill(&l.Nested, 64)
	fill(&l.Files, 1000)
	fill(&l.Bytes, 32<<20)
	fill(&l.Lines, 1_000_000)
	fill(&l.Line, 64<<10)
	return l
}

// Grade says how much a [Problem] weighs.
type Grade uint8

// The grades.
const (
	Lost    Grade = iota // it is understood, but cannot be said otherwise
	Warning              // keepalived complains, or should, and goes on
	Error                // the file is not what it was meant to be
)

// Problem is something to say about the file.
type Problem struct {
	Pos   config.Pos
	Grade Grade
	// What is the text in question, Message what is wrong with it, Hint what to
	// do; Hint may be empty.
	What, Message, Hint string
}

// Document is a file that was read, with those it includes.
type Document struct {
	// Nodes are what stands outside of any block.
	Nodes    []*Node
	Problems []Problem
	// Sources are the files, by name; Files are their names in the order in
	// which they were read.
	Sources map[string][]byte
	Files   []string
}

// Parse reads src, the text of the file of that name.
func Parse(name string, src []byte, o Options) *Document {
	if o.ID == "" {
		name, _ := os.Hostname()
		o.ID, _, _ = strings.Cut(name, ".")
	}
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	if o.Files == nil {
		o.Files = machine{}
	}
	r := &reader{
		Options: o, limits: o.Limits.filled(), defs: map[string]*definition{},
		doc: &Document{Sources: map[string][]byte{name: src}, Files: []string{name}}, files: 1,
	}
	if r.read = len(src); r.read > r.limits.Bytes {
		r.once(config.Pos{File: name}, "", "more than %d bytes", r.limits.Bytes)
		return r.doc
	}
	r.push(&file{name: name, rest: string(src)})
	r.tree()
	return r.doc
}

// machine is this machine's files.
type machine struct{}

func (machine) Glob(pattern string) ([]string, error) { return filepath.Glob(pattern) }

func (machine) Read(name string, most int64) ([]byte, error) {
	st, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Mode().Perm()&0o111 != 0 {
		return nil, errNotPlain
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}
