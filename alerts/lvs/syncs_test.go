package lvs

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/alerts/lvs/copying"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/plugins/alert"
)

// cable is what sync daemons hang upon, as the test has it.
type cable struct {
	mu    sync.Mutex
	facts copying.Facts
	err   error
}

func (c *cable) Look(string, ipvs.Sync) (copying.Facts, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.facts, c.err
}

// is changes what is found from now on.
func (c *cable) is(change func(*copying.Facts)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.facts)
}

// syncRig is a keeper with a cable that is well.
func syncRig(t *testing.T, change func(*Options)) (*rig, *cable) {
	c := &cable{facts: copying.Facts{Index: 4, Up: true, Addresses: []netip.Prefix{netip.MustParsePrefix("10.9.0.1/24")}}}
	return newRig(t, ipvs.NewFake(), func(o *Options) {
		o.Copying = c
		if change != nil {
			change(o)
		}
	}), c
}

const (
	syncArgs = "--sync interface=eth1,syncid=7"
	masterOn = "StartDaemon master"
	backupOn = "StartDaemon backup"
	masterOf = "StopDaemon master"
	backupOf = "StopDaemon backup"
)

func (r *rig) copying() []alert.Copying {
	r.t.Helper()
	text, err := r.alert.Show(r.t.Context(), "copying")
	must(r.t, err)
	var out []alert.Copying
	must(r.t, json.Unmarshal([]byte(text), &out))
	return out
}

// ails wants the one table's trouble to have this in it; "" is none.
func (r *rig) ails(want string) {
	r.t.Helper()
	c := r.copying()
	if len(c) != 1 || want == "" && c[0].Trouble != "" || !strings.Contains(c[0].Trouble, want) {
		r.t.Errorf("%+v; want a trouble with %q", c, want)
	}
}

func TestSyncIsKept(t *testing.T) {
	r, _ := syncRig(t, nil)
	list := writes(r.fake)
	r.keep(true, claim(syncArgs))
	wantWrites(t, list, masterOn, backupOn)
	r.keep(true, claim(syncArgs))
	r.resync()
	wantWrites(t, list)
	r.ails("")
	must(t, r.fake.StopDaemon(t.Context(), ipvs.Backup))
	*list = nil
	r.ails("(backup) does not run")
	r.resync()
	wantWrites(t, list, backupOn)
	r.ails("")
	if got := r.report().Tables[0]; got.Repaired != 1 || got.Sync == nil || got.Sync.State != "agrees" || len(got.Sync.Actual) != 2 {
		t.Errorf("%+v %+v", got, got.Sync)
	}
	r.keep(true, claim("--sync interface=eth1,syncid=8"))
	wantWrites(t, list, masterOf, backupOf, masterOn, backupOn)
	r.keep(true)
	wantWrites(t, list, masterOf, backupOf)
	if c := r.copying(); len(c) != 0 {
		t.Errorf("%+v", c)
	}
}

// A restart with nothing changed asks for nothing, and an end leaves all as it
// is.
func TestSyncAfterRestart(t *testing.T) {
	r, c := syncRig(t, nil)
	r.keep(true, claim(syncArgs))
	r.end()
	again := newRig(t, r.fake, func(o *Options) { o.StateDir, o.Copying = r.opt.StateDir, c })
	list := writes(r.fake)
	again.keep(true, claim(syncArgs, provisional))
	again.keep(true, claim(syncArgs))
	again.resync()
	wantWrites(t, list)
	again.ails("")
}

func TestSyncOfOthersStays(t *testing.T) {
	r, _ := syncRig(t, nil)
	foreign := ipvs.Sync{Link: "eth2", ID: 3}
	must(t, r.fake.StartDaemon(t.Context(), ipvs.Daemon{State: ipvs.Backup, Sync: foreign}))
	list := writes(r.fake)
	r.keep(true, claim("-V 10.0.0.3:80 --service"))
	r.resync()
	wantWrites(t, list, "AddService tcp 10.0.0.3:80")
	r.keep(true, claim(syncArgs, provisional))
	wantWrites(t, list, "DeleteService tcp 10.0.0.3:80")
	r.keep(true, claim(syncArgs)) // declared: ours from now on
	wantWrites(t, list, backupOf, masterOn, backupOn)
}

// An interface that goes and comes back is another one.
func TestSyncInterface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c := syncRig(t, nil)
		list := writes(r.fake)
		c.is(func(f *copying.Facts) { f.Index = 0 })
		r.keep(true, claim(syncArgs)) // no failure of the claims
		wantWrites(t, list)
		r.ails("there is no interface eth1")
		c.is(func(f *copying.Facts) { f.Index = 5 })
		time.Sleep(2 * defaultResync)
		wantWrites(t, list, masterOn, backupOn)
		r.ails("")
		c.is(func(f *copying.Facts) { f.Index, f.Up = 0, false })
		time.Sleep(2 * defaultResync)
		wantWrites(t, list)
		c.is(func(f *copying.Facts) { f.Index, f.Up = 6, true })
		time.Sleep(2 * defaultResync)
		wantWrites(t, list, masterOf, backupOf, masterOn, backupOn)
		c.is(func(f *copying.Facts) { f.Up = false })
		r.ails("eth1 is down or has no carrier")
		r.end()
	})
}

func TestSyncByRole(t *testing.T) {
	a := &address{changed: make(chan struct{})}
	a.fails(errors.New("no"))
	r, c := syncRig(t, func(o *Options) { o.Role = a })
	c.is(func(f *copying.Facts) { f.BackupOnly = true })
	list := writes(r.fake)
	both := []alert.Claim{claim("-V 10.0.0.3:80 --service"), claim(syncArgs + ",mode=by-role")}
	r.keep(true, both...)
	wantWrites(t, list, "AddService tcp 10.0.0.3:80") // who knows what this director is
	a.fails(nil)
	a.is(false)
	r.resync()
	wantWrites(t, list, backupOn)
	a.is(true, "10.0.0.3")
	r.resync()
	wantWrites(t, list, backupOf, masterOn)
	a.is(true)
	r.resync()
	wantWrites(t, list, masterOf, backupOn)
	r.ails("")
}

func TestSyncBackupOnly(t *testing.T) {
	r, c := syncRig(t, nil)
	c.is(func(f *copying.Facts) { f.BackupOnly = true })
	list := writes(r.fake)
	r.keep(true, claim(syncArgs))
	wantWrites(t, list)
	r.ails("net.ipv4.vs.backup_only is 1")
	c.is(func(f *copying.Facts) { f.BackupOnly = false })
	r.resync()
	wantWrites(t, list, masterOn, backupOn)
}

func TestSyncWarns(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*copying.Facts)
		want   string
	}{
		"private":         {func(*copying.Facts) {}, ""},
		"a default route": {func(f *copying.Facts) { f.Default = true }, "default route"},
		"clients": {func(f *copying.Facts) { f.Addresses = append(f.Addresses, netip.MustParsePrefix("10.0.0.3/32")) },
			"virtual address 10.0.0.3"},
	} {
		r, cable := syncRig(t, nil)
		cable.is(c.change)
		r.keep(true, claim("-V 10.0.0.3:80 --service"), claim(syncArgs))
		if got := r.copying(); len(got) != 1 || (c.want == "") != (got[0].Warning == "") || !strings.Contains(got[0].Warning, c.want) || got[0].Trouble != "" {
			t.Errorf("%s: %+v", name, got)
		}
		if c.want != "" && !strings.Contains(r.log.String(), c.want) {
			t.Errorf("%s is not in the log", name)
		}
	}
}

// What is lost here is a trouble for a while; since when copies are taken in is
// told, and begins anew after a break.
func TestSyncIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c := syncRig(t, nil)
		c.is(func(f *copying.Facts) {
			f.Sockets = copying.Sockets{Known: true, Joined: true, From: netip.MustParseAddr("10.9.0.1"), Drops: 40}
			f.Refresh = 10
		})
		r.keep(true, claim(syncArgs))
		began := time.Now()
		r.ails("")
		c.is(func(f *copying.Facts) { f.Sockets.Drops += 5 })
		r.ails("5 packets")
		time.Sleep(lossTime)
		r.ails("")
		if got := r.copying()[0]; !got.Since.Equal(began) || got.Refresh != 10 {
			t.Errorf("%+v, began %v", got, began)
		}
		c.is(func(f *copying.Facts) { f.Up = false })
		if got := r.copying()[0]; !got.Since.IsZero() {
			t.Errorf("%+v", got)
		}
		c.is(func(f *copying.Facts) { f.Up = true })
		if got := r.copying()[0]; !got.Since.Equal(time.Now()) {
			t.Errorf("%+v", got)
		}
		r.end()
	})
}

// Errors are told, and another try is made.
func TestSyncErrors(t *testing.T) {
	r, c := syncRig(t, nil)
	r.fake.Fail(func(method string, _ ipvs.Virtual, _ netip.AddrPort) error {
		if method == masterOn {
			return ipvs.ErrPermission
		}
		return nil
	})
	r.keep(true, claim(syncArgs))
	r.ails("CAP_NET_ADMIN")
	if !strings.Contains(r.log.String(), "CAP_NET_ADMIN") {
		t.Error("it is not logged")
	}
	r.fake.Fail(nil)
	c.mu.Lock()
	c.err = errors.New("no netlink")
	c.mu.Unlock()
	r.resync()
	r.ails("no netlink")
	c.mu.Lock()
	c.err = nil
	c.mu.Unlock()
	r.resync()
	r.ails("")
	if run, _ := r.fake.Daemons(t.Context()); len(run) != 2 {
		t.Errorf("%+v", run)
	}
}

func TestSyncCommands(t *testing.T) {
	r, _ := syncRig(t, nil)
	r.keep(true, claim(syncArgs))
	must(t, r.fake.StopDaemon(t.Context(), ipvs.Backup))
	must(t, r.fake.StopDaemon(t.Context(), ipvs.Master))
	must(t, r.fake.StartDaemon(t.Context(), ipvs.Daemon{State: ipvs.Master, Sync: ipvs.Sync{Link: "eth2"}}))
	const want = "ipvsadm --stop-daemon master\nipvsadm --start-daemon master --mcast-interface eth1 --syncid 7\n" +
		"ipvsadm --start-daemon backup --mcast-interface eth1 --syncid 7\n"
	if text, err := r.alert.Show(t.Context(), "diff"); err != nil || text != want {
		t.Errorf("%v\n%s", err, text)
	}
	err := r.make(syncArgs).Alert(t.Context(), alert.Request{Kind: alert.Up})
	if err == nil || !strings.Contains(err.Error(), "ipvs_sync") {
		t.Errorf("by hand beside the owner: %v", err)
	}
}

// Without an owner it starts them once.
func TestSyncOnce(t *testing.T) {
	r, _ := syncRig(t, nil)
	list := writes(r.fake)
	for range 2 {
		must(t, r.make(syncArgs).Alert(t.Context(), alert.Request{Kind: alert.Up}))
	}
	wantWrites(t, list, masterOn, backupOn)
	must(t, r.make(syncArgs).Alert(t.Context(), alert.Request{Kind: alert.Failure}))
	wantWrites(t, list)
	if err := r.make(syncArgs+",mode=by-role").Alert(t.Context(), alert.Request{Kind: alert.Up}); err == nil {
		t.Error("it follows addresses by itself")
	}
}
