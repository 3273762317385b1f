package auth

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/auth/crypt"
)

// Users are what a userfile says: names and their hashes. They do not change
// once read.
type Users struct {
	hashes map[string]string
	// names are sorted.
	names []string
}

// String hides the hashes.
func (u *Users) String() string { return fmt.Sprintf("%d users", len(u.names)) }

// GoString hides them too.
func (u *Users) GoString() string { return u.String() }

// ParseUsers reads the text of a userfile; name is for the problems. As in mon
// the last line of a user counts.
func ParseUsers(name, text string) (*Users, []Problem) {
	u := &Users{hashes: map[string]string{}}
	var problems []Problem
	for n, line := range lines(text) {
		warn := func(format string, args ...any) {
			problems = append(problems, Problem{name, n, false, fmt.Sprintf(format, args...)})
		}
		user, hash, ok := strings.Cut(line, ":")
		user, hash = strings.TrimRight(user, blanks), strings.TrimLeft(hash, blanks)
		if !ok || user == "" {
			warn("a line of the userfile is USER: HASH: this one is passed over")
			continue
		}
		if _, twice := u.hashes[user]; twice {
			warn("user %q again: this line counts", user)
		}
		if err := crypt.Check(hash); err != nil && !errors.Is(err, crypt.ErrLocked) {
			warn("no password of %q can be right: %v", user, err)
		}
		u.hashes[user] = hash
	}
	u.names = slices.Sorted(maps.Keys(u.hashes))
	return u, problems
}

// hash is that of user. Of one who is not there it is another's, always the
// same one for the same pick: to refuse him has to take as long.
func (u *Users) hash(user string, pick uint64) (hash string, ok bool) {
	if hash, ok = u.hashes[user]; ok || len(u.names) == 0 {
		return hash, ok
	}
	return u.hashes[u.names[pick%uint64(len(u.names))]], false
}
