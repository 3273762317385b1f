package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// binDir holds the programs under test, built once by TestMain.
var binDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "mond-e2e-")
	if err != nil {
		panic(err)
	}
	binDir = dir
	code := 1
	if err := daemons.Build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		os.Setenv("TEST_PROGRAMS", dir) // for daemons.Mond: not built twice
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// testSite is a folder with a configuration and a running mond.
type testSite struct {
	t      *testing.T
	dir    string
	cmd    *exec.Cmd
	attr   *syscall.SysProcAttr // of mond; nil: as this process
	ended  chan error
	client *control.Client
	log    string
}

// newSite makes a folder with a short path: sockets lie in it.
func newSite(t *testing.T) *testSite {
	t.Helper()
	dir, err := os.MkdirTemp("", "mond")
	if err != nil {
		t.Fatal(err)
	}
	s := &testSite{t: t, dir: dir, log: filepath.Join(dir, "log"), client: control.Dial(filepath.Join(dir, "sock"))}
	t.Cleanup(s.clear)
	return s
}

// clear ends the daemon if the test has not, and shows its log if it failed.
func (s *testSite) clear() {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(syscall.SIGCONT)
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	if s.t.Failed() {
		text, _ := os.ReadFile(s.log)
		s.t.Logf("log of mond:\n%s", text)
	}
	os.RemoveAll(s.dir)
}

func (s *testSite) path(name string) string { return filepath.Join(s.dir, name) }

// head is the part of a configuration that keeps everything in the folder.
func (s *testSite) head() string {
	return strings.ReplaceAll(`statedir = DIR
logdir = DIR
controlsocket = DIR/sock
pidfile = DIR/pid
mondir = DIR/mon.d
alertdir = DIR/alert.d
`, "DIR", s.dir)
}

// configure writes the configuration.
func (s *testSite) configure(body string) {
	s.t.Helper()
	if err := os.WriteFile(s.path("mon.cf"), []byte(s.head()+body), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// start runs mond until it answers.
func (s *testSite) start(args ...string) {
	s.t.Helper()
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	s.cmd = exec.Command(filepath.Join(binDir, "mond"), append([]string{"-c", s.path("mon.cf"), "--log", "stderr"}, args...)...)
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.SysProcAttr = log, log, s.attr
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.ended = make(chan error, 1)
	go func(c *exec.Cmd) { s.ended <- c.Wait() }(s.cmd)
	s.until("mond answers", func() bool {
		d, err := s.client.Daemon(s.t.Context())
		return err == nil && !d.Loaded.IsZero()
	})
}

// stop ends mond cleanly.
func (s *testSite) stop() {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	if err := s.wait(); err != nil {
		s.t.Errorf("mond ended with %v", err)
	}
}

func (s *testSite) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// wait is mond's end, which must come within 20 s.
func (s *testSite) wait() error {
	s.t.Helper()
	select {
	case err := <-s.ended:
		s.cmd = nil
		return err
	case <-time.After(20 * time.Second):
		s.t.Fatal("mond did not end within 20 s")
		return nil
	}
}

// limit is how long anything may take on a busy machine.
const limit = 30 * time.Second

// until polls a condition while mond runs.
func (s *testSite) until(what string, holds func() bool) {
	s.t.Helper()
	daemons.Poll(s.t, what, s.ended, holds)
}

// never checks that a condition does not come to hold for a while.
func (s *testSite) never(what string, d time.Duration, holds func() bool) {
	s.t.Helper()
	end := time.After(d)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return
		case <-tick.C:
			if holds() {
				s.t.Fatalf("must not happen: %s", what)
			}
		}
	}
}

// service is one service's row.
func (s *testSite) service(group, name string) control.Service {
	s.t.Helper()
	row, err := s.client.Service(s.t.Context(), group, name)
	if err != nil {
		s.t.Fatal(err)
	}
	return row
}

// status waits for a status.
func (s *testSite) status(group, name, want string) {
	s.t.Helper()
	s.until(group+":"+name+" is "+want, func() bool {
		row, err := s.client.Service(s.t.Context(), group, name)
		return err == nil && row.Status == want
	})
}

// monctl runs the operator's command.
func (s *testSite) monctl(args ...string) (string, error) {
	out, err := exec.CommandContext(s.t.Context(), filepath.Join(binDir, "monctl"), append([]string{"--socket", s.path("sock")}, args...)...).CombinedOutput()
	return string(out), err
}

// table is the text of the table file; it begins with the virtual service.
func (s *testSite) tableFile() string { return s.path("table") }

func (s *testSite) makeTable(virtual string) {
	s.t.Helper()
	if err := os.WriteFile(s.tableFile(), []byte("-A -t "+virtual+" -s wlc\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// in reports whether a real is in the table.
func (s *testSite) in(real string) bool {
	text, _ := os.ReadFile(s.tableFile())
	return strings.Contains(string(text), "-r "+real+" ")
}

// plugin is the process of a resident plugin below mond, or 0.
func (s *testSite) plugin(name string) int {
	return findChild(s.cmd.Process.Pid, name)
}

// findChild looks for a living child of pid whose program is called name.
func findChild(pid int, name string) int {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		child, err := strconv.Atoi(e.Name())
		if err != nil || parent(child) != pid {
			continue
		}
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child))
		program, _, _ := strings.Cut(string(cmdline), "\x00")
		if filepath.Base(program) == name {
			return child
		}
	}
	return 0
}

// parent is the parent of a living process, or 0.
func parent(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, ok := strings.Cut(string(text), ") ")
	f := strings.Fields(rest)
	if !ok || f[0] == "Z" {
		return 0
	}
	p, _ := strconv.Atoi(f[1])
	return p
}

// web is a web server that can die and return at its address.
type web struct {
	t    *testing.T
	addr string
	srv  *http.Server
}

func newWeb(t *testing.T) *web {
	w := &web{t: t, addr: "127.0.0.1:0"}
	w.up()
	t.Cleanup(w.down)
	return w
}

func (w *web) up() {
	w.t.Helper()
	var l net.Listener
	l, err := net.Listen("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.addr = l.Addr().String()
	w.srv = &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintln(rw, "well") })}
	go w.srv.Serve(l)
}

func (w *web) down() { _ = w.srv.Close() }

func (w *web) port() string {
	_, p, _ := net.SplitHostPort(w.addr)
	return p
}

// silentMail accepts connections and never says a word.
func silentMail(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { <-ctx.Done(); c.Close() }()
		}
	}()
	t.Cleanup(func() { stop(); l.Close() })
	return l.Addr().String()
}

// watch is the text of one watch: an http service on a port of loopback whose
// real is kept in the table file, and which mails to mail unless it is empty.
func (s *testSite) watch(name, port, virtual, real, mail string) string {
	lines := fmt.Sprintf("\nhostgroup %s 127.0.0.1\n\nwatch %s\n    service http\n        interval 200ms\n        monitor http.monitor -p %s -t 5\n        period wd {Sun-Sat}\n", name, name, port)
	if mail != "" {
		for _, word := range []string{"alert", "upalert"} {
			lines += fmt.Sprintf("            %s mail.alert --server %s --tls none root@localhost\n", word, mail)
		}
	}
	for _, word := range []string{"alert", "upalert"} {
		lines += fmt.Sprintf("            %s lvs.alert -P tcp -V %s -R %s -W 5 -F nat --table %s\n", word, virtual, real, s.tableFile())
	}
	return lines
}
