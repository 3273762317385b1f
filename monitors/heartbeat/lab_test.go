package heartbeat

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/role"
)

// labs counts the labs of this program.
var labs atomic.Uint32

// lab is two directors' machines, a switch with a gateway between them, and two
// cables from one to the other.
type lab struct {
	t     testing.TB
	space [3]string // switch, then the directors 1 and 2
	keys  string
}

const vip = "10.9.0.100"

// newLab makes it; it lasts as long as the test.
func newLab(t testing.TB) *lab {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("MOND_NOSKIP") != "" {
			t.Fatal("network namespaces need root")
		}
		t.Skip("network namespaces need root")
	}
	l := &lab{t: t, keys: filepath.Join(t.TempDir(), "keys")}
	prefix := fmt.Sprintf("mond-hb-%d-%d-", os.Getpid(), labs.Add(1))
	for i, n := range []string{"s", "1", "2"} {
		l.space[i] = prefix + n
		ip(t, "netns add "+l.space[i])
		t.Cleanup(func() { _, _ = exec.Command("ip", "netns", "del", l.space[i]).CombinedOutput() })
		ip(t, "-n "+l.space[i]+" link set lo up")
	}
	l.in(0, "link add br0 type bridge", "addr add 10.9.0.254/24 dev br0", "link set br0 up")
	for n := 1; n <= 2; n++ {
		l.in(0, fmt.Sprintf("link add p%d type veth peer name eth0 netns %s", n, l.space[n]), fmt.Sprintf("link set p%d master br0 up", n))
		l.in(n, fmt.Sprintf("addr add 10.9.0.%d/24 dev eth0", n), "link set eth0 up", "route add default via 10.9.0.254")
	}
	for c := 1; c <= 2; c++ {
		l.in(1, fmt.Sprintf("link add hb%d type veth peer name hb%d netns %s", c, c, l.space[2]))
		for n := 1; n <= 2; n++ {
			l.in(n, fmt.Sprintf("addr add 10.9.%d.%d/24 dev hb%d", c, n, c), fmt.Sprintf("link set hb%d up", c))
		}
	}
	l.secret("auth 1\n1 a-secret-of-this-test\n")
	return l
}

func ip(t testing.TB, words string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(words)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", words, err, out)
	}
}

// in runs ip(8) in a namespace.
func (l *lab) in(space int, commands ...string) {
	l.t.Helper()
	for _, c := range commands {
		ip(l.t, "-n "+l.space[space]+" "+c)
	}
}

// secret writes the key file.
func (l *lab) secret(text string) {
	l.t.Helper()
	if err := os.WriteFile(l.keys+".new", []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	if err := os.Rename(l.keys+".new", l.keys); err != nil {
		l.t.Fatal(err)
	}
}

// director is one that runs.
type director struct {
	t     testing.TB
	lab   *lab
	node  int
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan said
	state map[string]said
	ended chan struct{}
}

func site(groups ...string) role.Site {
	s := role.Site{Loaded: true, Results: true, Synced: true, Reals: 100, Version: 1, Hash: 7}
	for _, g := range groups {
		args := strings.Fields(g)
		s.Lines = append(s.Lines, role.Line{Group: args[1], Args: args})
	}
	return s
}

const web = "--group web --priority 100 " + vip + "/32/eth0"

// start starts a director with the usual links, and more options.
func (l *lab) start(node int, s role.Site, more ...string) *director {
	l.t.Helper()
	args := []string{
		"netns", "exec", l.space[node], executable(l.t), "--node", fmt.Sprint(node), "--peer", fmt.Sprint(3 - node), "--keys", l.keys,
		"--interval", "100ms", "--dead", "500ms", "--initdead", "2s", "--epochs", filepath.Join(l.t.TempDir(), "epoch"),
	}
	for c := 1; c <= 2; c++ {
		args = append(args, "--link", fmt.Sprintf("hb%d=udp:10.9.%d.%d,10.9.%d.%d", c, c, node, c, 3-node))
	}
	return l.run(node, s, append(args, more...))
}

// alone starts a director that has no peer.
func (l *lab) alone(node int, s role.Site, more ...string) *director {
	return l.run(node, s, append([]string{"netns", "exec", l.space[node], executable(l.t)}, more...))
}

func (l *lab) run(node int, s role.Site, args []string) *director {
	l.t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		l.t.Fatal(err)
	}
	d := &director{t: l.t, lab: l, node: node, cmd: exec.Command("ip", args...), lines: make(chan said, 10000), state: map[string]said{}, ended: make(chan struct{})}
	d.cmd.Env = append(os.Environ(), directed+"="+string(text))
	d.cmd.Stderr = logger{l.t, node}
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if d.in, err = d.cmd.StdinPipe(); err != nil {
		l.t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	go func() {
		defer close(d.ended)
		defer close(d.lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			var s said
			if json.Unmarshal(in.Bytes(), &s) == nil {
				d.lines <- s
			}
		}
		_ = d.cmd.Wait()
	}()
	l.t.Cleanup(d.kill)
	return d
}

func executable(t testing.TB) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return self
}

// logger is where a director's log goes.
type logger struct {
	t    testing.TB
	node int
}

func (l logger) Write(b []byte) (int, error) {
	l.t.Logf("%d: %s", l.node, strings.TrimSpace(string(b)))
	return len(b), nil
}

func (d *director) signal(s syscall.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		d.t.Fatal(err)
	}
}

func (d *director) kill() {
	_ = d.cmd.Process.Kill()
	<-d.ended
}

// tell gives it another site.
func (d *director) tell(s role.Site) {
	d.t.Helper()
	if err := json.NewEncoder(d.in).Encode(s); err != nil {
		d.t.Fatal(err)
	}
}

// until waits for a line.
func (d *director) until(what string, limit time.Duration, is func(said) bool) said {
	d.t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case s, ok := <-d.lines:
			if !ok {
				d.t.Fatalf("director %d ended before %s", d.node, what)
			}
			if s.Token == nil && s.Shared == nil {
				d.state[s.Service] = s
			}
			if is(s) {
				return s
			}
		case <-timer.C:
			d.t.Fatalf("director %d: no %s within %v; it said %v", d.node, what, limit, d.state)
		}
	}
}

// says waits until a service stands so.
func (d *director) says(service, summary string, limit time.Duration) said {
	d.t.Helper()
	if s, ok := d.state[service]; ok && strings.Contains(s.Summary, summary) {
		return s // it said so already
	}
	return d.until(service+" "+summary, limit, func(s said) bool {
		return s.Token == nil && s.Shared == nil && s.Service == service && strings.Contains(s.Summary, summary)
	})
}

// takes waits for the right to hold a group.
func (d *director) takes(group string, limit time.Duration) said {
	d.t.Helper()
	return d.until("token for "+group, limit, func(s said) bool { return s.Token != nil && s.Token.Group == group && s.Token.Hold })
}

// steady reads what it says for a while, and fails if roles move.
func (d *director) steady(hold bool, while time.Duration) {
	d.t.Helper()
	timer := time.NewTimer(while)
	defer timer.Stop()
	for {
		select {
		case s, ok := <-d.lines:
			if !ok {
				d.t.Fatalf("director %d ended", d.node)
			}
			if s.Token == nil && s.Shared == nil {
				d.state[s.Service] = s
			} else if s.Token != nil && s.Token.Hold != hold {
				d.t.Fatalf("director %d: a token %+v", d.node, *s.Token)
			}
		case <-timer.C:
			return
		}
	}
}

// has reports whether a director's machine has the address, leased whether it
// will lose it.
func (l *lab) has(node int) bool { return strings.Contains(l.addresses(node), vip+"/32") }

func (l *lab) leased(node int) bool {
	_, behind, _ := strings.Cut(l.addresses(node), vip+"/32")
	_, behind, _ = strings.Cut(behind, "valid_lft ")
	return strings.HasSuffix(strings.Fields(behind + " -")[0], "sec")
}

func (l *lab) addresses(node int) string {
	l.t.Helper()
	out, err := exec.Command("ip", "-n", l.space[node], "addr", "show", "dev", "eth0").CombinedOutput()
	if err != nil {
		l.t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// eventually waits for something in the kernel.
func (l *lab) eventually(what string, limit time.Duration, is func() bool) {
	l.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); !is(); <-tick.C {
		if time.Now().After(end) {
			l.t.Fatalf("%s: not within %v", what, limit)
		}
	}
}
