package auth

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/mondhq/mond/engine/auth/crypt"
)

// How long other programs may take, and how many run at a time.
const (
	programLimit   = 10 * time.Second
	getentLimit    = 5 * time.Second
	programsAtOnce = 4
)

// inShadow is what stands for a hash that is in the other file.
const inShadow = "x"

// passwd is the users of this machine.
type passwd struct {
	passwd, shadow string
	// getent knows those who are in no file.
	getent program
}

func (o *Options) passwd() passwd {
	return passwd{o.Passwd, o.Shadow, program{
		words: []string{o.Getent}, answers: true, limit: getentLimit, turns: make(gate, programsAtOnce),
		env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"},
	}}
}

// byPasswd asks the users of this machine.
func byPasswd(p passwd) func(context.Context, *attempt) error {
	return func(ctx context.Context, a *attempt) error {
		hash, another, err := p.find(ctx, a)
		if err != nil {
			return either(a.refuse(ctx, another), err)
		}
		return a.verify(ctx, hash)
	}
}

// find is the hash of a user, or an error and, if it is known, the hash of
// another one.
func (p passwd) find(ctx context.Context, a *attempt) (hash, another string, err error) {
	hash, err = p.public(ctx, a)
	if err == nil && hash != inShadow {
		return hash, "", nil
	}
	shadow, unread := look(p.shadow, a)
	if err == nil && !shadow.found {
		shadow.hash, err = p.ask(ctx, "shadow", a)
		switch {
		case err == nil || unread == nil:
		case errors.Is(unread, fs.ErrPermission):
			err = fault{fmt.Errorf("%w: %s", unread, shadowHint)}
		default:
			err = fault{unread}
		}
	}
	return shadow.hash, shadow.another, err
}

// public is what everybody may read of a user's hash.
func (p passwd) public(ctx context.Context, a *attempt) (hash string, err error) {
	local, err := look(p.passwd, a)
	if err != nil {
		return "", fault{err}
	}
	if local.found {
		return local.hash, nil
	}
	return p.ask(ctx, "passwd", a)
}

// shadowHint says what to do if the hashes cannot be read.
const shadowHint = "add the user that mond runs as to the group shadow, or use authtype pam"

// entry is what a file says of a user.
type entry struct {
	hash  string
	found bool
	// another is the hash of somebody else, always the same for the same user.
	another string
}

// look reads a file like /etc/passwd or /etc/shadow.
func look(path string, a *attempt) (entry, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return entry{}, err
	}
	defer f.Close()
	var others []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, hash := nameAndHash(lines.Text())
		if name == a.user {
			return entry{hash: hash, found: true}, nil
		}
		if crypt.Check(hash) == nil {
			others = append(others, hash)
		}
	}
	var e entry
	if len(others) > 0 {
		e.another = others[a.pick(a.user)%uint64(len(others))]
	}
	return e, lines.Err()
}

// nameAndHash are the first two fields of a line.
func nameAndHash(line string) (name, hash string) {
	name, rest, _ := strings.Cut(line, ":")
	hash, _, _ = strings.Cut(rest, ":")
	return name, hash
}

// ask asks the machine's name service (LDAP, SSS), as far as it tells hashes at
// all.
func (p passwd) ask(ctx context.Context, database string, a *attempt) (hash string, err error) {
	if strings.ContainsAny(a.user, ":\n\x00") {
		return "", errUnknown
	}
	out, err := p.getent.ask(ctx, a.wait, "", database, "--", a.user)
	if _, said := errors.AsType[*exec.ExitError](err); said || errors.Is(err, fs.ErrNotExist) {
		return "", errUnknown
	}
	if limited(err) {
		return "", err
	}
	if err != nil {
		return "", fault{err}
	}
	line, _, _ := strings.Cut(out, "\n")
	name, hash := nameAndHash(line)
	if name != a.user {
		return "", errUnknown // asked for 0 it answers with root
	}
	return hash, nil
}
