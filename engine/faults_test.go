package engine_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/faults"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/virtual"
	"github.com/mondhq/mond/plugins/monitor"
)

var eth0 = config.LocalFault{Kind: config.FaultLink, Link: "eth0"}

// watcher is a faults.Watcher that says what it is told to.
type watcher struct {
	mu  sync.Mutex
	set []config.LocalFault
	out chan []faults.Change
}

var _ engine.Faults = (*faults.Watcher)(nil)

func (w *watcher) Watch(set []config.LocalFault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set = set
}

func (w *watcher) Changes() <-chan []faults.Change { return w.out }

func (w *watcher) says(f config.LocalFault, text string) {
	w.out <- []faults.Change{{Fault: f, Text: text}}
	synctest.Wait()
}

func newWatcher(p *rig) *watcher {
	w := &watcher{out: make(chan []faults.Change)}
	p.options.Faults = w
	return w
}

// While this machine is at fault, the death of all reals is not believed: the
// table holds, the pool fails, mond:local says why.
func TestLocalFaultHoldsThePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, nil)
		w := newWatcher(p.rig)
		p.virtuals[0].Faults = []config.LocalFault{eth0}
		p.start()
		p.pass(2 * time.Second)
		if len(w.set) != 1 || w.set[0] != eth0 {
			t.Errorf("watched %v", w.set)
		}
		w.says(eth0, "link eth0 has no carrier")
		p.fails(0)
		p.fails(1)
		p.pass(10 * time.Second)
		p.want("0=5 1=5")
		if s := p.status(shop); s != opstatus.Fail {
			t.Errorf("shop is %v", s)
		}
		local := p.engine.Board().Service(opstatus.Key{Group: "mond", Service: "local"}).State
		if local.Status != opstatus.Fail || local.Summary != "link eth0 has no carrier" {
			t.Errorf("mond:local is %v: %q", local.Status, local.Summary)
		}
		if why := p.sender.Held("lvs.alert")[id(1)].Reason; !strings.Contains(why, "link eth0 has no carrier") {
			t.Errorf("reason %q", why)
		}
		p.well(0)
		p.well(1)
		p.pass(2 * time.Second)
		w.says(eth0, "")
		p.pass(2 * time.Second)
		p.want("0=5 1=5")
		if s := p.status(shop); s != opstatus.OK {
			t.Errorf("shop is %v", s)
		}
		w.says(eth0, "")
		p.fails(1)
		p.pass(time.Second)
		p.want("0=5 1=-")
		p.must(p.end())
	})
}

// A plain service whose lines name lvs.alert is held too: its checks are
// blind, the claim and the status stay.
func TestLocalFaultBlindsServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		w := newWatcher(r)
		r.edit = func(c *config.Config) { c.Service(web).Faults = []config.LocalFault{eth0} }
		r.start()
		r.pass(11 * time.Second)
		w.says(eth0, "link eth0 is set down")
		r.down("www1.example")
		r.pass(time.Minute)
		r.wantOut(false)
		st := r.engine.Board().Service(web).State
		if st.Status != opstatus.OK || st.Blind == nil || st.Blind.Cause != monitor.LocalFault || st.Blind.Reason != "link eth0 is set down" {
			t.Errorf("%v, blind %+v", st.Status, st.Blind)
		}
		r.wantTold()
		w.says(eth0, "")
		r.pass(11 * time.Second)
		r.wantOut(true)
		r.must(r.end())
	})
}

// A fault that a reload stops watching holds nothing any more, also if it is
// told of too late.
func TestLocalFaultLeavesTheConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, func(v *virtual.Pool) { v.Start = virtual.Optimistic })
		w := newWatcher(p.rig)
		p.virtuals[0].Faults = []config.LocalFault{eth0}
		p.start()
		p.pass(2 * time.Second)
		w.says(eth0, "link eth0 is set down")
		p.virtuals = []*config.Virtual{newVirtual("shop", "10.0.0.3:80", 2)}
		p.must(p.engine.Reload(t.Context()))
		w.says(eth0, "link eth0 is set down")
		p.fails(1)
		p.pass(2 * time.Second)
		p.want("0=5 1=-")
		if s := selfStatus(p.rig, "local"); s != opstatus.OK {
			t.Errorf("mond:local is %v", s)
		}
		p.must(p.end())
	})
}
