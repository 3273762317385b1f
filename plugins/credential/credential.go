// Package credential is what a plugin shows to a peer and asks of it: secrets
// that are kept in files, and the options of TLS on the client's side.
//
// It speaks no protocol. No error and no String of it contains a secret.
package credential

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxSecret bounds the first line of a secret's file.
const maxSecret = 8 << 10

// File is an option's value: the name of a file whose first line is a secret.
// It is read at each use, so that a new secret needs no restart. The zero value
// is none.
type File string

// String is the file's name.
func (f *File) String() string { return string(*f) }

// Set takes a file's name.
func (f *File) Set(path string) error {
	if path == "" {
		return errors.New("want the name of a file")
	}
	*f = File(path)
	return nil
}

// Given reports whether there is a file.
func (f *File) Given() bool { return *f != "" }

// Read returns the secret: the first line without its end.
func (f *File) Read() (string, error) {
	file, err := os.Open(string(*f))
	if err != nil {
		return "", fmt.Errorf("read a secret: %w", err)
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err != nil || info.IsDir() {
		return "", fmt.Errorf("read a secret: %s is no file", string(*f))
	}
	text, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read a secret: %w", err)
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	switch line = bytes.TrimSuffix(line, []byte("\r")); {
	case len(line) == 0:
		return "", fmt.Errorf("read a secret: the first line of %s is empty", string(*f))
	case len(line) > maxSecret:
		return "", fmt.Errorf("read a secret: the first line of %s is longer than %d KiB", string(*f), maxSecret>>10)
	case bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", fmt.Errorf("read a secret: the first line of %s holds control characters", string(*f))
	}
	return string(line), nil
}
