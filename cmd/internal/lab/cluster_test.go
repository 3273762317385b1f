package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// node is a network namespace of the site.
type node string

const (
	client   node = "client"
	director node = "director"
	rs1      node = "rs1"
	rs2      node = "rs2"
)

// limit is how long anything may take: the kernel is slow and has one CPU.
const limit = 90 * time.Second

// built makes the site once: that takes longer than most tests. It ends with
// the kernel.
var built sync.Once

// newCluster gives the test a site as lab-cluster makes it.
func newCluster(t *testing.T) {
	t.Helper()
	if os.Getenv("MOND_LAB") != "1" {
		t.Skip("needs a kernel with IPVS: make test runs it in one")
	}
	built.Do(func() { clusterScript(t, "up") })
	t.Cleanup(func() {
		director.run(t, "ipvsadm -C")
		director.run(t, "ipvsadm "+virtual)
		rs1.web(t, "up")
		rs2.web(t, "up")
	})
}

func clusterScript(t testing.TB, args ...string) {
	t.Helper()
	run(t, exec.Command("../../../scripts/lab-cluster", args...))
}

// web starts or kills the web server of a real server.
func (n node) web(t testing.TB, state string) {
	t.Helper()
	clusterScript(t, "web", string(n), state)
}

// command is a program to be run in the node, with the node's names.
func (n node) command(ctx context.Context, words ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", string(n)}, words...)...)
}

// run runs a program in the node and returns its standard output. It is
// quicker than command, and without the node's names.
func (n node) run(t testing.TB, line string) (out string) {
	t.Helper()
	words := strings.Fields(line)
	ctx, cancel := context.WithTimeout(context.Background(), limit) // cleanups run things, too
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := n.enter(cmd.Run); err != nil {
		t.Fatalf("%s: %s: %v\n%s%s", n, line, err, &stdout, &stderr)
	}
	return stdout.String()
}

func run(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, out, stderrOf(err))
	}
	return string(out)
}

func stderrOf(err error) []byte {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.Stderr
	}
	return nil
}

// table is what ipvsadm saves of the node's table, a row a line, sorted.
func (n node) table(t testing.TB) []string {
	t.Helper()
	var rows []string
	for line := range strings.Lines(n.run(t, "ipvsadm -Sn")) {
		rows = append(rows, strings.TrimSpace(line))
	}
	slices.Sort(rows)
	return rows
}

// table is the director's.
func table(t *testing.T) []string {
	t.Helper()
	return director.table(t)
}

// untilTable waits until the director's table holds exactly the rows.
func untilTable(t *testing.T, d *daemon, rows ...string) {
	t.Helper()
	director.untilTable(t, d, usual(), rows...)
}

// untilTable waits until the node's table holds exactly the rows.
func (n node) untilTable(t *testing.T, d *daemon, p patience, rows ...string) {
	t.Helper()
	slices.Sort(rows)
	var got []string
	holds := func() bool {
		got = n.table(t)
		return slices.Equal(got, rows)
	}
	defer func() {
		if t.Failed() {
			t.Logf("the table is\n%s", strings.Join(got, "\n"))
		}
	}()
	p.until(t, d, "the table is\n"+strings.Join(rows, "\n"), holds)
}

// patience is how long, and how often, a condition is looked at. Whoever starts
// programs to look leaves the one CPU to others meanwhile.
type patience struct{ limit, pause time.Duration }

// usual is that of most tests.
func usual() patience { return patience{limit, 100 * time.Millisecond} }

// until polls a condition; d, if not nil, must live meanwhile.
func until(t *testing.T, d *daemon, what string, holds func() bool) {
	t.Helper()
	usual().until(t, d, what, holds)
}

func (p patience) until(t *testing.T, d *daemon, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(p.limit)
	tick := time.NewTicker(p.pause)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("waited %v until %s", p.limit, what)
		case <-d.over():
			t.Fatalf("mond ended (%v) while waiting until %s", d.err, what)
		case <-tick.C:
		}
	}
}

// answers are what the client got: how many from each server, and what failed.
type answers struct {
	from   map[string]int
	failed []string
}

// browse makes n connections through the virtual address, one after another.
func browse(ctx context.Context, url string, n int) (a answers, err error) {
	const mark = "= "
	cmd := client.command(ctx, "curl", "-s", "-m", "20", "-H", "Connection: close",
		"-w", mark+"%{http_code} %{errormsg}\n", fmt.Sprintf("%s?[1-%d]", url, n))
	out, err := cmd.Output() // its status is that of the last connection
	a.from = map[string]int{}
	seen := 0
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		report, ok := strings.CutPrefix(line, mark)
		if !ok {
			a.from[line]++
			continue
		}
		if seen++; report != "200" {
			a.failed = append(a.failed, report)
		}
	}
	if seen != n {
		return a, fmt.Errorf("curl made %d of %d connections: %w\n%s", seen, n, err, out)
	}
	return a, nil
}

const virtualURL = "http://10.0.0.3/"

// served makes n connections, all of which must be answered.
func served(t *testing.T, url string, n int) answers {
	t.Helper()
	a, err := browse(t.Context(), url, n)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.failed) != 0 {
		t.Errorf("%d of %d connections failed: %q", len(a.failed), n, a.failed)
	}
	return a
}

// wantAnswers makes n connections; all must be answered, by all of the servers
// named and by no other.
func wantAnswers(t *testing.T, url string, n int, from ...node) {
	t.Helper()
	a := served(t, url, n)
	for _, f := range from {
		if a.from[string(f)] == 0 || len(a.from) != len(from) {
			t.Errorf("answers came from %v, want %v", a.from, from)
		}
	}
}

// program is the path of a program under test.
func program(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("TEST_PROGRAMS")
	if dir == "" {
		dir = "../../../bin"
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	must(t, err)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: scripts/build makes it", err)
	}
	return path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
