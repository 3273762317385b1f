package engine_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/period"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/virtual"
)

func (p *pools) order(o steer.Order) {
	p.t.Helper()
	o.User = "ann"
	p.must(p.engine.Order(p.t.Context(), o))
	synctest.Wait()
}

func TestMaintenanceByCommand(t *testing.T) {
	for _, target := range []string{"www1", "192.168.0.2", "192.168.0.2:80", "www1:80", "shop/www1", "shop/192.168.0.2:80"} {
		t.Run(strings.ReplaceAll(target, "/", "_"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPools(t, 2, nil)
				p.start()
				p.pass(2 * time.Second)
				p.order(steer.Order{What: steer.Maint, Target: target, Text: "new disk", For: time.Hour})
				p.want("0=5 1=-")
				if why := p.sender.Held("lvs.alert")[id(1)].Reason; why != "maintenance: ann until 2000-01-01 01:00:02: new disk" {
					t.Errorf("reason %q", why)
				}
				p.pass(59 * time.Minute)
				p.want("0=5 1=-")
				p.pass(2 * time.Minute)
				p.want("0=5 1=5")
				if n := events(p.rig, "operator", "maint "+target+" ended: its time is over"); n != 1 {
					t.Errorf("%d rows of its end", n)
				}
				p.must(p.end())
			})
		})
	}
}

// An order survives a restart, a crash and a reload, and ends by command.
func TestOrdersAreDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, nil)
		p.start()
		p.pass(2 * time.Second)
		p.order(steer.Order{What: steer.Maint, Target: "www1"})
		p.pass(time.Second)
		saved := p.store.Snapshot()
		p.must(p.end())

		again := newPools(t, 2, nil)
		again.store = enginetest.NewStore(saved)
		again.has(0, 5, 0)
		again.start()
		again.pass(3 * time.Second)
		again.want("0=5 1=-")
		again.must(again.engine.Reload(t.Context()))
		again.pass(3 * time.Second)
		again.want("0=5 1=-")
		again.order(steer.Order{What: steer.Maint, Target: "www1", End: true})
		again.want("0=5 1=5")
		again.must(again.end())
	})
}

func TestOrdersThatMakeNoSense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, nil)
		p.start()
		for _, tt := range []struct {
			order steer.Order
			says  string
			none  bool // it is fs.ErrNotExist
		}{
			{steer.Order{What: steer.Maint, Target: "www7"}, "maint: no real www7 in the configuration; there are: www0 www1", true},
			{steer.Order{What: steer.Maint, Target: "store/www1"}, "there are: shop", true},
			{steer.Order{What: steer.Maint, Target: "shop/www7"}, "there are: www0 www1", true},
			{steer.Order{What: steer.Maint, Target: "www1", End: true}, "maint www1: no such order to end; there is none by command", false},
			{steer.Order{What: "mend", Target: "www1"}, "want maint, drain or weight", false},
			{steer.Order{What: steer.Drain}, "want REAL or VIRTUAL/REAL", false},
			{steer.Order{What: steer.Weight, Target: "www1", Weight: 65536}, "want 0 to 65535", false},
			{steer.Order{What: steer.Weight, Target: "www1", Weight: -1}, "want 0 to 65535", false},
			{steer.Order{What: steer.Maint, Target: "www1", For: -1}, "want a time up to ten years", false},
			{steer.Order{What: steer.Drain, Target: "www1", Deadline: 1 << 62}, "deadline", false},
			{steer.Order{What: steer.Maint, Target: "www1", Deadline: time.Hour}, "only a drain", false},
		} {
			err := p.engine.Order(t.Context(), tt.order)
			if err == nil || !strings.Contains(err.Error(), tt.says) || errors.Is(err, fs.ErrNotExist) != tt.none {
				t.Errorf("%+v: %v", tt.order, err)
			}
		}
		p.order(steer.Order{What: steer.Drain, Target: "www0"})
		err := p.engine.Order(t.Context(), steer.Order{What: steer.Maint, Target: "www1", End: true})
		if err == nil || !strings.Contains(err.Error(), "by command there are: drain www0") {
			t.Error(err)
		}
		p.must(p.end())
	})
}

// A drain keeps clients until the last has gone; maintenance goes before it;
// when that ends it goes on.
func TestDrainByCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, nil)
		p.start()
		p.pass(2 * time.Second)
		p.has(1, 0, 2)
		p.order(steer.Order{What: steer.Drain, Target: "shop/www1", Deadline: virtual.Forever})
		p.want("0=5 1=0")
		p.pass(time.Hour)
		p.want("0=5 1=0")
		p.order(steer.Order{What: steer.Maint, Target: "www1"})
		p.want("0=5 1=-")
		p.order(steer.Order{What: steer.Maint, Target: "www1", End: true})
		p.order(steer.Order{What: steer.Drain, Target: "shop/www1", End: true})
		p.want("0=5 1=5")
		p.has(1, 5, 0)
		p.order(steer.Order{What: steer.Drain, Target: "www1", Deadline: time.Hour})
		p.pass(5 * time.Second)
		p.want("0=5 1=-")
		p.must(p.end())
	})
}

// A weight for VIRTUAL/REAL goes before one for REAL.
func TestWeightByCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, nil)
		p.start()
		p.pass(2 * time.Second)
		p.order(steer.Order{What: steer.Weight, Target: "shop/www1", Weight: 7})
		p.order(steer.Order{What: steer.Weight, Target: "www1", Weight: 1})
		p.want("0=5 1=7")
		p.order(steer.Order{What: steer.Weight, Target: "shop/www1", End: true})
		p.want("0=5 1=1")
		p.order(steer.Order{What: steer.Weight, Target: "www1", Weight: 0})
		p.want("0=5 1=0")
		if list := p.engine.Board().Orders(); len(list) != 1 || list[0].Weight != 0 || list[0].By != "ann" {
			t.Errorf("orders %+v", list)
		}
		p.must(p.end())
	})
}

// The order for a real that leaves stays, and counts when it is back.
func TestOrderForARealThatLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, nil)
		p.start()
		p.pass(2 * time.Second)
		p.order(steer.Order{What: steer.Maint, Target: "www1"})
		p.virtuals = []*config.Virtual{newVirtual("shop", "10.0.0.3:80", 1)}
		p.must(p.engine.Reload(t.Context()))
		p.pass(3 * time.Second)
		p.want("0=5")
		if n := len(p.engine.Board().Orders()); n != 1 {
			t.Errorf("%d orders", n)
		}
		p.virtuals = []*config.Virtual{newVirtual("shop", "10.0.0.3:80", 2)}
		p.must(p.engine.Reload(t.Context()))
		p.pass(3 * time.Second)
		p.want("0=5 1=-")
		p.must(p.end())
	})
}

func TestMaintenanceBySchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, nil)
		when, err := period.Parse("min {10-19}")
		p.must(err)
		p.virtuals[0].Members[1].Maintenance = []period.Spec{when}
		p.start() // at midnight
		p.pass(9 * time.Minute)
		p.want("0=5 1=5")
		p.pass(2 * time.Minute)
		p.want("0=5 1=-")
		if why := p.sender.Held("lvs.alert")[id(1)].Reason; why != "maintenance: schedule min {10-19}" {
			t.Errorf("reason %q", why)
		}
		p.pass(10 * time.Minute)
		p.want("0=5 1=5")
		p.must(p.end())
	})
}

// Maintenance by schedule holds over a restart, clean or not: who is out stays
// out without a moment in the table, whose time came while mond was down is out
// from the start, and whose time ended meanwhile comes back.
func TestMaintenanceByScheduleOverARestart(t *testing.T) {
	for _, tt := range []struct {
		name                string
		before, down, after time.Duration // mond runs, does not, and runs again
		at, later           string        // how the table stands from the start of the second, and at the end
	}{
		{"in it", 12 * time.Minute, time.Minute, 3 * time.Second, "0=5 1=-", "0=5 1=-"},
		{"it begins meanwhile", 9 * time.Minute, 3 * time.Minute, 3 * time.Second, "0=5 1=-", "0=5 1=-"},
		{"it ends meanwhile", 12 * time.Minute, 10 * time.Minute, 3 * time.Second, "", "0=5 1=5"},
		{"it ends afterwards", 12 * time.Minute, time.Minute, 8 * time.Minute, "0=5 1=-", "0=5 1=5"},
	} {
		for _, clean := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, clean %v", tt.name, clean), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := scheduled(t)
					p.start() // at midnight
					p.pass(tt.before)
					saved := p.store.Snapshot() // as after kill -9
					p.must(p.end())
					if clean {
						saved = p.store.Snapshot()
					}
					time.Sleep(tt.down)

					again := scheduled(t)
					again.store = enginetest.NewStore(saved)
					again.has(0, 5, 0)
					again.start()
					again.pass(3 * time.Second)
					if tt.at != "" {
						again.want(tt.at)
						again.neverIn(1)
					}
					again.pass(tt.after)
					again.want(tt.later)
					again.must(again.end())
				})
			})
		}
	}
}

// scheduled are pools whose second real is in maintenance from ten minutes past
// the hour to twenty past, and in good faith otherwise.
func scheduled(t *testing.T) *pools {
	p := newPools(t, 2, func(v *virtual.Pool) { v.Start = virtual.Optimistic })
	when, err := period.Parse("min {10-19}")
	p.must(err)
	p.virtuals[0].Members[1].Maintenance = []period.Spec{when}
	return p
}

// neverIn fails the test if a real of shop was ever claimed to be in, other than
// as the table has it.
func (p *pools) neverIn(i int) {
	p.t.Helper()
	for _, k := range p.sender.Kept() {
		for _, c := range k.Claims {
			if c.ID == id(i) && !c.Down && !c.Provisional {
				p.t.Errorf("it was in at %s: %+v", k.At.Format(time.TimeOnly), c)
			}
		}
	}
}

// An order that was answered outlives a kill -9: the answer waits for the disk,
// though not for ever.
func TestOrderIsKeptWhenAnswered(t *testing.T) {
	for _, tt := range []struct{ disk, answer time.Duration }{
		{3 * time.Second, 3 * time.Second},
		{time.Minute, 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPools(t, 2, nil)
			p.store.Delay = tt.disk
			p.start()
			p.pass(2 * time.Second)
			began := time.Now()
			p.order(steer.Order{What: steer.Maint, Target: "www1"})
			p.want("0=5 1=-")
			if got := time.Since(began); got != tt.answer {
				t.Errorf("with a disk that takes %v it was answered after %v, want %v", tt.disk, got, tt.answer)
			}
			p.must(p.end())
		})
	}
}

// Files are named as ldirectord's are. A directory that cannot be read brings
// nobody back.
func TestMaintenanceByFile(t *testing.T) {
	for _, name := range []string{"192.168.0.2", "192.168.0.2:80", "www1", "www1:80"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "maintenance")
			file := filepath.Join(dir, name)
			mustDo(t, os.Mkdir(dir, 0o755))
			synctest.Test(t, func(t *testing.T) {
				p := newPools(t, 2, nil)
				p.virtuals[0].MaintenanceDir = dir
				p.start()
				p.pass(2 * time.Second)
				p.want("0=5 1=5")
				mustDo(t, os.WriteFile(file, nil, 0o644))
				mustDo(t, os.WriteFile(filepath.Join(dir, "www7"), nil, 0o644))
				p.pass(1100 * time.Millisecond)
				p.want("0=5 1=-")
				mustDo(t, os.Rename(dir, dir+".away"))
				p.pass(5 * time.Second)
				p.want("0=5 1=-")
				wantConfig(t, p, opstatus.Fail)
				mustDo(t, os.Rename(dir+".away", dir))
				mustDo(t, os.Remove(file))
				p.pass(1100 * time.Millisecond)
				p.want("0=5 1=5")
				p.pass(time.Second)
				wantConfig(t, p, opstatus.OK)
				p.must(p.end())
			})
		})
	}
}

// wantConfig wants mond:config to stand so.
func wantConfig(t *testing.T, p *pools, want opstatus.Status) {
	t.Helper()
	if got := selfStatus(p.rig, "config"); got != want {
		t.Errorf("mond:config is %v, want %v", got, want)
	}
}

// Who is in maintenance by a file stays out over a restart, also while the
// directory cannot be read; and nobody is put in before it was read once.
func TestMaintenanceByFileOverARestart(t *testing.T) {
	dir := t.TempDir()
	mustDo(t, os.WriteFile(filepath.Join(dir, "www1"), nil, 0o644))
	synctest.Test(t, func(t *testing.T) {
		p := newPools(t, 2, func(v *virtual.Pool) { v.Start = virtual.Optimistic })
		p.virtuals[0].MaintenanceDir = dir
		p.start()
		for _, k := range p.sender.Kept() {
			for _, c := range k.Claims {
				if c.ID == id(1) && !c.Down && !c.Provisional {
					t.Errorf("it was in: %+v", c)
				}
			}
		}
		p.pass(time.Second)
		p.want("0=5 1=-")
		p.must(p.end())

		mustDo(t, os.RemoveAll(dir))
		again := newPools(t, 2, nil)
		again.virtuals[0].MaintenanceDir = dir
		again.store = p.store
		again.start()
		again.pass(10 * time.Second)
		again.want("0=5 1=-")
		again.must(again.end())
	})
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
