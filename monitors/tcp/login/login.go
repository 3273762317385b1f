// Package login is the name and the password that a monitor logs in with: the
// options, and the password read from its file at every check, so that a change
// of it needs no reload.
//
// It logs in nowhere, and it never puts the password into an error or a usage
// text.
package login

import (
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/mondhq/mond/plugins/credential"
	"github.com/mondhq/mond/plugins/monitor"
)

// Options say who logs in.
type Options struct {
	User string
	// Secret is the password of the command line, which every user of this
	// machine can see, and which stands in mon.cf.
	Secret credential.Secret
	File   credential.File
}

// Declare declares --user, --password and --password-file.
func (o *Options) Declare(fs *flag.FlagSet) {
	fs.StringVar(&o.User, "user", "", "log in as `name`")
	fs.Var(&o.File, "password-file", "`file` whose first line is the password")
	fs.Var(&o.Secret, "password", "the `password` itself, for all to see in mon.cf and in lists of processes: --password-file is better")
}

// Validate judges the options together. It does not read the file, which may
// be for mond's eyes only and not for those of who checks mon.cf.
func (o *Options) Validate() error {
	switch {
	case o.Secret.Reveal() != "" && o.File.Given():
		return errors.New("options --password and --password-file: only one of them can be given")
	case o.HasPassword() && o.User == "":
		return errors.New("options --password and --password-file: they need --user")
	case unfit(o.User):
		return errors.New("option --user: want text without control characters")
	case unfit(o.Secret.Reveal()):
		return errors.New("option --password: want text without control characters")
	}
	return nil
}

// unfit reports whether text cannot be a part of a line.
func unfit(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// HasPassword reports whether there is a password.
func (o *Options) HasPassword() bool { return o.Secret.Reveal() != "" || o.File.Given() }

// Password is the password, empty without one. remark is a sentence about a
// file that too many can read; else it is empty. That there is none to be had
// is this machine's fault and says nothing of any host.
func (o *Options) Password() (password, remark string, err error) {
	if !o.File.Given() {
		return o.Secret.Reveal(), "", nil
	}
	password, err = o.File.Read()
	if err != nil {
		return "", "", monitor.Fault(fmt.Errorf("option --password-file: %w", err))
	}
	return password, o.File.Exposed(), nil
}
