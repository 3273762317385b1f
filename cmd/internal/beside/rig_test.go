package beside

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// programs are built once.
var programs struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if programs.dir != "" {
		_ = os.RemoveAll(programs.dir)
	}
	os.Exit(code)
}

// built is a folder with fake, mond and monctl: the one that TEST_PROGRAMS names,
// if it is set, else they are built.
func built(t *testing.T) string {
	t.Helper()
	if bin := os.Getenv("TEST_PROGRAMS"); bin != "" {
		return bin
	}
	programs.once.Do(func() {
		if programs.dir, programs.err = os.MkdirTemp("", "mond-beside-"); programs.err != nil {
			return
		}
		const module = "github.com/mondhq/mond/cmd/"
		out, err := exec.Command("go", "build", "-o", programs.dir+"/", module+"fake", module+"mond", module+"monctl").CombinedOutput()
		if err != nil {
			programs.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if programs.err != nil {
		t.Fatal(programs.err)
	}
	return programs.dir
}

// etc is a file of the folder etc of the checkout.
func etc(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../../etc", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// needs leaves a test out, or fails it if MOND_NOSKIP is set, where a file of a
// Debian package is not there, or this is not root.
func needs(t *testing.T, pkg, file string) {
	t.Helper()
	why := ""
	if _, err := os.Stat(file); err != nil {
		why = fmt.Sprintf("%v: it is in the Debian package %s", err, pkg)
	}
	if os.Getuid() != 0 {
		why = "it takes root: namespaces are made"
	}
	switch {
	case why == "":
	case os.Getenv("MOND_NOSKIP") != "":
		t.Fatal(why)
	default:
		t.Skip(why)
	}
}

// run runs a command and returns its standard output.
func run(t *testing.T, words ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), words[0], words[1:]...).Output()
	if err != nil {
		said := ""
		if e, ok := err.(*exec.ExitError); ok { //nolint:errorlint // as exec has it
			said = string(e.Stderr)
		}
		t.Fatalf("%q: %v: %s%s", words, err, out, said)
	}
	return string(out)
}

// within waits until is holds; what is what is waited for.
func within(t *testing.T, limit time.Duration, what string, is func() bool) {
	t.Helper()
	began := time.Now()
	for !is() {
		if time.Since(began) > limit {
			t.Fatalf("not within %v: %s", limit, what)
		}
		wait(t, 50*time.Millisecond)
	}
	t.Logf("%s: after %v", what, time.Since(began).Round(50*time.Millisecond))
}

func wait(t *testing.T, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

// site is two directors and a client: A and B on the client's bridge, and a
// cable between A and B.
type site struct {
	t      *testing.T
	prefix string
	nodes  map[string]*node
}

// node is a director.
type node struct {
	name, netns, dir, mac string
	program               []string
	cmd                   *exec.Cmd
}

// newSite makes the network. Namespaces are named after this process.
func newSite(t *testing.T) *site {
	s := &site{t: t, prefix: fmt.Sprintf("bs%d", os.Getpid()), nodes: map[string]*node{}}
	client := s.netns("C")
	s.ip(client, "link add br0 type bridge", "link set br0 up", "addr add 10.66.0.100/24 dev br0", "link set lo up")
	for i, name := range []string{"A", "B"} {
		ns := s.netns(name)
		s.ip(ns, "link add eth0 type veth peer name p"+name+" netns "+client, "link set lo up", "link set eth0 up",
			fmt.Sprintf("addr add 10.66.0.%d/24 brd + dev eth0", i+1))
		s.ip(client, "link set p"+name+" master br0 up")
		mac := strings.Fields(run(t, "ip", "-n", ns, "-br", "link", "show", "eth0"))[2]
		s.nodes[name] = &node{name: "dir" + strings.ToLower(name), netns: ns, mac: mac}
	}
	s.ip(s.ns("A"), "link add eth1 type veth peer name eth1 netns "+s.ns("B"))
	for i, name := range []string{"A", "B"} {
		s.ip(s.ns(name), "link set eth1 up", fmt.Sprintf("addr add 192.168.66.%d/24 brd + dev eth1", i+1))
	}
	return s
}

func (s *site) ns(name string) string { return s.prefix + name }

func (s *site) netns(name string) string {
	ns := s.ns(name)
	run(s.t, "ip", "netns", "add", ns)
	s.t.Cleanup(func() { // not with the test's context, which has ended
		if out, err := exec.Command("ip", "netns", "del", ns).CombinedOutput(); err != nil {
			s.t.Errorf("ip netns del %s: %v: %s", ns, err, out)
		}
	})
	return ns
}

// ip runs ip(8) in a namespace, a line at a time.
func (s *site) ip(ns string, lines ...string) {
	s.t.Helper()
	for _, line := range lines {
		run(s.t, append([]string{"ip", "-n", ns}, strings.Fields(line)...)...)
	}
}

// has says whether a director has the address.
func (s *site) has(name, address string) bool {
	return strings.Contains(run(s.t, "ip", "-n", s.ns(name), "-br", "addr", "show", "eth0"), " "+address)
}

// seen is where the client believes the address to be.
func (s *site) seen(address string) string {
	for line := range strings.Lines(run(s.t, "ip", "-n", s.ns("C"), "neigh", "show", address)) {
		if _, after, ok := strings.Cut(line, "lladdr "); ok {
			return strings.Fields(after)[0]
		}
	}
	return ""
}

// ask has the client use the address, so that it has an entry for it.
func (s *site) ask(address string) {
	s.t.Helper()
	run(s.t, "ip", "netns", "exec", s.ns("C"), "ping", "-c", "1", "-W", "5", address)
}

// prepare makes the files of a director.
func (s *site) prepare(name string, files map[string]string, program ...string) *node {
	n := s.nodes[name]
	n.program = program
	n.dir = s.t.TempDir()
	for _, p := range []string{"fake", "mond", "monctl"} {
		copyFile(s.t, filepath.Join(built(s.t), p), filepath.Join(n.dir, "bin", p), 0o755)
	}
	copyFile(s.t, etc(s.t, "init.d/mond"), filepath.Join(n.dir, "init.d/mond"), 0o755)
	for path, text := range files {
		write(s.t, filepath.Join(n.dir, path), strings.ReplaceAll(text, "@DIR@", n.dir), 0o755)
	}
	return n
}

// start starts a director in namespaces of its own.
func (s *site) start(n *node) {
	s.t.Helper()
	script, err := filepath.Abs("testdata/node.sh")
	if err != nil {
		s.t.Fatal(err)
	}
	words := append([]string{"netns", "exec", n.netns, "unshare", "-m", "-u", "-i", "-p", "--fork", "--kill-child", "sh", script, n.name, n.dir}, n.program...)
	n.cmd = exec.Command("ip", words...)
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := n.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { s.kill(n) })
}

// kill kills all processes of a director at once.
func (s *site) kill(n *node) {
	if n.cmd == nil {
		return
	}
	if pid := n.first(); pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = n.cmd.Process.Kill()
	_ = n.cmd.Wait()
	n.cmd = nil
}

// first is the first process of the director's pid namespace, the only child of
// unshare.
func (n *node) first() int {
	pid := n.cmd.Process.Pid
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	child, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return child
}

// inside runs a command of a shell in the namespaces of a director; "" if it
// fails.
func (s *site) inside(n *node, line string) string {
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "nsenter", "-t", strconv.Itoa(n.first()), "-m", "-u", "-i", "-p", "-n", "sh", "-c", line).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// told shows what a director wrote, if the test failed.
func (s *site) told(n *node, files ...string) {
	s.t.Cleanup(func() {
		if !s.t.Failed() {
			return
		}
		for _, name := range append(files, "out") {
			text, _ := os.ReadFile(filepath.Join(n.dir, name))
			s.t.Logf("%s, %s:\n%s", n.name, name, text)
		}
	})
}

func write(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string, mode fs.FileMode) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(text), mode)
}
