package fake

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/alerts/fake/address/addresstest"
	"github.com/mondhq/mond/alerts/fake/hold"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/role/boottime"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	goleak.VerifyTestMain(m)
}

// stage is a director with eth0 and eth1 in a namespace, and a holder on it.
type stage struct {
	*addresstest.Space
	t      *testing.T
	dir    string
	loud   *loud
	work   chan role.Work
	stands chan role.Stand
	alert  *fakeAlert
	epoch  uint64
	end    func() // ends the holder, in a way that leaves all as it is
	orphan func() // ends mond
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{Space: addresstest.New(t), t: t, dir: t.TempDir()}
	s.Pair(t, "eth0", "10.0.0.1/24", "2001:db8::1/64")
	s.Pair(t, "eth1", "192.168.0.1/24", "")
	s.start()
	return s
}

// start starts a holder, as after an end of the last.
func (s *stage) start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.loud, s.work, s.stands = &loud{}, make(chan role.Work), make(chan role.Stand, 10000)
	factory := NewFactory(Options{
		Open: func() (Kernel, error) { return s.Open() }, Announcer: s.loud, Log: quiet(), StateDir: s.dir, Context: ctx,
	})
	s.alert = factory(flag.NewFlagSet("", flag.ContinueOnError)).(*fakeAlert)
	done := make(chan struct{})
	session, orphan := context.WithCancelCause(ctx)
	s.orphan = func() { orphan(role.ErrOrphaned) }
	go func() {
		defer close(done)
		if err := s.alert.Hold(session, s.work, func(r role.Stand) { s.stands <- r }); err != nil {
			s.t.Error(err)
		}
	}()
	ended := false
	s.end = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		orphan(nil)
		<-done
		gone := s.alert.owner.Work().Done
		<-gone
	}
	s.t.Cleanup(s.end)
}

// lines declares groups, each in one string.
func (s *stage) lines(all ...string) {
	s.t.Helper()
	w := role.Work{Full: true}
	for _, words := range all {
		args := strings.Fields(words)
		g, err := role.ParseGroup(args)
		if err != nil {
			s.t.Fatal(err)
		}
		w.Lines = append(w.Lines, role.Line{Group: g.Name, Args: args})
	}
	s.work <- w
}

// token says hold or release, with a lease, permitting it for long.
func (s *stage) token(group string, hold bool, lease, long time.Duration) {
	s.epoch++
	s.work <- role.Work{Tokens: []role.Token{{Group: group, Hold: hold, Epoch: s.epoch, Until: boottime.Now() + long, Lease: lease, Reason: "the test says so"}}}
}

// until waits for a stand of the group that is as it should be.
func (s *stage) until(what, group string, is func(role.Stand) bool) role.Stand {
	s.t.Helper()
	limit := time.After(15 * time.Second)
	var last role.Stand
	for {
		select {
		case r := <-s.stands:
			if r.Group == group {
				last = r
			}
			if r.Group == group && is(r) {
				return r
			}
		case <-limit:
			s.t.Fatalf("%s: last it said %+v\n%s", what, last, s.IP(s.t, "addr"))
		}
	}
}

func (s *stage) held(what, group string, n int) role.Stand {
	s.t.Helper()
	return s.until(what, group, func(r role.Stand) bool { return r.Held == n && r.Epoch == s.epoch })
}

// has fails unless ip shows these words in this order.
func (s *stage) has(command string, words ...string) {
	s.t.Helper()
	out := s.IP(s.t, command)
	rest := out
	for _, w := range words {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			s.t.Errorf("ip %s: no %q in\n%s", command, w, out)
			return
		}
		rest = after
	}
}

func (s *stage) hasNot(command string, words ...string) {
	s.t.Helper()
	out := s.IP(s.t, command)
	for _, w := range words {
		if strings.Contains(out, w) {
			s.t.Errorf("ip %s: there is %q in\n%s", command, w, out)
		}
	}
}

const (
	web    = "--group web 10.0.0.3/32/eth0:lvs 10.0.0.4/24/eth0 2001:db8::3/128/eth0"
	inside = "--group inside 192.168.0.254"
)

// A group comes with its token, in one go, over its interfaces, with its lease
// renewed; is released; another is not touched by that.
func TestHold(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.lines(web, inside)
	s.token("web", true, 3*time.Second, time.Hour)
	first := s.held("taken", "web", 3)
	if first.Until < boottime.Now()+2*time.Second || first.Until > boottime.Now()+3100*time.Millisecond || first.Error != "" || first.Total != 3 {
		t.Errorf("%+v", first)
	}
	s.has("addr show dev eth0", "inet 10.0.0.3/32", "eth0:lvs", "inet 10.0.0.4/24", "secondary", "noprefixroute", "inet6 2001:db8::3/128", "deprecated")
	s.hasNot("addr show dev eth1", "192.168.0.254")
	s.token("inside", true, 0, time.Hour)
	if r := s.held("taken for good", "inside", 1); r.Until != role.Forever {
		t.Errorf("%+v", r)
	}
	s.has("addr show dev eth1", "inet 192.168.0.254/32", "valid_lft forever")
	s.until("renewed", "web", func(r role.Stand) bool { return r.Until > first.Until+1500*time.Millisecond })
	s.token("web", false, 0, 0)
	s.held("released", "web", 0)
	s.hasNot("addr show dev eth0", "10.0.0.3", "10.0.0.4", "2001:db8::3")
	s.has("addr show dev eth1", "192.168.0.254/32")
	s.lines(web)
	s.until("not declared any more", "inside", func(r role.Stand) bool { return r.Held == 0 })
	s.hasNot("addr show dev eth1", "192.168.0.254")
	if said := s.loud.all(); !slices.Equal(said, []string{"took web 3", "took inside 1", "released web", "released inside"}) {
		t.Errorf("announced: %q", said)
	}
}

// Without tokens a lease ends by itself, and the first token after that is a new
// beginning; from a lease to permanent and back the address never goes.
func TestLease(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.lines(web)
	s.token("web", true, time.Second, 500*time.Millisecond)
	s.held("taken", "web", 3)
	began := boottime.Now()
	s.held("lapsed", "web", 0)
	if took := boottime.Now() - began; took > 2500*time.Millisecond {
		t.Errorf("that took %v", took)
	}
	s.token("web", true, 2*time.Second, time.Hour)
	s.held("taken again", "web", 3)
	s.token("web", true, 0, time.Hour)
	s.until("permanent", "web", func(r role.Stand) bool { return r.Until == role.Forever })
	s.token("web", true, 2*time.Second, time.Hour)
	r := s.until("a lease again", "web", func(r role.Stand) bool { return r.Until > 0 })
	if r.Held != 3 {
		t.Errorf("%+v", r)
	}
	if said := s.loud.all(); !slices.Equal(said, []string{"took web 3", "released web", "took web 3"}) {
		t.Errorf("announced: %q", said)
	}
	// An old token changes nothing.
	s.work <- role.Work{Tokens: []role.Token{{Group: "web", Epoch: 1, Hold: false}}}
	s.token("web", true, 2*time.Second, time.Hour)
	s.held("still held", "web", 3)
	text, err := s.alert.Show(t.Context(), "vip")
	if err != nil || !strings.Contains(text, "group web: held here for") || !strings.Contains(text, "10.0.0.3/32") || !strings.Contains(text, "taken 2 times") {
		t.Error(err, text)
	}
	text, err = s.alert.Show(t.Context(), "vip json")
	if err != nil || !strings.Contains(text, `"tokens_refused": 1`) || !strings.Contains(text, `"interface": "eth0"`) {
		t.Error(err, text)
	}
}

// What others remove comes back, with its routes, until they will not stop.
func TestOthers(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.work <- role.Work{Full: true, Lines: []role.Line{{Group: "web", Args: []string{
		"--group", "web", "--route", "192.0.2.0/24 via 10.0.0.2 src 10.0.0.3", "--rule", "from 10.0.0.3 lookup 100", "10.0.0.3/32/eth0", "2001:db8::3/128/eth0",
	}}}}
	s.token("web", true, 3*time.Second, time.Hour)
	s.held("taken", "web", 2)
	s.has("route show 192.0.2.0/24", "via 10.0.0.2", "src 10.0.0.3")
	s.has("rule", "from 10.0.0.3 lookup 100")
	for i := range 5 {
		device := []string{"10.0.0.3/32", "2001:db8::3/128"}[i%2]
		s.IP(t, "addr del "+device+" dev eth0")
		s.until("put back", "web", func(r role.Stand) bool { return r.Held == 2 && strings.Contains(r.Detail, "others removed it") })
		s.has("route show 192.0.2.0/24", "via 10.0.0.2")
	}
	for range 2 {
		s.IP(t, "addr del 10.0.0.3/32 dev eth0")
		s.until("told", "web", func(r role.Stand) bool { return strings.Contains(r.Detail, "others removed it") || r.Error != "" })
	}
	r := s.until("not any more", "web", func(r role.Stand) bool {
		return strings.Contains(r.Error, "others removed addresses more than 5 times")
	})
	if r.Held == 0 {
		t.Errorf("%+v", r)
	}
	s.token("web", false, 0, 0)
	s.held("released", "web", 0)
	s.hasNot("route show table all", "192.0.2.0")
	s.hasNot("rule", "10.0.0.3")
	s.token("web", true, 3*time.Second, time.Hour)
	s.held("a new role", "web", 2)
}

// An interface that goes is told, and the group is whole again when it is back.
func TestDevices(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.lines(web, "--group inside 192.168.0.254/32/eth1 192.168.0.253/32/eth1")
	s.token("inside", true, 2*time.Second, time.Hour)
	s.held("taken", "inside", 2)
	s.IP(t, "link del eth1")
	s.until("gone", "inside", func(r role.Stand) bool {
		return r.Held == 0 && strings.Contains(r.Error, "192.168.0.254/32: on eth1: there is no such interface; there are lo eth0")
	})
	s.Pair(t, "eth1", "192.168.0.1/24", "")
	s.held("back", "inside", 2)
	s.token("web", true, 3*time.Second, time.Hour)
	s.held("taken", "web", 3)
	s.IP(t, "link set eth0 down")
	s.IP(t, "link set eth0 name wan0")
	s.IP(t, "link set wan0 up")
	s.token("web", false, 0, 0)
	s.held("released, by another name", "web", 0)
	s.hasNot("addr", "10.0.0.3")
	s.token("web", true, 3*time.Second, time.Hour)
	s.until("no such", "web", func(r role.Stand) bool {
		return strings.Contains(r.Error, "on eth0: there is no such interface; there are lo")
	})
	s.IP(t, "link set wan0 down")
	s.lines("--group web 10.0.0.3/32/wan0", "--group inside 192.168.0.254/32/eth1 192.168.0.253/32/eth1")
	s.until("down", "web", func(r role.Stand) bool { return strings.Contains(r.Error, "ip link set wan0 up") })
}

// On a bridge, a macvlan and, where this kernel has them, a VLAN and a bond.
func TestKinds(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]string{
		"bridge":  {"link add name dev0 type bridge", "link set eth0 master dev0"},
		"macvlan": {"link add link eth0 name dev0 type macvlan mode private"},
		"vlan":    {"link add link eth0 name dev0 type vlan id 5"},
		"bond":    {"link add dev0 type bond mode active-backup", "link set eth0 down", "link set eth0 master dev0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			for _, words := range steps {
				if out, err := s.Try(words); err != nil {
					t.Skipf("this kernel has no %s: ip %s: %s", name, words, out)
				}
			}
			s.IP(t, "link set dev0 up")
			s.IP(t, "addr add 172.16.0.1/24 dev dev0")
			s.lines("--group web 172.16.0.3 172.16.0.4/24 2001:db8:5::3/128/dev0")
			s.token("web", true, 3*time.Second, time.Hour)
			s.held("taken", "web", 3)
			s.has("addr show dev dev0", "172.16.0.3/32", "172.16.0.4/24", "2001:db8:5::3/128")
			s.token("web", false, 0, 0)
			s.held("released", "web", 0)
		})
	}
}

// What cannot be held is said, and nothing of the group is then.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ before, line, says string }{
		"on another interface": {"addr add 10.0.0.3/32 dev eth1", "10.0.0.5 10.0.0.3/32/eth0", "hold 10.0.0.3/32: address in use: it is on eth1 as 10.0.0.3/32 already"},
		"with other bits":      {"addr add 10.0.0.3/24 dev eth0", "10.0.0.5 10.0.0.3/32/eth0", "address in use: it is on eth0 as 10.0.0.3/24: remove that, or say /24"},
		"no interface":         {"", "10.0.0.5 10.0.0.3/32/eth7", "hold 10.0.0.3/32: on eth7: there is no such interface; there are lo"},
		"no network":           {"", "10.0.0.5 203.0.113.3", "no interface has a network with 203.0.113.3: name the interface, as 203.0.113.3/32/eth0"},
		"first of its network": {"", "10.0.0.5 172.16.0.3/24/eth0", "as the first address of 172.16.0.0/24 on eth0 it cannot be a lease"},
		"no IPv6":              {"", "10.0.0.5 2001:db8:7::3/128/eth1", "sysctl net.ipv6.conf.eth1.disable_ipv6=0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			if row.before != "" {
				s.IP(t, row.before)
			}
			if name == "no IPv6" {
				s.Do(func() {
					if err := os.WriteFile("/proc/thread-self/root/proc/sys/net/ipv6/conf/eth1/disable_ipv6", []byte("1"), 0o600); err != nil {
						t.Error(err)
					}
				})
			}
			s.lines("--group web " + row.line)
			s.token("web", true, 3*time.Second, time.Hour)
			r := s.until("refused", "web", func(r role.Stand) bool { return r.Error != "" })
			if !strings.Contains(r.Error, row.says) || r.Held > 1 {
				t.Errorf("%+v\nwant %s", r, row.says)
			}
			s.hasNot("addr", "10.0.0.5/32")
		})
	}
}

// Two groups cannot have one address, and a line may be wrong: the others go on.
func TestClash(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.work <- role.Work{Full: true, Lines: []role.Line{
		{Group: "a", Args: strings.Fields("--group a 10.0.0.3/32/eth0")},
		{Group: "b", Args: strings.Fields("--group b 10.0.0.3/32/eth1 10.0.0.4")},
		{Group: "c", Args: strings.Fields("--group c 10.0.0.300")},
		{Group: "d", Args: []string{"--route", "to the moon", "10.0.0.7"}},
	}}
	for _, row := range []struct{ group, says string }{
		{"b", "10.0.0.3: it is in group a too: name it once"}, {"c", "10.0.0.300"}, {"d", `"the"`},
	} {
		s.until("wrong", row.group, func(r role.Stand) bool { return strings.Contains(r.Error, row.says) })
	}
	s.token("b", true, 0, time.Hour)
	s.token("a", true, 0, time.Hour)
	s.held("taken", "a", 1)
	s.hasNot("addr", "10.0.0.4")
}

// A real server has the address on lo: it moves, and comes back, over a restart
// too.
func TestLoopback(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.IP(t, "addr add 10.0.0.3/32 dev lo")
	s.IP(t, "addr add 2001:db8::3/128 dev lo")
	s.lines(web)
	s.token("web", true, 0, time.Hour)
	s.held("taken", "web", 3)
	s.hasNot("addr show dev lo", "10.0.0.3", "2001:db8::3")
	s.end()
	s.start()
	s.lines(web)
	s.token("web", true, 0, time.Hour)
	s.held("taken again", "web", 3)
	s.token("web", false, 0, 0)
	s.held("released", "web", 0)
	s.has("addr show dev lo", "inet 10.0.0.3/32", "inet6 2001:db8::3/128")
	s.hasNot("addr show dev eth0", "10.0.0.3")
}

// After a restart: what is declared stays as it is until a token comes, what is
// not and is ours goes, what is others' stays.
func TestRestart(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.lines(web, "--group old 10.0.0.7/32/eth0", "--group lease 10.0.0.8/32/eth0")
	for _, g := range []string{"web", "old", "lease"} {
		s.token(g, true, 60*time.Second, time.Hour)
		s.until("taken", g, func(r role.Stand) bool { return r.Held == r.Total })
	}
	s.token("old", true, 0, time.Hour)
	s.until("permanent", "old", func(r role.Stand) bool { return r.Until == role.Forever })
	s.end()
	s.has("addr", "10.0.0.3/32", "10.0.0.7/32", "10.0.0.8/32")
	// As by a kernel that keeps no marks, and by others.
	s.IP(t, "addr del 10.0.0.8/32 dev eth0")
	s.IP(t, "addr add 10.0.0.8/32 dev eth0 valid_lft 50 preferred_lft 50")
	s.IP(t, "addr add 10.0.0.9/32 dev eth0 valid_lft 50 preferred_lft 50")
	s.IP(t, "addr add 10.0.0.10/32 dev eth0")
	s.start()
	s.lines(web)
	r := s.until("looked at", "web", func(r role.Stand) bool { return true })
	if r.Held != 3 || r.Epoch != 0 {
		t.Errorf("%+v", r)
	}
	s.has("addr", "10.0.0.3/32", "10.0.0.9/32", "10.0.0.10/32")
	s.hasNot("addr", "10.0.0.7/32", "10.0.0.8/32")
	s.token("web", false, 0, 0)
	s.held("released", "web", 0)
}

// Programs run in order, before and after, each with its limit; one that fails
// is told and keeps nothing up.
func TestPrograms(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	log := filepath.Join(s.dir, "log")
	script := filepath.Join(s.dir, "program")
	text := fmt.Sprintf("#!/bin/sh\necho \"$1 $MOND_ROLE $MOND_ROLE_GROUP $MOND_ROLE_EPOCH\" >> %s\ncase $1 in slow) sleep 60;; bad) echo no way >&2; exit 3;; esac\n", log)
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	args := []string{"--group", "web", "--program-limit", "300ms", "10.0.0.3/32/eth0"}
	for _, w := range []string{"one", "slow", "bad"} {
		args = slices.Insert(args, len(args)-1, "--on-take", script+" "+w)
	}
	args = slices.Insert(args, len(args)-1, "--on-release", script+" after")
	s.work <- role.Work{Full: true, Lines: []role.Line{{Group: "web", Args: args}}}
	s.token("web", true, 0, time.Hour)
	r := s.until("failed", "web", func(r role.Stand) bool { return r.Error != "" })
	if !strings.Contains(r.Error, "bad: exit status 3: no way") || !strings.Contains(r.Error, "slow: it was ended after 300ms") {
		t.Errorf("%+v", r)
	}
	s.held("taken all the same", "web", 1)
	s.token("web", false, 0, 0)
	s.held("released", "web", 0)
	s.token("web", true, 0, time.Hour)
	s.held("taken again", "web", 1)
	b, _ := os.ReadFile(log)
	want := "one take web 1\nslow take web 1\nbad take web 1\nafter release web 2\none take web 3\nslow take web 3\nbad take web 3\n"
	if string(b) != want {
		t.Errorf("they ran as\n%s", b)
	}
}

// As a keeper, and as a program that is run once.
func TestKeeper(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	claim := func(service string, down bool) alert.Claim {
		return alert.Claim{ID: service, Args: strings.Fields("10.0.0.3/32/eth0 10.0.0.4/24/eth0"), Down: down, Reason: "it says so"}
	}
	keep := func(full bool, claims ...alert.Claim) {
		t.Helper()
		if err := s.alert.Keep(t.Context(), full, claims); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.alert.Keep(t.Context(), false, nil); err == nil {
		t.Error("a change before the full set was taken")
	}
	keep(true, claim("a", true), claim("b", false))
	s.has("addr show dev eth0", "10.0.0.3/32", "valid_lft forever", "10.0.0.4/24")
	s.hasNot("addr", "proto 0x6d", "proto 109")
	keep(false, claim("a", false))
	s.hasNot("addr", "10.0.0.3", "10.0.0.4")
	keep(false, claim("b", true))
	keep(false, alert.Claim{ID: "b", Withdrawn: true}, alert.Claim{ID: "a", Withdrawn: true})
	s.has("addr", "10.0.0.3/32")
	c := claim("a", false)
	c.Provisional = true
	keep(true, c)
	s.has("addr", "10.0.0.3/32")
	if err := s.alert.Keep(t.Context(), false, []alert.Claim{{ID: "x", Args: []string{"nonsense"}}}); !alert.IsPermanent(err) {
		t.Error(err)
	}
	g, err := role.ParseGroup(claim("", false).Args)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Open: func() (Kernel, error) { return s.Open() }, Log: quiet()}
	for _, take := range []bool{false, false, true, true} {
		if err := Once(t.Context(), o, g, take); err != nil {
			t.Fatal(err)
		}
		held, total, err := status(o, g)
		if err != nil || total != 2 || take && held != 2 || !take && held != 0 {
			t.Error(take, held, total, err)
		}
	}
	if err := Look(o, g); err != nil {
		t.Error(err)
	}
	g.Addresses[0].Device = "eth7"
	if err := Once(t.Context(), o, g, true); err == nil || !strings.Contains(err.Error(), "eth7") {
		t.Error(err)
	}
	if err := Look(o, g); err == nil {
		t.Error("it could not be held")
	}
}

// A line that changes while the group is held moves what changed only.
func TestRewritten(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.lines("--group web 10.0.0.3/32/eth0 10.0.0.4/32/eth0")
	s.token("web", true, 3*time.Second, time.Hour)
	s.held("taken", "web", 2)
	v, err := mustOpen(t, s).View()
	if err != nil {
		t.Fatal(err)
	}
	eth0, _ := v.Named("eth0")
	was, _ := v.Row(netip.MustParsePrefix("10.0.0.3/32"), eth0.Index)
	s.lines("--group web --refresh 5s 10.0.0.3/32/eth0 10.0.0.5/32/eth0 10.0.0.6/32/eth0")
	s.until("changed", "web", func(r role.Stand) bool { return r.Held == 3 && r.Total == 3 })
	s.hasNot("addr", "10.0.0.4/32")
	v, _ = mustOpen(t, s).View()
	if now, _ := v.Row(was.Prefix, eth0.Index); now.Made != was.Made {
		t.Error("the address that stayed was away")
	}
	s.token("web", false, 0, 0)
	s.held("released", "web", 0)
	s.hasNot("addr", "10.0.0.3/32", "10.0.0.5/32")
}

func mustOpen(t *testing.T, s *stage) *addresstest.Kernel {
	t.Helper()
	k, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

var _ Kernel = (*address.Kernel)(nil)

// status counts the addresses of the group that are in the kernel, where the
// group would have them.
func status(o Options, g role.Group) (held, total int, err error) {
	k, err := o.withDefaults().Open()
	if err != nil {
		return 0, 0, err
	}
	defer k.Close()
	v, err := k.View()
	if err != nil {
		return 0, 0, err
	}
	return len(hold.Present(v, g, hold.Placed{})), len(g.Addresses), nil
}
