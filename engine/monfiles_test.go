package engine_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/plugins/monitor"
)

// fileRig is a rig with a statedir of its own.
func fileRig(t *testing.T, dir string) (r *rig, log *enginetest.Log) {
	t.Helper()
	r = newRig(t, "statedir = "+dir+"\n"+clients)
	log = &enginetest.Log{}
	r.options.StateFiles, r.options.Log = true, slog.New(slog.NewTextHandler(log, nil))
	return r, log
}

// again is a rig like r that goes on with what r left.
func (r *rig) again() *rig {
	next := newRig(r.t, r.config)
	saved := r.store.Snapshot()
	saved.New = false
	next.options, next.store = r.options, enginetest.NewStore(saved)
	return next
}

func (r *rig) wantFile(path, want string) {
	r.t.Helper()
	synctest.Wait()
	if text, err := os.ReadFile(path); err != nil || string(text) != want {
		r.t.Errorf("%s holds %q, want %q: %v", filepath.Base(path), text, want, err)
	}
}

var all = steer.MonState{Disabled: true, OpStatus: true}

// Every disable and enable is in mon's file when the disk had time to write it.
func TestDisabledFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "disabled")
		r, _ := fileRig(t, dir)
		r.start()
		if _, err := os.Stat(path); err == nil {
			t.Error("a start writes it")
		}
		r.must(r.engine.DisableHost(t.Context(), "only", "ann", ""))
		r.must(r.engine.DisableHost(t.Context(), "w1", "ann", ""))
		r.must(r.engine.DisableService(t.Context(), web, "ann", "x"))
		r.wantFile(path, "disable host only\ndisable host w1\ndisable watch single\ndisable service www1 http\n")
		r.must(r.engine.DisableService(t.Context(), opstatus.Key{Group: "mond", Service: "store"}, "ann", "x"))
		r.must(r.engine.EnableHost(t.Context(), "only", "ann"))
		r.must(r.engine.EnableHost(t.Context(), "w1", "ann"))
		r.wantFile(path, "disable service www1 http\n")
		r.must(r.engine.EnableService(t.Context(), web, "ann"))
		r.wantFile(path, "")
		r.must(os.Remove(path))
		r.must(r.end())
		if _, err := os.Stat(path); err == nil {
			t.Error("what disables nothing writes it")
		}
	})
}

// What is saved is loaded again, by another daemon that knows nothing else.
func TestStateThereAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r, _ := fileRig(t, dir)
		r.start()
		r.runner.Set(web, monitor.Result{Cause: monitor.Exited, Exit: 3, Summary: "w1 = \\20 down", Detail: "line 1\nline 2\n"})
		r.pass(2 * time.Minute)
		r.must(r.engine.Ack(t.Context(), web, "ann", "on it: soon"))
		r.must(r.engine.DisableService(t.Context(), other, "ann", "x"))
		r.must(r.engine.DisableHost(t.Context(), "only", "ann", ""))
		r.must(r.engine.SaveState(t.Context(), all, "ann"))
		before := r.engine.Board().Service(web)
		r.must(r.end())

		next, log := fileRig(t, dir)
		next.options.LoadState, next.options.Stopped = all, true
		next.start()
		after := next.engine.Board().Service(web)
		want, got := before.State, after.State
		for _, s := range []*opstatus.State{&want, &got} { // whole seconds, and what mon does not keep
			for _, at := range []*time.Time{&s.FirstFail, &s.LastFail, &s.FirstOK, &s.LastOK, &s.LastCheck} {
				*at = at.Truncate(time.Second).Local()
			}
			s.Took = 0
			ack := *s.Ack
			ack.At = ack.At.Truncate(time.Second).Local()
			s.Ack = nil
			if ack.User != "ann" || ack.Text != "on it: soon" {
				t.Errorf("%+v", ack)
			}
		}
		if want != got {
			t.Errorf("%+v\nwant\n%+v\n%s", got, want, log)
		}
		if after.AlertsSent != before.AlertsSent || !after.LastAlert.Equal(before.LastAlert.Truncate(time.Second)) {
			t.Errorf("%+v, %+v", after, before)
		}
		next.wantVars(map[string]string{"_alert_count": "1", "_exitval": "3", "interval": "10"})
		d := next.engine.Board().Daemon()
		if len(d.Hosts) != 1 || len(d.Watches) != 1 || next.engine.Board().Service(other).Disabled == nil {
			t.Errorf("%+v", d)
		}
		next.wantTold()
		next.must(next.end())
	})
}

// loadstate adds to what is disabled, and takes the statuses of the file; lines
// that mean nothing here are logged.
func TestLoadState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r, log := fileRig(t, dir)
		r.start()
		r.must(r.engine.LoadState(t.Context(), all, "ann")) // nothing there: nothing changes
		r.must(r.engine.DisableService(t.Context(), other, "ann", "x"))
		synctest.Wait()
		r.must(os.WriteFile(filepath.Join(dir, "disabled"), []byte("disable watch single\ndisable watch nosuch\ndisable host gone\nnonsense\ndisable service www1 http\n"), 0o600))
		r.must(os.WriteFile(filepath.Join(dir, "opstatus"), []byte("group=www1\tservice=http\top_status=0\tlast_op_status=ok\texitval=2\tconsec_failures=5\tfirst_failure=946684000\tlast_summary=old\tack=0\tALL:alert_sent=3\tGONE:alert_sent=1\ngroup=no\tservice=no\top_status=1\n"), 0o600))
		r.must(r.engine.LoadState(t.Context(), all, "ann"))
		row := r.engine.Board().Service(web)
		if row.State.Status != opstatus.Fail || row.State.Failures != 5 || row.AlertsSent != 3 || row.Disabled == nil || row.State.FailSummary != "old" || !row.Since.Equal(time.Unix(946684000, 0)) {
			t.Errorf("%+v", row)
		}
		if r.engine.Board().Service(other).Disabled == nil || r.engine.Board().Service(ping).Disabled == nil {
			t.Error("not disabled")
		}
		r.wantFile(filepath.Join(dir, "disabled"), "disable watch single\ndisable service www1 http\ndisable service www1 other\n")
		for _, want := range []string{"watch nosuch", "host gone", "nonsense", "service no:no"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("no word of %q in %s", want, log)
			}
		}
		r.wantTold()
		r.must(r.end())
	})
}

// A file that cannot be a state file is an error, and changes nothing.
func TestLoadStateOfAFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r, _ := fileRig(t, dir)
		r.start()
		r.must(os.Mkdir(filepath.Join(dir, "opstatus"), 0o755))
		if err := r.engine.LoadState(t.Context(), all, "ann"); err == nil || !strings.Contains(err.Error(), "not regular") {
			t.Error(err)
		}
		r.must(r.end())
	})
}

// At the start the file of what is disabled is the whole truth, if it is asked
// for; the statuses count only where mond knows nothing newer.
func TestLoadStateAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		disabled, statuses := filepath.Join(dir, "disabled"), filepath.Join(dir, "opstatus")
		old := []byte("group=www1\tservice=http\top_status=0\texitval=1\tlast_summary=old\n")
		r, log := fileRig(t, dir)
		r.must(os.WriteFile(disabled, []byte("disable watch single\n"), 0o600))
		r.must(os.WriteFile(statuses, old, 0o600))
		r.must(os.Chtimes(statuses, time.Now(), time.Now()))
		r.start() // without -l: nothing, and a word
		if n := strings.Count(log.String(), "was not taken up"); n != 2 || len(r.engine.Board().Daemon().Watches) != 0 {
			t.Errorf("%d words: %s", n, log)
		}
		r.pass(2 * time.Minute)
		r.must(r.engine.DisableService(t.Context(), other, "ann", "x"))
		r.must(r.end())

		r.must(os.WriteFile(disabled, []byte("disable watch single\n"), 0o600))
		next := r.again()
		next.options.LoadState = all
		next.start()
		if next.engine.Board().Service(other).Disabled != nil || next.engine.Board().Service(ping).Disabled == nil {
			t.Error("what is disabled is not what the file says")
		}
		if s := next.engine.Board().Service(web).State; s.Status != opstatus.OK || !strings.Contains(log.String(), "older than mond's own state") {
			t.Errorf("%+v\n%s", s, log)
		}
		next.must(next.end())

		next = next.again()
		next.options.LoadState = all
		next.must(os.Chtimes(statuses, time.Now(), time.Now().Add(time.Hour))) // mon ran meanwhile
		next.start()
		if s := next.engine.Board().Service(web).State; s.Status != opstatus.Fail || s.Summary != "old" {
			t.Errorf("%+v\n%s", s, log)
		}
		next.must(next.end())
	})
}

// A folder that is not there is told of, and makes nobody wait.
func TestStateDirThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := fileRig(t, filepath.Join(t.TempDir(), "not"))
		r.start()
		r.must(r.engine.DisableService(t.Context(), web, "ann", "x"))
		r.pass(3 * time.Second)
		if row := r.engine.Board().Service(opstatus.Key{Group: "mond", Service: "store"}); row.State.Status != opstatus.Fail || row.State.Summary != "mon's state files are not written" {
			t.Errorf("%+v", row.State)
		}
		if err := r.engine.SaveState(t.Context(), all, "ann"); err == nil {
			t.Error("saved nowhere")
		}
		r.must(r.end())
	})
}

// A reload that keeps the state saves it for mon, as mon's does.
func TestReloadSavesState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r, _ := fileRig(t, dir)
		r.start()
		r.must(r.engine.Reset(t.Context(), steer.ResetHow{}, "ann"))
		synctest.Wait()
		if _, err := os.Stat(filepath.Join(dir, "opstatus")); err == nil {
			t.Error("a reset without state saves it")
		}
		r.must(r.engine.Reload(t.Context()))
		r.must(r.end())
		for _, name := range []string{"opstatus", "disabled"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Error(err)
			}
		}
	})
}
