package address_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/alerts/fake/address/addresstest"
	"github.com/mondhq/mond/plugins/role/boottime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// machine is a namespace with eth0 in a network of each family.
func machine(t testing.TB) (*addresstest.Space, *addresstest.Kernel) {
	t.Helper()
	s := addresstest.New(t)
	s.Pair(t, "eth0", "10.0.0.1/24", "2001:db8::1/64")
	k, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return s, k
}

func view(t testing.TB, k *addresstest.Kernel) address.View {
	t.Helper()
	v, err := k.View()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// on makes an address for an interface.
func on(t testing.TB, k *addresstest.Kernel, prefix, device string, lease time.Duration) address.Address {
	t.Helper()
	l, ok := view(t, k).Named(device)
	if !ok {
		t.Fatalf("no %s", device)
	}
	return address.Address{Prefix: netip.MustParsePrefix(prefix), Index: l.Index, Device: device, Lease: lease, Mark: address.Mark}
}

func adds(list ...address.Address) (steps []address.Step) {
	for _, a := range list {
		steps = append(steps, address.Step{Op: address.Add, Thing: a})
	}
	return steps
}

func row(t testing.TB, k *addresstest.Kernel, a address.Address) address.Row {
	t.Helper()
	r, ok := view(t, k).Row(a.Prefix, a.Index)
	if !ok {
		t.Fatalf("%s is not there", a)
	}
	return r
}

// What is added is there as it should be, in both families.
func TestAdd(t *testing.T) {
	t.Parallel()
	s, k := machine(t)
	four := on(t, k, "10.0.0.3/32", "eth0", 30*time.Second)
	four.Label = "eth0:lvs"
	wide := on(t, k, "10.0.0.4/24", "eth0", 0)
	wide.Broadcast = netip.MustParseAddr("10.0.0.255")
	six := on(t, k, "2001:db8::3/128", "eth0", 30*time.Second)
	sixty := on(t, k, "2001:db8:1::4/64", "eth0", 0)
	before := boottime.Now()
	if err := k.Take(adds(four, wide, six, sixty)); err != nil {
		t.Fatal(err)
	}
	after := boottime.Now()
	if r := row(t, k, four); r.Label != "eth0:lvs" || r.Proto != address.Mark || r.Permanent() || r.Flags&unix.IFA_F_NOPREFIXROUTE != 0 {
		t.Errorf("%+v", r)
	}
	for _, a := range []address.Address{four, six} {
		if r := row(t, k, a); r.Expires < before+30*time.Second-30*time.Millisecond || r.Expires > after+30*time.Second+30*time.Millisecond {
			t.Errorf("%s ends %v after the batch, want 30s", a, r.Expires-after)
		}
	}
	if r := row(t, k, wide); !r.Permanent() || r.Primary() || r.Flags&unix.IFA_F_NOPREFIXROUTE == 0 {
		t.Errorf("%+v", r)
	}
	if r := row(t, k, sixty); r.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DEPRECATED|unix.IFA_F_NODAD|unix.IFA_F_NOPREFIXROUTE) != unix.IFA_F_DEPRECATED|unix.IFA_F_NODAD|unix.IFA_F_NOPREFIXROUTE {
		t.Errorf("%+v", r)
	}
	if out := s.IP(t, "-6 route show"); strings.Contains(out, "2001:db8:1::/64") {
		t.Errorf("a route came with it:\n%s", out)
	}
	if out := s.IP(t, "-4 addr show dev eth0"); !strings.Contains(out, "brd 10.0.0.255 scope global secondary") {
		t.Error(out)
	}
}

// Renewals move the end, and a lease becomes permanent and the other way round.
func TestRenew(t *testing.T) {
	t.Parallel()
	_, k := machine(t)
	for _, prefix := range []string{"10.0.0.3/32", "2001:db8::3/128"} {
		a := on(t, k, prefix, "eth0", 9*time.Second)
		if err := k.Take(adds(a)); err != nil {
			t.Fatal(err)
		}
		made := row(t, k, a).Made
		for _, lease := range []time.Duration{20 * time.Second, 0, 5 * time.Second} {
			a.Lease = lease
			if err := k.Clear([]address.Step{{Op: address.Renew, Thing: a}}); err != nil {
				t.Fatal(err)
			}
			now := boottime.Now()
			r := row(t, k, a)
			if r.Made != made || r.Proto != address.Mark {
				t.Errorf("%s was made anew: %+v", a, r)
			}
			if left := r.Expires - now; lease == 0 != r.Permanent() || lease > 0 && (left < lease-100*time.Millisecond || left > lease+50*time.Millisecond) {
				t.Errorf("%s: %v left of %v", a, left, lease)
			}
		}
	}
}

// A batch is all or none, whatever fails, wherever in it.
func TestAllOrNone(t *testing.T) {
	t.Parallel()
	s, k := machine(t)
	s.IP(t, "addr add 10.0.0.9/32 dev lo")
	lo := on(t, k, "10.0.0.9/32", "lo", 0)
	lo.Mark = 0
	bad := on(t, k, "10.0.0.5/32", "eth0", 0)
	bad.Index, bad.Device = 4711, "eth9"
	route, err := address.ParseRoute(strings.Fields("192.0.2.0/24 via 203.0.113.7"), bad.Prefix.Addr())
	if err != nil {
		t.Fatal(err)
	}
	good := adds(on(t, k, "10.0.0.3/32", "eth0", 0), on(t, k, "2001:db8::3/128", "eth0", 0), on(t, k, "10.0.0.9/32", "eth0", 0))
	good = slices.Concat([]address.Step{{Op: address.Remove, Thing: lo}}, good)
	was := fmt.Sprint(rows(t, k))
	for at := range len(good) + 1 {
		for _, wrong := range []address.Step{{Op: address.Add, Thing: bad}, {Op: address.Add, Thing: route}} {
			steps := slices.Insert(slices.Clone(good), at, wrong)
			if err := k.Take(steps); err == nil || !strings.Contains(err.Error(), wrong.Thing.String()) {
				t.Errorf("step %d: %v", at, err)
			}
			if now := fmt.Sprint(rows(t, k)); now != was {
				t.Fatalf("step %d: %s, want %s", at, now, was)
			}
		}
	}
	if err := k.Take(good); err != nil {
		t.Fatal(err)
	}
	if _, there := view(t, k).Row(lo.Prefix, address.Loopback); there {
		t.Error("the address on lo did not move")
	}
}

func rows(t testing.TB, k *addresstest.Kernel) (list []string) {
	for _, r := range view(t, k).Rows {
		if !r.Prefix.Addr().IsLinkLocalUnicast() {
			list = append(list, fmt.Sprint(r.Prefix, r.Index))
		}
	}
	slices.Sort(list)
	return list
}

// The words of errors, and what they are.
func TestErrors(t *testing.T) {
	t.Parallel()
	s, k := machine(t)
	a := on(t, k, "10.0.0.3/32", "eth0", 0)
	if err := k.Take(adds(a)); err != nil {
		t.Fatal(err)
	}
	if err := k.Take(adds(a)); err != nil {
		t.Errorf("there already, on the same interface: %v", err)
	}
	results, err := k.Do(adds(a))
	if err != nil || !errors.Is(results[0], fs.ErrExist) {
		t.Error(err, results)
	}
	gone := a
	gone.Prefix = netip.MustParsePrefix("10.0.0.77/32")
	results, err = k.Do([]address.Step{{Op: address.Remove, Thing: gone}})
	if err != nil || !errors.Is(results[0], fs.ErrNotExist) {
		t.Error(err, results)
	}
	if err := k.Clear([]address.Step{{Op: address.Remove, Thing: gone}}); err != nil {
		t.Error(err)
	}
	gone.Index, gone.Device = 999, "eth9"
	if err := k.Take(adds(gone)); !errors.Is(err, address.ErrNoDevice) || !strings.Contains(err.Error(), "add 10.0.0.77/32 on eth9") {
		t.Error(err)
	}
	if _, err := k.Via(netip.MustParseAddr("198.51.100.7")); !errors.Is(err, address.ErrNoDevice) || !strings.Contains(err.Error(), "198.51.100.7/32/eth0") {
		t.Error(err)
	}
	s.IP(t, "route add 198.51.100.0/24 dev eth0")
	if index, err := k.Via(netip.MustParseAddr("198.51.100.7")); err != nil || index != a.Index {
		t.Error(index, err)
	}
	s.IP(t, "route add default via 10.0.0.2")
	if _, err := k.Via(netip.MustParseAddr("203.0.113.7")); !errors.Is(err, address.ErrNoDevice) {
		t.Errorf("the default route is no network: %v", err)
	}
}

// Routes and rules come and go, and come again.
func TestPaths(t *testing.T) {
	t.Parallel()
	s, k := machine(t)
	like := netip.MustParseAddr("10.0.0.3")
	var steps []address.Step
	for _, words := range []string{"default via 10.0.0.2 src 10.0.0.3 table 100", "192.0.2.0/24 via 10.0.0.2 metric 7 mtu 1400 advmss 1360", "2001:db8:9::/48 via 2001:db8::2 metric 50", "blackhole 198.51.100.0/24", "203.0.113.9 via 172.16.0.1 dev eth0 onlink"} {
		r, err := address.ParseRoute(strings.Fields(words), like)
		if err != nil {
			t.Fatal(err)
		}
		if r.Device != "" {
			l, _ := view(t, k).Named(r.Device)
			r.Index = l.Index
		}
		r.Mark = address.Mark
		steps = append(steps, address.Step{Op: address.Add, Thing: r})
	}
	for _, words := range []string{"from 10.0.0.3 lookup 100 priority 500", "to 192.0.2.0/24 fwmark 0x1/0xff table 101 prio 501", "from 2001:db8::3 iif eth0 lookup 100"} {
		r, err := address.ParseRule(strings.Fields(words), like)
		if err != nil {
			t.Fatal(err)
		}
		r.Mark = address.Mark
		steps = append(steps, address.Step{Op: address.Add, Thing: r})
	}
	steps = slices.Concat(adds(on(t, k, "10.0.0.3/32", "eth0", 0), on(t, k, "2001:db8::3/128", "eth0", 0)), steps)
	show := func() string {
		var out []string
		for _, words := range []string{"-4 route show table all", "-6 route show table all", "-4 rule", "-6 rule"} {
			for line := range strings.Lines(s.IP(t, words)) {
				if strings.Contains(line, "proto 109") || strings.Contains(line, "proto 0x6d") || strings.Contains(line, "lookup 10") {
					out = append(out, strings.TrimSpace(line))
				}
			}
		}
		return strings.Join(out, "\n")
	}
	if err := k.Take(steps); err != nil {
		t.Fatal(err)
	}
	first := show()
	t.Log(first)
	if n := len(strings.Split(first, "\n")); n != 8 {
		t.Errorf("%d lines, want 8", n)
	}
	back := slices.Clone(steps)
	slices.Reverse(back)
	for i := range back {
		back[i].Op = address.Remove
	}
	for range 2 { // what is gone is well
		if err := k.Clear(back); err != nil {
			t.Fatal(err)
		}
	}
	if left := show(); left != "" {
		t.Errorf("left:\n%s", left)
	}
	if err := k.Take(steps); err != nil || show() != first {
		t.Error(err, show())
	}
}

// Without a mark routes and rules are as ip(8) adds them, and a removal leaves
// those of others.
func TestPathsWithoutAMark(t *testing.T) {
	t.Parallel()
	s, k := machine(t)
	like := netip.MustParseAddr("10.0.0.3")
	route, err := address.ParseRoute(strings.Fields("192.0.2.0/24 via 10.0.0.2"), like)
	if err != nil {
		t.Fatal(err)
	}
	rule, err := address.ParseRule(strings.Fields("from 10.0.0.3 lookup 100 priority 500"), like)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Take([]address.Step{{Op: address.Add, Thing: route}, {Op: address.Add, Thing: rule}}); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"-d route show table all proto boot 192.0.2.0/24", "-d rule show priority 500"} {
		if out := s.IP(t, words); out == "" || strings.Contains(out, "109") || strings.Contains(out, "0x6d") {
			t.Errorf("ip %s: %q", words, out)
		}
	}
	clear := func() {
		t.Helper()
		if err := k.Clear([]address.Step{{Op: address.Remove, Thing: route}, {Op: address.Remove, Thing: rule}}); err != nil {
			t.Fatal(err)
		}
	}
	there := func() bool { return s.IP(t, "route show 192.0.2.0/24") != "" }
	if clear(); there() || s.IP(t, "rule show priority 500") != "" {
		t.Error("what was added by hand stays")
	}
	s.IP(t, "route add 192.0.2.0/24 via 10.0.0.2 proto static")
	if clear(); !there() {
		t.Error("the route of another was removed")
	}
	s.IP(t, "route change 192.0.2.0/24 via 10.0.0.2 proto 109")
	if clear(); !there() {
		t.Error("a route that is held on a token was removed")
	}
	route.Mark = address.Mark
	if clear(); there() {
		t.Error("our own stays")
	}
}

// The kernel ends a lease by itself, and the watch tells of it; of our own doing
// in IPv4 it does not.
func TestWatch(t *testing.T) {
	t.Parallel()
	s, k := machine(t)
	ctx, stop := context.WithCancel(t.Context())
	words, err := k.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	wait := func(what string) {
		t.Helper()
		select {
		case _, more := <-words:
			if !more {
				t.Fatalf("%s: the watch has ended", what)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: nothing was told", what)
		}
	}
	a := on(t, k, "10.0.0.3/32", "eth0", time.Second)
	if err := k.Take(adds(a)); err != nil {
		t.Fatal(err)
	}
	ends := row(t, k, a).Expires
	wait("the lease ended")
	if now := boottime.Now(); now < ends-60*time.Millisecond || now > ends+address.Slack+500*time.Millisecond {
		t.Errorf("the lease ended %v after its time", now-ends)
	}
	if _, there := view(t, k).Row(a.Prefix, a.Index); there {
		t.Error("it is still there")
	}
	s.IP(t, "addr add 10.0.0.3/32 dev eth0")
	s.IP(t, "addr del 10.0.0.3/32 dev eth0")
	wait("removed by others")
	l, _ := view(t, k).Named("eth0")
	s.IP(t, "link set eth0p down")
	wait("carrier")
	s.IP(t, "link set eth0p up")
	wait("carrier again")
	if now, _ := view(t, k).Named("eth0"); now.Ups == l.Ups {
		t.Errorf("the carrier came %d times, as before", now.Ups)
	}
	s.IP(t, "link set eth0 address 02:00:00:00:00:77")
	wait("hardware address")
	if now, _ := view(t, k).Named("eth0"); now.MAC != "\x02\x00\x00\x00\x00\x77" {
		t.Errorf("%x", now.MAC)
	}
	s.IP(t, "link del eth0")
	wait("interface gone")
	stop()
	for range words { // until it is closed
	}
}

// A hundred addresses are one message.
func TestMany(t *testing.T) {
	t.Parallel()
	_, k := machine(t)
	first := on(t, k, "10.1.0.0/32", "eth0", time.Minute)
	for _, n := range []int{1, 100, 3000} {
		list := several(first, n)
		if err := k.Take(adds(list...)); err != nil {
			t.Fatal(err)
		}
		if got := len(rows(t, k)); got != n+4 {
			t.Errorf("%d rows, want %d", got, n+4)
		}
		wrong := slices.Clone(adds(list...))
		for i := range wrong {
			wrong[i].Op = address.Remove
		}
		// A thousand refusals are read, too.
		bad := first
		bad.Index = 4711
		for range 1000 {
			wrong = append(wrong, address.Step{Op: address.Add, Thing: bad})
		}
		if err := k.Clear(wrong); !errors.Is(err, address.ErrNoDevice) {
			t.Fatal(err)
		}
		if got := len(rows(t, k)); got != 4 {
			t.Errorf("%d rows, want 4", got)
		}
	}
}

// several are n addresses like first.
func several(first address.Address, n int) []address.Address {
	list := make([]address.Address, n)
	for i := range list {
		list[i] = first
		list[i].Prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 32)
	}
	return list
}

// Who has not the capability is told so.
func TestPermission(t *testing.T) {
	t.Parallel()
	s, k := machine(t)
	a := on(t, k, "10.0.0.3/32", "eth0", 0)
	s.Do(func() {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		if err := unix.Capset(&header, &data[0]); err != nil { // of this thread only
			t.Error(err)
			return
		}
		weak, err := address.Open()
		if err != nil {
			t.Error(err)
			return
		}
		defer weak.Close()
		if v, err := weak.View(); err != nil || len(v.Rows) == 0 {
			t.Error(err)
		}
		if err := weak.Take(adds(a)); !errors.Is(err, address.ErrPermission) || !strings.Contains(err.Error(), "cap_net_admin") {
			t.Error(err)
		}
	})
}

// BenchmarkTake is the kernel's own time for a group, one message: the floor of
// what a holder can do.
func BenchmarkTake(b *testing.B) {
	_, k := machine(b)
	first := on(b, k, "10.1.0.0/32", "eth0", time.Minute)
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			add := adds(several(first, n)...)
			remove := slices.Clone(add)
			for i := range remove {
				remove[i].Op = address.Remove
			}
			for b.Loop() {
				if err := k.Take(add); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := k.Clear(remove); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
