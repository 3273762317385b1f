package lvs

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/plugins/alert"
)

// crashEnv makes the test binary an owner that is to be killed: it names the
// folder with its table and its record.
const crashEnv = "LVS_TEST_CRASH"

// TestCrashChild is no test: it is the owner that TestKill kills.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashEnv)
	if dir == "" {
		return
	}
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	a := NewFactory(Options{Context: context.Background(), StateDir: dir, Sockets: []string{}, Log: slog.New(slog.DiscardHandler)})(fs).(*lvsAlert)
	for n := 0; ; n++ {
		if err := a.Keep(t.Context(), true, crashClaims(dir, n)); err != nil {
			t.Fatal(err)
		}
		fmt.Println("kept", n)
	}
}

// crashClaims change with n: other virtual services, other real servers.
func crashClaims(dir string, n int) []alert.Claim {
	table := " --table " + filepath.Join(dir, "table")
	var out []alert.Claim
	for i := range 5 {
		v := fmt.Sprintf("-P tcp -V 10.0.0.%d:80", (n+i)%9+1)
		out = append(out, claim(v+" --service -s wlc"+table), claim(fmt.Sprintf("%s -R 192.168.0.%d%s", v, n%5+1, table)))
	}
	return out
}

// An owner that is killed at any moment leaves a table and a record that the
// next one understands: what it wants is there, everything else of ours goes,
// what others have stays.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "table")
	const others = "-A -t 10.0.9.9:80 -s rr\n-a -t 10.0.9.9:80 -r 192.168.0.9:80 -m -w 3\n"
	must(t, os.WriteFile(file, []byte(others), 0o600))
	for round := range 8 {
		killed(t, dir, round)
	}
	r := newRig(t, nil, func(o *Options) { o.Open, o.StateDir = openTable, dir })
	r.keep(true, crashClaims(dir, 3)...)
	fresh := filepath.Join(t.TempDir(), "table")
	must(t, os.WriteFile(fresh, []byte(others), 0o600))
	clean := newRig(t, nil, func(o *Options) { o.Open = openTable })
	clean.keep(true, crashClaims(filepath.Dir(fresh), 3)...)
	want, err := os.ReadFile(fresh)
	must(t, err)
	wantFile(t, file, string(want))
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 8 {
		t.Errorf("left behind: %v", left)
	}
}

// killed runs an owner, lets it change some and kills it.
func killed(t *testing.T, dir string, changes int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
	cmd.Env = append(os.Environ(), crashEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for n := 0; n <= changes && lines.Scan(); n++ {
		if !strings.HasPrefix(lines.Text(), "kept") {
			t.Errorf("the owner says %s", lines.Text())
		}
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait() // killed
}

// A line that was torn is dropped, and what is written after it is whole.
func TestTornRecord(t *testing.T) {
	dir := t.TempDir()
	same := func(o *Options) { o.StateDir = dir }
	first := newRig(t, ipvs.NewFake(), same)
	first.keep(true, claim(declared), claim(web1))
	first.end()
	path := filepath.Join(dir, recordName)
	text, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, text[:len(text)-7], 0o600))
	second := newRig(t, first.fake, same)
	second.keep(true, claim(declared), claim(web1), claim(web2))
	second.end()
	r := openRecord(dir, slog.New(slog.NewTextHandler(second.log, nil)))
	if r.count() != 3 || r.whole {
		t.Errorf("%d lines, torn %v", r.count(), r.whole)
	}
	if n := strings.Count(second.log.String(), "unreadable"); n != 1 {
		t.Errorf("told %d times:\n%s", n, second.log)
	}
}

// Rows do not wait for a record that cannot be written.
func TestUnwritableRecord(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	r := newRig(t, ipvs.NewFake(), func(o *Options) { o.StateDir = dir })
	r.keep(true, claim(declared), claim(web1))
	r.want(shopRow + row1)
	if !strings.Contains(r.log.String(), "record of owned rows is behind") {
		t.Errorf("log:\n%s", r.log)
	}
	must(t, os.Mkdir(dir, 0o700)) // and it is written when that can be
	r.resync()
	if got := openRecord(dir, slog.Default()).count(); got != 2 {
		t.Errorf("%d lines, want 2", got)
	}
}

// A record does not grow for ever.
func TestRecordIsWrittenAnew(t *testing.T) {
	dir := t.TempDir()
	r := openRecord(dir, slog.Default())
	for n := range slack + 100 {
		j := mustParse(t, fmt.Sprintf("-V 10.0.0.3:80 -R 192.168.0.%d", n%2+1))
		r.own(j, n%4 < 2)
		must(t, r.save(time.Minute))
	}
	if r.lines > slack/2 {
		t.Errorf("%d lines for %d rows", r.lines, r.count())
	}
	if again := openRecord(dir, slog.Default()); again.count() != r.count() || again.lines != r.lines {
		t.Errorf("%d rows in %d lines, want %d in %d", again.count(), again.lines, r.count(), r.lines)
	}
}
