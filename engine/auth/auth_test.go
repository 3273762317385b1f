package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/auth/crypt"
)

// TestAsRecorded goes through what the real mon did with these files
// (reference/conformance, live1.transcript).
func TestAsRecorded(t *testing.T) {
	r := set(t, "", "", "userfile")
	r.opt.AuthFile, r.opt.UserFile = "testdata/auth.cf", "testdata/userfile"
	r.read(t)
	may := func(user, command string, want bool) {
		t.Helper()
		if got := r.May(user, command); got != want {
			t.Errorf("may %q %s: %v, want %v", user, command, got, want)
		}
	}
	may("", "list", true)
	may("", "get", true)
	may("", "servertime", true)
	for _, command := range strings.Fields("disable nosuch ack set clear reload savestate test reset stop start loadstate term") {
		may("", command, false)
	}
	want(t, "no name", r.login(t, here, "", ""), "no name")
	want(t, "no password", r.login(t, here, "alice", ""), "no password")
	want(t, "wrong", r.login(t, here, "alice", "wrong"), "wrong password")
	want(t, "nosuch", r.login(t, here, "nosuch", "pw"), "no such user")
	want(t, "bob", r.login(t, here, "bob", "hunter2"), "")
	may("bob", "disable", false)
	may("bob", "enable", true)
	may("bob", "term", false)
	want(t, "alice", r.login(t, here, "alice", "secret"), "")
	may("alice", "disable", true)
	may("alice", "term", true)
	want(t, "trap", r.Trap(here, "trapper", "trappw"), "")
	want(t, "trap from elsewhere", r.Trap(there, "trapper", "trappw"), "this host may not send traps; add it to the trap section of testdata/auth.cf")
	want(t, "wrong trap", r.Trap(here, "trapper", "wrong"), "wrong password")
	want(t, "unknown trap", r.Trap(here, "nosuch", "trappw"), "no such user")
	want(t, "empty trap", r.Trap(here, "", ""), "no such user")
	if r.said.Len() > 0 {
		t.Errorf("said %s", &r.said)
	}
}

func TestFilesThatAreNone(t *testing.T) {
	r := set(t, "", "", "userfile")
	check(t, syscall.Mkfifo(r.path("fifo"), 0o600))
	r.write(t, "bad", "list: all\nlist all\n")
	check(t, os.WriteFile(r.path("endless"), bytes.Repeat([]byte("x:\n"), mostText/2), 0o600))
	for name, text := range map[string]string{
		"missing": "no such file or directory: create it, or name another one with authfile",
		"fifo":    "fifo is not a file: name another one with authfile",
		".":       "is not a file",
		"bad":     "bad:2: no colon in a line of the command section",
		"endless": "is larger than 8 MiB",
	} {
		r.opt.AuthFile = r.path(name)
		_, err := New(t.Context(), r.opt)
		want(t, name, err, text)
	}
	r.opt.AuthFile, r.opt.AuthTypes = r.path("auth.cf"), []string{"userfile", "kerberos"}
	_, err := New(t.Context(), r.opt)
	want(t, "authtype", err, `unknown authtype "kerberos"`)
}

func TestDoubtsAreSaid(t *testing.T) {
	r := set(t, "lsit: all\ntrap section\nhost.example * x\n", "alice: hunter2\n", "userfile", "pam")
	check(t, os.Chmod(r.path("auth.cf"), 0o646))
	r.opt.AuthProgram = []string{r.path("missing")}
	r.read(t)
	for _, text := range []string{
		`auth.cf:1: there is no command`, `auth.cf:3: look up host.example: there is no name server`,
		`auth.cf: anybody on this machine may change it`, `userfile:1: no password of`,
		`missing: authtype pam cannot run it: install pwauth`,
	} {
		if !strings.Contains(r.said.String(), text) {
			t.Errorf("not said: %s", text)
		}
	}
	if strings.Contains(r.said.String(), "hunter2") {
		t.Errorf("said: %s", &r.said)
	}
}

func TestTrap(t *testing.T) {
	tests := map[string]struct {
		section              string
		from, user, password string
		want                 string
	}{
		"right":                {"127.0.0.1 u " + secret, "127.0.0.1", "u", "secret", ""},
		"mapped":               {"127.0.0.1 u " + secret, "::ffff:127.0.0.1", "u", "secret", ""},
		"IPv6":                 {"2001:DB8:0::1 u " + secret, "2001:db8::1", "u", "secret", ""},
		"zone":                 {"fe80::1 u " + secret, "fe80::1%eth0", "u", "secret", ""},
		"wrong":                {"127.0.0.1 u " + secret, "127.0.0.1", "u", "Secret", "wrong password"},
		"hash as password":     {"127.0.0.1 u " + secret, "127.0.0.1", "u", secret, "wrong password"},
		"of another user":      {"127.0.0.1 u " + secret + "\n127.0.0.1 v " + trappw, "127.0.0.1", "u", "trappw", "wrong password"},
		"unknown user":         {"127.0.0.1 u " + secret, "127.0.0.1", "v", "secret", "no such user"},
		"other host":           {"127.0.0.1 u " + secret, "127.0.0.2", "u", "secret", "this host may not send traps"},
		"open host":            {"127.0.0.1 * x", "127.0.0.1", "", "", ""},
		"open host, a user":    {"127.0.0.1 * x", "127.0.0.1", "v", "y", ""},
		"open host and users":  {"127.0.0.1 u " + secret + "\n127.0.0.1 * x", "127.0.0.1", "u", "wrong", ""},
		"all hosts":            {"* u " + secret, "192.0.2.77", "u", "secret", ""},
		"all hosts, wrong":     {"* u " + secret, "192.0.2.77", "u", "x", "wrong password"},
		"hosts are ignored":    {"127.0.0.1 u " + trappw + "\n* u " + secret, "127.0.0.1", "u", "trappw", "wrong password"},
		"open host is ignored": {"127.0.0.1 * x\n* u " + secret, "127.0.0.1", "", "", "no such user"},
		"everybody":            {"* * *", "192.0.2.77", "", "", ""},
		"user * in the trap":   {"127.0.0.1 u " + secret, "127.0.0.1", "*", "", "no such user"},
		"last line counts":     {"127.0.0.1 u " + secret + "\n127.0.0.1 u " + trappw, "127.0.0.1", "u", "trappw", ""},
		"first line does not":  {"127.0.0.1 u " + secret + "\n127.0.0.1 u " + trappw, "127.0.0.1", "u", "secret", "wrong password"},
		"locked":               {"127.0.0.1 u !" + secret, "127.0.0.1", "u", "secret", "locked"},
		"in the clear":         {"127.0.0.1 u hunter2", "127.0.0.1", "u", "hunter2", "not a crypt(3) hash"},
		"no section":           {"", "127.0.0.1", "", "", "this host may not send traps"},
		"no address":           {"127.0.0.1 * x", "", "", "", "this host may not send traps"},
		"a long name":          {"127.0.0.1 u " + secret, "127.0.0.1", strings.Repeat("x", 60_000), "x", "no such user"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := set(t, "trap section\n"+test.section, "").read(t)
			from, _ := netip.ParseAddr(test.from)
			err := r.Trap(from, test.user, test.password)
			want(t, "trap", err, test.want)
			if err != nil && len(err.Error()) > 1000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

// TestBurstOfTraps holds a password that was right to be computed once.
func TestBurstOfTraps(t *testing.T) {
	r := set(t, "trap section\n127.0.0.1 u "+hunter2+rest, "").read(t)
	want(t, "first", r.Trap(here, "u", "hunter2"), "")
	stop := r.busy(t)
	for range 2000 {
		want(t, "one more", r.Trap(here, "u", "hunter2"), "")
	}
	stop()
	check(t, r.Reload(t.Context()))
	if r.traps.right.knows(hunter2+rest, "hunter2") {
		t.Error("a right password is remembered when the files were read again")
	}
}

// busy lets nobody compute a hash until stop is called.
func (r *rig) busy(t *testing.T) (stop func()) {
	for range cap(r.logins.hashing) {
		check(t, r.logins.hashing.enter(t.Context()))
	}
	return func() {
		for range cap(r.logins.hashing) {
			r.logins.hashing.leave()
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory()
	for i := range 3 * mostRight {
		m.remember("hash", fmt.Sprint(i))
	}
	if n := len(m.right); n > mostRight {
		t.Errorf("%d passwords are remembered", n)
	}
	m.remember("a", "bc")
	if m.knows("ab", "c") || !m.knows("a", "bc") || m.knows("a", "b") {
		t.Error("a hash and a password are told from others by what they are together")
	}
}

// TestUnknownMakesWork holds all refusals to cost a computation.
func TestUnknownMakesWork(t *testing.T) {
	r := set(t, "trap section\n127.0.0.1 u "+hashOfX, "alice: "+hashOfX+"\nlocked: !\nodd: odd\n", "userfile", "getpwnam").read(t)
	r.write(t, "passwd", "root:x:0:0::/root:/bin/sh\nlocked:x:1:1:::\n")
	r.write(t, "shadow", "root:"+secret+":1::::::\nlocked:*:1::::::\n")
	r.write(t, "getent", "#!/bin/sh\nexit 2\n")
	stop := r.busy(t)
	defer stop()
	for _, user := range []string{"alice", "nosuch", "locked", "odd", "root"} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := r.Login(ctx, there, user, "wrong")
		want(t, user, err, "userfile: wait for the passwords before it: context canceled")
		want(t, user, err, "getpwnam: ")
	}
	if n := r.logins.wrong.size(); n > 0 {
		t.Errorf("%d are counted who were not looked at", n)
	}
}

func TestStandIn(t *testing.T) {
	check(t, crypt.Check(standIn))
}

func TestUserFileIsReadAgain(t *testing.T) {
	r := set(t, "", "alice: "+secret+"\n", "userfile").read(t)
	want(t, "first", r.login(t, there, "alice", "secret"), "")
	r.write(t, "userfile", "alice: "+trappw+"\n")
	want(t, "old password", r.login(t, there, "alice", "secret"), "wrong password")
	want(t, "new password", r.login(t, there, "alice", "trappw"), "")
	r.pass(time.Hour)
	long := time.Now().Add(-time.Hour)
	check(t, os.Chtimes(r.path("userfile"), long, long))
	r.mu.Lock()
	r.now = time.Now()
	r.mu.Unlock()
	want(t, "touched", r.login(t, there, "alice", "trappw"), "")
	before := r.users(t)
	if r.users(t) != before {
		t.Error("a file that did not change is read again")
	}
	check(t, os.Remove(r.path("userfile")))
	want(t, "no file", r.login(t, there, "alice", "trappw"), "no such file or directory: create it, or name another one with userfile")
	r.write(t, "userfile", "alice: "+secret+"\n")
	want(t, "a new file", r.login(t, there, "alice", "secret"), "")
	if n := strings.Count(r.said.String(), "odd line"); n > 0 {
		t.Errorf("said %s", &r.said)
	}
}

// users are those of the userfile of a rig, as of now.
func (r *rig) users(t *testing.T) *Users {
	f := r.Auth.now.Load().users
	u, _, err := f.read()
	check(t, err)
	return u
}

func TestOrderOfAuthTypes(t *testing.T) {
	r := set(t, "", "alice: "+secret+"\n", "shadow", "userfile", "trustlocal").read(t)
	want(t, "by userfile", r.login(t, there, "alice", "secret"), "")
	want(t, "by nobody", r.login(t, there, "alice", "x"), `login of "alice" from 192.0.2.1: shadow: lets nobody in: use getpwnam or pam; userfile: wrong password; trustlocal: not from this machine`)
	for _, from := range []string{"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"} {
		want(t, "by trustlocal", r.login(t, netip.MustParseAddr(from), "anybody", ""), "")
		want(t, "by trustlocal", r.login(t, netip.MustParseAddr(from), "alice", "x"), "")
	}
	want(t, "no name", r.login(t, here, "", ""), "no name")
	want(t, "long name", r.login(t, here, strings.Repeat("x", 257), ""), "more than 256 bytes")
	want(t, "long password", r.login(t, here, "alice", strings.Repeat("x", 512)), "more than 511")
	r.opt.AuthTypes = nil
	check(t, r.Configure(t.Context(), r.opt))
	want(t, "none", r.login(t, here, "alice", "secret"), "there is no authtype")
}

func TestWrongPasswordsWait(t *testing.T) {
	r := set(t, "trap section\n* u "+secret, "alice: "+secret+"\nbob: "+secret+"\n", "userfile").read(t)
	for range 5 {
		want(t, "wrong", r.login(t, there, "alice", "wrong"), "wrong password")
	}
	err := r.login(t, there, "alice", "secret")
	want(t, "right, too soon", err, "too many wrong passwords before: not looked at for another 1s")
	if l, ok := errors.AsType[Limited](err); !ok || l.Wait != time.Second {
		t.Errorf("error %v", err)
	}
	want(t, "from elsewhere", r.login(t, here, "alice", "secret"), "")
	want(t, "another user", r.login(t, there, "bob", "secret"), "")
	want(t, "a trap", r.Trap(there, "u", "secret"), "")
	check(t, r.Reload(t.Context()))
	want(t, "after a reload", r.login(t, there, "alice", "secret"), "too many")
	r.pass(time.Second)
	want(t, "in time", r.login(t, there, "alice", "secret"), "")

	for range 5 {
		want(t, "wrong trap", r.Trap(there, "u", "wrong"), "wrong password")
	}
	want(t, "right trap", r.Trap(there, "u", "secret"), "too many wrong passwords")
	want(t, "from elsewhere", r.Trap(here, "u", "secret"), "")
}

// TestManyAtOnce holds connections that all ask at the same time to get no more
// tries than those who ask one after the other.
func TestManyAtOnce(t *testing.T) {
	r := set(t, "", "alice: "+hashOfX+"\n", "userfile").read(t)
	var looked sync.Map
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if err := r.login(t, there, "alice", fmt.Sprint("wrong", i)); !limited(err) {
				looked.Store(i, err)
			}
		})
	}
	wg.Wait()
	n := 0
	looked.Range(func(any, any) bool { n++; return true })
	if n > wrongOfUser+hashesAtOnce {
		t.Errorf("%d passwords are looked at", n)
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	r := set(t, "list: all\ntrap section\n127.0.0.1 u "+secret, "alice: "+secret+"\n", "userfile").read(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 20 {
				want(t, "login", r.login(t, here, "alice", "secret"), "")
				want(t, "trap", r.Trap(here, "u", "secret"), "")
				if i == 0 {
					want(t, "reload", r.Reload(t.Context()), "")
				}
				if !r.May("", "list") {
					t.Error("list is not allowed")
				}
			}
		})
	}
	wg.Wait()
}

func TestAuthShowsNothing(t *testing.T) {
	r := set(t, "trap section\n* u "+secret, "alice: "+secret+"\n", "userfile").read(t)
	want(t, "login", r.login(t, here, "alice", "secret"), "")
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		if s := fmt.Sprintf(verb, r.Auth); strings.Contains(s, "secret") || strings.Contains(s, secret) {
			t.Errorf("%s: %s", verb, s)
		}
	}
	for _, err := range []error{r.login(t, there, "alice", "Pa55word"), r.Trap(there, "u", "Pa55word"), r.login(t, there, "nosuch", "Pa55word")} {
		if strings.Contains(err.Error(), "Pa55word") {
			t.Error(err)
		}
	}
	if strings.Contains(r.said.String(), "secret") {
		t.Errorf("said %s", &r.said)
	}
}

// cpu is what the process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	check(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTrap is what a trap costs: without a password, with one that is
// remembered, and beside them one SHA-256 of as many bytes as a code of it takes.
func BenchmarkTrap(b *testing.B) {
	b.Run("baseline", func(b *testing.B) {
		block := make([]byte, 256)
		before := cpu(b)
		for b.Loop() {
			sha256.Sum256(block)
		}
		b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
	})
	for name, section := range map[string]string{"password": "127.0.0.1 u " + hunter2 + rest, "open": "* * *"} {
		b.Run(name, func(b *testing.B) {
			r := set(b, "trap section\n"+section, "").read(b)
			check(b, r.Trap(here, "u", "hunter2"))
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				if err := r.Trap(here, "u", "hunter2"); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

func BenchmarkMay(b *testing.B) {
	r := set(b, "disable: AUTH_ANY, !bob", "").read(b)
	b.ReportAllocs()
	for b.Loop() {
		r.May("alice", "disable")
	}
}
