package auth

import (
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// The files that mon and we read alike. What they leave out are our
// differences from it.
const (
	oddAuthFile = `# comment
   # another: all
list: all
  Get :	AUTH_ANY
DISABLE:	AUTH_ANY,!bob
enable   :bob ,  carol,, alice,
ack: all the others, auth_any, ALL
set: alice
set: bob
test: all, !bob
term: !AUTH_ANY, alice, all
stop:
start: !all, all
reset: alice:bob
clear: !bob, !carol, bob, alice
: all
command section
reload: alice
trap section
no: all
command  sections and more
savestate: alice
`
	oddUserFile = `# comment
alice : abNANd1rDfiNc
bob:tpXOGnTcd7hjs

carol:
  # dora: abNANd1rDfiNc
eve
frank:abNANd1rDfiNc:1000
carol: $6$saltsalt$8iYtNHxjWRl.NF6oNZ5tF.iKFlQREaXBLlSmZKP6dy9l5z3vsooWNW0/GZ6Nej73/TFug6pIPSqbJoCT6dfnj.
grace: !abNANd1rDfiNc
heidi: $1$abc$OGyl6dDvZCDiGmIVbeuCq/
ivan: secret
`
)

// TestLikeMon asks mon itself who may log in and do what.
func TestLikeMon(t *testing.T) {
	mon := startMon(t, oddAuthFile, oddUserFile)
	says := func(command, want string) bool {
		_, status := mon.Ask(command)
		return status == want
	}
	r := set(t, oddAuthFile, oddUserFile, "userfile").read(t)
	commands := append(commands(), "", "LIST", "no", "command", "nosuch")
	compare := func(user string) {
		t.Helper()
		for _, command := range commands {
			theirs := says("checkauth "+command, "220 command authorized")
			if ours := r.May(user, command); ours != theirs {
				t.Errorf("may %q %q: mon says %v, we %v", user, command, theirs, ours)
			}
		}
	}
	compare("")
	for _, login := range []string{
		"alice secret", "alice Secret", "alice secret4you", "alice", "bob trappw", "bob trappw2", "carol hunter2", "carol hunter2 ",
		"dora secret", "eve secret", "frank secret", "grace secret", "heidi x", "heidi X", "ivan secret", "nosuch secret", "# secret",
	} {
		user, password, _ := strings.Cut(login, " ")
		theirs := says("login "+login, "220 login accepted")
		r.pass(time.Hour)
		err := r.login(t, there, user, password)
		if ours := err == nil; ours != theirs {
			t.Errorf("login %q: mon says %v, we %v", login, theirs, err)
		}
		if theirs && (user == "alice" || user == "bob" || user == "carol") {
			compare(user)
		}
	}
}

// startMon starts Debian's mon with those files, and connects to it.
func startMon(t *testing.T, authFile, userFile string) *daemons.Client {
	t.Helper()
	return daemons.Mon(t, daemons.Site{
		Config: "authtype = userfile\nuserfile = DIR/userfile\n\nhostgroup web web1\n\nwatch web\n    service http\n        period\n            numalerts 1\n",
		Files:  map[string]string{"auth.cf": authFile, "userfile": userFile},
	}).Dial()
}
