package line

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/depend"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/view"
)

// TestRecordedSession plays what the original was asked before it checked
// anything; what it lists is in another order each time.
func TestRecordedSession(t *testing.T) {
	text, err := os.ReadFile("testdata/untested.cf")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, string(text))
	r.dtlog = filepath.Join(t.TempDir(), "dt.log")
	if err := os.WriteFile(r.dtlog, []byte("#\n# downtime log start 1795445202\n#\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	started := time.Unix(1795445202, 0)
	r.change("web:http", func(v *view.Service) { v.AlertsSent, v.LastAlert = 1, started })
	for _, cell := range r.rows {
		row := *cell.Load()
		if row.Interval > 0 {
			row.Due = noon.Add(3598 * time.Second)
		}
		cell.Store(&row)
	}
	r.board.Calls.Push(view.Call{
		Type: "startupalert", Group: "web", Service: "http", At: started, Path: "/alert.d/startup.alert", Args: "started", Summary: opstatus.NoSummary,
	})
	c := newTalk(dial(t, r.serve(t)))
	script := readScript(t, "testdata/untested.transcript")
	if len(script) < 25 {
		t.Fatalf("%d commands", len(script))
	}
	for _, e := range script {
		got := c.ask(e.command)
		if strings.HasPrefix(e.command, "list") {
			slices.Sort(e.answer)
			slices.Sort(got)
		}
		if diff := cmp.Diff(e.answer, got); diff != "" {
			t.Errorf("%s\n%s", e.command, diff)
		}
	}
}

func TestServerTime(t *testing.T) {
	c := newTalk(dial(t, newRig(t, small).serve(t)))
	want := []string{"1795445204 " + noon.Local().Format("Mon Jan _2 15:04:05 2006"), "220 servertime completed"}
	if got := c.ask("servertime x"); !cmp.Equal(want, got) {
		t.Error(cmp.Diff(want, got))
	}
}

// TestRecordedRows makes a row of each line that the original was seen to
// write, and the line of that row.
func TestRecordedRows(t *testing.T) {
	text, err := os.ReadFile("testdata/rows.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for want := range strings.Lines(string(text)) {
		if strings.HasPrefix(want, "#") {
			continue
		}
		var r reply
		r.opstatus(rowOf(t, strings.TrimSuffix(want, "\n")))
		if got := string(r.buf); got != want {
			t.Errorf("%s", cmp.Diff(strings.Fields(want), strings.Fields(got)))
		}
		n++
	}
	if n < 40 {
		t.Errorf("%d lines", n)
	}
}

// row is a line of fields.
type row struct {
	t testing.TB
	f map[string]string
}

func (r row) text(name string) string { return strings.ReplaceAll(unescape(r.f[name]), `\\`, `\`) }

func (r row) int(name string) int {
	if r.f[name] == "" {
		return 0
	}
	n, err := strconv.Atoi(r.f[name])
	if err != nil {
		r.t.Fatalf("%s=%s", name, r.f[name])
	}
	return n
}

func (r row) time(name string) time.Time {
	if n := r.int(name); n != 0 {
		return time.Unix(int64(n), 0)
	}
	return time.Time{}
}

func (r row) seconds(name string) time.Duration { return time.Duration(r.int(name)) * time.Second }

func (r row) status(name string) opstatus.Status {
	for s := opstatus.Untested; s <= opstatus.Warn; s++ {
		if s.Number() == r.int(name) {
			return s
		}
	}
	r.t.Fatalf("%s=%s", name, r.f[name])
	return 0
}

// rowOf makes the row of a line, and says when it was written.
func rowOf(t testing.TB, line string) (v *view.Service, now time.Time) {
	r := row{t, map[string]string{}}
	for _, f := range strings.Split(line, " ") {
		name, value, _ := strings.Cut(f, "=")
		r.f[name] = value
	}
	v = &view.Service{
		Key: opstatus.Key{Group: r.f["group"], Service: r.f["service"]}, Interval: r.seconds("interval"), Running: r.int("monitor_running") == 1,
		AlertsSent: r.int("alerts_sent"), LastAlert: r.time("last_alert"), Config: configOfRow(r),
	}
	if s := r.f["depstatus"]; s != "" {
		v.DependOK = new(s == "1")
	}
	now = noon
	if r.f["first_failure"] != "" {
		now = r.time("first_failure").Add(r.seconds("failure_duration"))
	}
	if n := r.int("timer"); n > 0 {
		v.Due = now.Add(time.Duration(n) * time.Second)
	}
	s := &v.State
	*s = opstatus.State{
		Status: r.status("opstatus"), Last: r.status("last_opstatus"), LastOK: r.time("last_success"), LastTrap: r.time("last_trap"),
		FirstFail: r.time("first_failure"), LastFail: r.time("last_failure"), Took: r.seconds("monitor_duration"), Summary: r.text("last_summary"),
	}
	if s.Output = s.Summary; r.f["last_detail"] != "" {
		s.Output += "\n" + r.text("last_detail")
	}
	if r.f["exitval"] != "undef" {
		s.Tested, s.Exit = true, r.int("exitval")
	}
	if s.LastCheck = r.time("last_check"); v.Running {
		v.Began, s.LastCheck = s.LastCheck, time.Time{}
	}
	if who, text, ok := strings.Cut(r.text("ackcomment"), ": "); ok {
		s.Ack = &opstatus.Note{At: r.time("ack"), User: who, Text: text}
	}
	return v, now
}

func configOfRow(r row) *config.Service {
	s := &config.Service{ExcludeHosts: strings.Fields(r.text("exclude_hosts"))}
	if m := r.text("monitor"); m != "" {
		s.Monitor = &config.Command{Text: config.Spelling(m)}
	}
	if d := r.text("depend"); d != "" {
		e, err := depend.Parse(d, r.f["group"])
		if err != nil {
			r.t.Fatal(err)
		}
		s.Depend = config.Depends{Alert: e, Depend: e}
	}
	return s
}
