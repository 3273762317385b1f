package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Limits of what one file may include, so that a pattern that matches too much
// ends in an error and not in a full memory. All files together are no larger
// than one may be.
const (
	maxIncludeDepth = 16
	maxIncluded     = 1000
)

// includer puts the statements of included files where they are asked for.
type includer struct {
	ctx  context.Context
	o    Options
	diag *collector
	// read are the diagnostics of the files themselves.
	read  Diagnostics
	out   []Statement
	paths []string
	bytes int
	// open are the files that are being read, the outermost first.
	open []opened
	// failed is set if a file could not be read at all.
	failed bool
}

// opened is a file that includes another one, or is about to.
type opened struct {
	path string
	info os.FileInfo // nil if it is no file of the disk
}

// include is f with the statements of the files that it includes, or f.
func (x *includer) include(f *File) *File {
	if !slices.ContainsFunc(f.Statements, func(s Statement) bool { return s.Kind == KindInclude }) {
		return f
	}
	info, _ := os.Stat(f.Name)
	x.open = []opened{{f.Name, info}}
	x.paths = slices.Clone(f.Paths)
	x.statements(f)
	out := *f
	out.Statements, out.Paths = x.out, x.paths
	if x.failed {
		out.Statements = nil
	}
	return &out
}

// statements takes those of a file that is open.
func (x *includer) statements(f *File) {
	for i := range f.Statements {
		st := &f.Statements[i]
		if st.Kind == KindInclude {
			x.line(st, f.Name)
			continue
		}
		x.out = append(x.out, *st)
	}
	if n := len(x.out); n > 0 && x.out[n-1].Kind != KindBlank { // its last record does not go on in the file that included it
		x.out = append(x.out, Statement{Kind: KindBlank, Pos: x.out[n-1].Pos, moved: true})
	}
}

// line includes what one statement of the file named from asks for.
func (x *includer) line(st *Statement, from string) {
	words, err := Words(st.Text)
	if q, ok := errors.AsType[*QuoteError](err); ok {
		x.fail(st, q.Off, "", "include: %v", err)
		return
	}
	for _, w := range words {
		for _, path := range x.match(st, w, from) {
			x.file(st, w.Off, path)
		}
	}
}

func (x *includer) fail(st *Statement, off int, hint, format string, args ...any) {
	x.failed = true
	x.diag.errorf(st, off, hint, format, args...)
}

// match are the files that a pattern of the file named from stands for.
func (x *includer) match(st *Statement, w Word, from string) []string {
	dir := filepath.Dir(from)
	if !wild(w.Text) {
		return []string{under(dir, w.Text)}
	}
	pattern := under(strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir), w.Text)
	paths, err := filepath.Glob(pattern)
	if err != nil {
		x.fail(st, w.Off, "a [ wants a ]", "include: invalid pattern %s", quote(w.Text))
		return nil
	}
	paths = slices.DeleteFunc(paths, func(path string) bool {
		info, err := os.Stat(path)
		return unwanted(w.Text, path) || err == nil && info.IsDir()
	})
	slices.Sort(paths)
	return paths
}

func wild(pattern string) bool { return strings.ContainsAny(pattern, `*?[`) }

// unwanted reports whether path, or what it ends in, is one that a wildcard of
// pattern shall not match: a hidden file or folder, or what an editor or the
// package manager left.
func unwanted(pattern, path string) bool {
	patterns, names := strings.Split(filepath.Clean(pattern), "/"), strings.Split(path, "/")
	for n := 1; n <= min(len(patterns), len(names)); n++ {
		p, name := patterns[len(patterns)-n], names[len(names)-n]
		if wild(p) && (strings.HasPrefix(name, ".") && !strings.HasPrefix(p, ".") || backup(name)) {
			return true
		}
	}
	return false
}

func backup(name string) bool {
	return strings.HasSuffix(name, "~") || strings.HasSuffix(name, ".bak") || strings.Contains(name, ".dpkg-") || strings.Contains(name, ".rpm")
}

// file includes one file, which st asks for at off.
func (x *includer) file(st *Statement, off int, path string) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		x.fail(st, off, "", "include %s: %s", quote(path), reason(err))
		return
	case !info.Mode().IsRegular():
		x.fail(st, off, "", "include %s: it is no plain file", quote(path))
		return
	case x.loops(info):
		x.fail(st, off, "", "include %s: it includes itself: %s", quote(path), x.chain(path))
		return
	case len(x.open) > maxIncludeDepth:
		x.fail(st, off, "", "include %s: more than %d files inside each other: %s", quote(path), maxIncludeDepth, x.chain(path))
		return
	case len(x.paths) > maxIncluded:
		x.fail(st, off, "", "include %s: more than %d files", quote(path), maxIncluded)
		return
	case x.ctx.Err() != nil:
		x.fail(st, off, "", "include %s: %v", quote(path), context.Cause(x.ctx))
		return
	}
	x.take(st, off, opened{path, info})
}

// take reads a file and includes its statements.
func (x *includer) take(st *Statement, off int, file opened) {
	o := x.o
	o.M4 = ""
	if strings.HasSuffix(file.path, ".m4") {
		o.M4 = x.o.M4 // a name for the one in PATH
	}
	f, n, diag, err := readOne(x.ctx, file.path, o, true)
	x.bytes += n
	switch {
	case err != nil:
		x.fail(st, off, "", "include %s: %s", quote(file.path), reason(err))
		return
	case x.bytes > maxFile:
		x.fail(st, off, "", "include %s: the included files are larger than %d MB", quote(file.path), maxFile>>20)
		return
	}
	x.read = append(x.read, diag...)
	x.failed = x.failed || len(f.Statements) == 0 && diag.HasErrors()
	x.paths = append(x.paths, file.path)
	x.open = append(x.open, file)
	x.statements(f)
	x.open = x.open[:len(x.open)-1]
}

// loops reports whether a file is open already.
func (x *includer) loops(info os.FileInfo) bool {
	return slices.ContainsFunc(x.open, func(o opened) bool { return o.info != nil && os.SameFile(o.info, info) })
}

// chain is how path came to be included.
func (x *includer) chain(path string) string {
	var names []string
	for _, o := range x.open {
		names = append(names, o.path)
	}
	return strings.Join(append(names, path), " -> ")
}

// reason is err without the path, which was said.
func reason(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "there is no such file"
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return err.Error()
}

// openPlain opens a plain file, and does not wait for a pipe.
func openPlain(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("it is no plain file")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
