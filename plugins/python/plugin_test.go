package python

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/host"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/plugintest"
	"github.com/mondhq/mond/plugins/procgroup"
	"github.com/mondhq/mond/plugins/python/pythontest"
)

// programs are those of testdata with mond.py beside them.
func programs(t testing.TB) (dir string) {
	t.Helper()
	pythontest.Need(t)
	dir, err := os.MkdirTemp("", "py")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"moods.monitor", "kept.alert"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, FileName), Source(), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestKeeper: an alert that keeps what should hold now.
func TestKeeper(t *testing.T) {
	dir := programs(t)
	file := filepath.Join(t.TempDir(), "kept")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	plugintest.Run(t, plugintest.Options{
		Path: filepath.Join(dir, "kept.alert"), Mode: plugintest.Resident, Args: []string{"-f", file, "www1"},
		Kept: func() (string, error) { b, err := os.ReadFile(file); return string(b), err },
	})
}

// resident is a host that keeps the plugins of dir.
func resident(t testing.TB, dir string) *host.Host {
	t.Helper()
	sp, err := procgroup.New()
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.New(host.Options{PluginDirs: []string{dir}, RunDir: filepath.Join(dir, "run"), Spawner: sp})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		h.Stop(ctx)
		sp.Close()
	})
	return h
}

// ask runs checks and waits for all of them.
func ask(t testing.TB, h *host.Host, checks []job.Check) map[uint64]monitor.Result {
	t.Helper()
	got := map[uint64]monitor.Result{}
	h.Run(checks)
	for len(got) < len(checks) {
		for _, d := range <-h.Results() {
			got[d.ID] = d.Result
		}
	}
	return got
}

// TestMoods: what an author raises and returns means the same, resident and
// classic.
func TestMoods(t *testing.T) {
	dir := programs(t)
	h := resident(t, dir)
	cases := []struct {
		name    string
		args    []string
		cause   monitor.Cause
		exit    int
		warn    bool
		summary string // a beginning
		detail  string // a part
	}{
		{"well", nil, monitor.Exited, 0, false, "", "odd: mood 1 False ("},
		{"getopt spellings", []string{"-qn7"}, monitor.Exited, 0, false, "", "odd: mood 7 True ("},
		{"long option", []string{"--mood=failed"}, monitor.Exited, 1, false, "odd", "odd: it is down with two lines ("},
		{"failed comes first", []string{"-m", "failed"}, monitor.Exited, 1, false, "odd", "ms)\neven: fine ("},
		{"refused", []string{"-mrefused"}, monitor.Exited, 1, false, "odd", "odd: Connection refused ("},
		{"late", []string{"-m", "late"}, monitor.Exited, 1, false, "odd", "odd: no answer in "},
		{"no route, within an URLError", []string{"-m", "wrapped"}, monitor.LocalFault, 0, false, "odd: Network is unreachable", ""},
		{"our own file", []string{"-m", "file"}, monitor.LocalFault, 0, false, "odd: No such file or directory", ""},
		{"a name without an address", []string{"-m", "name"}, monitor.LocalFault, 0, false, "odd: ", "odd: not judged: "},
		{"bug", []string{"-m", "bug"}, monitor.Panicked, 0, false, "odd: TypeError: ", "Traceback"},
		{"exits", []string{"-m", "exits"}, monitor.Panicked, 0, false, "odd: SystemExit: 0", "Traceback"},
		{"blind", []string{"-m", "blind"}, monitor.LocalFault, 0, false, "odd: my eyes are closed", ""},
		{"warning", []string{"-m", "warning"}, monitor.Exited, 0, true, "odd: it looks old", "odd: warning: it looks old"},
		{"prints", []string{"-m", "prints"}, monitor.Exited, 0, false, "", "odd: printed"},
		{"all hosts", []string{"-w"}, monitor.Exited, 2, false, "odd even", "all of them"},
		{"no answer", []string{"-wm", "nothing"}, monitor.Garbled, 0, false, "check returned NoneType", ""},
		{"zero value", []string{"-wm", "zero"}, monitor.NotRun, 0, false, "the monitor did not say why: not run", ""},
		{"exit status of no kind", []string{"-wm", "wild"}, monitor.Garbled, 0, false, "the check answered exit 256", ""},
		{"unknown option", []string{"--mod", "x"}, monitor.CouldNotStart, 0, false, "unknown option --mod", ""},
		{"out of range", []string{"-n", "12"}, monitor.CouldNotStart, 0, false, "option -n: invalid choice: 12", ""},
		{"value is missing", []string{"-n"}, monitor.CouldNotStart, 0, false, "option -n: expected one argument", ""},
	}
	checks := make([]job.Check, len(cases))
	for i, tt := range cases {
		checks[i] = job.Check{ID: uint64(i + 1), Program: "moods.monitor", Timeout: 20 * time.Second, Request: monitor.Request{
			Group: "web", Service: fmt.Sprint("s", i), Hosts: []string{"odd", "even"}, Args: tt.args,
		}}
	}
	got := ask(t, h, checks)
	for i, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			r := got[uint64(i+1)]
			if r.Cause != tt.cause || r.Exit != tt.exit || r.Warn != tt.warn || !strings.HasPrefix(r.Summary, tt.summary) || !strings.Contains(r.Detail, tt.detail) {
				t.Errorf("resident: %v, exit %d, warn %v, %q\n%s", r.Cause, r.Exit, r.Warn, r.Summary, r.Detail)
			}
			if tt.name == "prints" || tt.name == "value is missing" {
				return // there what it prints is its output, and the first host the value
			}
			out, err := exec.Command(filepath.Join(dir, "moods.monitor"), append(tt.args, "odd", "even")...).Output()
			code := 0
			if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // it is what Output returns
				code = exit.ExitCode()
			}
			want := tt.exit
			if r.Blind() {
				want, tt.summary = 75, "blind ("+tt.cause.String()+"): "+tt.summary
			}
			if tt.warn {
				tt.summary = r.Summary
			}
			if code != want || !strings.HasPrefix(string(out), tt.summary) || !strings.Contains(string(out), tt.detail) {
				t.Errorf("classic: exit %d\n%s", code, out)
			}
		})
	}
}

// TestFigures: what a check measures reaches the host.
func TestFigures(t *testing.T) {
	h := resident(t, programs(t))
	r := ask(t, h, []job.Check{{ID: 1, Program: "moods.monitor", Timeout: 20 * time.Second, Request: monitor.Request{
		Group: "web", Service: "http", Hosts: []string{"odd"}, Args: []string{"-n", "3"},
	}}})[1]
	if len(r.Hosts) != 1 || r.Hosts[0].Perf["figure"] != 3 || !r.Hosts[0].OK || r.Hosts[0].Name != "odd" {
		t.Errorf("%+v", r.Hosts)
	}
}

// BenchmarkResident is one check after the other and a hundred side by side,
// from the host through the wire and back.
func BenchmarkResident(b *testing.B) {
	h := resident(b, programs(b))
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			checks := make([]job.Check, n)
			for i := range checks {
				checks[i] = job.Check{ID: uint64(i + 1), Program: "moods.monitor", Timeout: 20 * time.Second, Request: monitor.Request{
					Group: "web", Service: fmt.Sprint("s", i), Hosts: []string{"odd"},
				}}
			}
			ask(b, h, checks)
			began, done := time.Now(), 0
			for b.Loop() {
				ask(b, h, checks)
				done += n
			}
			b.ReportMetric(float64(done)/time.Since(began).Seconds(), "checks/s")
		})
	}
}
