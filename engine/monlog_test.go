package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/alert"
)

// sparing is guide with one alert an outage.
var sparing = strings.Replace(guide, "            alert mail", "            alertevery 1h\n            alert mail", 1)

// withLogs is guide with mon's files in dir.
func withLogs(dir string) string {
	return fmt.Sprintf("logdir = %s\ndtlogging = yes\ndtlogfile = dt.log\nhistoricfile = hist.log\nhistlength = 3\n", dir) +
		strings.NewReplacer("interval 10s", "interval 10s\n        failure_interval 5s", "upalert mail.alert wensong", "upalert mail.alert 'wen' song").Replace(sparing)
}

// content is a file with dir's name left out.
func content(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// mon's files say what mon's would; what is tried counts nowhere.
func TestMonsFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := newRig(t, withLogs(dir))
		r.programs["mail.alert"] = engine.Program{Path: "/lib/mail.alert"}
		began := time.Now().Unix()
		r.start()
		r.down("www1.example")
		r.pass(10 * time.Second)
		failed := r.engine.Board().Service(web).State.FirstFail.Unix()
		r.must(r.engine.TestAlert(t.Context(), web, steer.AlertTest{On: alert.Failure, Period: "wd {Sun-Sat}"}))
		r.must(r.engine.Reload(t.Context())) // writes the heading again, as a reset does
		r.pass(5 * time.Second)
		r.up()
		r.pass(5 * time.Second)
		back := r.engine.Board().Service(web).State.FirstOK.Unix()
		head := func(at int64) string {
			return fmt.Sprintf("#\n# downtime log start %d\n# time back up, group, service, first failure, downtime, interval, summary\n#\n", at)
		}
		want := head(began) + head(began+10) + fmt.Sprintf("%d www1 http %d %d 5 www1.example\n", back, failed, back-failed)
		if d := cmp.Diff(want, content(t, dir, "dt.log")); d != "" {
			t.Error(d)
		}
		const lvs = "lvs.alert (-V 10.0.0.3:80 -R 192.168.0.1 -W 5)"
		lines := strings.Split(strings.TrimSpace(content(t, dir, "hist.log")), "\n")
		for _, l := range []string{
			fmt.Sprintf("alert www1 http %d /lib/mail.alert (wensong) www1.example", failed),
			fmt.Sprintf("alert www1 http %d %s www1.example", failed, lvs),
			fmt.Sprintf("upalert www1 http %d /lib/mail.alert ('wen' song) www1.example", back),
			fmt.Sprintf("upalert www1 http %d %s www1.example", back, lvs),
		} {
			if n := strings.Count(strings.Join(lines, "\n")+"\n", l+"\n"); n != 1 {
				t.Errorf("%d times %q in\n%s", n, l, strings.Join(lines, "\n"))
			}
		}
		if len(lines) != 4 {
			t.Errorf("%d lines", len(lines))
		}
		r.must(r.end())
		rememberedBy(t, dir)
	})
}

// rememberedBy starts another life, which knows the last alerts of the first.
func rememberedBy(t *testing.T, dir string) {
	t.Helper()
	again := newRig(t, withLogs(dir))
	again.start()
	calls := again.engine.Board().Calls.Items()
	if len(calls) != 3 || calls[2].Type != "upalert" || calls[2].Summary != "www1.example" {
		t.Errorf("remembered %+v", calls)
	}
	again.must(again.end())
}

// Every check that fails is a failure that is remembered; what the daemon says
// of itself is none.
func TestFailuresAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "histlength = 3\n"+sparing)
		r.start()
		r.down("www1.example")
		r.store.Fail(os.ErrInvalid) // mond:store fails
		r.pass(51 * time.Second)
		failures := r.engine.Board().Failures.Items()
		if len(failures) != 3 || failures[0].At.Add(20*time.Second) != failures[2].At || failures[2].Group != "www1" {
			t.Errorf("%+v", failures)
		}
		r.must(r.end())
		// Without mon's file the store knows them, one an outage.
		again := newRig(t, "histlength = 3\n"+sparing)
		again.store = r.store
		again.start()
		failures = again.engine.Board().Failures.Items()
		var own []view.Failure
		for _, f := range failures {
			if f.Group == "www1" {
				own = append(own, f)
			}
		}
		if len(own) != 1 || own[0].Summary != "www1.example" {
			t.Errorf("%+v", failures)
		}
		if calls := again.engine.Board().Calls.Items(); len(calls) != 1 || calls[0].Type != "alert" || calls[0].Path != "mail.alert" {
			t.Errorf("%+v", calls)
		}
		again.must(again.end())
	})
}

// A log that cannot be written is told, and costs nothing else.
func TestMonsFilesCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "missing")
		r := newRig(t, withLogs(dir))
		r.start()
		r.down("www1.example")
		r.pass(11 * time.Second)
		r.wantTold("failure mail.alert")
		if s := r.engine.Board().Service(opstatus.Key{Group: "mond", Service: "store"}); s.State.Status != opstatus.Fail || s.State.Summary != "log files are not written" {
			t.Errorf("mond:store: %v %s", s.State.Status, s.State.Output)
		}
		r.must(os.Mkdir(dir, 0o755))
		r.pass(time.Minute)
		if n := strings.Count(content(t, dir, "hist.log"), "\n"); n != 2 {
			t.Errorf("%d lines of what waited, want 2", n)
		}
		if s := selfStatus(r, "store"); s != opstatus.OK {
			t.Errorf("mond:store is %v", s)
		}
		r.must(r.end())
	})
}
