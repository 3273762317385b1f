package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// account is the user that mond is to run as.
type account struct {
	name, home string
	uid, gid   int
	groups     []int // beside gid
}

// findAccount looks up NAME[:GROUP], names or numbers that the system knows;
// an empty text is nobody (nil). The groups are the user's, with GROUP for the
// first of them.
func findAccount(text string) (*account, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // to stay as we are is no fault
	}
	name, group, chosen := strings.Cut(text, ":")
	u, err := user.Lookup(name)
	if _, unknown := errors.AsType[user.UnknownUserError](err); unknown && number(name) {
		u, err = user.LookupId(name)
	}
	if err != nil {
		return nil, fmt.Errorf("--user %s: %w; create the user, or leave --user out", text, err)
	}
	gid := u.Gid
	if chosen {
		if gid, err = findGroup(group); err != nil {
			return nil, fmt.Errorf("--user %s: %w", text, err)
		}
	}
	return newAccount(u, gid)
}

func findGroup(name string) (gid string, err error) {
	g, err := user.LookupGroup(name)
	if _, unknown := errors.AsType[user.UnknownGroupError](err); unknown && number(name) {
		g, err = user.LookupGroupId(name)
	}
	if err != nil {
		return "", err
	}
	return g.Gid, nil
}

func newAccount(u *user.User, gid string) (*account, error) {
	ids, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("--user %s: list the user's groups: %w", u.Username, err)
	}
	a := &account{name: u.Username, home: u.HomeDir}
	if a.uid, err = strconv.Atoi(u.Uid); err != nil {
		return nil, fmt.Errorf("--user %s: %w", u.Username, err)
	}
	for _, id := range append([]string{gid}, ids...) {
		n, err := strconv.Atoi(id)
		if err != nil {
			return nil, fmt.Errorf("--user %s: %w", u.Username, err)
		}
		if !slices.Contains(a.groups, n) {
			a.groups = append(a.groups, n)
		}
	}
	a.gid = a.groups[0]
	return a, a.check(os.Geteuid(), os.Getegid())
}

// check refuses an account that a process of euid and egid cannot become, or
// that would change nothing.
func (a *account) check(euid, egid int) error {
	switch {
	case a.uid == 0:
		return fmt.Errorf("--user %s: that is root; leave --user out to stay root", a.name)
	case euid == 0, euid == a.uid && egid == a.gid:
		return nil
	}
	return fmt.Errorf("--user %s: only root can become another user, and this is user %d; start mond as root, or leave --user out", a.name, euid)
}

// become makes all threads those of the user. Capabilities stay permitted.
func (a *account) become() error {
	const why = "the kernel refused: %w; it takes cap_setuid and cap_setgid, or start mond as that user"
	if err := cap.SetGroups(a.gid, a.groups...); err != nil {
		return fmt.Errorf("take the groups of user %s: "+why, a.name, err)
	}
	if err := cap.SetUID(a.uid); err != nil {
		return fmt.Errorf("become user %s: "+why, a.name, err)
	}
	for name, value := range map[string]string{"HOME": a.home, "USER": a.name, "LOGNAME": a.name} {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("tell programs that the user is %s: %w", a.name, err)
		}
	}
	return nil
}

func number(s string) bool {
	_, err := strconv.ParseUint(s, 10, 32)
	return err == nil
}
