package ask

import (
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
)

// secret is an option's value that nobody may see: Set takes anything, for what
// it refused would be shown.
type secret struct {
	given bool
	value string
}

// String is empty.
func (s *secret) String() string { return "" }

// Set takes a value.
func (s *secret) Set(text string) error {
	*s = secret{true, text}
	return nil
}

// auth are the options that say who asks.
type auth struct {
	user, bearer             secret
	passwordFile, bearerFile string

	made *reach.Fresh[string]
}

func (a *auth) declare(fs *flag.FlagSet) {
	fs.Var(&a.user, "user", "`name:password` for basic authentication; a password in a configuration is seen by all who may read it: see --password-file")
	fs.StringVar(&a.passwordFile, "password-file", "", "`file` with the password of --user name")
	fs.Var(&a.bearer, "bearer", "`token` to show; see --bearer-file")
	fs.StringVar(&a.bearerFile, "bearer-file", "", "`file` with the token")
}

func (a *auth) given() bool { return a.user.given || a.bearer.given || a.bearerFile != "" }

// validate judges the options together and reads the file.
func (a *auth) validate() error {
	name, _, both := strings.Cut(a.user.value, ":")
	switch {
	case a.user.given && name == "":
		return errors.New("option --user: want a name")
	case a.passwordFile != "" && !a.user.given:
		return errors.New("option --password-file: it needs --user")
	case a.passwordFile != "" && both:
		return errors.New("options --user and --password-file: the password can be in one of them only")
	case a.user.given && !both && a.passwordFile == "":
		return errors.New("option --user: want name:password, or --password-file")
	case a.bearer.given && a.bearerFile != "":
		return errors.New("options --bearer and --bearer-file: only one of them can be given")
	case a.user.given && (a.bearer.given || a.bearerFile != ""):
		return errors.New("options --user and --bearer: only one of them can be given")
	}
	a.made = &reach.Fresh[string]{Make: a.make}
	if file := a.file(); file != "" {
		a.made.Paths = []string{file}
	}
	_, err := a.header()
	return err
}

// file is the file with the secret, empty for none.
func (a *auth) file() string { return a.passwordFile + a.bearerFile }

// header is the Authorization header, empty for none.
func (a *auth) header() (string, error) {
	if !a.given() {
		return "", nil
	}
	value, err := a.made.Get()
	if err != nil && a.file() != "" {
		option := "--bearer-file"
		if a.passwordFile != "" {
			option = "--password-file"
		}
		return "", monitor.Fault(fmt.Errorf("option %s: %w", option, err))
	}
	return value, err
}

// make makes the header. A line feed at the end of a file is the editor's.
func (a *auth) make(contents [][]byte) (string, error) {
	said := a.bearer.value
	if len(contents) > 0 {
		said = strings.TrimRight(string(contents[0]), "\r\n")
	}
	if a.user.given {
		if len(contents) > 0 {
			said = a.user.value + ":" + said
		} else {
			said = a.user.value
		}
		if strings.ContainsFunc(said, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return "", errors.New("a name and a password are text without control characters") // RFC 7617, section 2
		}
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(said)), nil
	}
	if said == "" || !plain(said) {
		return "", errors.New("a token is ASCII without blanks, and not empty")
	}
	return "Bearer " + said, nil
}
