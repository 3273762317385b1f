package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/virtual"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
)

// pair is the configuration of a director of a pair.
const pair = `
hostgroup directors lvs2

watch directors
    service role
        monitor heartbeat.monitor --node 1
        period wd {Sun-Sat}
            alert fake.alert --group web --priority 100 10.0.0.3/32/eth0
            alert fake.alert --group inside 192.168.0.254/32/eth1
            alert mail.alert root
            upalert mail.alert root
`

// director is a rig whose elector and holder are a test's.
type director struct {
	*rig

	lane  *enginetest.Lane
	begun time.Time
}

func newDirector(t *testing.T, text string) *director {
	d := &director{rig: newRig(t, text), lane: enginetest.NewLane(), begun: time.Now()}
	d.equip(d.rig)
	return d
}

// equip gives a rig the lane.
func (d *director) equip(r *rig) {
	r.programs["heartbeat.monitor"] = engine.Program{Elector: true}
	r.programs["fake.alert"] = engine.Program{Holder: true}
	r.roles = true
	r.options.Lane, r.options.BootTime = d.lane, d.clock
}

// clock is CLOCK_BOOTTIME in the bubble: an hour after it began.
func (d *director) clock() time.Duration { return time.Hour + time.Since(d.begun) }

// hold is a token that is good for a second.
func (d *director) hold(group string, epoch uint64) role.Token {
	return role.Token{Group: group, Hold: true, Epoch: epoch, Until: d.clock() + time.Second, Lease: 3 * time.Second, Reason: "the peer is dead"}
}

func (d *director) say(tokens ...role.Token) {
	d.lane.Say("directors", "role", tokens...)
	synctest.Wait()
}

// passed are the tokens that passed so far, as "web+5" for hold and "web-5" for
// release.
func (d *director) passed() string {
	var words []string
	for _, t := range d.lane.Passed() {
		sign := "-"
		if t.Hold {
			sign = "+"
		}
		words = append(words, fmt.Sprintf("%s%s%d", t.Group, sign, t.Epoch))
	}
	return strings.Join(words, " ")
}

func (d *director) wantPassed(want string) {
	d.t.Helper()
	if got := d.passed(); got != want {
		d.t.Fatalf("passed %q, want %q", got, want)
	}
}

func (d *director) site() role.Site {
	d.t.Helper()
	s := d.lane.Site("directors", "role")
	if s == nil {
		d.t.Fatal("the elector was told nothing")
	}
	return *s
}

func (d *director) report(service string, r monitor.Result) {
	d.runner.Send(job.Done{Group: "directors", Service: "role", About: service, Result: r})
	synctest.Wait()
}

func (d *director) status(service string) opstatus.Status {
	d.t.Helper()
	row := d.engine.Board().Service(opstatus.Key{Group: "mond", Service: service})
	if row == nil {
		d.t.Fatalf("there is no service mond:%s", service)
	}
	return row.State.Status
}

// leaves ends the engine with an elector that takes its leave at once.
func (d *director) leaves() {
	d.t.Helper()
	d.lane.OnElect(func(set []job.Election) {
		if len(set) > 0 && set[0].Site.Leaving {
			go d.lane.Leave("directors", "role")
		}
	})
	d.must(d.end())
	synctest.Wait()
	select {
	case <-d.lane.Tokens(): // of one that said nothing before: it is not waited for
	default:
	}
}

func TestTokensPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirector(t, pair)
		d.start()
		first := d.lane.Given()
		if len(first) != 1 || first[0].Program != "fake.alert" || !first[0].Work.Full {
			t.Fatalf("the holder was told %+v", first)
		}
		want := []role.Line{
			{Group: "web", Args: []string{"--group", "web", "--priority", "100", "10.0.0.3/32/eth0"}},
			{Group: "inside", Args: []string{"--group", "inside", "192.168.0.254/32/eth1"}},
		}
		if diff := cmp.Diff(want, first[0].Work.Lines); diff != "" {
			t.Error(diff)
		}
		d.say(d.hold("web", 1), d.hold("inside", 4))
		d.wantPassed("web+1 inside+4")
		d.pass(200 * time.Millisecond)
		d.say(role.Token{Group: "web", Epoch: 2})
		d.wantPassed("web+1 inside+4 web-2")
		stale := d.hold("inside", 4)
		d.pass(time.Second)
		d.say(stale)
		d.wantPassed("web+1 inside+4 web-2")
		// What is not declared, or not by this service, does not pass.
		d.say(d.hold("other", 1))
		d.lane.Say("www1", "http", d.hold("web", 3))
		synctest.Wait()
		d.wantPassed("web+1 inside+4 web-2")
		rows := d.engine.Board().Roles()
		if len(rows) != 2 || rows[0].Group != "web" || rows[0].Hold || rows[0].Epoch != 2 || rows[1].Late != 1 || !rows[1].Hold {
			t.Errorf("rows %+v", rows)
		}
		if told := d.told(); len(told) != 0 {
			t.Errorf("told %v", told)
		}
		d.leaves()
		if n := events(d.rig, "role", "group web: release, epoch 2"); n != 1 {
			t.Errorf("%d rows of the release", n)
		}
	})
}

// roleEvents counts rows of history about roles that say so.
func roleEvents(d *director, text string) (n int) {
	for _, e := range d.store.Events() {
		if e.Kind == store.KindRole && strings.Contains(e.Text, text) {
			n++
		}
	}
	return n
}

// Nothing that an operator does to services has anything to do with roles.
func TestNothingStandsInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirector(t, pair)
		d.options.Stopped = true
		d.start()
		key := opstatus.Key{Group: "directors", Service: "role"}
		epoch, want := uint64(0), []string{}
		passes := func(what string) {
			t.Helper()
			epoch++
			d.say(d.hold("web", epoch))
			want = append(want, fmt.Sprintf("web+%d", epoch))
			if got := d.passed(); got != strings.Join(want, " ") {
				t.Fatalf("after %s: passed %q", what, got)
			}
		}
		passes("a start with the scheduler stopped")
		d.must(d.engine.StopScheduler(t.Context(), "ann", ""))
		passes("stop")
		d.must(d.engine.DisableService(t.Context(), key, "ann", ""))
		passes("disable service")
		d.must(d.engine.DisableWatch(t.Context(), "directors", "ann", ""))
		passes("disable watch")
		d.must(d.engine.DisableHost(t.Context(), "lvs2", "ann", ""))
		passes("disable host")
		if got := d.lane.Sets(); len(got[len(got)-1][0].Request.Hosts) != 1 {
			t.Errorf("hosts %v", got[len(got)-1][0].Request.Hosts)
		}
		d.runner.Send(job.Done{Group: "directors", Service: "role", Result: monitor.Failed("lvs2", "")})
		d.must(d.engine.Ack(t.Context(), key, "ann", "known"))
		passes("ack")
		d.must(d.engine.Reset(t.Context(), steer.ResetHow{Stopped: true}, "ann"))
		passes("reset")
		d.must(d.engine.Reload(t.Context()))
		passes("reload")
		d.store.Fail(errors.New("no space"))
		passes("a disk that is full")
		if n := len(d.lane.Given()); n != len(want)+1 {
			t.Errorf("the holder was told %d times: lines that did not change were told again", n)
		}
		d.leaves()
	})
}

// A loop that is stuck stops the renewals; a release passes even so, and what
// waited goes on when it moves again, if it is good still.
func TestStuckLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirector(t, pair)
		d.start()
		d.say(d.hold("web", 1))
		stuck := make(chan struct{})
		first := stuck
		d.lane.OnElect(func([]job.Election) { <-first }) // as a handler that hangs
		go func() { _ = d.engine.Failover(context.Background(), steer.Failover{Verb: role.Hold}) }()
		synctest.Wait()
		d.pass(250 * time.Millisecond)
		d.say(d.hold("web", 2)) // its sign of life is good still
		d.wantPassed("web+1 web+2")
		d.pass(100 * time.Millisecond)
		d.say(d.hold("web", 3), d.hold("inside", 3))
		d.wantPassed("web+1 web+2")
		d.say(role.Token{Group: "inside", Epoch: 3})
		d.wantPassed("web+1 web+2 inside-3")
		d.pass(200 * time.Millisecond)
		d.say(d.hold("web", 4))
		d.lane.OnElect(nil)
		close(stuck)
		synctest.Wait()
		d.wantPassed("web+1 web+2 inside-3 web+4") // the newest
		stuck = make(chan struct{})
		second := stuck
		d.lane.OnElect(func([]job.Election) { <-second })
		go func() { _ = d.engine.Failover(context.Background(), steer.Failover{Verb: role.Auto}) }()
		d.pass(400 * time.Millisecond)
		d.say(d.hold("web", 5))
		d.pass(1100 * time.Millisecond)
		d.lane.OnElect(nil)
		close(stuck)
		synctest.Wait()
		d.wantPassed("web+1 web+2 inside-3 web+4") // too old
		d.say(d.hold("web", 6))
		d.wantPassed("web+1 web+2 inside-3 web+4 web+6")
		d.leaves()
	})
}

// A loop that has nothing to do is not stuck, however long.
func TestIdleLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirector(t, pair)
		d.start()
		for range 20 {
			d.pass(950 * time.Millisecond)
			tok := d.hold("web", 1)
			d.say(tok)
			all := d.lane.Given()
			if last := all[len(all)-1]; !slices.Equal(last.Work.Tokens, []role.Token{tok}) || last.At != time.Now() {
				t.Fatalf("not passed at once: %+v", last)
			}
		}
		d.leaves()
	})
}

func TestReportsOfAnElector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirector(t, pair+`
watch mond
    service link-eth1
        description the crossed cable
        period wd {Sun-Sat}
            alert mail.alert links
            alertevery 30s
`)
		d.start()
		for _, name := range []string{"peer", "redundancy", "role-web", "role-inside", "link-eth1"} {
			if s := d.status(name); s != opstatus.Untested {
				t.Errorf("mond:%s is %v before anything was said", name, s)
			}
		}
		d.report("peer", monitor.OK("alive"))
		d.report("link-eth1", monitor.Failed("dead", "no beat for 1s\n"))
		d.report("link-tty", monitor.OK("ok"))
		d.report("store", monitor.Failed("hacked", "")) // none of its
		d.report("link-"+strings.Repeat("x", 200), monitor.OK(""))
		if d.status("peer") != opstatus.OK || d.status("link-eth1") != opstatus.Fail || d.status("link-tty") != opstatus.OK {
			t.Errorf("peer %v, eth1 %v, tty %v", d.status("peer"), d.status("link-eth1"), d.status("link-tty"))
		}
		if d.status("store") == opstatus.Fail || d.engine.Board().Service(opstatus.Key{Group: "mond", Service: "link-" + strings.Repeat("x", 200)}) != nil {
			t.Error("an elector spoke of what is not its")
		}
		d.wantTold("failure mail.alert")
		d.pass(65 * time.Second)
		if n := len(d.told()); n < 2 || n > 3 {
			t.Errorf("told %d times in 65 s, with alertevery 30s", n)
		}
		// A stranger says nothing.
		d.runner.Send(job.Done{Group: "mond", Service: "peer", About: "peer", Result: monitor.Failed("x", "")})
		synctest.Wait()
		if d.status("peer") != opstatus.OK {
			t.Error("a service that is no elector spoke of the peer")
		}
		// Who is lost sees nothing, and what he spoke of does neither.
		d.runner.Send(job.Done{Group: "directors", Service: "role", Result: monitor.Blinded(monitor.PluginLost, "heartbeat.monitor was killed")})
		synctest.Wait()
		for _, name := range []string{"peer", "link-eth1", "link-tty"} {
			row := d.engine.Board().Service(opstatus.Key{Group: "mond", Service: name})
			if row.State.Blind == nil || row.State.Blind.Cause != monitor.PluginLost {
				t.Errorf("mond:%s is not blind: %+v", name, row.State.Blind)
			}
		}
		d.report("peer", monitor.OK("alive"))
		if row := d.engine.Board().Service(opstatus.Key{Group: "mond", Service: "peer"}); row.State.Blind != nil {
			t.Error("mond:peer is blind still")
		}
		d.must(d.engine.Reload(t.Context()))
		if d.status("link-tty") != opstatus.OK {
			t.Errorf("after a reload mond:link-tty is %v", d.status("link-tty"))
		}
		saved := d.store.Snapshot()
		d.leaves()

		// It is there at the next start, before it is spoken of.
		again := newDirector(t, pair)
		again.store = enginetest.NewStore(saved)
		again.start()
		if s := again.status("link-tty"); s != opstatus.OK {
			t.Errorf("after a restart mond:link-tty is %v", s)
		}
		// With other links, it is not.
		again.config = configtest.Replace(pair, "--node 1", "--node 1 --link eth2")
		again.must(again.engine.Reload(t.Context()))
		if again.engine.Board().Service(opstatus.Key{Group: "mond", Service: "link-tty"}) != nil {
			t.Error("a link that is not configured any more is there still")
		}
		again.leaves()
	})
}

// A holder that cannot do what it was told fails the group's service, whatever
// the elector says, until it can.
func TestHolderThatCannot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirector(t, pair)
		d.start()
		d.report("role-web", monitor.OK("holding"))
		d.say(d.hold("web", 1))
		d.lane.Stand("fake.alert", role.Stand{Group: "web", Epoch: 1, Total: 1, Error: "add 10.0.0.3: operation not permitted"})
		synctest.Wait()
		if d.status("role-web") != opstatus.Fail {
			t.Errorf("mond:role-web is %v", d.status("role-web"))
		}
		d.pass(30 * time.Second)
		if d.status("role-web") != opstatus.Fail {
			t.Errorf("later mond:role-web is %v", d.status("role-web"))
		}
		d.lane.Stand("other.alert", role.Stand{Group: "web", Epoch: 1, Held: 1, Total: 1})
		d.lane.Stand("fake.alert", role.Stand{Group: "web", Epoch: 1, Held: 1, Total: 1, Until: d.clock() + 3*time.Second})
		synctest.Wait()
		if d.status("role-web") != opstatus.OK {
			t.Errorf("then mond:role-web is %v", d.status("role-web"))
		}
		row := d.engine.Board().Roles()[0]
		if row.Stand.Held != 1 || time.Until(row.Expires) != 3*time.Second {
			t.Errorf("row %+v", row)
		}
		if roleEvents(d, "0 of 1 addresses are held: add 10.0.0.3: operation not permitted") != 1 || roleEvents(d, "1 of 1 addresses are held") != 1 {
			t.Errorf("history: %+v", d.store.Events())
		}
		d.leaves()
	})
}

func TestSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 4, nil)
		d := &director{rig: p.rig, lane: enginetest.NewLane(), begun: time.Now()}
		d.equip(p.rig)
		d.config += pair
		var accepts atomic.Bool
		d.sender.OnKeep = func(context.Context, string, bool, []alert.Claim) error {
			if !accepts.Load() {
				return errors.New("no such module")
			}
			return nil
		}
		d.start()
		if s := d.site(); s.Loaded || s.Results || !s.Synced || s.Leaving || len(s.Lines) != 2 {
			t.Errorf("at the start: %+v", s)
		}
		d.pass(3 * time.Second)
		if s := d.site(); s.Loaded {
			t.Error("loaded while the keeper refuses")
		}
		accepts.Store(true)
		d.pass(20 * time.Second)
		s := d.site()
		if !s.Loaded || !s.Results || s.Reals != 100 {
			t.Errorf("when all is well: %+v", s)
		}
		d.leaves()
	})
}

// Reals falls with the reals.
func TestSiteReals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 4, func(*virtual.Pool) {})
		d := &director{rig: p.rig, lane: enginetest.NewLane(), begun: time.Now()}
		d.equip(p.rig)
		d.config += pair
		d.start()
		d.pass(20 * time.Second)
		p.fails(1)
		d.pass(20 * time.Second)
		if s := d.site(); s.Reals != 75 {
			t.Errorf("with one of 4 dead: %d", s.Reals)
		}
		d.leaves()
	})
}

func TestFailoverOrders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirector(t, pair)
		d.start()
		order := func(verb role.Verb, group string) {
			t.Helper()
			d.must(d.engine.Failover(t.Context(), steer.Failover{Verb: verb, Group: group, User: "ann", Text: "why"}))
			synctest.Wait()
		}
		orders := func() string {
			var words []string
			last := uint64(0)
			for _, o := range d.site().Orders {
				words = append(words, string(o.Verb)+":"+o.Group)
				if o.Serial <= last {
					t.Errorf("serials do not grow: %+v", d.site().Orders)
				}
				last = o.Serial
			}
			return strings.Join(words, " ")
		}
		want := func(text string) {
			t.Helper()
			if got := orders(); got != text {
				t.Fatalf("orders %q, want %q", got, text)
			}
		}
		want("")
		order(role.Standby, "web")
		want("standby:web")
		first := d.site().Orders[0].Serial
		order(role.Standby, "web")
		if d.site().Orders[0].Serial == first {
			t.Error("an order that is given again is not told from the old one")
		}
		order(role.Hold, "inside")
		want("standby:web hold:inside")
		order(role.Off, "")
		want("off:")
		order(role.Auto, "web")
		want("off: auto:web")
		if row := d.engine.Board().Roles(); row[0].Order != nil || row[1].Order == nil || !row[1].Order.All || row[1].Order.By != "ann" {
			t.Errorf("rows %+v", row)
		}
		// A release is told for a while, and then nothing stands.
		order(role.Release, "web")
		want("off: release:web")
		saved := d.store.Snapshot()
		d.pass(12 * time.Second)
		want("off: auto:web")
		for _, tt := range []struct {
			order steer.Failover
			says  string
			none  bool
		}{
			{steer.Failover{Verb: "explode"}, "want one of [auto hold release standby off]", false},
			{steer.Failover{Verb: role.Hold, Group: "wbe"}, "no such name in the configuration", true},
			{steer.Failover{Verb: role.Hold, Group: "wbe"}, "there are: web inside", true},
		} {
			err := d.engine.Failover(t.Context(), tt.order)
			if err == nil || !strings.Contains(err.Error(), tt.says) || errors.Is(err, fs.ErrNotExist) != tt.none {
				t.Errorf("%+v: %v", tt.order, err)
			}
		}
		d.leaves()
		ordered := func(e store.Event) bool {
			return e.Kind == store.KindOperator && e.What == store.WhatFailover && e.User == "ann" && strings.Contains(e.Text, "all groups: off")
		}
		if !slices.ContainsFunc(d.store.Events(), ordered) {
			t.Error("there is no row of it")
		}
		// Over a crash all stands as it was, but nothing is released twice.
		again := newDirector(t, pair)
		again.store = enginetest.NewStore(saved)
		again.start()
		d.lane = again.lane
		want("off: auto:web")
		again.leaves()

		none := newRig(t, guide)
		none.start()
		if err := none.engine.Failover(t.Context(), steer.Failover{Verb: role.Hold}); err == nil || !strings.Contains(err.Error(), "decides about directors") {
			t.Error(err)
		}
		none.must(none.end())
	})
}

// A reload is one step: holders are told the new lines, groups that vanish are
// released by that, and their tokens pass no more.
func TestReloadOfRoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirector(t, pair)
		d.start()
		d.say(d.hold("web", 1), d.hold("inside", 1))
		n := len(d.lane.Given())
		d.config = configtest.Replace(pair, "            alert fake.alert --group inside 192.168.0.254/32/eth1\n", "")
		d.must(d.engine.Reload(t.Context()))
		given := d.lane.Given()[n:]
		if len(given) != 1 || !given[0].Work.Full || len(given[0].Work.Lines) != 1 || given[0].Work.Lines[0].Group != "web" {
			t.Fatalf("the holder was told %+v", given)
		}
		d.say(d.hold("inside", 2), d.hold("web", 1))
		d.wantPassed("web+1 inside+1 web+1")
		if rows := d.engine.Board().Roles(); len(rows) != 1 || rows[0].Passed != 2 {
			t.Errorf("rows %+v", rows)
		}
		if d.engine.Board().Service(opstatus.Key{Group: "mond", Service: "role-inside"}) != nil {
			t.Error("mond:role-inside is there still")
		}
		if s := d.site(); len(s.Lines) != 1 {
			t.Errorf("the elector was told %+v", s.Lines)
		}
		d.loads = errors.New("mon.cf:3: no")
		if err := d.engine.Reload(t.Context()); err == nil {
			t.Error("a bad file was loaded")
		}
		d.loads = nil
		d.say(d.hold("web", 1))
		d.wantPassed("web+1 inside+1 web+1 web+1")
		// Without an elector nothing is to be held any more.
		n = len(d.lane.Given())
		d.config = guide
		d.must(d.engine.Reload(t.Context()))
		given = d.lane.Given()[n:]
		if len(given) != 1 || !given[0].Work.Full || len(given[0].Work.Lines) != 0 {
			t.Errorf("the holder was told %+v", given)
		}
		if sets := d.lane.Sets(); len(sets[len(sets)-1]) != 0 {
			t.Errorf("elections %+v", sets[len(sets)-1])
		}
		d.must(d.end())
	})
}

// Where the word of another program counts nothing is held, no order is taken,
// and holders are told nothing, so that they clean nothing.
func TestRoleSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirector(t, "role_source = heartbeat\n"+pair)
		d.start()
		d.say(d.hold("web", 1))
		d.wantPassed("")
		if given := d.lane.Given(); len(given) > 0 {
			t.Errorf("the holder was told %+v", given)
		}
		if s := d.site(); len(s.Lines) > 0 {
			t.Errorf("the elector was told %+v", s.Lines)
		}
		err := d.engine.Failover(t.Context(), steer.Failover{Verb: role.Hold, User: "ann"})
		if err == nil || !strings.Contains(err.Error(), "failover hold: role_source is heartbeat: it decides who holds addresses, so tell heartbeat") {
			t.Errorf("an order: %v", err)
		}
		d.must(d.end())
	})
}

func TestStop(t *testing.T) {
	for _, tt := range []struct {
		how, keep string
		leaves    bool // the elector takes its leave
		passed    string
		takes     time.Duration // at most
	}{
		{"handover", "", true, "web+1 web-2", 100 * time.Millisecond},
		{"handover", "", false, "web+1", 4 * time.Second},
		{"release", "", false, "web+1 web-1 inside-0", 4 * time.Second},
		{"release", "", true, "web+1 web-2", 100 * time.Millisecond},
		{"keep", "keep", true, "web+1", 100 * time.Millisecond},
		{"keep", "keep", false, "web+1", 3 * time.Second},
	} {
		t.Run(fmt.Sprint(tt.how, tt.leaves), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDirector(t, "on_stop = "+tt.how+"\n"+pair)
				d.start()
				d.say(d.hold("web", 1))
				d.lane.Stand("fake.alert", role.Stand{Group: "web", Held: 1, Total: 1})
				synctest.Wait()
				d.lane.OnElect(func(set []job.Election) {
					s := set[0].Site
					if !s.Leaving || s.Keep != (tt.keep != "") {
						t.Errorf("told %+v", s)
					}
					if tt.leaves {
						go d.leave(!s.Keep)
					}
				})
				d.lane.OnHold(func(_ string, w role.Work) {
					if len(w.Tokens) > 0 && !w.Tokens[0].Hold {
						go d.lane.Stand("fake.alert", role.Stand{Group: w.Tokens[0].Group, Total: 1})
					}
				})
				began := time.Now()
				d.must(d.end())
				if took := time.Since(began); took > tt.takes {
					t.Errorf("the stop took %v", took)
				}
				got := strings.Fields(d.passed())
				slices.Sort(got)
				want := strings.Fields(tt.passed)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("passed %v, want %v", got, want)
				}
			})
		})
	}
}

// A stop does not wait for an elector that does not run: that never said anything,
// could not be started, or was lost; only a while for a holder to let go.
func TestStopWithoutElector(t *testing.T) {
	lost := func(d *director, c monitor.Cause) {
		d.runner.Send(job.Done{Group: "directors", Service: "role", Result: monitor.Blinded(c, "exec: no such file")})
		synctest.Wait()
	}
	for _, tt := range []struct {
		name, how string
		before    func(d *director)
		passed    string
		takes     time.Duration // exactly
	}{
		{"never said anything", "handover", func(*director) {}, "", 0},
		{"never said anything, release", "release", func(*director) {}, "web-0 inside-0", 0},
		{"cannot be started", "handover", func(d *director) { lost(d, monitor.CouldNotStart) }, "", 0},
		{"lost", "handover", func(d *director) { d.say(d.hold("web", 1)); lost(d, monitor.PluginLost) }, "web+1", 0},
		{"lost, addresses are held", "keep", func(d *director) {
			d.say(d.hold("web", 1))
			d.lane.Stand("fake.alert", role.Stand{Group: "web", Held: 1, Total: 1})
			lost(d, monitor.PluginLost)
		}, "web+1", 0},
		{"lost, addresses are held still", "release", func(d *director) {
			d.say(d.hold("web", 1))
			d.lane.Stand("fake.alert", role.Stand{Group: "web", Held: 1, Total: 1})
			lost(d, monitor.PluginLost)
		}, "web+1 web-1 inside-0", time.Second},
		{"lost, and back", "handover", func(d *director) {
			lost(d, monitor.PluginLost)
			d.report("peer", monitor.OK("alive"))
		}, "", 2500 * time.Millisecond},
		{"cannot see, but runs", "handover", func(d *director) { lost(d, monitor.LocalFault) }, "", 2500 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDirector(t, "on_stop = "+tt.how+"\n"+pair)
				d.start()
				tt.before(d)
				began := time.Now()
				d.must(d.end())
				if took := time.Since(began); took != tt.takes {
					t.Errorf("the stop took %v, want %v", took, tt.takes)
				}
				got, want := strings.Fields(d.passed()), strings.Fields(tt.passed)
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("passed %v, want %v", got, want)
				}
			})
		})
	}
}

// leave is what an elector does that is told to leave.
func (d *director) leave(releases bool) {
	if releases {
		d.lane.Say("directors", "role", role.Token{Group: "web", Epoch: 2, Reason: "mond ends"})
	}
	d.lane.Leave("directors", "role")
}
