package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/share"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/engine/virtual"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
)

var alive = opstatus.Key{Group: "r1", Service: "alive"}

// twin is one of two directors of the virtual service shop.
type twin struct {
	*pools

	director *director
	node     uint8
	name     string
}

// newTwin makes one; more is text for its configuration.
func newTwin(t *testing.T, node uint8, more string) *twin {
	w := &twin{pools: newPools(t, 2, nil), node: node, name: "lvs" + string('0'+rune(node))}
	w.equip()
	w.config += pair + more
	return w
}

func (w *twin) equip() {
	w.director = &director{rig: w.rig, lane: enginetest.NewLane(), begun: time.Now()}
	w.director.equip(w.rig)
}

// twins are two that run and know who they are.
func twins(t *testing.T) (a, b *twin) {
	a, b = newTwin(t, 1, ""), newTwin(t, 2, "")
	for _, w := range []*twin{a, b} {
		w.begin()
	}
	return a, b
}

func (w *twin) begin() {
	w.start()
	w.pass(2 * time.Second)
	w.hears(nil)
}

// hears gives it a parcel.
func (w *twin) hears(parcel []byte) {
	w.director.lane.Share("directors", "role", role.Shared{Node: w.node, Name: w.name, Parcel: parcel})
	synctest.Wait()
}

// tells has one tell the other all that it knows, and the other back.
func (w *twin) tells(other *twin) {
	w.t.Helper()
	for _, way := range [][2]*twin{{w, other}, {other, w}} {
		if s := way[0].director.site().Share; s != nil {
			for _, p := range s.Parcels {
				way[1].hears(p)
			}
		}
	}
	if a, b := w.director.site().Replica, other.director.site().Replica; a != b || a == 0 {
		w.t.Errorf("they know different things: %x, %x", a, b)
	}
}

// returns is the same director after a restart with what its store had.
func (w *twin) returns(saved store.Saved) *twin {
	next := newTwin(w.t, w.node, "")
	next.config = w.config
	saved.New = false
	next.store = enginetest.NewStore(saved)
	next.has(0, 5, 0)
	next.has(1, 5, 0)
	return next
}

func (w *twin) row(k opstatus.Key) *view.Service { return w.engine.Board().Service(k) }

// operators are the rows of history about what operators did, from a text on.
func (w *twin) operators(text string) int { return events(w.rig, "operator", text) }

func end(list ...*twin) {
	for _, w := range list {
		w.director.leaves()
	}
}

// What is ordered on one director is so on the other, with who and where; it ends
// on both, whichever it is ended on.
func TestSharedOrders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := twins(t)
		a.order(steer.Order{What: steer.Maint, Target: "www1", Text: "new disk", For: time.Hour})
		b.want("0=5 1=5")
		a.tells(b)
		b.want("0=5 1=-")
		if why := b.sender.Held("lvs.alert")[id(1)].Reason; why != "maintenance: ann@lvs1 until 2000-01-01 01:00:04: new disk" {
			t.Errorf("on the other: %q", why)
		}
		if why := a.sender.Held("lvs.alert")[id(1)].Reason; !strings.HasPrefix(why, "maintenance: ann until") {
			t.Errorf("where it was said: %q", why)
		}
		if n := b.operators("ann@lvs1: maint www1, until"); n != 1 {
			t.Errorf("%d rows: %+v", n, b.store.Events())
		}
		before := a.director.site().Share
		b.pass(3 * time.Second)
		a.tells(b)
		a.tells(b)
		if a.director.site().Share != before || b.operators("ann@lvs1: maint www1") != 1 {
			t.Error("it goes to and fro")
		}
		b.order(steer.Order{What: steer.Maint, Target: "www1", End: true})
		b.tells(a)
		a.want("0=5 1=5")
		if n := a.operators("ann@lvs2: maint www1 ended"); n != 1 {
			t.Errorf("%d rows of the end: %+v", n, a.store.Events())
		}
		a.order(steer.Order{What: steer.Weight, Target: "shop/www0", Weight: 2})
		a.order(steer.Order{What: steer.Drain, Target: "www1", Deadline: virtual.Forever})
		a.tells(b)
		if got, want := b.String(), a.String(); got != want {
			t.Errorf("the other holds %q, this one %q", got, want)
		}
		end(a, b)
	})
}

// An order ends by itself on both, also on the one that is alone by then.
func TestSharedOrderEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := twins(t)
		a.order(steer.Order{What: steer.Maint, Target: "www1", For: time.Minute})
		a.tells(b)
		a.director.leaves()
		b.pass(50 * time.Second)
		b.want("0=5 1=-")
		b.pass(20 * time.Second)
		b.want("0=5 1=5")
		end(b)
	})
}

// A director that was away comes back with what it knew: what was ended
// meanwhile ends there, what was said meanwhile holds.
func TestSharedReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := twins(t)
		a.order(steer.Order{What: steer.Maint, Target: "www1"})
		a.must(a.engine.DisableService(t.Context(), alive, "ann", "noise"))
		synctest.Wait()
		a.tells(b)
		saved := a.store.Snapshot()
		a.director.leaves()
		b.want("0=5 1=-")
		b.order(steer.Order{What: steer.Maint, Target: "www1", End: true})
		b.must(b.engine.EnableService(t.Context(), alive, "bob"))
		b.must(b.engine.DisableHost(t.Context(), "lvs2", "bob", ""))
		synctest.Wait()

		again := a.returns(saved)
		again.begin()
		again.want("0=5 1=-")
		again.tells(b)
		again.want("0=5 1=5")
		b.want("0=5 1=5")
		if again.row(alive).Disabled != nil || b.row(alive).Disabled != nil {
			t.Error("the service is disabled again")
		}
		if _, off := again.engine.Board().Daemon().Hosts["lvs2"]; !off {
			t.Error("a host that was disabled meanwhile is not")
		}
		end(again, b)
	})
}

// Services, watches and hosts are disabled and enabled on both; states that are
// forgotten at a start are not, where they are shared.
func TestSharedDisable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := twins(t)
		a.must(a.engine.DisableService(t.Context(), alive, "ann", "noise"))
		a.must(a.engine.DisableWatch(t.Context(), "r0", "ann", ""))
		a.must(a.engine.DisableHost(t.Context(), "192.168.0.2", "ann", "")) // and the watch of that host alone
		synctest.Wait()
		a.tells(b)
		d := b.engine.Board().Daemon()
		if n := b.row(alive).Disabled; n == nil || n.Who() != "ann@lvs1" || n.Text != "noise" {
			t.Errorf("the service: %+v", n)
		}
		if d.Watches["r0"].Where != "lvs1" || d.Watches["r1"].Where != "lvs1" || d.Hosts["192.168.0.2"].Where != "lvs1" {
			t.Errorf("watches %+v, hosts %+v", d.Watches, d.Hosts)
		}
		saved := b.store.Snapshot()
		b.director.leaves()
		again := b.returns(saved)
		again.options.Forget = true
		again.begin()
		again.tells(a)
		if n := again.row(alive).Disabled; n == nil || n.Who() != "ann@lvs1" {
			t.Errorf("after a start that forgets: %+v", n)
		}
		again.must(again.engine.EnableHost(t.Context(), "192.168.0.2", "bob"))
		again.must(again.engine.EnableWatch(t.Context(), "r0", "bob"))
		again.must(again.engine.EnableService(t.Context(), alive, "bob"))
		synctest.Wait()
		again.tells(a)
		d = a.engine.Board().Daemon()
		if len(d.Hosts)+len(d.Watches) != 0 || a.row(alive).Disabled != nil {
			t.Errorf("after the end: %+v, %+v, %+v", d.Hosts, d.Watches, a.row(alive).Disabled)
		}
		end(a, again)
	})
}

// An acknowledgement is of a failure: it holds where that is seen, too, and ends
// with it there.
func TestSharedAck(t *testing.T) {
	fails := func(list ...*twin) {
		for _, w := range list {
			w.runner.Set(alive, monitor.Failed("r1", "no answer\n"))
			w.pass(2 * time.Second)
		}
	}
	ack := func(w *twin) {
		w.t.Helper()
		w.must(w.engine.Ack(w.t.Context(), alive, "ann", "I know"))
		synctest.Wait()
	}
	for name, test := range map[string]func(t *testing.T, a, b *twin){
		"both see it": func(t *testing.T, a, b *twin) {
			fails(a, b)
			ack(a)
			a.tells(b)
			if n := b.row(alive).State.Ack; n == nil || n.Who() != "ann@lvs1" {
				t.Fatalf("it is not acknowledged: %+v", n)
			}
			a.runner.Set(alive, monitor.OK("")) // it is well there, but not here
			a.pass(2 * time.Second)
			a.tells(b)
			if b.row(alive).State.Ack == nil {
				t.Error("the acknowledgement ended with another director's failure")
			}
			fails(a)
			b.tells(a)
			if a.row(alive).State.Ack != nil {
				t.Error("the next failure is acknowledged, too")
			}
		},
		"an operator takes it back": func(t *testing.T, a, b *twin) {
			fails(a, b)
			ack(a)
			a.tells(b)
			b.must(b.engine.SetVariable(t.Context(), alive, "_ack", "0", "bob"))
			synctest.Wait()
			b.tells(a)
			if a.row(alive).State.Ack != nil {
				t.Error("it is acknowledged still")
			}
		},
		"seen a moment later": func(t *testing.T, a, b *twin) {
			fails(a)
			ack(a)
			b.runner.Set(alive, monitor.Failed("r1", ""))
			a.tells(b)
			b.pass(2 * time.Second)
			if b.row(alive).State.Ack == nil {
				t.Error("it is not acknowledged")
			}
		},
		"never seen": func(t *testing.T, a, b *twin) {
			fails(a)
			ack(a)
			a.tells(b)
			b.pass(2 * time.Second) // all is well here
			fails(b)
			if b.row(alive).State.Ack != nil {
				t.Error("another failure is acknowledged")
			}
		},
		"over before it was seen": func(t *testing.T, a, b *twin) {
			fails(a)
			ack(a)
			a.runner.Set(alive, monitor.OK(""))
			a.pass(2 * time.Second)
			b.runner.Set(alive, monitor.Failed("r1", ""))
			a.tells(b)
			b.pass(2 * time.Second)
			if b.row(alive).State.Ack != nil {
				t.Error("it was over, and is acknowledged")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := twins(t)
				test(t, a, b)
				end(a, b)
			})
		})
	}
}

// What this director's configuration does not know is kept, passed on and shown,
// and applies as soon as it is known; a service that leaves takes nothing back.
func TestSharedUnknown(t *testing.T) {
	const extra = "\nhostgroup www9 192.168.0.9\n\nwatch www9\n    service alive\n        interval 1s\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n"
	www9 := opstatus.Key{Group: "www9", Service: "alive"}
	synctest.Test(t, func(t *testing.T) {
		a, b := newTwin(t, 1, extra), newTwin(t, 2, "")
		a.begin()
		b.begin()
		a.must(a.engine.DisableService(t.Context(), www9, "ann", "not yet"))
		synctest.Wait()
		later := share.Parcels([]share.Entry{
			{Key: share.Key{Kind: "of-a-later-release", Name: "x"}, State: share.Stands, Version: 1, Node: 1},
			{Key: share.Key{Kind: share.Maint, Name: "www77"}, State: share.Stands, Version: 2, Node: 1},
			{Key: share.Key{Kind: share.Weight, Name: "www1"}, State: share.Stands, Value: "-7", Version: 3, Node: 1},
		}, time.Now())
		b.hears(later[0])
		a.tells(b)
		sh := b.engine.Board().Daemon().Shared
		if sh == nil || sh.Node != 2 || sh.Stands != 4 || len(sh.Unknown) != 3 || sh.Unknown[1].Name != "www9:alive" && sh.Unknown[2].Name != "www9:alive" {
			t.Errorf("shown: %+v", sh)
		}
		b.want("0=5 1=5")
		b.config += extra
		b.must(b.engine.Reload(t.Context()))
		synctest.Wait()
		if n := b.row(www9).Disabled; n == nil || n.Who() != "ann@lvs1" {
			t.Errorf("it is known now: %+v", n)
		}
		b.config = strings.Replace(b.config, extra, "", 1)
		b.must(b.engine.Reload(t.Context()))
		synctest.Wait()
		b.tells(a)
		if a.row(www9).Disabled == nil {
			t.Error("a service that left one configuration is enabled on the other")
		}
		end(a, b)
	})
}

// Damage changes nothing, and who says it must be one that elects.
func TestSharedDamage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := twins(t)
		a.order(steer.Order{What: steer.Maint, Target: "www1"})
		parcel := a.director.site().Share.Parcels[0]
		was := b.director.site().Replica
		for i := range parcel {
			b.hears(parcel[:i])
		}
		b.hears(make([]byte, 100<<10))
		b.director.lane.Share("r1", "alive", role.Shared{Node: 2, Parcel: parcel})
		synctest.Wait()
		if b.director.site().Replica != was || b.operators("ann") != 0 {
			t.Error("something changed")
		}
		if n := b.engine.Board().Daemon().Shared.Refused; n != len(parcel) { // the empty one says nothing
			t.Errorf("%d were refused, of %d", n, len(parcel))
		}
		b.hears(parcel)
		b.want("0=5 1=-")
		end(a, b)
	})
}

// Who disables on one director has the disablealerts of both called, as they would
// be by hand: which of the two tells is another matter.
func TestSharedDisableAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newTwin(t, 1, ""), newTwin(t, 2, "")
		for _, w := range []*twin{a, b} {
			w.config = strings.Replace(w.config, "watch r1\n    service alive\n        interval 1s\n        monitor http.monitor\n        period wd {Sun-Sat}\n",
				"watch r1\n    service alive\n        interval 1s\n        monitor http.monitor\n        period wd {Sun-Sat}\n            disablealert mail.alert ops\n", 1)
			w.begin()
		}
		a.must(a.engine.DisableService(t.Context(), alive, "ann", "noise"))
		synctest.Wait()
		a.tells(b)
		a.tells(b)
		sent := b.sender.Sent()
		if len(sent) != 1 || sent[0].Request.Kind != alert.Disable || !strings.Contains(sent[0].Request.Summary, "ann@lvs1") {
			t.Errorf("told %+v", sent)
		}
		end(a, b)
	})
}

// A director without a peer shares nothing.
func TestSharedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTwin(t, 1, "")
		w.start()
		w.pass(2 * time.Second)
		w.order(steer.Order{What: steer.Maint, Target: "www1"})
		if s := w.director.site(); s.Share != nil || s.Replica != 0 || w.engine.Board().Daemon().Shared != nil {
			t.Errorf("site %+v", s)
		}
		w.hears(nil) // now it has one: what stands is shared
		if s := w.director.site(); s.Share == nil || s.Replica == 0 || w.engine.Board().Daemon().Shared.Stands != 1 {
			t.Errorf("site %+v", s)
		}
		end(w)
	})
}
