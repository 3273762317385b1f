package engine_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/trap"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
	packet "github.com/mondhq/mond/plugins/trap"
)

// trapped is the service that most tests of traps are about.
var trapped = opstatus.Key{Group: "db", Service: "trap"}

// catching is the part of a configuration that catches what names no watch.
const catching = `
watch default
    service default
        period
            alert mail.alert catchall
            upalert mail.alert catchall
    service known
        period
            alert mail.alert known
`

const trapConfig = `
hostgroup db db1 db2

watch db
    service trap
        description trap service
        period
            alert mail.alert ann
            upalert mail.alert ann
`

var loopback = netip.MustParseAddr("127.0.0.1")

// said is a trap.
func said(group, service string, status int, summary string) packet.Trap {
	return packet.Trap{Group: group, Service: service, Status: status, HasStatus: true, Summary: summary, Detail: "line1\nline2"}
}

func (r *rig) trap(status int, summary string) {
	r.t.Helper()
	r.must(r.engine.Trap(r.t.Context(), said("db", "trap", status, summary), loopback))
	synctest.Wait()
}

func (r *rig) row() *view.Service { return r.engine.Board().Service(trapped) }

func (r *rig) wantStatus(want opstatus.Status) {
	r.t.Helper()
	if got := r.row().State.Status; got != want {
		r.t.Fatalf("it is %v, want %v", got, want)
	}
}

// told is what a program sees of one notice.
type told struct {
	Kind                          alert.Kind
	Group, Service, Summary       string
	Output, Type, Retval, Status  string
	LastSummary, LastOut, Intends string
}

func toldOf(s enginetest.Sent) told {
	q := s.Request
	return told{
		q.Kind, q.Group, q.Service, q.Summary, q.Output, q.Env["MON_ALERTTYPE"], q.Env["MON_RETVAL"], q.Env["MON_OPSTATUS"],
		q.Env["MON_LAST_SUMMARY"], q.Env["MON_LAST_OUTPUT"], q.Env["MON_TRAP_INTENDED"],
	}
}

// TestTrapsAreToldAsUnderMon are the alerts of live1.alert-invocations.log.
func TestTrapsAreToldAsUnderMon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, trapConfig+catching)
		r.start()
		r.trap(1, "disk full")
		r.trap(1, "disk full")
		r.trap(0, "fine")
		r.must(r.engine.Trap(t.Context(), said("zzz", "yyy", 5, "who?"), loopback))
		r.trap(3, "unq val")
		r.must(r.engine.Trap(t.Context(), said("zzz", "yyy", 0, "me"), loopback))
		synctest.Wait()
		const full = "disk full\n\nline1\nline2"
		want := []told{
			{alert.Trap, "db", "trap", "disk full", full, "trap", "1", "0", "disk full", "", ""},
			{alert.Trap, "db", "trap", "disk full", full, "trap", "1", "0", "disk full", full, ""},
			{alert.Up, "db", "trap", "disk full", full, "up", "0", "1", "disk full", full, ""},
			{alert.Trap, "default", "default", "who?", "who?\n\nline1\nline2", "trap", "5", "0", "who?", "", "zzz:yyy"},
			{alert.Trap, "db", "trap", "unq val", "unq val\n\nline1\nline2", "trap", "3", "0", "unq val", "fine\n\nline1\nline2", ""},
			{alert.Up, "default", "default", "who?", "who?\n\nline1\nline2", "up", "0", "1", "who?", "who?\n\nline1\nline2", "zzz:yyy"},
		}
		byService := map[string][]told{}
		for _, w := range want {
			byService[w.Group] = append(byService[w.Group], w)
		}
		got := map[string][]told{}
		for _, s := range r.sender.Sent() {
			got[s.Request.Group] = append(got[s.Request.Group], toldOf(s))
		}
		if d := cmp.Diff(byService, got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		row := r.row()
		if !row.State.LastTrap.Equal(time.Now()) || !row.State.LastCheck.IsZero() || row.State.Exit != 3 {
			t.Errorf("state %+v", row.State)
		}
		r.must(r.end())
	})
}

func TestTrapsAreRoutedAsUnderMon(t *testing.T) {
	const noDefault = "\nwatch default\n    service other\n        period\n            alert mail.alert other\n"
	for _, row := range []struct {
		name, config, group, service string
		want                         string // service that takes it, or ""
	}{
		{"its own", trapConfig + catching, "db", "trap", "db:trap"},
		{"no such watch", trapConfig + catching, "zzz", "yyy", "default:default"},
		{"no such watch, a service of default", trapConfig + catching, "zzz", "known", "default:known"},
		{"no such service", trapConfig + catching, "db", "yyy", ""},
		{"default itself", trapConfig + catching, "default", "yyy", "default:default"},
		{"a service of default", trapConfig + catching, "default", "known", "default:known"},
		{"no names", trapConfig + catching, "", "", "default:default"},
		{"default without service default", trapConfig + noDefault, "zzz", "yyy", ""},
		{"default without service default, known", trapConfig + noDefault, "zzz", "other", "default:other"},
		{"no default", trapConfig, "zzz", "yyy", ""},
		{"no default, default named", trapConfig, "default", "default", ""},
		{"the daemon's own", trapConfig, "mond", "store", ""},
		{"the daemon's own with default", trapConfig + catching, "mond", "store", "default:default"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, row.config)
				r.start()
				err := r.engine.Trap(t.Context(), said(row.group, row.service, 1, "x"), loopback)
				if (row.want == "") != errors.Is(err, fs.ErrNotExist) || row.want != "" && err != nil {
					t.Errorf("answered %v", err)
				}
				synctest.Wait()
				for s := range r.engine.Board().Services() {
					if got := s.State.Status == opstatus.Fail; got != (s.Key.String() == row.want) {
						t.Errorf("%s fails: %t", s.Key, got)
					}
				}
				r.must(r.end())
			})
		})
	}
}

// A trap counts whether or not somebody may be told of it.
func TestTrapsNobodyIsToldOf(t *testing.T) {
	for name, silence := range map[string]func(*rig) error{
		"scheduler stopped": func(r *rig) error { return r.engine.StopScheduler(r.t.Context(), "ann", "") },
		"service disabled":  func(r *rig) error { return r.engine.DisableService(r.t.Context(), trapped, "ann", "") },
		"watch disabled":    func(r *rig) error { return r.engine.DisableWatch(r.t.Context(), "db", "ann", "") },
		"outside": func(r *rig) error {
			r.config = configtest.Replace(r.config, "period\n", "period hr {3}\n")
			return r.engine.Reload(r.t.Context())
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, trapConfig)
				r.start()
				r.must(silence(r))
				r.trap(2, "disk full")
				r.wantStatus(opstatus.Fail)
				r.wantTold()
				r.must(r.end())
			})
		})
	}
}

// A disabled host is no reason to refuse what is said of the group.
func TestTrapsWithDisabledHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, trapConfig)
		r.start()
		r.must(r.engine.DisableHost(t.Context(), "db1", "ann", ""))
		r.trap(2, "disk full")
		r.wantTold("trap mail.alert")
		if hosts := r.sender.Sent()[0].Request.Hosts; len(hosts) != 1 || hosts[0] != "db2" {
			t.Errorf("-h names %v", hosts)
		}
		r.must(r.end())
	})
}

// Many at once: each is an event of its own, and all are one turn.
func TestTrapsInOneTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, trapConfig)
		r.start()
		var list []trap.Arrival
		for i := range 500 {
			list = append(list, trap.Arrival{Trap: said("db", "trap", 1+i%2, fmt.Sprint("n", i)), From: loopback})
		}
		list = append(list, trap.Arrival{Trap: said("db", "none", 1, "")})
		errs := r.engine.Traps(t.Context(), list)
		synctest.Wait()
		for i, err := range errs {
			if (err != nil) != (i == 500) {
				t.Errorf("trap %d: %v", i, err)
			}
		}
		if row := r.row(); row.State.Failures != 500 || row.State.Summary != "n499" || row.AlertsSent != 500 {
			t.Errorf("%d failures, %d alerts, summary %q", row.State.Failures, row.AlertsSent, row.State.Summary)
		}
		if n := len(r.sender.Sent()); n != 500 {
			t.Errorf("%d alerts were called", n)
		}
		if n := len(r.engine.Board().Failures.Items()); n != 100 {
			t.Errorf("%d failures are remembered", n)
		}
		r.must(r.end())
	})
}

func TestTrapsAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, trapConfig)
		r.start()
		r.must(r.end())
		if err := r.engine.Trap(t.Context(), said("db", "trap", 1, "x"), loopback); !errors.Is(err, engine.ErrStopped) {
			t.Errorf("answered %v", err)
		}
	})
}

// What Mon::Client and others put into summary and detail.
func TestTrapTexts(t *testing.T) {
	for _, row := range []struct{ summary, detail, wantSummary, wantOutput string }{
		{"s", "d", "s", "s\n\nd"},
		{"s\n", "d", "s", "s\n\nd"},
		{"s\nmore", "d", "s", "s\nmore\n\nd"},
		{"s", "", "s", "s\n\n"},
		{"", "", opstatus.NoSummary, "\n\n"},
		{" ", "d\n", opstatus.NoSummary, " \n\nd\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, trapConfig)
			r.start()
			r.must(r.engine.Trap(t.Context(), packet.Trap{Group: "db", Service: "trap", Status: 1, Summary: row.summary, Detail: row.detail}, loopback))
			synctest.Wait()
			if s := r.row().State; s.Summary != row.wantSummary || s.Output != row.wantOutput {
				t.Errorf("%q and %q: %q, %q", row.summary, row.detail, s.Summary, s.Output)
			}
			r.must(r.end())
		})
	}
}

// both is a service with a monitor that also gets traps.
const both = `
hostgroup db db1

watch db
    service trap
        interval 60s
        failure_interval 10s
        fall 3
        rise 3
        monitor http.monitor
        period
            alert mail.alert ann
            upalert mail.alert ann
`

// A trap counts at once for a service that is checked too, and the checks go
// on as they were.
func TestTrapsBesideAMonitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, both)
		r.start()
		r.pass(61 * time.Second)
		r.wantStatus(opstatus.OK)
		due := r.row().Due
		r.trap(1, "disk full")
		r.wantStatus(opstatus.Fail)
		if d := r.row().Due; !d.Equal(due) || r.row().Interval != time.Minute {
			t.Errorf("a trap moved the next check from %v to %v", due, d)
		}
		r.trap(0, "emptied")
		r.wantStatus(opstatus.OK)
		r.wantTold("trap mail.alert", "up mail.alert")
		r.must(r.end())
	})
}

// A trap that takes a failure back brings the usual interval back.
func TestTrapTakesBackWhatAMonitorSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, configtest.Replace(both, "fall 3\n        rise 3", "fall 1"))
		r.runner.Set(trapped, monitor.Failed("db1", ""))
		r.start()
		r.pass(61 * time.Second)
		r.wantStatus(opstatus.Fail)
		due := r.row().Due
		r.trap(0, "repaired")
		r.wantStatus(opstatus.OK)
		if row := r.row(); row.Interval != time.Minute || row.Due.After(due) {
			t.Errorf("interval %v, next check %v after what was planned", row.Interval, row.Due.Sub(due))
		}
		r.must(r.end())
	})
}

// A trap says nothing about the monitor: what sees nothing still sees nothing.
func TestTrapDoesNotEndBlindness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, both)
		r.runner.Set(trapped, monitor.Blinded(monitor.PluginLost, "killed"))
		r.start()
		r.pass(61 * time.Second)
		r.trap(1, "disk full")
		if s := r.row().State; s.Blind == nil || s.Status != opstatus.Fail {
			t.Errorf("state %+v", s)
		}
		r.must(r.end())
	})
}
