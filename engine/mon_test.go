package engine_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
)

// The engine is what mon's clients steer.
var _ control.Mon = (*engine.Engine)(nil)

// clients is the configuration that most tests of mon's clients are about.
const clients = `
hostgroup www1 w1 w2

hostgroup single only

watch www1
    service http
        description the web
        interval 1m
        failure_interval 10s
        monitor http.monitor -p 80 ;;
        traptimeout 1h
        exclude_hosts w2
        depend single:ping
        period ALL: wd {Sun-Sat}
            alertevery 1h
            alert mail.alert ops
            upalert mail.alert ops
            disablealert mail.alert off
    service other
        interval 1m
        monitor http.monitor
        period
            alert mail.alert ops

watch single
    service ping
        interval 1m
        monitor http.monitor
        period
            alert mail.alert ops
`

var (
	other = opstatus.Key{Group: "www1", Service: "other"}
	ping  = opstatus.Key{Group: "single", Service: "ping"}
)

func (r *rig) get(name string) string {
	r.t.Helper()
	value, err := r.engine.Variable(r.t.Context(), web, name)
	r.must(err)
	return value
}

func (r *rig) wantVars(want map[string]string) {
	r.t.Helper()
	for name, value := range want {
		if got := r.get(name); got != value {
			r.t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

func (r *rig) set(name, value string) {
	r.t.Helper()
	r.must(r.engine.SetVariable(r.t.Context(), web, name, value, "ann"))
}

func at(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// Variables have mon's names and mon's values.
func TestVariables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, clients)
		r.start()
		r.wantVars(map[string]string{
			"interval": "60", "failure_interval": "10", "monitor": "http.monitor -p 80 ;;", "description": "the web", "randskew": "0",
			"traptimeout": "3600", "trapduration": "", "exclude_hosts": "w2", "exclude_period": "", "depend": "single:ping", "alertdepend": "",
			"dep_behavior": "a", "dep_memory": "0", "redistribute": "", "unack_summary": "0", "allow_empty_group": "", "disable": "",
			"_op_status": "7", "_last_op_status": "7", "_exitval": "undef", "_last_check": "", "_monitor_duration": "-1", "_monitor_running": "0",
			"_ack": "0", "_ack_comment": "", "_last_failure": "0", "_first_failure": "", "_last_success": "0", "_alert_count": "0", "_failure_count": "0",
			"_consec_failures": "0", "_last_trap": "0", "_last_alert": "", "_last_summary": "", "nosuchvar": "", "_old_interval": "", "_depend_status": "",
		})
		began := time.Now()
		r.down("w1 is down")
		r.pass(75 * time.Second)
		first, err := strconv.ParseInt(r.get("_first_failure"), 10, 64)
		if r.must(err); first < began.Unix() || first > time.Now().Unix() {
			t.Errorf("first failure at %d", first)
		}
		r.must(r.engine.Ack(t.Context(), web, "ann", "on it"))
		r.wantVars(map[string]string{
			"interval": "10", "_old_interval": "60", "_op_status": "0", "_last_op_status": "0", "_exitval": "1", "_last_summary": "w1 is down", "_last_detail": "detail\n",
			"_last_output": "w1 is down\ndetail\n", "_failure_output": "w1 is down\ndetail\n", "_alert_count": "1", "_depend_status": "1",
			"_ack": at(time.Now()), "_ack_comment": "ann: on it", "_monitor_duration": "0",
		})
		if n := r.get("_consec_failures"); n == "0" || n != r.get("_failure_count") {
			t.Errorf("%s failures", n)
		}
		timer, err := strconv.Atoi(r.get("_timer"))
		if r.must(err); timer < 0 || timer > 10 {
			t.Errorf("timer %d", timer)
		}
		if _, err := r.engine.Variable(t.Context(), opstatus.Key{Group: "www1", Service: "no"}, "interval"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v", err)
		}
		r.must(r.end())
	})
}

// Callers tell a group that does not exist from a service.
func TestUnknownNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, clients)
		r.start()
		ctx, e := t.Context(), r.engine
		for _, tt := range []struct {
			name string
			err  error
			kind steer.Kind
		}{
			{"service", e.ClearTimers(ctx, opstatus.Key{Group: "www1", Service: "no"}, "ann"), steer.Service},
			{"group", e.Ack(ctx, opstatus.Key{Group: "no", Service: "http"}, "ann", "x"), steer.Group},
			{"watch", e.DisableWatch(ctx, "no", "ann", ""), steer.Group},
			{"host", e.EnableHost(ctx, "no", "ann"), steer.Host},
			{"period", e.TestAlert(ctx, web, steer.AlertTest{On: alert.Failure, Period: "NO"}), steer.Period},
		} {
			if e, ok := errors.AsType[*steer.UnknownError](tt.err); !ok || e.Kind != tt.kind || !errors.Is(tt.err, fs.ErrNotExist) {
				t.Errorf("%s: %v", tt.name, tt.err)
			}
		}
		if err := e.TestAlert(ctx, web, steer.AlertTest{On: alert.Ack, Period: "ALL"}); !errors.Is(err, steer.ErrNoLines) {
			t.Errorf("%v", err)
		}
		if err := e.Ack(ctx, web, "ann", "x"); !errors.Is(err, steer.ErrNotFailing) {
			t.Errorf("%v", err)
		}
		r.must(r.end())
	})
}

// A directive that is set holds from the next check on, is shown, and is gone
// with the next reset.
func TestSetDirectives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, configtest.Replace(clients, "traptimeout 1h", "traptimeout 1d"))
		r.start()
		r.pass(50 * time.Second)
		r.set("interval", "7200")
		r.set("description", "new  desc")
		r.set("exclude_hosts", "")
		r.set("monitor", "http.monitor -p 81")
		r.wantVars(map[string]string{"interval": "7200", "description": "new  desc", "monitor": "http.monitor -p 81", "exclude_hosts": ""})
		r.pass(10 * time.Second)
		var last job.Check
		for _, c := range r.runner.Ran() {
			if c.Request.Service == "http" {
				last = c
			}
		}
		if !slices.Equal(last.Request.Hosts, []string{"w1", "w2"}) || !slices.Equal(last.Request.Args, []string{"-p", "81"}) {
			t.Errorf("the check at its old time was %+v", last.Request)
		}
		n := len(r.runner.Ran())
		r.pass(time.Hour)
		for _, c := range r.runner.Ran()[n:] {
			if c.Request.Service == "http" {
				t.Fatal("checked within the hour")
			}
		}
		row := r.engine.Board().Service(web)
		if cfg := r.engine.Board().Config().Service(web); row.Interval != 2*time.Hour || row.Description != "new  desc" || cfg.Plan.Up != 2*time.Hour {
			t.Errorf("%+v", row)
		}
		r.must(r.engine.Reload(t.Context()))
		r.wantVars(map[string]string{"interval": "60", "description": "the web", "monitor": "http.monitor -p 80 ;;", "exclude_hosts": "w2"})
		r.must(r.end())
	})
}

// What cannot be is refused with a reason, and changes nothing.
func TestSetIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, clients)
		r.options.Judge = func(_ context.Context, m config.Command) error {
			if slices.Contains(m.Args, "-bad") {
				return errors.New("there is no option -bad")
			}
			return nil
		}
		r.start()
		for _, tt := range [][3]string{
			{"interval", "soon", "invalid time"}, {"monitor", "nosuch.monitor", "no monitor of the running"}, {"monitor", "mail.alert x", "no monitor of"},
			{"monitor", "http.monitor -bad", "there is no option -bad"}, {"depend", "x:y", "unknown service"}, {"redistribute", "lvs.alert -x", "keeps claims"},
			{"opstatus", "fine", "no such opstatus"}, {"_op_status", "12", "no such opstatus"}, {"_timer", "-1", "no number of seconds"},
			{"_consec_failures", "many", "no count"}, {"_last_check", "5", "what was seen"}, {"_first_failure", "5", "what was seen"}, {"_ack", "5", "the command ack"},
			{"_ack_comment", "x", "not acknowledged"}, {"disable", "2", "1 or 0"}, {"a-b", "x", "made of letters"}, {"", "x", "made of letters"},
			{"x", strings.Repeat("x", 5000), "longer than"},
		} {
			err := r.engine.SetVariable(t.Context(), web, tt[0], tt[1], "ann")
			if v, ok := errors.AsType[*steer.ValueError](err); !ok || v.Name != tt[0] || !strings.Contains(err.Error(), tt[2]) || len(err.Error()) > 500 {
				t.Errorf("%s=%.20s: %v", tt[0], tt[1], err)
			}
		}
		if err := r.engine.SetVariable(t.Context(), opstatus.Key{Group: "mond", Service: "store"}, "interval", "5", "ann"); err == nil || !strings.Contains(err.Error(), "the daemon's own") {
			t.Error(err)
		}
		if n := events(r, "operator", "ann: "); n != 0 {
			t.Errorf("%d rows of what was refused", n)
		}
		r.must(r.end())
	})
}

// Names that nobody knows are kept, so many of them, until a reset.
func TestNotes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, clients)
		r.start()
		for i := range 64 {
			r.set("ticket"+strconv.Itoa(i), "a 'b' \"c\" d")
		}
		if err := r.engine.SetVariable(t.Context(), web, "more", "x", "ann"); err == nil {
			t.Error("a 65th was taken")
		}
		r.set("ticket3", "new")
		r.wantVars(map[string]string{"ticket3": "new", "ticket63": "a 'b' \"c\" d", "more": ""})
		r.must(r.engine.Reset(t.Context(), steer.ResetHow{KeepState: true}, "ann"))
		r.wantVars(map[string]string{"ticket3": ""})
		r.must(r.end())
	})
}

// A status that an operator sets is one: it is shown as a number, history says
// who did it, nobody is told, and the next check goes on from there.
func TestSetOpstatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, clients)
		r.start()
		r.pass(70 * time.Second)
		r.set("opstatus", "linkdown")
		r.wantVars(map[string]string{"_op_status": "4", "_last_op_status": "1", "interval": "10"})
		if s := r.engine.Board().Service(web).State; s.Status != opstatus.Linkdown || s.FirstFail.IsZero() {
			t.Errorf("%+v", s)
		}
		r.pass(time.Minute) // it is fine, and so it becomes again
		r.wantVars(map[string]string{"_op_status": "1", "interval": "60", "_first_failure": "0"})
		r.wantTold()
		r.down("w1")
		r.pass(2 * time.Minute)
		r.wantTold("failure mail.alert")
		r.set("_op_status", "1")
		r.wantVars(map[string]string{"_op_status": "1", "_consec_failures": "0", "_failure_output": ""})
		r.wantTold("failure mail.alert")
		r.pass(10 * time.Second)
		r.pass(time.Minute)
		r.wantTold("failure mail.alert", "failure mail.alert") // another outage
		for _, want := range []string{"ann: opstatus set to \"linkdown\"", "ann: _op_status set to \"1\""} {
			if events(r, "operator", want) != 1 {
				t.Errorf("no row %q", want)
			}
		}
		r.must(r.end())
	})
}

// State that can be set has an effect.
func TestSetState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, clients)
		r.start()
		r.pass(70 * time.Second)
		n := len(r.runner.Ran())
		r.set("_timer", "2")
		r.wantVars(map[string]string{"_timer": "2"})
		r.pass(3 * time.Second)
		if got := r.runner.Ran(); len(got) != n+1 || got[n].Request.Service != "http" {
			t.Errorf("%d checks", len(got)-n)
		}
		r.down("w1")
		r.pass(2 * time.Minute)
		r.set("_consec_failures", "77")
		r.set("_failure_count", "88")
		r.set("_alert_count", "99")
		r.wantVars(map[string]string{"_consec_failures": "77", "_failure_count": "88", "_alert_count": "99"})
		r.must(r.engine.Ack(t.Context(), web, "ann", "on it"))
		r.set("_ack_comment", "bob: mine now")
		if a := r.engine.Board().Service(web).State.Ack; a == nil || a.User != "bob" || a.Text != "mine now" {
			t.Errorf("%+v", a)
		}
		r.set("_ack", "0")
		r.wantVars(map[string]string{"_ack": "0", "_ack_comment": ""})
		r.set("disable", "1")
		r.wantVars(map[string]string{"disable": "1"})
		r.set("disable", "0")
		r.wantVars(map[string]string{"disable": ""})
		r.must(r.end())
	})
}

// Timers that are cleared make the alerts begin anew, and the next check is a
// whole interval away.
func TestClearTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, clients)
		r.start()
		r.down("w1")
		r.pass(2 * time.Minute)
		r.wantTold("failure mail.alert")
		r.must(r.engine.ClearTimers(t.Context(), web, "ann"))
		r.wantVars(map[string]string{"_consec_failures": "0", "_timer": "10"})
		r.pass(9 * time.Second)
		r.wantTold("failure mail.alert")
		r.pass(2 * time.Second)
		r.wantTold("failure mail.alert", "failure mail.alert")
		r.wantVars(map[string]string{"_consec_failures": "1", "_op_status": "0"})
		r.must(r.end())
	})
}

func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "histlength = 5\n"+clients)
		r.start()
		if r.engine.Keep() != 5 {
			t.Error(r.engine.Keep())
		}
		r.down("w1")
		r.pass(5 * time.Minute)
		if n := len(r.engine.Board().Failures.Items()); n != 5 {
			t.Errorf("%d failures", n)
		}
		r.must(r.engine.SetKeep(t.Context(), 3, "ann"))
		if n := len(r.engine.Board().Failures.Items()); n != 3 || r.engine.Keep() != 3 {
			t.Errorf("%d failures, keep %d", n, r.engine.Keep())
		}
		if err := r.engine.SetKeep(t.Context(), -1, "ann"); err == nil {
			t.Error("-1 was taken")
		}
		r.must(r.engine.Reload(t.Context()))
		if r.engine.Keep() != 5 {
			t.Error(r.engine.Keep())
		}
		r.must(r.end())
	})
}

// A test tells the lines of the exit status that the client gave, whatever
// their filters, and of what was seen last.
func TestTestAlertWithExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, strings.Replace(clients, "alert mail.alert ops\n", "alert exit=9 mail.alert ops\n", 1))
		r.start()
		r.runner.Set(web, monitor.OK("fine"))
		r.pass(70 * time.Second)
		r.must(r.engine.TestAlert(t.Context(), web, steer.AlertTest{On: alert.Failure, Period: "ALL", Exit: new(3)}))
		r.must(r.engine.TestAlert(t.Context(), web, steer.AlertTest{On: alert.Disable, Period: "ALL", Exit: new(0)}))
		r.must(r.engine.TestAlert(t.Context(), web, steer.AlertTest{On: alert.Up, Period: "ALL"}))
		r.pass(time.Second)
		var got []string
		for _, s := range r.sender.Sent() {
			env := s.Request.Env
			got = append(got, strings.Join([]string{env["MON_ALERTTYPE"], env["MON_RETVAL"], env["MON_OPSTATUS"], env["MON_LAST_SUMMARY"], env["MON_LAST_OUTPUT"], s.Request.Output}, "|"))
		}
		slices.Sort(got)
		want := []string{"disable|0|1|fine|fine\n|test\ntest detail\n", "test|3|1|fine|fine\n|test\ntest detail\n", "up|0|1|fine|fine\n|test\ntest detail\n"}
		if !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		r.must(r.end())
	})
}

// A watch that is disabled tells its disablealerts, and a host that is alone in
// its group takes the watch with it, there and back.
func TestDisableAsMon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, clients)
		r.start()
		r.must(r.engine.DisableWatch(t.Context(), "www1", "ann", "x"))
		r.pass(time.Second)
		r.wantTold("disable mail.alert")
		r.must(r.engine.DisableHost(t.Context(), "w1", "ann", "x"))
		r.must(r.engine.EnableWatch(t.Context(), "www1", "ann"))
		if d := r.engine.Board().Daemon(); len(d.Watches) != 0 || len(d.Hosts) != 1 {
			t.Errorf("%+v", d)
		}
		r.must(r.engine.DisableHost(t.Context(), "only", "ann", "x"))
		if d := r.engine.Board().Daemon(); len(d.Watches) != 1 || d.Watches["single"].User != "ann" || r.engine.Board().Service(ping).Disabled == nil {
			t.Errorf("%+v", d)
		}
		r.must(r.engine.EnableHost(t.Context(), "only", "ann"))
		if d := r.engine.Board().Daemon(); len(d.Watches) != 0 || len(d.Hosts) != 1 || r.engine.Board().Service(ping).Disabled != nil {
			t.Errorf("%+v", d)
		}
		r.must(r.end())
	})
}

// A host that the file disables can be enabled until it is read again, and one
// that left the file disabled can be enabled too.
func TestHostsOfTheFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, strings.Replace(clients, "www1 w1 w2", "www1 *w1 w2", 1))
		r.start()
		hosts := func() []string {
			n := len(r.runner.Ran())
			r.must(r.engine.TestMonitor(t.Context(), other))
			r.pass(100 * time.Millisecond)
			return r.runner.Ran()[n].Request.Hosts
		}
		if got := hosts(); !slices.Equal(got, []string{"w2"}) {
			t.Errorf("%v", got)
		}
		r.must(r.engine.EnableHost(t.Context(), "w1", "ann"))
		if got := hosts(); !slices.Equal(got, []string{"w1", "w2"}) || r.engine.Board().Config().Group("www1").Disabled["w1"] {
			t.Errorf("%v", got)
		}
		r.must(r.engine.Reload(t.Context()))
		if got := hosts(); !slices.Equal(got, []string{"w2"}) {
			t.Errorf("%v", got)
		}
		r.must(r.engine.DisableHost(t.Context(), "only", "ann", ""))
		r.config = strings.Replace(r.config, "single only", "single another", 1)
		r.must(r.engine.Reload(t.Context()))
		r.must(r.engine.EnableHost(t.Context(), "only", "ann"))
		if d := r.engine.Board().Daemon(); len(d.Hosts) != 0 {
			t.Errorf("%v", d.Hosts)
		}
		r.must(r.end())
	})
}

func TestCheckConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, clients)
		bad := errors.New("mon.cf:3:1: unknown word")
		r.options.Check = func(context.Context) error { return bad }
		r.start()
		if err := r.engine.CheckConfig(t.Context()); !errors.Is(err, bad) {
			t.Error(err)
		}
		r.must(r.end())
		r = newRig(t, clients)
		r.start()
		if err := r.engine.CheckConfig(t.Context()); err == nil {
			t.Error("nothing was checked")
		}
		r.must(r.end())
	})
}

// slowCheck answers after a while.
func slowCheck(res monitor.Result, after time.Duration) func(job.Check) enginetest.Answer {
	return func(job.Check) enginetest.Answer { return enginetest.Answer{Result: res, After: after} }
}

// What mon reads and never looks at works: alertdepend without depend,
// dep_memory, upalertafter, and MON_FIRST_SUCCESS.
func TestWhatMonOnlyReads(t *testing.T) {
	const text = `
hostgroup www1 w1

hostgroup single only

watch www1
    service http
        interval 10s
        monitor http.monitor
        alertdepend single:ping
        dep_memory 1m
        period
            alert mail.alert ops
            upalert mail.alert ops
            upalertafter 1m

watch single
    service ping
        interval 10s
        monitor http.monitor
`
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, text)
		r.start()
		r.pass(time.Minute)
		r.down("w1")
		r.pass(20 * time.Second)
		r.wantTold("failure mail.alert", "failure mail.alert") // alertdepend holds nothing back while it is true
		r.up()
		r.pass(20 * time.Second)
		r.wantTold("failure mail.alert", "failure mail.alert") // too short an outage
		r.runner.Set(ping, monitor.Failed("only", ""))
		r.pass(20 * time.Second)
		r.down("w1")
		r.runner.Set(ping, monitor.OK(""))
		r.pass(50 * time.Second)
		r.wantTold("failure mail.alert", "failure mail.alert") // it remembers
		r.pass(time.Minute)
		n := len(r.told())
		if n <= 2 {
			t.Error("it never forgets")
		}
		r.up()
		r.pass(15 * time.Second)
		told := r.told()
		if told[len(told)-1] != "up mail.alert" {
			t.Errorf("%v", told)
		}
		if env := r.sender.Sent()[0].Request.Env; env["MON_FIRST_SUCCESS"] == "" || env["MON_FIRST_SUCCESS"] == "0" {
			t.Errorf("MON_FIRST_SUCCESS is %q", env["MON_FIRST_SUCCESS"])
		}
		r.must(r.end())
	})
}
