package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxFile is the largest file that is read, in bytes, and the most that m4 may
// make of one.
const maxFile = 64 << 20

// Read reads a file, through m4 if o says so or its name ends in ".m4". What
// cannot be read is an error among the diagnostics; the File is then empty, but
// never nil. ctx ends a running m4, which also has 30 seconds at most.
func Read(ctx context.Context, path string, o Options) (*File, Diagnostics) {
	program := o.M4
	if program == "" && strings.HasSuffix(path, ".m4") {
		program = "m4"
	}
	src, err := readFile(path)
	if err != nil {
		return &File{Name: path}, unreadable(path, err)
	}
	if program == "" {
		return parse(path, src, manner{})
	}
	text, said := expand(ctx, program, path)
	if said.HasErrors() {
		return &File{Name: path, Expanded: true}, said
	}
	f, diag := parse(path, text, manner{expanded: true})
	return f, append(said, diag...)
}

// readFile reads a file that is not too large.
func readFile(path string) (string, error) {
	f, err := os.Open(path)
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
		d.Message, d.Hint = "there is no such configuration file", "give its path with -c"
	default:
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			err = p.Err
		}
		d.Message = "read the configuration file: " + err.Error()
	}
	return Diagnostics{d}
}

// Load reads and resolves a file. The Config is nil if there is any error.
func Load(ctx context.Context, path string, o Options) (*Config, Diagnostics) {
	f, diag := Read(ctx, path, o)
	if len(f.Statements) == 0 && diag.HasErrors() {
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
