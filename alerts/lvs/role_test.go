package lvs

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/plugins/alert"
)

// address is an address that comes and goes.
type address struct {
	mu      sync.Mutex
	local   map[netip.Addr]bool
	err     error
	changed chan struct{}
}

func (a *address) Local() (map[netip.Addr]bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.local, a.err
}

func (a *address) Watch(context.Context) (<-chan struct{}, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.changed, nil
}

// fails makes what is asked from now on fail, unless err is nil.
func (a *address) fails(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = err
}

// ends ends the watch; the next one is another.
func (a *address) ends() {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.changed)
	a.changed = make(chan struct{})
}

// is says which addresses are here from now on; told is whether the watch says
// so.
func (a *address) is(told bool, list ...string) {
	local := map[netip.Addr]bool{}
	for _, s := range list {
		local[netip.MustParseAddr(s)] = true
	}
	a.mu.Lock()
	a.local = local
	a.mu.Unlock()
	if told {
		a.changed <- struct{}{}
	}
}

func roleRig(t *testing.T, fake *ipvs.Fake, dir string) (*rig, *address) {
	a := &address{changed: make(chan struct{})}
	a.is(false)
	return newRig(t, fake, func(o *Options) { o.Role, o.StateDir = a, dir }), a
}

func TestByRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := ipvs.NewFake()
		r, here := roleRig(t, fake, t.TempDir())
		const role = " --by-role"
		all := []alert.Claim{claim(declared + role), claim(web1 + role), claim("-V fwmark:7 --service -s rr" + role), claim("-V 10.0.0.9:80 --service -s rr")}
		const (
			always = "-A -t 10.0.0.9:80 -s rr\n"
			marked = "-A -f 7 -s rr\n"
		)
		r.keep(true, all...)
		r.want(always)
		if s := r.report().Tables[0].Services[0]; s.State != "standby" || s.Role != "standby" {
			t.Errorf("%+v", s)
		}

		here.is(true, "10.0.0.3", "10.0.0.1")
		synctest.Wait()
		r.want(shopRow + row1 + always + marked)

		here.is(true, "10.0.0.1") // the address has gone: ours are taken out once
		synctest.Wait()
		r.want(always)
		must(t, fake.AddService(t.Context(), ipvs.Service{Virtual: virtual("10.0.0.3:80"), Scheduler: "wlc"}))
		r.keep(true, all...)
		time.Sleep(time.Minute)
		r.want(shop + always) // then hands off

		here.is(false, "10.0.0.3") // nobody told: seen at resync
		time.Sleep(defaultResync + time.Second)
		r.want(shopRow + row1 + always + marked)

		here.fails(errors.New("no memory")) // not known is as it was
		here.is(false)
		time.Sleep(time.Minute)
		r.want(shopRow + row1 + always + marked)
		if n := strings.Count(r.log.String(), "addresses of this machine are not known"); n != 1 {
			t.Errorf("told %d times", n)
		}
		r.end()
	})
}

// A director that starts and is not the active one takes out what it left.
func TestByRoleAfterRestart(t *testing.T) {
	fake, dir := ipvs.NewFake(), t.TempDir()
	all := []alert.Claim{claim(declared + " --by-role"), claim(web1 + " --by-role")}
	first, here := roleRig(t, fake, dir)
	here.is(false, "10.0.0.3")
	first.keep(true, all...)
	first.want(shopRow + row1)
	first.end()
	foreign(t, fake, "192.168.0.9:80")
	second, here := roleRig(t, fake, dir)
	here.fails(errors.New("not yet"))
	second.keep(true, all...)
	second.want(shopRow + row1 + foreignRow) // not known: nothing is written
	here.fails(nil)
	here.is(false)
	second.resync()
	second.want(shopRow + foreignRow)
	if now := second.report().Tables[0]; now.Services[0].State != "blocked" {
		t.Errorf("%+v", now)
	}
}

// An address of a range is enough for all of it, and a watch that ends is begun
// again.
func TestByRoleOfRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, here := roleRig(t, ipvs.NewFake(), t.TempDir())
		r.keep(true, claim("-V 10.0.0.3-4:80 --service -s rr --by-role"))
		here.ends()
		synctest.Wait()
		here.is(false, "10.0.0.4")
		time.Sleep(defaultResync + time.Second)
		r.want("-A -t 10.0.0.3:80 -s rr\n-A -t 10.0.0.4:80 -s rr\n")
		here.is(true)
		synctest.Wait()
		r.want("")
		r.keep(true)
		r.end()
	})
}
