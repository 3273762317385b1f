package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/virtual"
)

func TestPoolRestartsClean(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, nil)
		p.start()
		p.pass(2 * time.Second)
		p.fails(1)
		p.pass(time.Second)
		p.must(p.end())

		again := newPools(t, 2, nil)
		again.store, again.sender = p.store, enginetest.NewSender()
		again.sender.OnStanding = again.standing
		again.fails(1)
		again.start()
		again.want("0=5 1=-") // at once, before any check
		if n := len(again.sender.Asked()); n > 0 {
			t.Errorf("asked %d times how the table stands", n)
		}
		again.pass(3 * time.Second)
		again.want("0=5 1=-")
		for _, k := range again.sender.Kept()[1:] {
			t.Errorf("more than the full set was handed over: %+v", k)
		}
		again.must(again.end())
	})
}

func TestPoolRestartsAfterACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, nil)
		p.start()
		p.pass(2 * time.Second)
		p.fails(1)
		p.pass(time.Second)
		saved := p.store.Snapshot() // as after kill -9
		p.must(p.end())
		if saved.Clean || len(saved.Pools) != 1 {
			t.Fatalf("saved %+v", saved.Pools)
		}

		again := newPools(t, 2, nil)
		again.store = enginetest.NewStore(saved)
		again.has(0, 5, 0)
		again.has(1, 5, 0)
		again.start()
		again.pass(100 * time.Millisecond)
		again.want("0=5? 1=5?") // as the table has it
		again.pass(2 * time.Second)
		again.want("0=5 1=5")
		again.must(again.end())
	})
}

func TestPoolForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 1, func(v *virtual.Pool) { v.Start = virtual.Pessimistic })
		p.start()
		p.pass(2 * time.Second)
		p.must(p.end())
		again := newPools(t, 1, func(v *virtual.Pool) { v.Start = virtual.Pessimistic })
		again.store, again.options.Forget = p.store, true
		again.start()
		again.want("0=-")
		again.must(again.end())
	})
}

// A keeper that comes back gets the claims of pools with its full set, and is
// asked once how the table stands.
func TestPoolKeeperRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, nil)
		p.start()
		p.pass(2 * time.Second)
		p.fails(1)
		p.pass(time.Second)
		n := len(p.sender.Asked())
		p.sender.Restart("lvs.alert")
		p.pass(10 * time.Second)
		p.want("0=5 1=-")
		if k := p.sender.Kept(); !k[len(k)-1].Full || len(k[len(k)-1].Claims) != 3 {
			t.Errorf("got %+v", k[len(k)-1])
		}
		if more := len(p.sender.Asked()) - n; more < 1 || more > 3 {
			t.Errorf("asked %d times", more)
		}
		p.must(p.end())
	})
}

// A real that leaves the configuration is drained, and forgotten when it is
// gone from the table.
func TestPoolReloadDrainsWhatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := func(v *virtual.Pool) { v.Drain = virtual.Drain{Deadline: virtual.Forever, Idle: 3 * time.Second} }
		p := newPools(t, 3, set)
		p.start()
		p.pass(2 * time.Second)
		p.want("0=5 1=5 2=5")
		p.has(2, 0, 4)
		p.virtuals = []*config.Virtual{newVirtual("shop", "10.0.0.3:80", 2)}
		set(p.virtuals[0].Pool)
		p.must(p.engine.Reload(t.Context()))
		p.pass(10 * time.Second)
		p.want("0=5 1=5 2=0")
		p.has(2, 0, 0)
		p.pass(6 * time.Second)
		p.want("0=5 1=5 2=-")
		p.tableMu.Lock()
		delete(p.table, id(2))
		p.tableMu.Unlock()
		p.pass(2 * time.Second)
		p.want("0=5 1=5")
		n := len(p.sender.Asked())
		p.pass(time.Minute)
		if more := len(p.sender.Asked()) - n; more > 0 {
			t.Errorf("asked %d times more", more)
		}
		p.must(p.end())
	})
}

// A pool that leaves takes its claims and its state with it.
func TestPoolReloadWithoutIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, nil)
		p.start()
		p.pass(2 * time.Second)
		p.virtuals = nil
		p.must(p.engine.Reload(t.Context()))
		p.pass(time.Second)
		p.want("")
		if n := len(p.sender.Held("lvs.alert")); n > 0 {
			t.Errorf("%d claims are left", n)
		}
		p.must(p.end())
		if n := len(p.store.Snapshot().Pools); n > 0 {
			t.Errorf("%d pools are saved", n)
		}
	})
}

// What stays in the configuration goes on through a reload as if there was none, and
// its keeper hears of what changed only.
func TestPoolReloadGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, func(v *virtual.Pool) { v.Ramp = virtual.Ramp{Over: 20 * time.Second, Steps: 4} })
		p.config = configtest.Replace(p.config, "watch virtual\n", "watch virtual\n    service mail\n        period wd {Sun-Sat}\n            alert mail.alert root\n")
		other := func(weight int) *config.Virtual {
			v := newVirtual("mail", "10.0.0.4:25", 2)
			v.Pool.Members[0].Weight = weight
			return v
		}
		p.virtuals = []*config.Virtual{other(5), p.virtuals[0]}
		p.start()
		p.pass(2 * time.Second)
		p.fails(1)
		p.pass(2 * time.Second)
		p.want("0=5 1=-")
		reload := func(virtuals ...*config.Virtual) (full bool, ids []string) {
			t.Helper()
			n := len(p.sender.Kept())
			p.virtuals = virtuals
			p.must(p.engine.Reload(t.Context()))
			p.pass(time.Millisecond)
			for _, k := range p.sender.Kept()[n:] {
				full = full || k.Full
				for _, c := range k.Claims {
					ids = append(ids, c.ID)
				}
			}
			return full, ids
		}
		stays := p.virtuals[1]
		if full, ids := reload(p.virtuals...); full || len(ids) > 0 {
			t.Errorf("nothing changed, and the keeper was told full %v %q", full, ids)
		}
		if full, ids := reload(stays, other(7)); full || len(ids) != 1 || !strings.Contains(ids[0], "10.0.0.4:25 -R 192.168.0.1:80") {
			t.Errorf("one weight changed, and the keeper was told full %v %q", full, ids)
		}
		p.well(1)
		p.pass(2 * time.Second)
		p.want("0=5 1=1")
		if full, ids := reload(stays); !full || len(ids) != 3 {
			t.Errorf("one left, and the keeper was told full %v %q", full, ids)
		}
		p.pass(20 * time.Second)
		p.want("0=5 1=5") // the ramp went on
		p.fails(0)
		p.pass(time.Second)
		p.want("0=- 1=5")
		if s := p.status(shop); s != opstatus.OK {
			t.Errorf("shop is %v", s)
		}
		p.must(p.end())
	})
}

// A reset forgets verdicts, not the table.
func TestPoolReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, nil)
		p.start()
		p.pass(2 * time.Second)
		p.has(0, 5, 0)
		p.has(1, 5, 0)
		p.must(p.engine.Reset(t.Context(), steerReset, "ann"))
		p.pass(100 * time.Millisecond)
		p.want("0=5? 1=5?")
		p.pass(3 * time.Second)
		p.want("0=5 1=5")
		p.must(p.end())
	})
}
