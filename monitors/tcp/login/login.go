// Package login is the name and the password that a monitor logs in with: the
// options, and the password read from its file at every check, so that a change
// of it needs no reload.
//
// It logs in nowhere, and it never puts the password into an error or a usage
// text.
package login

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mondhq/mond/plugins/monitor"
)

// Options say who logs in.
type Options struct {
	User string
	// Given is the password of the command line, which every user of this
	// machine can see, and which stands in mon.cf.
	Given secret
	File  string
}

// secret is an option's value that is never shown.
type secret string

func (s *secret) String() string { return "" }

// Set takes any text: a flag's error would repeat it, so [Options.Validate]
// judges it.
func (s *secret) Set(text string) error {
	*s = secret(text)
	return nil
}

// Declare declares --user, --password and --password-file.
func (o *Options) Declare(fs *flag.FlagSet) {
	fs.StringVar(&o.User, "user", "", "log in as `name`")
	fs.StringVar(&o.File, "password-file", "", "`file` whose first line is the password")
	fs.Var(&o.Given, "password", "the `password` itself, for all to see in mon.cf and in lists of processes: --password-file is better")
}

// Validate judges the options together. It does not read the file, which may
// be for mond's eyes only and not for those of who checks mon.cf.
func (o *Options) Validate() error {
	switch {
	case o.Given != "" && o.File != "":
		return errors.New("options --password and --password-file: only one of them can be given")
	case o.HasPassword() && o.User == "":
		return errors.New("options --password and --password-file: they need --user")
	case unfit(o.User):
		return errors.New("option --user: want text without control characters")
	case unfit(string(o.Given)):
		return errors.New("option --password: want text without control characters")
	}
	return nil
}

// unfit reports whether text cannot be a part of a line.
func unfit(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// HasPassword reports whether there is a password.
func (o *Options) HasPassword() bool { return o.Given != "" || o.File != "" }

// maxPassword is how many bytes a password may have.
const maxPassword = 1024

// Password is the password, empty without one. remark is a sentence about a
// file that too many can read; else it is empty.
func (o *Options) Password() (password, remark string, err error) {
	if o.File == "" {
		return string(o.Given), "", nil
	}
	info, err := os.Stat(o.File)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", o.File)
	}
	if err != nil {
		return "", "", problem(err)
	}
	if mode := info.Mode().Perm(); mode&0o004 != 0 {
		remark = fmt.Sprintf("everybody can read the password in %s (mode %04o): chmod o-r it", o.File, mode)
	}
	password, err = firstLine(o.File)
	return password, remark, err
}

// firstLine reads a password.
func firstLine(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", problem(err)
	}
	defer f.Close()
	line, err := bufio.NewReader(io.LimitReader(f, maxPassword+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", problem(err)
	}
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	switch {
	case line == "":
		return "", problem(fmt.Errorf("the first line of %s is empty", path))
	case len(line) > maxPassword:
		return "", problem(fmt.Errorf("the first line of %s has more than %d bytes", path, maxPassword))
	case unfit(line):
		return "", problem(fmt.Errorf("the first line of %s holds control characters", path))
	}
	return line, nil
}

// problem is the error of a password that cannot be had, which says nothing of
// any host.
func problem(err error) error { return monitor.Fault(fmt.Errorf("option --password-file: %w", err)) }
