package auth

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// texts are problems as they are shown.
func texts(problems []Problem) []string {
	var all []string
	for _, p := range problems {
		s := p.String()
		if p.Fatal {
			s = "fatal: " + s
		}
		all = append(all, s)
	}
	return all
}

func TestMay(t *testing.T) {
	const file = `
# comment
list: all
  Get :	AUTH_ANY
disable:	AUTH_ANY,!bob
ack: alice , carol,, all the others
set: alice
set: bob
test: all, !bob
term: !AUTH_ANY, alice, all
stop:
start: ! bob, AUTH_ANY
command section
enable: alice
trap section
* * *
command section, again
reset: alice:bob
`
	rules, problems := ParseRules("auth.cf", file)
	if got := texts(problems); got != nil {
		t.Errorf("problems %q", got)
	}
	tests := []struct {
		command string
		may     string // of nobody, alice, bob, carol
	}{
		{"list", "nobody alice bob carol"},
		{"LIST", ""},
		{"get", "alice bob carol"},
		{"disable", "alice carol"},
		{"ack", "alice carol"},
		{"set", "alice bob"},
		{"test", "nobody alice carol"},
		{"term", "nobody"},
		{"stop", ""},
		{"start", "alice carol"},
		{"enable", "alice"},
		{"reset", ""},
		{"clear", ""},
		{"", ""},
	}
	for _, test := range tests {
		var may []string
		for _, user := range []string{"", "alice", "bob", "carol"} {
			if rules.May(user, test.command) {
				may = append(may, map[bool]string{true: "nobody", false: user}[user == ""])
			}
		}
		if got := strings.Join(may, " "); got != test.may {
			t.Errorf("%q: %q may, want %q", test.command, got, test.may)
		}
	}
	if !rules.May("alice:bob", "reset") || !rules.May("all the others", "ack") {
		t.Error("a name with a blank or a colon is not taken as it stands")
	}
}

func TestProblems(t *testing.T) {
	sum := strings.Repeat("a", 86)
	tests := map[string]struct {
		file string
		want []string
	}{
		"no colon": {"list: all\n\nlist all\n", []string{
			`fatal: f:3: no colon in a line of the command section: it is COMMAND: USER, USER..., or "trap section" is missing before it`}},
		"two of them": {"a\nb", []string{
			`fatal: f:1: no colon in a line of the command section: it is COMMAND: USER, USER..., or "trap section" is missing before it`,
			`fatal: f:2: no colon in a line of the command section: it is COMMAND: USER, USER..., or "trap section" is missing before it`}},
		"case of the section": {"Command Section\n", []string{
			`fatal: f:1: no colon in a line of the command section: it is COMMAND: USER, USER..., or "trap section" is missing before it`}},
		"unknown command": {"lsit: all", []string{`f:1: there is no command "lsit"`}},
		"no command":      {": all", []string{`f:1: there is no command ""`}},
		"!all":            {"list: !all", []string{`f:1: !all denies it to a user whose name is all; leave the command out to deny it to everybody`}},
		"words of a trap": {"trap section\n127.0.0.1 trapper\n* * * # all", []string{
			`f:2: a line of the trap section is HOST USER HASH, this one has 2 words: it is passed over`,
			`f:3: a line of the trap section is HOST USER HASH, this one has 5 words: it is passed over`}},
		"no address": {"trap section\n256.1.1.1 * *\n1.2.3 * *\na/b * *\n::1::2 * *\n010.0.0.1 * *", []string{
			`f:2: "256.1.1.1" is neither an address nor the name of a host: the line is passed over`,
			`f:3: "1.2.3" is neither an address nor the name of a host: the line is passed over`,
			`f:4: "a/b" is neither an address nor the name of a host: the line is passed over`,
			`f:5: "::1::2" is neither an address nor the name of a host: the line is passed over`,
			`f:6: "010.0.0.1" is neither an address nor the name of a host: the line is passed over`}},
		"password in the clear": {"trap section\n127.0.0.1 trapper hunter2", []string{
			`f:2: no password of "trapper" can be right: not a crypt(3) hash: it is damaged, or a password in the clear; make one with openssl passwd -6`}},
		"ignored": {"trap section\n127.0.0.1 trapper $6$abc$" + sum + "\n* * *", []string{
			`f:2: 127.0.0.1 is passed over, since line 3 is for all hosts (*)`}},
		"locked": {"trap section\n127.0.0.1 trapper !", nil},
		"open":   {"trap section\n::1 * x", nil},
		"empty":  {"", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, problems := ParseRules("f", test.file)
			if d := cmp.Diff(test.want, texts(problems)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestUsers(t *testing.T) {
	const file = `# comment
alice : abNANd1rDfiNc
 bob:tpXOGnTcd7hjs ` + "\r" + `
carol
dora: plain text
alice: !
: abNANd1rDfiNc
eve: abNANd1rDfiNc:1000:1000
mail user :abNANd1rDfiNc`
	users, problems := ParseUsers("u", file)
	want := []string{
		`u:4: a line of the userfile is USER: HASH: this one is passed over`,
		`u:5: no password of "dora" can be right: not a crypt(3) hash: it is damaged, or a password in the clear; make one with openssl passwd -6`,
		`u:6: user "alice" again: this line counts`,
		`u:7: a line of the userfile is USER: HASH: this one is passed over`,
		`u:8: no password of "eve" can be right: not a crypt(3) hash: it is damaged, or a password in the clear; make one with openssl passwd -6`,
	}
	if d := cmp.Diff(want, texts(problems)); d != "" {
		t.Error(d)
	}
	hashes := map[string]string{"alice": "!", "bob": "tpXOGnTcd7hjs", "dora": "plain text", "eve": "abNANd1rDfiNc:1000:1000", "mail user": "abNANd1rDfiNc"}
	if d := cmp.Diff(hashes, users.hashes); d != "" {
		t.Error(d)
	}
	for pick := range uint64(20) {
		if hash, ok := users.hash("nobody", pick); ok || hash == "" {
			t.Errorf("pick %d: hash %q, %v", pick, hash, ok)
		}
	}
}

// TestNothingSecretIsShown holds what is read to show no hash, however printed.
func TestNothingSecretIsShown(t *testing.T) {
	rules, problems := ParseRules("f", "list: all\ntrap section\n* u tpXOGnTcd7hjs\n* v hunter2\n1.1.1.1 w $My Secret")
	users, more := ParseUsers("u", "alice: tpXOGnTcd7hjs\nbob: hunter2\ntpXOGnTcd7hjs\n")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{rules, users, problems, more, &struct{ R *Rules }{rules}, []*Users{users}} {
			if s := fmt.Sprintf(verb, v); strings.Contains(s, "tpXO") || strings.Contains(s, "hunter2") || strings.Contains(s, "Secret") {
				t.Errorf("%s of %T: %s", verb, v, s)
			}
		}
	}
}

func FuzzParseRules(f *testing.F) {
	for _, path := range []string{"testdata/auth.cf", "testdata/userfile"} {
		b, err := os.ReadFile(path)
		check(f, err)
		f.Add(string(b))
	}
	f.Add("term: !AUTH_ANY, alice, all\nset:!a,a,all\ntrap section\n* * *\n::1 u x\n1.1.1.1 u x y")
	f.Fuzz(func(t *testing.T, text string) {
		rules, problems := ParseRules("f", text)
		inside(t, text, problems)
		for command, g := range rules.commands {
			if rules.May("", command) != g.all {
				t.Errorf("%q: nobody may is %v, all is %v", command, !g.all, g.all)
			}
			for user := range g.denied {
				if user != "" && rules.May(user, command) {
					t.Errorf("%q may %q and is denied it", user, command)
				}
			}
		}
		for _, l := range rules.traps {
			if l.host != "*" && !l.addr.IsValid() && !hostName(l.host) {
				t.Errorf("host %q", l.host)
			}
		}
	})
}

func FuzzParseUsers(f *testing.F) {
	f.Add("# comment\nalice : abNANd1rDfiNc\nbob: $6$saltsalt$abc\n:\n")
	f.Fuzz(func(t *testing.T, text string) {
		users, problems := ParseUsers("f", text)
		inside(t, text, problems)
		if _, ok := users.hashes[""]; ok || len(users.hashes) != len(users.names) {
			t.Errorf("users %v", users.names)
		}
	})
}

// inside holds problems to be about lines that there are.
func inside(t *testing.T, text string, problems []Problem) {
	for _, p := range problems {
		if p.Line < 1 || p.Line > strings.Count(text, "\n")+1 || p.Text == "" {
			t.Errorf("problem %v of %d lines", p, strings.Count(text, "\n")+1)
		}
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
