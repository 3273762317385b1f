package lang

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
)

var errNotPlain = errors.New("keepalived reads plain files only that are not executable")

// file is a source: the lines of a file.
type file struct {
	name, rest string
	line       int
	depth      int // how many include it
}

func (f *file) next() (text, bool) {
	if f.rest == "" {
		return text{}, false
	}
	var s string
	s, f.rest, _ = strings.Cut(f.rest, "\n")
	f.line++
	return textAt(strings.TrimRight(s, "\r"), config.Pos{File: f.name, Line: f.line, Col: 1}), true
}

// include reads the files that t names, if it is an include; keepalived has
// variants of the word that say how much is to be complained of.
func (r *reader) include(t text) bool {
	word, rest, ok := strings.Cut(strings.ReplaceAll(t.s, "\t", " "), " ")
	kind, is := strings.CutPrefix(word, "include")
	if !ok || !is || len(kind) > 1 || !strings.Contains("rmwba", kind) {
		return false
	}
	off := len(t.s) - len(strings.TrimLeft(rest, " "))
	r.glob(t.at(off), t.s[off:], kind)
	return true
}

// glob pushes the files that a pattern stands for, so that the first is read
// first.
func (r *reader) glob(pos config.Pos, pattern, kind string) {
	name, dir := pattern, filepath.Dir(pos.File)
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	alternatives, ok := braces(name, 100)
	if !ok {
		r.errorf(pos, "name the files one by one", "too many alternatives in %s", pattern)
		return
	}
	found := 0
	var all []*file
	for _, one := range alternatives {
		names, err := r.Files.Glob(one)
		if err != nil {
			r.errorf(pos, "a [ begins a set of characters; \\[ is a plain one", "include %s: %v", pattern, err)
			return
		}
		if len(names) == 0 && !strings.ContainsAny(one, "*?[") {
			r.missing(pos, one, kind)
		}
		found += len(names)
		for _, name := range names {
			if f := r.open(pos, name); f != nil {
				all = append(all, f)
			}
		}
	}
	if found == 0 && (kind == "w" || kind == "a") {
		r.warnf(pos, "", "no file matches %s", pattern)
	}
	for _, f := range slices.Backward(all) {
		if !r.full {
			r.push(f)
		}
	}
}

// missing says that a file is not there: an error where the word asks for one.
func (r *reader) missing(pos config.Pos, name, kind string) {
	g := Warning
	if kind != "" {
		g = Error
	}
	r.say(g, pos, "", "keepalived looks relative to the folder of the file that includes", "there is no file %s", name)
}

// open reads a file that is included; nil if it must not be.
func (r *reader) open(pos config.Pos, name string) *file {
	r.files++
	switch {
	case r.files > r.limits.Files:
		r.once(pos, "too many files", "more than %d files", r.limits.Files)
		return nil
	case r.depth() >= r.limits.Depth:
		r.once(pos, "does "+name+" include itself?", "files include each other more than %d deep", r.limits.Depth)
		return nil
	}
	left := int64(r.limits.Bytes - r.read + 1)
	src, err := r.Files.Read(name, left)
	if err != nil {
		r.errorf(pos, "", "include %s: %v", name, err)
		return nil
	}
	if r.read += len(src); int64(len(src)) >= left {
		r.once(pos, "too much", "more than %d bytes in all files", r.limits.Bytes)
		return nil
	}
	r.doc.Sources[name] = src
	r.doc.Files = append(r.doc.Files, name)
	return &file{name: name, rest: string(src), depth: r.depth() + 1}
}

// depth is how many files include the one that is being read.
func (r *reader) depth() int {
	for _, s := range slices.Backward(r.sources) {
		if f, ok := s.(*file); ok && f.line > 0 {
			return f.depth
		}
	}
	return 0
}

// braces expands the first {a,b} of a pattern and, in what that gives, the
// others; false if that makes more than most.
func braces(pattern string, most int) ([]string, bool) {
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		return []string{pattern}, true
	}
	end, cuts := closing(pattern, open)
	if end < 0 {
		return []string{pattern}, true
	}
	var all []string
	for i := 0; i+1 < len(cuts); i++ {
		more, ok := braces(pattern[:open]+pattern[cuts[i]+1:cuts[i+1]]+pattern[end+1:], most)
		if all = append(all, more...); !ok || len(all) > most {
			return nil, false
		}
	}
	return all, true
}

// closing is where the brace that opens at i is closed, or -1, and where the
// alternatives in it begin and end.
func closing(s string, i int) (int, []int) {
	depth, cuts := 0, []int{i}
	for j := i; j < len(s); j++ {
		switch s[j] {
		case '{':
			depth++
		case ',':
			if depth == 1 {
				cuts = append(cuts, j)
			}
		case '}':
			if depth--; depth == 0 {
				return j, append(cuts, j)
			}
		}
	}
	return -1, nil
}

// maxSaid is how many problems of a grade are kept; nobody reads more.
const maxSaid = 1000

func (r *reader) say(g Grade, pos config.Pos, what, hint, format string, args ...any) {
	if r.said[g]++; r.said[g] > maxSaid {
		return
	}
	r.doc.Problems = append(r.doc.Problems, Problem{Pos: pos, Grade: g, What: what, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (r *reader) errorf(pos config.Pos, hint, format string, args ...any) {
	r.say(Error, pos, "", hint, format, args...)
}

func (r *reader) warnf(pos config.Pos, hint, format string, args ...any) {
	r.say(Warning, pos, "", hint, format, args...)
}

// once says that a limit was passed, and ends the reading.
func (r *reader) once(pos config.Pos, hint, format string, args ...any) {
	if !r.full {
		r.full = true
		r.errorf(pos, hint, format, args...)
	}
	r.sources = nil
}
