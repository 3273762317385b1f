package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
)

// wellPeer is what an elector says of a peer that is well.
func wellPeer() monitor.Result {
	r := monitor.OK("lvs2 is alive")
	r.Hosts = []monitor.Host{{Name: "lvs2", OK: true}}
	return r
}

// standby is a director whose peer holds the groups.
func (d *director) standby() {
	d.report("peer", wellPeer())
	d.report("role-web", monitor.OK("standby: lvs2 holds it"))
	d.say(role.Token{Group: "web", Epoch: 1, Reason: "lvs2 holds it"})
}

// rows counts rows of history of that kind with that reason.
func (d *director) rows(kind, reason string) (n int) {
	for _, e := range d.store.Events() {
		if e.Kind == kind && e.Reason == reason {
			n++
		}
	}
	return n
}

// The director that serves tells; the other keeps it until that one has surely
// told, and tells it if it must take over before.
func TestWhoStandsByLeavesNoticesToTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirector(t, guide+pair)
		d.start()
		d.standby()
		d.pass(11 * time.Second)
		d.down("www1.example")
		d.pass(10 * time.Second)
		d.wantOut(true) // the table is its own
		d.wantTold()
		if n := d.rows(store.KindDecision, "stands by"); n != 1 {
			t.Errorf("%d rows say that it stands by", n)
		}
		d.up()
		d.pass(10 * time.Second)
		d.wantTold()

		d.down("www1.example") // and now it must take over
		d.pass(10 * time.Second)
		d.wantTold()
		d.pass(time.Second)
		d.report("peer", monitor.Failed("lvs2 is dead", ""))
		d.say(d.hold("web", 2))
		d.wantTold("failure mail.alert") // the last; the others are the dead one's
		if !d.sender.Sent()[0].Request.Repeated {
			t.Error("it does not say that it may be told twice")
		}
		d.up() // it serves: it tells
		d.pass(10 * time.Second)
		d.wantTold("failure mail.alert", "up mail.alert")
		d.leaves()
	})
}

// Whoever must not rely on another director tells.
func TestWhoTells(t *testing.T) {
	for name, arrange := range map[string]func(d *director){
		"nothing known": func(*director) {},
		"holds it": func(d *director) {
			d.standby()
			long := d.hold("web", 2)
			long.Until += time.Hour
			d.say(long)
		},
		"peer dead": func(d *director) {
			d.standby()
			d.report("peer", monitor.Failed("lvs2 is dead", ""))
		},
		"peer left": func(d *director) {
			d.standby()
			r := wellPeer()
			r.Warn = true
			d.report("peer", r)
		},
		"nobody holds it": func(d *director) {
			d.standby()
			d.report("role-web", monitor.Failed("nobody holds it", ""))
		},
		"elector gone": func(d *director) {
			d.standby()
			d.report("peer", monitor.Result{Cause: monitor.PluginLost, Summary: "the program died"})
		},
		"single": func(d *director) {
			d.standby()
			d.report("peer", monitor.OK("no other director is configured"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDirector(t, guide+pair)
				d.start()
				d.pass(11 * time.Second)
				arrange(d)
				before := len(d.told())
				d.down("www1.example")
				d.pass(10 * time.Second)
				if got := d.told()[before:]; len(got) != 1 || got[0] != "failure mail.alert" {
					t.Errorf("told %v", got)
				}
				d.leaves()
			})
		})
	}
}

// What is about this machine, and what the file says so of, both tell.
func TestBothTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirector(t, "notify = always\n"+guide+pair)
		d.start()
		d.standby()
		d.pass(11 * time.Second)
		d.down("www1.example")
		d.pass(10 * time.Second)
		d.wantTold("failure mail.alert")
		d.leaves()
	})
}
