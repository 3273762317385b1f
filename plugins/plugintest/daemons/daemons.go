// Package daemons runs Debian's mon and our mond for tests: each in a folder
// of its own, on a port of its own on loopback, until the test ends. The same
// configuration runs under both. It is no daemon of the system: nothing it
// starts outlives the test.
package daemons

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// limit is how long anything may take on a busy machine.
const limit = 60 * time.Second

// Site is what a daemon is started with.
type Site struct {
	// Config is what follows the head, which keeps everything in the folder:
	// "DIR" in it and in Files stands for the folder.
	Config string
	// Files are other files by path below the folder; those below mon.d and
	// alert.d may be run. "auth.cf" lets everybody do everything if it is not
	// among them.
	Files map[string]string
	// Head replaces lines of the head, by variable; an empty value leaves the
	// line out.
	Head map[string]string
	// Args are further arguments of the daemon, Env further variables.
	Args, Env []string
}

// Daemon is one that runs.
type Daemon struct {
	t *testing.T
	// Dir is its folder, Address where clients connect and, by UDP, traps go.
	Dir, Address string
	program      string
	args, env    []string
	cmd          *exec.Cmd
	ended        chan error
}

// Mon starts Debian's mon.
func Mon(t *testing.T, s Site) *Daemon {
	t.Helper()
	return start(t, s, needMon(t), nil)
}

// Mond starts mond, built for this run of the tests.
func Mond(t *testing.T, s Site) *Daemon {
	t.Helper()
	return start(t, s, filepath.Join(Programs(t), "mond"), []string{"--log", "stderr", "--log-level", "debug"})
}

// needMon is where Debian's mon is.
func needMon(t *testing.T) string {
	t.Helper()
	const program = "/usr/sbin/mon"
	if _, err := os.Stat(program); err == nil {
		return program
	}
	missing := "mon is not installed (Debian package mon)"
	if os.Getenv("MOND_NOSKIP") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// head are the variables above every configuration, in order.
var head = [][2]string{
	{"basedir", "DIR"}, {"cfbasedir", "DIR"}, {"mondir", "DIR/mon.d"}, {"alertdir", "DIR/alert.d"},
	{"logdir", "DIR/log"}, {"statedir", "DIR/state"}, {"authfile", "DIR/auth.cf"}, {"serverbind", "127.0.0.1"},
	{"trapbind", "127.0.0.1"}, {"pidfile", "DIR/pid"},
}

// everybody lets everybody do everything.
const everybody = `command section
ack: all
checkauth: all
clear: all
disable: all
enable: all
get: all
list: all
loadstate: all
reload: all
reset: all
savestate: all
servertime: all
set: all
start: all
stop: all
term: all
test: all

trap section
* * *
`

// start makes the folder and runs program in it until it answers.
func start(t *testing.T, s Site, program string, args []string) *Daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "mon") // sockets lie in it: a short path
	if err != nil {
		t.Fatal(err)
	}
	d := &Daemon{t: t, Dir: dir, program: program, env: s.Env}
	t.Cleanup(d.clear)
	d.write(s, args != nil)
	port := FreePort(t)
	d.Address = "127.0.0.1:" + port
	d.args = append([]string{"-c", filepath.Join(dir, "mon.cf"), "-p", port, "-t", port}, append(args, s.Args...)...)
	d.Start()
	return d
}

// write writes the files; ours adds what only mond reads.
func (d *Daemon) write(s Site, ours bool) {
	d.t.Helper()
	var b strings.Builder
	for _, line := range head {
		value, other := s.Head[line[0]]
		if !other {
			value = line[1]
		}
		if value != "" {
			b.WriteString(line[0] + " = " + value + "\n")
		}
	}
	if ours {
		b.WriteString("controlsocket = DIR/sock\n")
	}
	d.File("auth.cf", everybody)
	for _, sub := range []string{"mon.d", "alert.d", "log", "state"} {
		if err := os.MkdirAll(d.Path(sub), 0o755); err != nil {
			d.t.Fatal(err)
		}
	}
	for name, text := range s.Files {
		d.File(name, text)
	}
	d.File("mon.cf", b.String()+"\n"+s.Config)
}

// folder is the word that stands for the folder; it is not part of a longer one.
var folder = regexp.MustCompile(`\bDIR\b`)

// File writes a file below the folder, with DIR put in.
func (d *Daemon) File(name, text string) {
	d.t.Helper()
	path, mode := d.Path(name), os.FileMode(0o644)
	if dir := filepath.Dir(name); dir == "mon.d" || dir == "alert.d" {
		mode = 0o755
	}
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(folder.ReplaceAllLiteralString(text, d.Dir)), mode))
	if err != nil {
		d.t.Fatal(err)
	}
}

// Path is where a file below the folder is.
func (d *Daemon) Path(name string) string { return filepath.Join(d.Dir, name) }

// Read is the text of a file below the folder, empty if it is not there.
func (d *Daemon) Read(name string) string {
	text, err := os.ReadFile(d.Path(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		d.t.Fatal(err)
	}
	return string(text)
}

// Start runs the daemon until it answers; after Stop it runs it again.
func (d *Daemon) Start(args ...string) {
	d.t.Helper()
	log, err := os.OpenFile(d.Path("output"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	d.cmd = exec.Command(d.program, append(d.args, args...)...)
	d.cmd.Dir, d.cmd.Stdout, d.cmd.Stderr, d.cmd.Env = d.Dir, log, log, append(os.Environ(), d.env...)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.ended = make(chan error, 1)
	go func(c *exec.Cmd, ended chan error) { ended <- c.Wait() }(d.cmd, d.ended)
	d.Until("it answers", func() bool {
		if d.IsMond() {
			return answers("tcp", d.Address) && answers("unix", d.Path("sock"))
		}
		return answers("tcp", d.Address) && hears(d.t, d.Address) // mon opens the one before the other
	})
}

// hears reports whether somebody has this UDP port. Nothing is sent there.
func hears(t *testing.T, address string) bool {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(table), fmt.Sprintf(":%04X 00000000:0000 ", n))
}

// answers reports whether somebody listens there.
func answers(network, address string) bool {
	c, err := net.Dial(network, address)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

// IsMond reports which of the two it is.
func (d *Daemon) IsMond() bool { return filepath.Base(d.program) == "mond" }

// PID is the daemon's.
func (d *Daemon) PID() int { return d.cmd.Process.Pid }

// Signal sends it a signal.
func (d *Daemon) Signal(s syscall.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		d.t.Fatal(err)
	}
}

// Wait waits for its end and is its exit status.
func (d *Daemon) Wait() int {
	d.t.Helper()
	select {
	case <-d.ended:
		code := d.cmd.ProcessState.ExitCode()
		d.cmd = nil
		return code
	case <-time.After(limit):
		d.t.Fatalf("%s did not end within %v", d.program, limit)
		return -1
	}
}

// Stop ends it as an operator would, and is its exit status. Nobody listens at
// its address then: a program that mon ran may have its socket for a moment.
func (d *Daemon) Stop() int {
	d.t.Helper()
	d.Signal(syscall.SIGTERM)
	code := d.Wait()
	Poll(d.t, "nobody listens any more", nil, func() bool { return !answers("tcp", d.Address) })
	return code
}

// Until polls a condition while the daemon runs.
func (d *Daemon) Until(what string, holds func() bool) {
	d.t.Helper()
	Poll(d.t, what, d.ended, holds)
}

// Poll waits for a condition; ended, if not nil, is where a daemon's end is
// told, which ends the waiting.
func Poll(t *testing.T, what string, ended chan error, holds func() bool) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("waited %v for: %s", limit, what)
		case err := <-ended:
			ended <- err
			t.Fatalf("the daemon ended (%v) while waiting for: %s", err, what)
		case <-tick.C:
		}
	}
}

// clear ends the daemon and what it started, by its own group, and shows what
// it said if the test failed.
func (d *Daemon) clear() {
	if d.cmd != nil {
		_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		<-d.ended
	}
	if d.t.Failed() {
		text := d.Read("output")
		d.t.Logf("%s said:\n%s", d.program, text[max(len(text)-20_000, 0):])
	}
	_ = os.RemoveAll(d.Dir)
}

// FreePort is a port of loopback that is free for TCP and UDP.
func FreePort(t *testing.T) string {
	t.Helper()
	tcp, udp := Listen(t)
	_, port, _ := net.SplitHostPort(tcp.Addr().String())
	_, _ = tcp.Close(), udp.Close()
	return port
}

// Listen listens on a port of loopback for both TCP and UDP.
func Listen(t *testing.T) (net.Listener, net.PacketConn) {
	t.Helper()
	for range 100 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if udp, err := net.ListenPacket("udp", tcp.Addr().String()); err == nil {
			return tcp, udp
		}
		_ = tcp.Close()
	}
	t.Fatal("no port is free for both TCP and UDP")
	return nil, nil
}
