package pair

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/control"
)

// limit is how long anything may take that is not measured.
const limit = 90 * time.Second

// director is a mond in a node, with its plugins.
type director struct {
	name   string // of the node
	dir    string
	config string
	words  []string
	cmd    *exec.Cmd
	ended  chan struct{}
	client *control.Client
}

// words are those of both directors beside what all tests have; more is the end
// of the file.
type words struct{ elector, group, more string }

// newDirector writes the configuration of a director; it is not started.
func newDirector(t testing.TB, w *world, name string, number, peer int, links string, more words) *director {
	t.Helper()
	d := &director{name: name, dir: shortDir(t)}
	must(t, os.WriteFile(d.path("keys"), []byte("auth 1\n1 a-secret-of-the-tests-0123456789\n"), 0o600))
	must(t, os.Mkdir(d.path("state"), 0o755))
	d.config = d.path("mon.cf")
	text := fmt.Sprintf(`controlsocket = %s
statedir = %s
logdir = %[2]s

hostgroup directors other

watch directors
    service role
        monitor heartbeat.monitor --node %d --peer %d --keys %s --epochs %s --neighbour %s %s %s
        period wd {Sun-Sat}
            alert fake.alert --group web --priority %d %s %s/32/eth0
`, d.path("sock"), d.path("state"), number, peer, d.path("keys"), d.path("epochs"), client, links, more.elector, 100-number, more.group, vip) + more.more
	must(t, os.WriteFile(d.config, []byte(text), 0o644))
	d.words = w.command(name, program(t, "mond"), "-c", d.config, "-P", "", "--log", "stderr").Args
	d.client = control.Dial(d.path("sock"))
	return d
}

// shortDir is a directory for sockets, whose paths may not be long; t.TempDir
// has the name of the test in it.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pair")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// pair are two directors with two cables between them.
func newPair(t testing.TB, w *world, more words) (a, b *director) {
	t.Helper()
	links := func(x1, y1, x2, y2 string) string {
		return fmt.Sprintf("--link one=udp:%s,%s --link two=udp:%s,%s", x1, y1, x2, y2)
	}
	a = newDirector(t, w, "a", 1, 2, links(cableA1, cableB1, cableA2, cableB2), more)
	b = newDirector(t, w, "b", 2, 1, links(cableB1, cableA1, cableB2, cableA2), more)
	return a, b
}

func (d *director) path(name string) string { return filepath.Join(d.dir, name) }

// start starts it and does not wait.
func (d *director) start(t testing.TB) {
	t.Helper()
	log, err := os.OpenFile(d.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	must(t, err)
	defer log.Close()
	d.cmd = exec.Command(d.words[0], d.words[1:]...)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	must(t, d.cmd.Start())
	ended := make(chan struct{})
	d.ended = ended
	go func() {
		_ = d.cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() { d.clear(t) })
}

// clear ends what the test has not, and shows the log if it failed.
func (d *director) clear(t testing.TB) {
	d.signal(syscall.SIGKILL, d.all()...)
	<-d.ended
	if t.Failed() {
		text, _ := os.ReadFile(d.path("log"))
		t.Logf("log of %s:\n%s", d.name, text)
	}
}

// stop ends it in order.
func (d *director) stop(t testing.TB) {
	t.Helper()
	must(t, d.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-d.ended:
	case <-time.After(limit):
		t.Fatalf("%s does not end", d.name)
	}
}

// all are the ids of mond and of its plugins. mond is what ip(8) became.
func (d *director) all() []int { return append([]int{d.cmd.Process.Pid}, d.plugins("")...) }

// plugins are the ids of its plugins of that name, of all for "".
func (d *director) plugins(name string) (ids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := bytes.Cut(b, []byte(") "))
		f := bytes.Fields(rest)
		if len(f) < 2 || string(f[1]) != strconv.Itoa(d.cmd.Process.Pid) {
			continue
		}
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		line, _ := os.ReadFile(filepath.Dir(path) + "/cmdline")
		word, _, _ := bytes.Cut(line, []byte{0})
		if name == "" || filepath.Base(string(word)) == name {
			ids = append(ids, id)
		}
	}
	return ids
}

func (d *director) signal(sig syscall.Signal, ids ...int) {
	for _, id := range ids {
		_ = syscall.Kill(id, sig)
	}
}

// monctl runs it.
func (d *director) monctl(t testing.TB, words ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	out, err := exec.CommandContext(ctx, program(t, "monctl"), append([]string{"--socket", d.path("sock")}, words...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("monctl %s: %v\n%s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

// program is the path of one that was built: TEST_PROGRAMS, or bin of this checkout.
func program(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("TEST_PROGRAMS")
	if dir == "" {
		dir, _ = filepath.Abs("../../../bin")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: scripts/build makes it", err)
	}
	return path
}

// until polls a condition.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("waited %v until %s", limit, what)
		case <-tick.C:
		}
	}
}
