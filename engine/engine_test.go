package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
)

// web is the key of the service that most tests are about.
var web = opstatus.Key{Group: "www1", Service: "http"}

// guide is the shape of the guide's configuration: a mail first, then the
// keeper.
const guide = `
hostgroup www1 www1.example

watch www1
    service http
        interval 10s
        monitor http.monitor
        period wd {Sun-Sat}
            alert mail.alert wensong
            upalert mail.alert wensong
            alert lvs.alert -V 10.0.0.3:80 -R 192.168.0.1 -W 5
            upalert lvs.alert -V 10.0.0.3:80 -R 192.168.0.1 -W 5
`

// lvsID is the ID of the claim that guide makes.
const lvsID = "www1:http lvs.alert -V 10.0.0.3:80 -R 192.168.0.1 -W 5"

// rig is an engine with everything beyond its seams scripted.
type rig struct {
	t        *testing.T
	engine   *engine.Engine
	runner   *enginetest.Runner
	sender   *enginetest.Sender
	store    *enginetest.Store
	config   string               // text; read at each load
	loads    error                // what Load answers, if not nil
	edit     func(*config.Config) // completes what was parsed
	programs map[string]engine.Program
	options  engine.Options // beyond what start fills in
	roles    bool           // take the lines of holders out
	stop     context.CancelFunc
	ended    chan error
}

// newRig makes a rig in a synctest bubble; start runs it.
func newRig(t *testing.T, text string) *rig {
	return &rig{
		t: t, config: text, runner: enginetest.NewRunner(nil), sender: enginetest.NewSender(),
		store: enginetest.NewStore(store.Saved{Clean: true, New: true}),
		programs: map[string]engine.Program{
			"lvs.alert": {Keeper: true}, "mail.alert": {}, "http.monitor": {History: true},
		},
	}
}

func (r *rig) load(context.Context) (engine.Loaded, error) {
	if r.loads != nil {
		return engine.Loaded{}, r.loads
	}
	cfg := configtest.Parse(r.t, r.config)
	if r.edit != nil {
		r.edit(cfg)
	}
	if r.roles {
		cfg.TakeRoles(func(p string) bool { return r.programs[p].Elector }, func(p string) bool { return r.programs[p].Holder })
	}
	return engine.Loaded{Config: cfg, Programs: r.programs}, nil
}

func (r *rig) start() {
	r.t.Helper()
	o := r.options
	o.Load, o.Runner, o.Sender, o.Store = r.load, r.runner, r.sender, r.store
	e, err := engine.New(o)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r.engine, r.stop, r.ended = e, stop, make(chan error, 1)
	go func() { r.ended <- e.Run(ctx) }()
	r.t.Cleanup(func() { // a test that failed half-way
		if r.ended != nil {
			_ = r.end()
		}
	})
	synctest.Wait()
}

// end stops the engine and returns its error.
func (r *rig) end() error {
	r.stop()
	err := <-r.ended
	r.ended = nil
	r.runner.Drain()
	return err
}

// pass lets bubble time go by.
func (r *rig) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (r *rig) down(text string) { r.runner.Set(web, monitor.Failed(text, "detail\n")) }
func (r *rig) up()              { r.runner.Set(web, monitor.OK("")) }

// out reports whether the keeper holds the real to be out; present is false
// when nothing is claimed.
func (r *rig) out() (out, present bool) {
	c, ok := r.sender.Held("lvs.alert")[lvsID]
	return c.Down, ok
}

func (r *rig) wantOut(want bool) {
	r.t.Helper()
	out, present := r.out()
	if !present || out != want {
		r.t.Fatalf("claim: out=%v present=%v, want out=%v", out, present, want)
	}
}

// told are the notices so far, as "kind program".
func (r *rig) told() []string {
	var all []string
	for _, s := range r.sender.Sent() {
		all = append(all, s.Request.Kind.String()+" "+s.Program)
	}
	return all
}

func (r *rig) wantTold(want ...string) {
	r.t.Helper()
	if got := r.told(); !slices.Equal(got, want) {
		r.t.Fatalf("told %v, want %v", got, want)
	}
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestServerDiesAndReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.pass(11 * time.Second)
		r.wantOut(false) // the first OK says "in"
		r.wantTold()
		r.down("www1.example")
		r.pass(10 * time.Second)
		r.wantOut(true)
		r.wantTold("failure mail.alert")
		r.up()
		r.pass(10 * time.Second)
		r.wantOut(false)
		r.wantTold("failure mail.alert", "up mail.alert")
		r.must(r.end())
	})
}

func TestChecksKeepTheirCadence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.pass(time.Hour)
		times := r.runner.Times()
		if n := len(times); n < 359 || n > 361 {
			t.Errorf("%d checks in an hour at 10 s", n)
		}
		for i := range times[1:] {
			if gap := times[i+1].Sub(times[i]); gap != 10*time.Second {
				t.Fatalf("check %d came %v after the last, want 10 s", i+1, gap)
			}
		}
		r.must(r.end())
	})
}

// A mail server that hangs must not delay the table, although the
// configuration lists mail before lvs.
func TestStuckMailDoesNotDelayTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.sender.OnSend = func(ctx context.Context, _ string, _ alert.Request) error {
			<-ctx.Done()
			return ctx.Err()
		}
		r.start()
		r.pass(11 * time.Second)
		r.down("www1.example")
		r.pass(10 * time.Second)
		r.wantOut(true)
		ran := r.runner.Times()
		kept := r.sender.Kept()
		if wait := kept[len(kept)-1].At.Sub(ran[len(ran)-1]); wait > 50*time.Millisecond {
			t.Errorf("the table waited %v", wait)
		}
		r.must(r.end())
	})
}

// (i) Disabled during repair, the server recovers, enabled: the real is back.
func TestDisabledDuringRepair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.down("www1.example")
		r.pass(11 * time.Second)
		r.wantOut(true)
		r.must(r.engine.DisableService(t.Context(), web, "ann", "new disk"))
		r.up()
		r.pass(10 * time.Second)
		r.wantOut(false)
		r.must(r.engine.EnableService(t.Context(), web, "ann"))
		r.pass(20 * time.Second)
		r.wantOut(false)
		r.must(r.end())
	})
}

// (ii) Removed inside the period, recovered outside: back.
func TestRecoveredOutsideThePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// the bubble begins at midnight UTC of 2000-01-01
		r := newRig(t, configtest.Replace(guide, "wd {Sun-Sat}", "min {0-29}"))
		r.start()
		r.down("www1.example")
		r.pass(11 * time.Second)
		r.wantOut(true)
		r.pass(31 * time.Minute)
		r.up()
		r.pass(10 * time.Second)
		r.wantOut(false)
		r.must(r.end())
	})
}

// (iii) Restart without state: the first OK puts it back.
func TestRestartWithoutState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		if _, present := r.out(); present {
			t.Fatal("something is claimed before the first check")
		}
		r.pass(11 * time.Second)
		r.wantOut(false)
		r.must(r.end())
	})
}

// (iv) The keeper restarts while a server is down: it gets the full set first
// and the dead server stays out.
func TestKeeperRestartsWhileDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.down("www1.example")
		r.pass(11 * time.Second)
		before := len(r.sender.Kept())
		r.sender.Restart("lvs.alert")
		r.pass(time.Second)
		kept := r.sender.Kept()
		if len(kept) == before || !kept[before].Full {
			t.Fatalf("after its restart the keeper got %+v", kept[before:])
		}
		r.wantOut(true)
		r.must(r.end())
	})
}

func TestStateSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.down("www1.example")
		r.pass(11 * time.Second)
		r.must(r.end())

		again := newRig(t, guide)
		again.store, again.sender = r.store, enginetest.NewSender()
		again.down("www1.example")
		again.start()
		again.wantOut(true) // at once, before any check
		row := again.engine.Board().Service(web)
		if row.State.Status != opstatus.Fail || row.AlertsSent != 1 {
			t.Errorf("resumed as %v with %d alerts sent", row.State.Status, row.AlertsSent)
		}
		again.up()
		again.pass(11 * time.Second)
		again.wantOut(false)
		again.wantTold("up mail.alert")
		again.must(again.end())
	})
}

// After an unclean stop a claim waits for the first verdict.
func TestUncleanStopMakesClaimsProvisional(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.store = enginetest.NewStore(store.Saved{Records: map[opstatus.Key]store.Record{web: {
			State:  opstatus.State{Status: opstatus.Fail, Tested: true, Failures: 3, Exit: 1},
			Claims: []alert.Claim{{ID: lvsID, Group: "www1", Service: "http", Args: []string{"-V", "10.0.0.3:80", "-R", "192.168.0.1", "-W", "5"}, Down: true}},
		}}})
		r.down("www1.example")
		r.start()
		if c := r.sender.Held("lvs.alert")[lvsID]; !c.Down || !c.Provisional {
			t.Errorf("restored claim %+v, want out and provisional", c)
		}
		r.pass(11 * time.Second)
		if c := r.sender.Held("lvs.alert")[lvsID]; !c.Down || c.Provisional {
			t.Errorf("after the first verdict: %+v, want out and firm", c)
		}
		r.must(r.end())
	})
}

// A plugin that is lost makes its services blind, never failed.
func TestBlindIsNeverFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.pass(11 * time.Second)
		r.runner.Set(web, monitor.Blinded(monitor.PluginLost, "killed"))
		r.pass(11 * time.Second)
		r.wantOut(false)
		r.wantTold()
		row := r.engine.Board().Service(web)
		if row.State.Status != opstatus.OK || row.State.Blind == nil {
			t.Errorf("status %v, blind %v", row.State.Status, row.State.Blind)
		}
		if s := selfStatus(r, "plugins"); s != opstatus.Fail {
			t.Errorf("mond:plugins is %v, want fail", s)
		}
		r.up()
		r.pass(11 * time.Second)
		if s := selfStatus(r, "plugins"); s != opstatus.OK {
			t.Errorf("mond:plugins is %v after recovery, want ok", s)
		}
		r.must(r.end())
	})
}

func selfStatus(r *rig, name string) opstatus.Status {
	return r.engine.Board().Service(opstatus.Key{Group: "mond", Service: name}).State.Status
}

func TestStoreTroubleIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.pass(2 * time.Second)
		if s := selfStatus(r, "store"); s != opstatus.OK {
			t.Fatalf("mond:store is %v at the start", s)
		}
		r.store.Fail(errors.New("disk full"))
		r.pass(2 * time.Second)
		if s := selfStatus(r, "store"); s != opstatus.Fail {
			t.Errorf("mond:store is %v, want fail", s)
		}
		r.pass(9 * time.Second)
		r.wantOut(false) // checks and claims go on
		r.must(r.end())
	})
}

func TestReloadKeepsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.down("www1.example")
		r.pass(11 * time.Second)
		r.loads = errors.New("mon.cf:3:1: error: unknown word")
		if err := r.engine.Reload(t.Context()); !errors.Is(err, r.loads) {
			t.Fatalf("a bad reload answered %v", err)
		}
		r.pass(time.Second)
		if s := selfStatus(r, "config"); s != opstatus.Fail {
			t.Errorf("mond:config is %v, want fail", s)
		}
		r.wantOut(true)
		r.loads = nil
		r.config += "\nhostgroup www2 www2.example\n\nwatch www2\n    service http\n        interval 10s\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n"
		r.must(r.engine.Reload(t.Context()))
		r.pass(11 * time.Second)
		row := r.engine.Board().Service(opstatus.Key{Group: "www2", Service: "http"})
		if row == nil || row.State.Status != opstatus.OK {
			t.Errorf("the new service: %+v", row)
		}
		if row := r.engine.Board().Service(web); row.State.Failures < 2 || row.AlertsSent != 2 {
			t.Errorf("the old service lost its state: %d failures, %d alerts", row.State.Failures, row.AlertsSent)
		}
		r.wantOut(true)
		r.must(r.end())
	})
}

// A service whose lines leave the configuration: hands off.
func TestReloadWithoutTheKeeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.pass(11 * time.Second)
		r.wantOut(false)
		r.config = "hostgroup g h\n\nwatch g\n    service s\n        interval 10s\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n"
		r.must(r.engine.Reload(t.Context()))
		r.pass(time.Second)
		if _, present := r.out(); present {
			t.Error("still claimed after the line left the configuration")
		}
		if r.engine.Board().Service(web) != nil {
			t.Error("the service is still shown")
		}
		r.must(r.end())
	})
}

func TestSlowCheckNeverOverlapsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		var running, most atomic.Int64
		r.runner.Script(func(job.Check) enginetest.Answer {
			most.Store(max(most.Load(), running.Add(1)))
			time.AfterFunc(25*time.Second, func() { running.Add(-1) })
			return enginetest.Answer{Result: monitor.OK(""), After: 25 * time.Second}
		})
		r.start()
		r.pass(5 * time.Minute)
		if n := most.Load(); n != 1 {
			t.Errorf("%d checks of one service at a time", n)
		}
		r.must(r.end())
	})
}

func TestStoppedSchedulerChecksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.pass(11 * time.Second)
		r.must(r.engine.StopScheduler(t.Context(), "ann", "moving house"))
		n := len(r.runner.Ran())
		r.pass(time.Minute)
		if m := len(r.runner.Ran()); m != n {
			t.Errorf("%d checks while stopped", m-n)
		}
		r.must(r.engine.StartScheduler(t.Context(), "ann"))
		r.pass(11 * time.Second)
		if len(r.runner.Ran()) == n {
			t.Error("no check after the start")
		}
		r.must(r.end())
	})
}

func TestDisabledHostIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, configtest.Replace(guide, "hostgroup www1 www1.example", "hostgroup www1 a b"))
		r.start()
		r.must(r.engine.DisableHost(t.Context(), "a", "ann", ""))
		r.pass(11 * time.Second)
		if got := fmt.Sprint(r.runner.Ran()[0].Request.Hosts); got != "[b]" {
			t.Errorf("hosts %s, want [b]", got)
		}
		if err := r.engine.DisableHost(t.Context(), "c", "ann", ""); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("disabling an unknown host: %v", err)
		}
		r.must(r.end())
	})
}

func TestAcknowledgedFailureIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		if err := r.engine.Ack(t.Context(), web, "ann", "x"); !errors.Is(err, steer.ErrNotFailing) {
			t.Errorf("acknowledging a service that is well: %v", err)
		}
		r.down("www1.example")
		r.pass(11 * time.Second)
		r.must(r.engine.Ack(t.Context(), web, "ann", "on my way"))
		r.pass(30 * time.Second)
		r.wantTold("failure mail.alert")
		row := r.engine.Board().Service(web)
		if len(row.Decisions) < 2 || row.Decisions[0].Sent {
			t.Errorf("decisions %+v", row.Decisions)
		}
		r.up()
		r.pass(10 * time.Second)
		r.wantTold("failure mail.alert", "up mail.alert")
		r.wantOut(false)
		r.must(r.end())
	})
}

func TestFailureIntervalWhileFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, configtest.Replace(guide, "interval 10s", "interval 10s\n        failure_interval 2s"))
		r.start()
		r.down("www1.example")
		r.pass(11 * time.Second)
		n := len(r.runner.Ran())
		r.pass(20 * time.Second)
		if got := len(r.runner.Ran()) - n; got < 9 || got > 11 {
			t.Errorf("%d checks in 20 s at a failure_interval of 2 s", got)
		}
		r.must(r.end())
	})
}

// What an exclude_period held back runs when it is over, spread over 10 s.
func TestExcludePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, configtest.Replace(guide, "interval 10s", "interval 1m\n        exclude_period min {0-29}"))
		r.start()
		r.pass(30*time.Minute - time.Second)
		if n := len(r.runner.Ran()); n != 0 {
			t.Errorf("%d checks inside exclude_period", n)
		}
		r.pass(12 * time.Second)
		if n := len(r.runner.Ran()); n != 1 {
			t.Errorf("%d checks right after exclude_period, want 1", n)
		}
		r.must(r.end())
	})
}

func TestMonitorDependencyHoldsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := configtest.Replace(guide, "monitor http.monitor", "monitor http.monitor\n        monitordepend www1:ping") +
			"    service ping\n        interval 5s\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n"
		r := newRig(t, text)
		ping := opstatus.Key{Group: "www1", Service: "ping"}
		r.runner.Set(ping, monitor.Failed("www1.example", ""))
		r.start()
		r.pass(time.Minute)
		checks := 0
		for _, c := range r.runner.Ran() {
			if c.Request.Service == "http" {
				checks++
			}
		}
		if checks > 1 {
			t.Errorf("%d checks although its dependency fails", checks)
		}
		row := r.engine.Board().Service(web)
		if row.Skipped == "" {
			t.Error("no reason is shown")
		}
		r.runner.Set(ping, monitor.OK(""))
		r.pass(10 * time.Second)
		if row := r.engine.Board().Service(web); row.Skipped != "" || row.State.Status != opstatus.OK {
			t.Errorf("after the dependency recovered: %v, %q", row.State.Status, row.Skipped)
		}
		r.must(r.end())
	})
}
