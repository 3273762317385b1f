package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"

	"github.com/mondhq/mond/engine/auth/crypt"
)

// judge says whether a password is right: nil if so. There is one for each
// authtype.
type judge struct {
	name string
	say  func(ctx context.Context, a *attempt) error
}

var (
	// errUnknown is for users of whom a judge knows nothing.
	errUnknown = errors.New("no such user")
	// errEmpty is for passwords that no judge but trustlocal takes.
	errEmpty = errors.New("no password")
)

// judgesFor are the judges of the authtypes of o, in their order.
func judgesFor(o *Options, file *userFile) ([]judge, error) {
	var all []judge
	for _, name := range o.AuthTypes {
		j := judge{name: name}
		switch name {
		case "userfile":
			j.say = byUserFile(file, o.Log)
		case "getpwnam":
			j.say = byPasswd(o.passwd())
		case "pam":
			j.say = byProgram(o.helper())
		case "trustlocal":
			j.say = byAddress
		case "shadow":
			j.say = never
		default:
			return nil, fmt.Errorf("unknown authtype %q: it is getpwnam, userfile, pam or trustlocal", name)
		}
		all = append(all, j)
	}
	return all, nil
}

// byAddress is trustlocal: whoever asks on this machine has let the user in,
// such as mon.cgi under a web server.
func byAddress(_ context.Context, a *attempt) error {
	if !a.from.Unmap().IsLoopback() {
		return errors.New("not from this machine")
	}
	return nil
}

// never is shadow, which mon knows and which lets nobody in.
func never(context.Context, *attempt) error { return errors.New("lets nobody in: use getpwnam or pam") }

// byUserFile looks a user up in a userfile.
func byUserFile(file *userFile, log *slog.Logger) func(context.Context, *attempt) error {
	return func(ctx context.Context, a *attempt) error {
		users, problems, err := file.read()
		if err != nil {
			return fault{err}
		}
		warn(log, problems)
		hash, ok := users.hash(a.user, a.pick(a.user))
		if !ok {
			return either(a.refuse(ctx, hash), errUnknown)
		}
		return a.verify(ctx, hash)
	}
}

// either is the first error that is one.
func either(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// helper is the program of authtype pam. What it says of itself is thrown away:
// it has seen a password.
func (o *Options) helper() program {
	return program{
		words: o.AuthProgram, limit: programLimit, turns: make(gate, programsAtOnce),
		env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "MON_PAMSERVICE=" + o.PamService},
	}
}

// firstOwnFault is the lowest exit status by which pwauth(8) says that it, and
// not the password, is at fault.
const firstOwnFault = 50

// byProgram asks a program. The name and the password go to its standard input,
// where nobody else on the machine sees them, as two lines.
func byProgram(p program) func(context.Context, *attempt) error {
	return func(ctx context.Context, a *attempt) error {
		if strings.ContainsAny(a.user+a.password, "\n\r\x00") {
			return errors.New("a name or a password with a line end or a NUL byte is not asked about")
		}
		_, err := p.ask(ctx, a.wait, a.user+"\n"+a.password+"\n")
		exit, said := errors.AsType[*exec.ExitError](err)
		switch {
		case err == nil || limited(err):
			return err
		case !said && ctx.Err() != nil:
			return err // whoever asked has gone: that is no way to try passwords for nothing
		case !said:
			return fault{err}
		case exit.ExitCode() >= firstOwnFault:
			return fmt.Errorf("%s ends with exit status %d: it is not set up rightly, or may not be run by mond's user", p.words[0], exit.ExitCode())
		}
		return fmt.Errorf("%w, says %s by its exit status %d", crypt.ErrMismatch, p.words[0], exit.ExitCode())
	}
}
