package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/virtual"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
)

// pools is a rig with virtual services, made by hand: each real N of a
// virtual service is checked by service rN:alive.
type pools struct {
	*rig
	virtuals []*config.Virtual
	tableMu  sync.Mutex                // the looker reads it
	table    map[string]alert.Standing // by claim ID; what the kernel has
}

// shop is the key of the own service of the virtual service that most tests
// are about.
var shop = opstatus.Key{Group: config.VirtualGroup, Service: "shop"}

// newPools makes a rig with one virtual service, shop, of n reals of weight
// 5; set changes its policy.
func newPools(t *testing.T, n int, set func(p *virtual.Pool)) *pools {
	p := &pools{table: map[string]alert.Standing{}}
	p.rig = newRig(t, poolText(n))
	p.virtuals = []*config.Virtual{newVirtual("shop", "10.0.0.3:80", n)}
	if set != nil {
		set(p.virtuals[0].Pool)
	}
	p.edit = func(c *config.Config) { c.Virtuals = p.virtuals }
	p.sender.OnStanding = p.standing
	return p
}

// poolText is the text of the services of n reals and of shop's own.
func poolText(n int) string {
	var b strings.Builder
	b.WriteString("hostgroup virtual 10.0.0.3\n\nwatch virtual\n    service shop\n        period wd {Sun-Sat}\n            alert mail.alert root\n            upalert mail.alert root\n")
	for i := range n {
		fmt.Fprintf(&b, "\nhostgroup r%d 192.168.0.%d\n\nwatch r%d\n    service alive\n        interval 1s\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n", i, i+1, i)
	}
	return b.String()
}

func newVirtual(name, vip string, n int) *config.Virtual {
	v := &config.Virtual{
		Name: name, Program: "lvs.alert", Pool: &virtual.Pool{Name: name},
		Rows: []config.VirtualRow{{Target: []string{"-P", "tcp", "-V", vip, "--service"}, More: []string{"-s", "wlc"}}},
	}
	for i := range n {
		addr := netip.MustParseAddrPort(fmt.Sprintf("192.168.0.%d:80", i+1))
		key := opstatus.Key{Group: fmt.Sprintf("r%d", i), Service: "alive"}
		v.Pool.Members = append(v.Pool.Members, virtual.Member{Name: addr.String(), Weight: 5, Checks: []string{key.String()}})
		v.Members = append(v.Members, config.VirtualMember{
			Name: fmt.Sprintf("www%d", i), Addr: addr, Checks: []opstatus.Key{key}, Asks: -1,
			Rows: []config.VirtualRow{{Target: []string{"-P", "tcp", "-V", vip, "-R", addr.String()}, More: []string{"-F", "dr"}}},
		})
	}
	return v
}

func (p *pools) standing(_ context.Context, program string, services []string) ([]alert.Standing, error) {
	p.tableMu.Lock()
	defer p.tableMu.Unlock()
	var rows []alert.Standing
	for id := range p.sender.Held(program) {
		if c := p.sender.Held(program)[id]; slices.Contains(services, c.Service) {
			s, ok := p.table[id]
			if !ok {
				s = alert.Standing{ID: id, Known: true}
			}
			rows = append(rows, s)
		}
	}
	return rows, nil
}

// id is the ID of the claim for real i of shop.
func id(i int) string {
	return fmt.Sprintf("virtual:shop lvs.alert -P tcp -V 10.0.0.3:80 -R 192.168.0.%d:80", i+1)
}

// has makes the kernel have real i of shop.
func (p *pools) has(i, weight, active int) {
	p.tableMu.Lock()
	defer p.tableMu.Unlock()
	p.table[id(i)] = alert.Standing{ID: id(i), Known: true, There: true, Weight: weight, Active: active}
}

func real(i int) opstatus.Key { return opstatus.Key{Group: fmt.Sprintf("r%d", i), Service: "alive"} }

func (p *pools) fails(i int) { p.runner.Set(real(i), monitor.Failed("refused", "detail\n")) }
func (p *pools) well(i int)  { p.runner.Set(real(i), monitor.OK("")) }

// String is what the keeper holds of shop: of each real its weight, - if it is
// out, ? if that is provisional.
func (p *pools) String() string {
	held := p.sender.Held("lvs.alert")
	var words []string
	for i := range 20 {
		c, ok := held[id(i)]
		if !ok {
			continue
		}
		w := c.Args[len(c.Args)-1]
		if c.Down {
			w = "-"
		}
		if c.Provisional {
			w += "?"
		}
		words = append(words, fmt.Sprintf("%d=%s", i, w))
	}
	return strings.Join(words, " ")
}

func (p *pools) want(what string) {
	p.t.Helper()
	if got := p.String(); got != what {
		p.t.Fatalf("the keeper holds %q, want %q", got, what)
	}
}

func (p *pools) status(key opstatus.Key) opstatus.Status {
	return p.engine.Board().Service(key).State.Status
}

func TestPoolFailureAndReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 3, nil)
		p.start()
		p.want("0=-? 1=-? 2=-?") // the table had none, and nobody judged yet
		p.pass(2 * time.Second)
		p.want("0=5 1=5 2=5")
		if s := p.status(shop); s != opstatus.OK {
			t.Errorf("shop is %v", s)
		}
		p.fails(1)
		p.pass(time.Second)
		p.want("0=5 1=- 2=5")
		c := p.sender.Held("lvs.alert")[id(1)]
		if want := "checks fail: r1:alive: refused"; c.Reason != want {
			t.Errorf("reason %q, want %q", c.Reason, want)
		}
		if c.Group != "virtual" || c.Service != "shop" {
			t.Errorf("claimed by %s:%s", c.Group, c.Service)
		}
		if want := "-P tcp -V 10.0.0.3:80 -R 192.168.0.2:80 -F dr -W 0"; strings.Join(c.Args, " ") != want {
			t.Errorf("words %q", c.Args)
		}
		p.well(1)
		p.pass(time.Second)
		p.want("0=5 1=5 2=5")
		p.must(p.end())
	})
}

// The virtual service's own row is claimed for good.
func TestPoolClaimsItsService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 1, nil)
		p.start()
		c, ok := p.sender.Held("lvs.alert")["virtual:shop lvs.alert -P tcp -V 10.0.0.3:80 --service"]
		if !ok || c.Down || c.Provisional || strings.Join(c.Args, " ") != "-P tcp -V 10.0.0.3:80 --service -s wlc" {
			t.Errorf("%v %+v", ok, c)
		}
		p.must(p.end())
	})
}

// The first success after the start is enough whatever rise says, as with
// nanny; after a failure it takes so many.
func TestPoolFirstSuccessIsEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, nil)
		p.config = strings.ReplaceAll(p.config, "interval 1s", "interval 1s\n        rise 18")
		p.start()
		p.want("0=-? 1=-?")
		p.pass(2 * time.Second)
		p.want("0=5 1=5")
		p.fails(1)
		p.pass(time.Second)
		p.want("0=5 1=-")
		p.well(1)
		p.pass(17 * time.Second)
		p.want("0=5 1=-")
		p.pass(time.Second)
		p.want("0=5 1=5")
		p.must(p.end())
	})
}

// What the table has at the start stays, and is not ramped.
func TestPoolAdopts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, func(v *virtual.Pool) { v.Ramp.Over = time.Minute })
		p.has(0, 5, 1)
		p.start()
		p.pass(100 * time.Millisecond)
		p.want("0=5? 1=-?")
		p.pass(2 * time.Second)
		p.want("0=5 1=5") // 1 is new, but nothing was there before it: no ramp
		p.must(p.end())
	})
}

// A keeper that cannot say how its table stands delays a pool for two seconds,
// not more; what it holds is not touched meanwhile.
func TestPoolBeginsWithoutTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 1, nil)
		p.sender.OnStanding = func(context.Context, string, []string) ([]alert.Standing, error) {
			return nil, errors.New("plugin lost")
		}
		p.start()
		p.pass(1900 * time.Millisecond)
		p.want("0=-?")
		p.pass(200 * time.Millisecond)
		p.want("0=5")
		n := len(p.sender.Asked())
		if n < 5 || n > 100 {
			t.Errorf("asked %d times", n)
		}
		p.pass(time.Minute)
		if more := len(p.sender.Asked()) - n; more > 0 {
			t.Errorf("asked %d times more", more)
		}
		p.must(p.end())
	})
}

func TestPoolQuorumAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 3, func(v *virtual.Pool) { v.Quorum = virtual.Gate{Up: virtual.Amount{N: 2, By: virtual.ByCount}} })
		p.config = strings.ReplaceAll(p.config, "alert mail.alert x", "alert file.alert x")
		p.start()
		p.pass(2 * time.Second)
		p.fails(0)
		p.pass(time.Second)
		if told := p.mails(); len(told) > 0 {
			t.Errorf("told %v with two of three", told)
		}
		p.fails(1)
		p.pass(time.Second)
		if got := p.mails(); !slices.Equal(got, []string{"failure"}) {
			t.Errorf("told %v", got)
		}
		p.pass(30 * time.Second)
		p.want("0=- 1=- 2=5")
		row := p.engine.Board().Service(shop).State
		if row.Failures < 3 || !strings.Contains(row.Summary, "quorum") || !strings.Contains(row.Output, "192.168.0.2:80: out, ") && !strings.Contains(row.Output, "192.168.0.2:80: out: checks fail: r1:alive: refused") {
			t.Errorf("%d failures, says %q", row.Failures, row.Output)
		}
		p.well(1)
		p.pass(time.Second)
		if got := p.mails(); got[len(got)-1] != "up" {
			t.Errorf("told %v", got)
		}
		if n := events(p.rig, "decision", "quorum lost"); n != 1 {
			t.Errorf("%d rows of history of the lost quorum", n)
		}
		if n := events(p.rig, "claim", "192.168.0.2:80: out, was in with weight 5"); n != 1 {
			t.Errorf("%d rows of history of the real", n)
		}
		p.must(p.end())
	})
}

// mails are the kinds of notice that shop sent.
func (p *pools) mails() (kinds []string) {
	for _, s := range p.sender.Sent() {
		if s.Request.Service == "shop" {
			kinds = append(kinds, s.Request.Kind.String())
		}
	}
	return kinds
}

// A real that returns gets its weight in steps, at the times of the ramp.
func TestPoolRamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, func(v *virtual.Pool) { v.Ramp = virtual.Ramp{Over: 4 * time.Second, Steps: 4} })
		p.has(0, 5, 0)
		p.has(1, 5, 0)
		p.start()
		p.pass(2 * time.Second)
		p.fails(1)
		p.pass(time.Second)
		p.want("0=5 1=-")
		p.well(1)
		p.pass(time.Second)
		p.want("0=5 1=1")
		p.pass(time.Second)
		p.want("0=5 1=2")
		p.pass(3 * time.Second)
		p.want("0=5 1=5")
		p.must(p.end())
	})
}

// A drain by on_fail ends when nobody is connected any more; while it runs,
// and only then, the table is looked at each second.
func TestPoolDrainsUntilIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, func(v *virtual.Pool) {
			v.Drain = virtual.Drain{Deadline: time.Hour}
			v.Members[1].OnFail = virtual.Leave
		})
		p.start()
		p.pass(2 * time.Second)
		n := len(p.sender.Asked())
		p.has(1, 0, 3)
		p.fails(1)
		p.pass(time.Minute)
		p.want("0=5 1=0")
		if more := len(p.sender.Asked()) - n; more < 55 || more > 65 {
			t.Errorf("looked %d times in a minute", more)
		}
		p.has(1, 0, 0)
		p.pass(3 * time.Second)
		p.want("0=5 1=-")
		p.must(p.end())
	})
}

// What a drain waits for besides established connections: with UDP the flows,
// which the kernel counts among the inactive connections, and with persistence
// the templates, by which clients come back; nothing of either otherwise.
func TestPoolDrainsFlowsAndTemplates(t *testing.T) {
	plain := virtual.Drain{Deadline: virtual.Forever}
	udp, sticky := plain, plain
	udp.UDP, sticky.Persistence = 5*time.Minute, 10*time.Minute
	for _, tt := range []struct {
		name                 string
		drain                virtual.Drain
		inactive, persistent int
		waits                bool
	}{
		{"TCP does not wait for what is closed", plain, 4, 0, false},
		{"UDP waits for its flows", udp, 4, 0, true},
		{"and not for templates", udp, 0, 4, false},
		{"persistence waits for its templates", sticky, 0, 4, true},
		{"and not for what is closed", sticky, 4, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPools(t, 2, func(v *virtual.Pool) { v.Drain = tt.drain })
				p.start()
				p.pass(2 * time.Second)
				p.standsBy(1, alert.Standing{Inactive: tt.inactive, Persistent: tt.persistent})
				p.order(steer.Order{What: steer.Drain, Target: "www1"})
				p.want("0=5 1=0")
				p.pass(time.Hour)
				if !tt.waits {
					p.want("0=5 1=-")
					p.must(p.end())
					return
				}
				p.want("0=5 1=0")
				p.standsBy(1, alert.Standing{})
				p.pass(3 * time.Second)
				p.want("0=5 1=-")
				p.must(p.end())
			})
		})
	}
}

// standsBy makes the kernel have real i of shop with weight 0 and these counts.
func (p *pools) standsBy(i int, counts alert.Standing) {
	p.tableMu.Lock()
	defer p.tableMu.Unlock()
	counts.ID, counts.Known, counts.There = id(i), true, true
	p.table[id(i)] = counts
}

func TestPoolDrainsUntilTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, func(v *virtual.Pool) {
			v.Drain = virtual.Drain{Deadline: 30 * time.Second}
			v.Members[1].OnFail = virtual.Leave
		})
		p.start()
		p.pass(2 * time.Second)
		p.has(1, 0, 3)
		p.fails(1)
		p.pass(29 * time.Second)
		p.want("0=5 1=0")
		p.pass(3 * time.Second)
		p.want("0=5 1=-")
		p.must(p.end())
	})
}

func TestPoolStandbyAndFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 3, func(v *virtual.Pool) {
			v.Members[1].Tier, v.Members[2].Tier = virtual.Standby(1), virtual.Fallback
		})
		p.start()
		p.pass(2 * time.Second)
		p.want("0=5 1=- 2=-")
		p.fails(0)
		p.pass(time.Second)
		p.want("0=- 1=5 2=-")
		p.fails(1)
		p.pass(time.Second)
		p.want("0=- 1=- 2=5")
		p.well(0)
		p.pass(time.Second)
		p.want("0=5 1=- 2=-")
		p.must(p.end())
	})
}

func TestPoolPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 4, func(v *virtual.Pool) {
			v.Panic = virtual.Gate{Down: virtual.Amount{N: 50, By: virtual.ByPercent}}
		})
		p.start()
		p.pass(2 * time.Second)
		p.fails(0)
		p.pass(time.Second)
		p.want("0=- 1=5 2=5 3=5")
		p.fails(1)
		p.fails(2)
		p.pass(time.Second)
		p.want("0=5 1=5 2=5 3=5")
		if s := p.status(shop); s != opstatus.Warn {
			t.Errorf("shop is %v, want warn", s)
		}
		p.must(p.end())
	})
}

// A check that sees nothing changes nothing.
func TestPoolBlindIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, nil)
		p.start()
		p.pass(2 * time.Second)
		p.runner.Set(real(1), monitor.Blinded(monitor.PluginLost, "killed"))
		p.pass(2 * time.Second)
		p.want("0=5 1=5")
		if why := p.sender.Held("lvs.alert")[id(1)].Reason; why != "held, checks are blind: r1:alive: plugin lost: killed" {
			t.Errorf("reason %q", why)
		}
		p.must(p.end())
	})
}

// Orders, states and pools of a store without any, and of one with nonsense.
func TestPoolStateOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 1, nil)
		p.store = enginetest.NewStore(store.Saved{Clean: true, Pools: map[string]store.Pool{
			"gone": {State: virtual.State{Members: []virtual.MemberState{{}}}},
			"shop": {State: virtual.State{Members: []virtual.MemberState{
				{Desired: virtual.Desired{Name: "10.9.9.9:1", In: true, Phase: 77, Reason: 250}},
			}}},
		}})
		p.start()
		p.pass(3 * time.Second)
		p.want("0=5")
		p.must(p.end())
		if got := p.store.Snapshot().Pools; len(got) != 1 || len(got["shop"].State.Members) != 1 {
			t.Errorf("saved %+v", got)
		}
	})
}

var steerReset = steer.ResetHow{}
