package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
)

// first is two services of one real, one of them slow to fall; second is one
// more of another, slow to alert, that reloads take away and bring back.
const (
	first = `
hostgroup www1 www1.example
hostgroup www2 www2.example

watch www1
    service http
        interval 10s
        monitor http.monitor
        period wd {Sun-Sat}
            alert mail.alert ann
            upalert mail.alert ann
            alert lvs.alert -R 192.168.0.1
            upalert lvs.alert -R 192.168.0.1
    service ping
        interval 4s
        failure_interval 1s
        fall 2
        rise 2
        monitor http.monitor
        period A: wd {Sun-Sat}
            alertevery 1m
            alert lvs.alert -R 192.168.0.1
            upalert lvs.alert -R 192.168.0.1
        period B: wd {Sun-Sat}
            numalerts 2
            alert mail.alert bob
            upalert mail.alert bob
`
	second = `
watch www2
    service http
        interval 5s
        monitor http.monitor
        period wd {Sun-Sat}
            alertafter 2
            alert mail.alert ann
            upalert mail.alert ann
            alert lvs.alert -R 192.168.0.2
            upalert lvs.alert -R 192.168.0.2
`
)

var modelKeys = []opstatus.Key{web, {Group: "www1", Service: "ping"}, {Group: "www2", Service: "http"}}

// model is an engine under random treatment, and what must be true of it.
type model struct {
	*rig
	rt *rapid.T

	mu      sync.Mutex
	answers map[opstatus.Key]enginetest.Answer

	keeperDown bool
	keeperUp   time.Time // since when
	history    []store.Event
	disabled   map[opstatus.Key]time.Time
	stopped    time.Time
	refused    bool            // the last reload
	seen       int             // how many of Sender.Sent were looked at
	told       map[string]bool // by ID and by number
	open       map[string]bool // an alert without its upalert, by service and program
	crashed    bool            // since the last notice that was told again
}

// The engine under any sequence of results, orders, losses, reloads and
// restarts keeps what DESIGN promises.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var failed any
		synctest.Test(t, func(t *testing.T) {
			m := newModel(t, rt)
			defer func() { // rapid wants its panics in its own goroutine
				failed = recover()
				if m.ended != nil {
					_ = m.end()
				}
			}()
			m.start()
			rt.Repeat(m.actions())
			m.settle(rt)
			m.must(m.end())
		})
		again(failed)
	})
}

// again panics in rapid's goroutine as in the bubble's: what was wrong at one
// place, and what rapid has no data for at another, since it tells them apart
// by their place.
func again(failed any) {
	switch text := fmt.Sprintf("%T", failed); {
	case failed == nil:
	case strings.Contains(text, "invalidData"):
		panic(failed)
	default:
		panic(failed)
	}
}

func newModel(t *testing.T, rt *rapid.T) *model {
	m := &model{
		rig: newRig(t, first+second), rt: rt,
		answers: map[opstatus.Key]enginetest.Answer{}, disabled: map[opstatus.Key]time.Time{},
		told: map[string]bool{}, open: map[string]bool{},
	}
	m.keeperUp = time.Now()
	m.sender.OnKeep = func(context.Context, string, bool, []alert.Claim) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.keeperDown {
			return errors.New("plugin lost")
		}
		return nil
	}
	m.runner.Script(m.answer)
	return m
}

func (m *model) answer(c job.Check) enginetest.Answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a, ok := m.answers[opstatus.Key{Group: c.Request.Group, Service: c.Request.Service}]; ok {
		return a
	}
	return enginetest.Answer{Result: monitor.OK("")}
}

func (m *model) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"":         m.check,
		"result":   m.result,
		"order":    m.order,
		"schedule": m.schedule,
		"keeper":   m.keeper,
		"reload":   m.reload,
		"restart":  m.restart,
		"blind":    m.blindfold,
		"trap":     m.arrive,
		"settle":   m.settle,
		"pass":     func(rt *rapid.T) { m.pass(time.Duration(rapid.IntRange(1, 90).Draw(rt, "seconds")) * time.Second) },
	}
}

// result changes what the checks of a service answer, and how soon.
func (m *model) result(rt *rapid.T) {
	key := rapid.SampledFrom(modelKeys).Draw(rt, "service")
	res := rapid.SampledFrom([]monitor.Result{
		monitor.OK("fine"), monitor.Failed(key.Group+".example", "refused\n"),
		monitor.Blinded(monitor.PluginLost, "killed"), {Cause: monitor.TimedOut},
	}).Draw(rt, "result")
	after := rapid.SampledFrom([]time.Duration{0, 0, 3 * time.Second, 12 * time.Second}).Draw(rt, "after")
	m.mu.Lock()
	m.answers[key] = enginetest.Answer{Result: res, After: after}
	m.mu.Unlock()
	m.pass(time.Duration(rapid.IntRange(0, 30).Draw(rt, "seconds")) * time.Second)
}

// arrive lets a trap say something of a service.
func (m *model) arrive(rt *rapid.T) {
	key := rapid.SampledFrom(modelKeys).Draw(rt, "service")
	t := said(key.Group, key.Service, rapid.IntRange(0, 1).Draw(rt, "status"), key.Group+".example")
	if err := m.engine.Trap(m.t.Context(), t, loopback); (err == nil) != (m.engine.Board().Service(key) != nil) {
		rt.Fatalf("trap for %s: %v", key, err)
	}
	m.pass(0)
}

// order does to a service what an operator may.
func (m *model) order(rt *rapid.T) {
	key := rapid.SampledFrom(modelKeys).Draw(rt, "service")
	row := m.engine.Board().Service(key)
	if row == nil {
		rt.Skip("the service is not there")
	}
	ctx := m.t.Context()
	switch what := rapid.SampledFrom([]string{"disable", "enable", "ack", "test"}).Draw(rt, "order"); what {
	case "disable":
		m.must(m.engine.DisableService(ctx, key, "ann", "x"))
		m.disabled[key] = time.Now()
	case "enable":
		m.must(m.engine.EnableService(ctx, key, "ann"))
		delete(m.disabled, key)
	case "ack":
		if err := m.engine.Ack(ctx, key, "ann", "x"); (err == nil) != row.State.Ackable() {
			rt.Fatalf("ack in status %v: %v", row.State.Status, err)
		}
	case "test":
		m.must(m.engine.TestMonitor(ctx, key))
	}
}

// schedule stops or starts the scheduler.
func (m *model) schedule(rt *rapid.T) {
	if !m.stopped.IsZero() {
		m.must(m.engine.StartScheduler(m.t.Context(), "ann"))
		m.stopped = time.Time{}
		return
	}
	m.must(m.engine.StopScheduler(m.t.Context(), "ann", "x"))
	m.stopped = time.Now()
}

// keeper loses the keeper, brings it back, or lets it lose its memory.
func (m *model) keeper(rt *rapid.T) {
	down := rapid.Bool().Draw(rt, "down")
	m.mu.Lock()
	if m.keeperDown && !down {
		m.keeperUp = time.Now()
	}
	m.keeperDown = down
	m.mu.Unlock()
	m.sender.Restart("lvs.alert")
}

// reload loads the same again, another configuration, or a bad one.
func (m *model) reload(rt *rapid.T) {
	switch rapid.SampledFrom([]string{"same", "other", "bad"}).Draw(rt, "file") {
	case "other":
		if m.config == first {
			m.config = first + second
		} else {
			m.config = first
			delete(m.disabled, modelKeys[2])
		}
	case "bad":
		m.loads = errors.New("mon.cf:1:1: error: unknown word")
	}
	err := m.engine.Reload(m.t.Context())
	if m.refused = err != nil; m.refused != (m.loads != nil) {
		rt.Fatalf("reload: %v", err)
	}
	m.loads = nil
	synctest.Wait()
}

// restart ends the engine, with or without a chance to save, and starts it on
// the store that is left.
func (m *model) restart(rt *rapid.T) {
	synctest.Wait()
	held := m.store.Snapshot()
	clean := rapid.Bool().Draw(rt, "clean")
	events, before := m.store.Events(), m.durable()
	m.must(m.end())
	if clean {
		held, events, before = m.store.Snapshot(), m.store.Events(), m.durable()
	} else {
		m.crashed = true
	}
	m.history = append(m.history, events...)
	m.store, m.runner, m.refused = enginetest.NewStore(held), enginetest.NewRunner(m.answer), false
	m.start()
	m.pass(0)
	if after := m.durable(); !maps.Equal(before, after) {
		rt.Fatalf("after a restart (clean: %v):\n%v\nbefore:\n%v", clean, after, before)
	}
}

// durable is what a kill -9 must not change.
func (m *model) durable() map[opstatus.Key]string {
	all := map[opstatus.Key]string{}
	for _, key := range modelKeys {
		if row := m.engine.Board().Service(key); row != nil {
			s := row.State
			all[key] = fmt.Sprint(s.Status, s.Failures, s.Total, s.Good, s.Bad, s.Ack, s.Blind != nil, row.AlertsSent, row.LastAlert, row.Disabled, row.Claims)
		}
	}
	return all
}

// blindfold lets every check see nothing: what is known stays as it is.
func (m *model) blindfold(rt *rapid.T) {
	m.mu.Lock()
	for _, key := range modelKeys {
		m.answers[key] = enginetest.Answer{Result: monitor.Blinded(monitor.LocalFault, "no sockets")}
	}
	m.mu.Unlock()
	m.pass(15 * time.Second) // what began before has answered
	before := m.known()
	m.pass(time.Duration(rapid.IntRange(10, 120).Draw(rt, "seconds")) * time.Second)
	for key, is := range m.known() {
		if is != before[key] {
			rt.Fatalf("%s while blind:\n%s\nbefore:\n%s", key, is, before[key])
		}
	}
}

// known is what blind results must not change.
func (m *model) known() map[opstatus.Key]string {
	all := map[opstatus.Key]string{}
	for _, key := range modelKeys {
		if row := m.engine.Board().Service(key); row != nil {
			s := row.State
			s.Blind = nil
			all[key] = fmt.Sprintf("%+v %v %d %+v", s, row.Since, row.AlertsSent, row.Claims)
		}
	}
	return all
}

// settle lets everything be well: then all is as if nothing had been.
func (m *model) settle(rt *rapid.T) {
	m.mu.Lock()
	clear(m.answers)
	if m.keeperDown {
		m.keeperUp = time.Now()
	}
	m.keeperDown = false
	m.mu.Unlock()
	m.must(m.engine.StartScheduler(m.t.Context(), "ann"))
	m.stopped = time.Time{}
	m.pass(time.Minute)
	m.check(rt)
	for _, key := range modelKeys {
		row := m.engine.Board().Service(key)
		if row == nil {
			continue
		}
		if s := row.State; s.Status != opstatus.OK || s.Blind != nil || s.Suspect() || row.Skipped != "" || len(row.Claims) != 1 {
			rt.Fatalf("%s after a minute of good results: %+v", key, row)
		}
	}
	if s := selfStatus(m.rig, "plugins"); s != opstatus.OK {
		rt.Fatalf("mond:plugins is %v after a minute of good results", s)
	}
}

// check is what holds at any time.
func (m *model) check(rt *rapid.T) {
	synctest.Wait()
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Second)
	defer cancel()
	if !m.engine.Alive(ctx) {
		rt.Fatal("the loop does not answer")
	}
	blind := false
	union := map[string]bool{}
	for _, key := range modelKeys {
		row := m.engine.Board().Service(key)
		if (row == nil) != (key.Group == "www2" && m.config == first) {
			rt.Fatalf("%s: row %v", key, row)
		}
		if row == nil {
			if _, ok := m.store.Snapshot().Records[key]; ok {
				rt.Fatalf("%s left, and is still on disk", key)
			}
			continue
		}
		blind = blind || row.State.Blind != nil
		m.checkRow(rt, row)
		for _, c := range row.Claims {
			union[key.String()+" "+c.Program+" "+strings.Join(c.Args, " ")] = c.Down
		}
	}
	m.checkHeld(rt, union)
	m.checkTold(rt)
	m.checkSelf(rt, blind)
}

// checkRow looks at a row, and at its claims in the light of its history.
func (m *model) checkRow(rt *rapid.T, row *view.Service) {
	if off := !m.disabled[row.Key].IsZero(); off != (row.Disabled != nil) {
		rt.Fatalf("%s: disabled %v, shown %v", row.Key, off, row.Disabled)
	}
	for _, c := range row.Claims {
		if !c.Down {
			continue
		}
		if !row.State.Status.Failing() {
			rt.Fatalf("%s is %v, and out: %+v", row.Key, row.State.Status, c)
		}
		if !m.raised(row, c) {
			rt.Fatalf("%s is out although nothing said so since %v", row.Key, row.State.LastOK)
		}
	}
}

// raised reports whether the line of a claim was called for a failure since
// the last success.
func (m *model) raised(row *view.Service, c view.Claim) bool {
	text := "failure " + c.Program + " " + strings.Join(c.Args, " ") + ": called"
	return slices.ContainsFunc(slices.Concat(m.history, m.store.Events()), func(e store.Event) bool {
		return e.Kind == "decision" && e.Group == row.Key.Group && e.Service == row.Key.Service && e.Text == text && !e.At.Before(row.State.LastOK)
	})
}

// checkHeld compares what the keeper holds with what the services claim, once
// the keeper had the time to hear of it.
func (m *model) checkHeld(rt *rapid.T, union map[string]bool) {
	m.mu.Lock()
	quiet := !m.keeperDown && time.Since(m.keeperUp) > 3*time.Second
	m.mu.Unlock()
	if !quiet {
		return
	}
	held := map[string]bool{}
	for id, c := range m.sender.Held("lvs.alert") {
		held[id] = c.Down
	}
	if !maps.Equal(held, union) {
		rt.Fatalf("the keeper holds\n%v\nthe services claim\n%v", held, union)
	}
}

// checkTold looks at the notices since the last time.
func (m *model) checkTold(rt *rapid.T) {
	sent := m.sender.Sent()
	for _, s := range sent[m.seen:] {
		r := s.Request
		key, queue := opstatus.Key{Group: r.Group, Service: r.Service}, r.Group+":"+r.Service+" "+s.Program
		if m.told[r.ID] {
			if !r.Repeated || !m.crashed {
				rt.Fatalf("told twice: %+v", r)
			}
			continue
		}
		number, _, _ := strings.Cut(r.ID, ".")
		if m.told[number] {
			rt.Fatalf("the number of %s was used before", r.ID)
		}
		m.told[r.ID], m.told[number] = true, true
		if off, stop := m.disabled[key], m.stopped; !off.IsZero() && r.At.After(off) || !stop.IsZero() && r.At.After(stop) {
			rt.Fatalf("told although disabled since %v, stopped since %v: %+v", off, stop, r)
		}
		if r.Kind == alert.Up && !m.open[queue+r.Args[0]] {
			rt.Fatalf("an upalert without an alert: %+v", r)
		}
		m.open[queue+r.Args[0]] = r.Kind == alert.Failure || r.Kind == alert.Trap
	}
	m.seen = len(sent)
}

// checkSelf looks at the daemon's own condition.
func (m *model) checkSelf(rt *rapid.T, blind bool) {
	if d := m.engine.Board().Daemon(); (d.Stopped != nil) != !m.stopped.IsZero() || (d.ReloadError != "") != m.refused {
		rt.Fatalf("the daemon's row is %+v", d)
	}
	status := selfStatus(m.rig, "plugins")
	m.mu.Lock()
	quiet := !m.keeperDown && time.Since(m.keeperUp) > 5*time.Second
	m.mu.Unlock()
	if quiet && time.Since(m.engine.Board().Daemon().Loaded) > 2*time.Second && blind != status.Failing() {
		rt.Fatalf("mond:plugins is %v, blind services: %v", status, blind)
	}
	for _, name := range []string{"lateness", "store", "outbox"} {
		if s := selfStatus(m.rig, name); s.Failing() {
			rt.Fatalf("mond:%s is %v", name, s)
		}
	}
}
