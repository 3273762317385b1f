package engine_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/plugins/alert"
)

// Who asks right after a start or a reload is not told of a daemon without a
// past: the daemon's row is there at once, not with the next tick.
func TestDaemonRowIsThereAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		if d := r.engine.Board().Daemon(); d.PID == 0 || d.Loaded.IsZero() || d.Started.IsZero() {
			t.Errorf("after the start: %+v", d)
		}
		r.loads = errors.New("mon.cf:3:1: error: unknown word")
		if err := r.engine.Reload(t.Context()); err == nil {
			t.Fatal("a bad file was taken")
		}
		if d := r.engine.Board().Daemon(); d.ReloadError != r.loads.Error() {
			t.Errorf("after a bad reload: %+v", d)
		}
		r.loads = nil
		r.must(r.engine.Reload(t.Context()))
		if d := r.engine.Board().Daemon(); d.ReloadError != "" {
			t.Errorf("after a good reload: %+v", d)
		}
		r.must(r.end())
	})
}

// Hosts that are out of all checks are shown for as long as they are.
func TestDisabledHostsAreShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "hostgroup g web1 web2\n\nwatch g\n    service s\n        interval 10s\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n")
		r.start()
		r.must(r.engine.DisableHost(t.Context(), "web2", "ann", "on fire"))
		if n := r.engine.Board().Daemon().Hosts["web2"]; n.User != "ann" || n.Text != "on fire" {
			t.Errorf("%+v", n)
		}
		r.must(r.engine.EnableHost(t.Context(), "web2", "ann"))
		if hosts := r.engine.Board().Daemon().Hosts; len(hosts) != 0 {
			t.Errorf("%+v", hosts)
		}
		if err := r.engine.DisableHost(t.Context(), "web9", "ann", ""); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("an unknown host: %v", err)
		}
		r.must(r.end())
	})
}

// An alert that is held again and again for one reason is one row, so that
// the alert that was sent is not pushed out of what is remembered.
func TestRepeatedDecisionIsOneRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "hostgroup www1 www1.example\n\nwatch www1\n    service http\n        interval 10s\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alertevery 1h\n            alert mail.alert x\n")
		r.start()
		r.down("www1.example")
		r.pass(5 * time.Minute)
		rows := r.engine.Board().Service(web).Decisions
		if len(rows) != 2 || rows[0].Sent || !rows[1].Sent || rows[0].Note == "" {
			t.Errorf("%d rows: %+v", len(rows), rows)
		}
		r.must(r.end())
	})
}

// Trying alerts that are not there is no success.
func TestTestAlertWithoutLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "hostgroup www1 www1.example\n\nwatch www1\n    service http\n        interval 10s\n        monitor http.monitor\n        period P: wd {Sun-Sat}\n            alert mail.alert x\n            upalert lvs.alert y\n")
		r.start()
		r.must(r.engine.TestAlert(t.Context(), web, steer.AlertTest{On: alert.Failure, Period: "P"}))
		r.pass(time.Second)
		if n := len(r.sender.Sent()); n != 1 {
			t.Errorf("%d alerts", n)
		}
		for _, on := range []alert.Kind{alert.Up, alert.Startup} { // a keeper's only, none
			if err := r.engine.TestAlert(t.Context(), web, steer.AlertTest{On: on, Period: "P"}); err == nil || !strings.Contains(err.Error(), "no "+on.String()+" lines to try") {
				t.Errorf("%v: %v", on, err)
			}
		}
		if err := r.engine.TestAlert(t.Context(), web, steer.AlertTest{On: alert.Failure, Period: "Q"}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("no such period: %v", err)
		}
		r.must(r.end())
	})
}
