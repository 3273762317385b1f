package trapalert

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

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/plugins/alert"
)

// TestRealMonTakesIt sends traps to mon itself, which must call its alerts by
// what they say.
func TestRealMonTakesIt(t *testing.T) {
	m := startMon(t)
	a := mustLine(t, "-U", "trapper", "-P", "it's secret", m.address)
	r := request()
	m.tell(t, a, r)
	want := "alert: -s http -g web -T retval 3 type trap|web2||connection 'refused'|" // mon puts an empty line between
	if got := m.told(t); !strings.HasPrefix(got, want) {
		t.Errorf("mon's alert was called with\n%s\nand not\n%s", got, want)
	}
	r.Kind, r.Exit, r.Status, r.ID = alert.Up, 0, 1, "2"
	check(t, a.Alert(t.Context(), r))
	want = "up: -s http -g web -u retval 0 type up|web2||"
	if got := m.told(t); !strings.HasPrefix(got, want) {
		t.Errorf("mon's upalert was called with\n%s\nand not\n%s", got, want)
	}
}

// realMon is a mon of this test: its own configuration, its own ports.
type realMon struct {
	address string
	pipe    *os.File
	lines   *bufio.Scanner
}

// needMon finds Debian's mon.
func needMon(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"/usr/sbin/mon", "/usr/lib/mon/mon"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	if os.Getenv("MOND_NOSKIP") != "" {
		t.Fatal("mon is not installed (Debian package mon)")
	}
	t.Skip("mon is not installed (Debian package mon)")
	return ""
}

// startMon runs mon in the foreground until the test ends.
func startMon(t *testing.T) *realMon {
	t.Helper()
	program, dir := needMon(t), t.TempDir()
	password, err := exec.Command("perl", "-e", `print crypt("it's secret", "ab")`).Output()
	check(t, err)
	port := freePort(t)
	pipe := filepath.Join(dir, "told")
	check(t, unix.Mkfifo(pipe, 0o600))
	// One line a call; a pipe takes a short line whole.
	script := `#!/bin/sh
what=$(basename "$0" .alert)
while [ $# -gt 0 ]; do case $1 in -h | -t) shift 2 ;; *) words="$words $1"; shift ;; esac; done
text=$(head -c 400 | tr '\n' '|')
echo "$what:$words retval $MON_RETVAL type $MON_ALERTTYPE|$text" >` + pipe + "\n"
	files := map[string]string{
		"alert.alert": script, "up.alert": script,
		"auth.cf": "trap section\n127.0.0.1 trapper " + string(password) + "\n",
		"mon.cf": fmt.Sprintf(`basedir = %[1]s
cfbasedir = %[1]s
mondir = %[1]s
alertdir = %[1]s
logdir = %[1]s
statedir = %[1]s
authfile = auth.cf
authtype = userfile
userfile = %[1]s/auth.cf
serverbind = 127.0.0.1
trapbind = 127.0.0.1
pidfile = %[1]s/mon.pid

hostgroup web web1 web2

watch web
    service http
        period
            alert alert.alert
            upalert up.alert
`, dir),
	}
	for name, text := range files {
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700))
	}
	cmd := exec.Command(program, "-c", filepath.Join(dir, "mon.cf"), "-p", port, "-t", port)
	cmd.Dir = dir
	log, err := os.Create(filepath.Join(dir, "output"))
	check(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	check(t, cmd.Start())
	f, err := os.OpenFile(pipe, os.O_RDWR|unix.O_NONBLOCK, 0) // a writer of our own: no end of file
	check(t, err)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = f.Close()
		_ = log.Close()
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("mon said:\n%s", text)
		}
	})
	return &realMon{address: "127.0.0.1:" + port, pipe: f, lines: bufio.NewScanner(f)}
}

// tell sends until mon listens.
func (m *realMon) tell(t *testing.T, a *Alert, r alert.Request) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(20 * time.Second); ; {
		err := a.Alert(t.Context(), r)
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("mon does not listen: %v", err)
		}
	}
}

// told is the next call of an alert.
func (m *realMon) told(t *testing.T) string {
	t.Helper()
	check(t, m.pipe.SetReadDeadline(time.Now().Add(20*time.Second)))
	if !m.lines.Scan() {
		t.Fatalf("mon called no alert: %v", m.lines.Err())
	}
	return m.lines.Text()
}

// freePort is free for TCP and UDP on the loopback.
func freePort(t *testing.T) string {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		check(t, err)
		_, port, _ := net.SplitHostPort(l.Addr().String())
		c, err := net.ListenPacket("udp", l.Addr().String())
		_ = l.Close()
		if err == nil {
			_ = c.Close()
			return port
		}
	}
	t.Fatal("no port is free for TCP and UDP")
	return ""
}
