// Package credential is what a plugin shows to a peer and asks of it: secrets,
// on the command line or in files, and the options of TLS on the client's side.
//
// It speaks no protocol. No error and no String of it contains a secret.
package credential

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// maxSecret bounds the first line of a secret's file.
const maxSecret = 8 << 10

// Secret is an option's value that is never shown. Who reads a command line or
// a configuration sees it all the same: a [File] is better. The zero value is
// none.
type Secret struct {
	text  string
	given bool
}

// String is empty: help, descriptions and errors of flags print it.
func (s *Secret) String() string { return "" }

// Set takes any text: the error of a flag would repeat what it refused. What
// the text must be is to be judged when the options are.
func (s *Secret) Set(text string) error {
	*s = Secret{text, true}
	return nil
}

// Given reports whether there is one, be it empty.
func (s *Secret) Given() bool { return s.given }

// Reveal is the secret, empty without one.
func (s *Secret) Reveal() string { return s.text }

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
	file, err := os.OpenFile(string(*f), os.O_RDONLY|syscall.O_NONBLOCK, 0) // or a FIFO is waited for
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no file", string(*f))
	}
	text, err := io.ReadAll(io.LimitReader(file, maxSecret+2)) // with a line end
	if err != nil {
		return "", err
	}
	secret, err := Line(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", string(*f), err)
	}
	return secret, nil
}

// Exposed is a sentence about a file that everybody on this machine can read;
// it is empty if there is none, or nothing is known of it.
func (f *File) Exposed() string {
	if !f.Given() {
		return ""
	}
	info, err := os.Stat(string(*f))
	if err != nil || info.Mode().Perm()&0o004 == 0 {
		return ""
	}
	return fmt.Sprintf("everybody can read the secret in %s (mode %04o): chmod o-r it", string(*f), info.Mode().Perm())
}

// Line is the secret in the text of a file: the first line without its end.
func Line(text []byte) (string, error) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	switch line = bytes.TrimSuffix(line, []byte("\r")); {
	case len(line) == 0:
		return "", errors.New("the first line is empty")
	case len(line) > maxSecret:
		return "", fmt.Errorf("the first line has more than %d bytes", maxSecret)
	case bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", errors.New("the first line holds control characters")
	}
	return string(line), nil
}
