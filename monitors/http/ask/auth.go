package ask

import (
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/credential"
	"github.com/mondhq/mond/plugins/monitor"
)

// auth are the options that say who asks.
type auth struct {
	user, bearer             credential.Secret
	passwordFile, bearerFile credential.File

	made *reach.Fresh[string]
}

func (a *auth) declare(fs *flag.FlagSet) {
	fs.Var(&a.user, "user", "`name:password` for basic authentication; a password in a configuration is seen by all who may read it: see --password-file")
	fs.Var(&a.passwordFile, "password-file", "`file` whose first line is the password of --user name")
	fs.Var(&a.bearer, "bearer", "`token` to show; see --bearer-file")
	fs.Var(&a.bearerFile, "bearer-file", "`file` whose first line is the token")
}

func (a *auth) given() bool { return a.user.Given() || a.bearer.Given() || a.bearerFile.Given() }

// validate judges the options together and reads the file.
func (a *auth) validate() error {
	name, _, both := strings.Cut(a.user.Reveal(), ":")
	switch {
	case a.user.Given() && name == "":
		return errors.New("option --user: want a name")
	case a.passwordFile.Given() && !a.user.Given():
		return errors.New("option --password-file: it needs --user")
	case a.passwordFile.Given() && both:
		return errors.New("options --user and --password-file: the password can be in one of them only")
	case a.user.Given() && !both && !a.passwordFile.Given():
		return errors.New("option --user: want name:password, or --password-file")
	case a.bearer.Given() && a.bearerFile.Given():
		return errors.New("options --bearer and --bearer-file: only one of them can be given")
	case a.user.Given() && (a.bearer.Given() || a.bearerFile.Given()):
		return errors.New("options --user and --bearer: only one of them can be given")
	}
	a.made = &reach.Fresh[string]{Make: a.make}
	if file := a.file(); file.Given() {
		a.made.Paths = []string{file.String()}
	}
	_, err := a.header()
	return err
}

// file is the file with the secret, if there is one: two are refused.
func (a *auth) file() *credential.File { return new(a.passwordFile + a.bearerFile) }

// header is the Authorization header, empty for none.
func (a *auth) header() (string, error) {
	if !a.given() {
		return "", nil
	}
	value, err := a.made.Get()
	if err != nil && a.file().Given() {
		option := "--bearer-file"
		if a.passwordFile.Given() {
			option = "--password-file"
		}
		return "", monitor.Fault(fmt.Errorf("option %s: %w", option, err))
	}
	return value, err
}

// make makes the header.
func (a *auth) make(contents [][]byte) (string, error) {
	said := a.bearer.Reveal()
	if len(contents) > 0 {
		var err error
		if said, err = credential.Line(contents[0]); err != nil {
			return "", fmt.Errorf("%s: %w", a.file(), err)
		}
	}
	if a.user.Given() {
		if len(contents) > 0 {
			said = a.user.Reveal() + ":" + said
		} else {
			said = a.user.Reveal()
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
