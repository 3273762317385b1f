package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxFile is the largest file that is read, in bytes, and the most that m4 may
// make of one.
const maxFile = 64 << 20

// Read reads one file: by the reader for the end of its name, or through m4 if
// o says so or its name ends in ".m4". What it includes is not read: see
// [Expand]. What cannot be read is an error among the diagnostics; the File is
// then empty, but never nil. ctx ends a running m4, which also has 30 seconds
// at most.
func Read(ctx context.Context, path string, o Options) (*File, Diagnostics) {
	if o.M4 != "" && o.reader(path) != nil {
		return noM4(path)
	}
	f, _, diag, err := readOne(ctx, path, o, false)
	if err != nil {
		return &File{Name: path, Paths: []string{path}}, unreadable(path, err)
	}
	return f, diag
}

// noM4 refuses to run m4 on a file of another language.
func noM4(path string) (*File, Diagnostics) {
	d := Diagnostic{Pos: Pos{File: path}, Severity: Error, Mark: -1, Message: "m4 is for a mon.cf only", Hint: "leave the option -M out"}
	return &File{Name: path, Paths: []string{path}}, Diagnostics{d}
}

// readOne is Read, also of a file that another one includes; size is that of
// its text.
func readOne(ctx context.Context, path string, o Options, included bool) (f *File, size int, diag Diagnostics, err error) {
	src, err := readFile(path, included)
	if err != nil {
		return nil, 0, nil, err
	}
	program := o.M4
	if program == "" && strings.HasSuffix(path, ".m4") {
		program = "m4"
	}
	reader, own := o.language(path, src, included)
	switch {
	case program != "" && own:
		f, diag = noM4(path)
		return f, 0, diag, nil
	case program != "":
		text, said := m4(ctx, program, path)
		if said.HasErrors() {
			return &File{Name: path, Expanded: true, Paths: []string{path}}, 0, said, nil
		}
		f, diag = parse(path, text, manner{expanded: true, mond: included})
		return f, len(text), append(said, diag...), nil
	case reader != nil:
		f, diag = reader(path, []byte(src))
	default:
		f, diag = parse(path, src, manner{mond: included})
	}
	return f, len(src), diag, nil
}

// language is the reader of a text, or nil for a mon.cf; own says that it was
// told by the text, or asked for.
func (o Options) language(path, src string, included bool) (reader Reader, own bool) {
	if o.Language != nil && !included {
		if reader = o.Language(path, []byte(src)); reader != nil {
			return reader, true
		}
	}
	return o.reader(path), false
}

// reader is the one for the end of a path, or nil.
func (o Options) reader(path string) Reader {
	return o.Readers[filepath.Ext(path)]
}

// readFile reads a file that is not too large.
func readFile(path string, included bool) (string, error) {
	open := os.Open
	if included {
		open = openPlain
	}
	f, err := open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var b strings.Builder
	n, err := io.Copy(&b, io.LimitReader(f, maxFile+1))
	if err == nil && n > maxFile {
		err = fmt.Errorf("larger than %d MB: is it a mon.cf?", maxFile>>20)
	}
	return b.String(), err
}

func unreadable(path string, err error) Diagnostics {
	d := Diagnostic{Pos: Pos{File: path}, Severity: Error, Mark: -1}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.Message, d.Hint = "there is no such configuration file", ""
	default:
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			err = p.Err
		}
		d.Message = "read the configuration file: " + err.Error()
	}
	return Diagnostics{d}
}

// Load reads, expands and resolves a file. The Config is nil if there is any
// error.
func Load(ctx context.Context, path string, o Options) (*Config, Diagnostics) {
	f, diag := Read(ctx, path, o)
	if len(f.Statements) == 0 && diag.HasErrors() {
		return nil, diag
	}
	f, more := Expand(ctx, f, o)
	diag = append(diag, more...)
	if len(f.Statements) == 0 && diag.HasErrors() {
		diag.Sort()
		return nil, diag
	}
	c, more := Resolve(f, o)
	diag = append(diag, more...)
	diag.Sort()
	if diag.HasErrors() {
		return nil, diag
	}
	return c, diag
}
