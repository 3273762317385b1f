package auth

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	m := startMon(t, oddAuthFile, oddUserFile)
	r := set(t, oddAuthFile, oddUserFile, "userfile").read(t)
	commands := append(commands(), "", "LIST", "no", "command", "nosuch")
	compare := func(user string) {
		t.Helper()
		for _, command := range commands {
			theirs := m.ask(t, "checkauth "+command) == "220 command authorized"
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
		theirs := m.ask(t, "login "+login) == "220 login accepted"
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

// realMon is a mon of this test, with files and ports of its own.
type realMon struct {
	conn  net.Conn
	lines *bufio.Reader
}

// startMon runs Debian's mon in the foreground until the test ends.
func startMon(t *testing.T, authFile, userFile string) *realMon {
	t.Helper()
	const program = "/usr/sbin/mon"
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("MOND_NOSKIP") != "" {
			t.Fatal("mon is not installed (Debian package mon)")
		}
		t.Skip("mon is not installed (Debian package mon)")
	}
	dir, address := t.TempDir(), free(t)
	files := map[string]string{
		"auth.cf": authFile, "userfile": userFile,
		"mon.cf": strings.ReplaceAll(`basedir = DIR
cfbasedir = DIR
mondir = DIR
alertdir = DIR
logdir = DIR
statedir = DIR
authfile = auth.cf
authtype = userfile
userfile = DIR/userfile
serverbind = 127.0.0.1
trapbind = 127.0.0.1
pidfile = DIR/mon.pid

hostgroup web web1

watch web
    service http
        period
            numalerts 1
`, "DIR", dir),
	}
	for name, text := range files {
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(program, "-c", filepath.Join(dir, "mon.cf"), "-p", port, "-t", port)
	cmd.Dir = dir
	log, err := os.Create(filepath.Join(dir, "output"))
	check(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	check(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("mon said:\n%s", text)
		}
	})
	conn := dial(t, address)
	return &realMon{conn, bufio.NewReader(conn)}
}

// free is an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	return l.Addr().String()
}

// dial tries until mon listens.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(time.Minute); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			t.Cleanup(func() { conn.Close() })
			check(t, conn.SetDeadline(time.Now().Add(5*time.Minute)))
			return conn
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("mon does not listen: %v", err)
		}
	}
}

// ask gives a command that answers with one line.
func (m *realMon) ask(t *testing.T, command string) string {
	t.Helper()
	_, err := fmt.Fprintln(m.conn, command)
	check(t, err)
	line, err := m.lines.ReadString('\n')
	check(t, err)
	return strings.TrimSpace(line)
}
