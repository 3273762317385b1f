package neighbour_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/neighbour"
	"github.com/mondhq/mond/plugins/neighbour/neighbourtest"
)

func addrs(texts ...string) (out []netip.Addr) {
	for _, a := range texts {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

func mac(machine int) neighbour.MAC {
	m, err := neighbour.ParseMAC(neighbourtest.MAC(machine))
	if err != nil {
		panic(err)
	}
	return m
}

func station(t *testing.T, w *neighbourtest.Wire, machine int) *neighbour.Station {
	t.Helper()
	var s *neighbour.Station
	if err := w.Inside(machine, func() (err error) { s, err = neighbour.OpenStation("eth0"); return err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Three machines: this one, one that has addresses of both families, and one
// that has the same, too.
func TestAsk(t *testing.T) {
	w := neighbourtest.New(t, 3)
	w.IP(1, "address add 10.0.0.1/24 dev eth0\naddress add 2001:db8::1/64 dev eth0 nodad\n")
	both := "address add 10.0.0.3/32 dev eth0\naddress add 2001:db8::3/128 dev eth0 nodad\n"
	w.IP(2, "address add 10.0.0.2/24 dev eth0\naddress add 2001:db8::2/64 dev eth0 nodad\n"+both)
	w.IP(3, both)
	s := station(t, w, 1)
	wanted := addrs("10.0.0.9", "10.0.0.2", "2001:db8::2", "10.0.0.3", "2001:db8::3", "2001:db8::9")
	for name, q := range map[string]neighbour.Question{
		"probe":    {},
		"ordinary": {From4: addrs("10.0.0.1")[0], From6: addrs("2001:db8::1")[0]},
	} {
		q.Addrs, q.Wait, q.Times, q.All = wanted, 500*time.Millisecond, 2, true
		answers, err := s.Ask(t.Context(), q)
		if err != nil {
			t.Fatal(name, err)
		}
		var got []string
		for _, a := range answers {
			got = append(got, fmt.Sprint(a.Addr, " ", a.MAC))
		}
		slices.Sort(got)
		two, three := neighbourtest.MAC(2), neighbourtest.MAC(3)
		want := []string{"10.0.0.2 " + two, "10.0.0.3 " + two, "10.0.0.3 " + three, "2001:db8::2 " + two, "2001:db8::3 " + two, "2001:db8::3 " + three}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// One answer is enough, at once; nobody is no error; no carrier is one.
func TestAskOnce(t *testing.T) {
	w := neighbourtest.New(t, 2)
	w.IP(2, "address add 10.0.0.2/24 dev eth0\n")
	s := station(t, w, 1)
	begun := time.Now()
	answers, err := s.Ask(t.Context(), neighbour.Question{Addrs: addrs("10.0.0.9", "10.0.0.2"), Wait: time.Minute, Times: 1200})
	if err != nil || len(answers) != 1 || answers[0].MAC != mac(2) || time.Since(begun) > 10*time.Second {
		t.Error(answers, err, time.Since(begun))
	}
	if answers, err = s.Ask(t.Context(), neighbour.Question{Addrs: addrs("10.0.0.9"), Wait: 20 * time.Millisecond}); err != nil || len(answers) > 0 {
		t.Error(answers, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = s.Ask(ended, neighbour.Question{Addrs: addrs("10.0.0.9"), Wait: time.Minute}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	w.Plug(1, false)
	if _, err = s.Ask(t.Context(), neighbour.Question{Addrs: addrs("10.0.0.2"), Wait: time.Minute}); err == nil {
		t.Error("asked without carrier")
	}
	if _, ok := s.Known(addrs("10.0.0.2")[0]); ok {
		t.Error("a probe made the kernel know a neighbour")
	}
}

// A listener hears what it listens for, of the kernel's own making; not more.
func TestListen(t *testing.T) {
	w := neighbourtest.New(t, 2)
	w.IP(2, "address add 10.0.0.2/24 dev eth0\naddress add 2001:db8::2/64 dev eth0 nodad\n")
	s, peer := station(t, w, 1), station(t, w, 2)
	l, err := s.Listen(addrs("10.0.0.3", "2001:db8::3", "10.0.0.2"))
	if err != nil {
		t.Fatal(err)
	}
	send := func(family neighbour.Family, frame []byte) {
		t.Helper()
		if err := peer.Send(family, frame); err != nil {
			t.Fatal(err)
		}
	}
	four, six := addrs("10.0.0.3")[0], addrs("2001:db8::3")[0]
	send(neighbour.IPv4, neighbour.AppendAnnouncement(nil, mac(2), addrs("10.0.0.4")[0], false))
	send(neighbour.IPv4, neighbour.AppendAnnouncement(nil, mac(2), four, false))
	send(neighbour.IPv4, neighbour.AppendReply(nil, mac(7), four))
	send(neighbour.IPv4, neighbour.AppendProbe(nil, mac(2), four))
	send(neighbour.IPv4, neighbour.AppendQuestion(nil, mac(2), addrs("10.0.0.2")[0], neighbour.MAC{}, addrs("10.0.0.9")[0]))
	for i, want := range []neighbour.Claim{{four, mac(2), neighbour.Announced}, {four, mac(7), neighbour.Advertised}, {addrs("10.0.0.2")[0], mac(2), neighbour.Asked}} {
		if got := <-l.Claims; got != want {
			t.Errorf("%d: %v, want %v", i, got, want)
		}
	}
	if err := l.Only(addrs("2001:db8::3", "2001:db8::2")); err != nil {
		t.Fatal(err)
	}
	send(neighbour.IPv4, neighbour.AppendReply(nil, mac(7), four))
	send(neighbour.IPv6, neighbour.AppendProbe(nil, mac(2), six))
	send(neighbour.IPv6, neighbour.AppendAnnouncement(nil, mac(2), six, true))
	send(neighbour.IPv6, neighbour.AppendToRouters(nil, mac(8), six, true))
	send(neighbour.IPv6, neighbour.AppendQuestion(nil, mac(2), six, neighbour.MAC{}, addrs("2001:db8::9")[0]))
	for i, want := range []neighbour.Claim{{six, mac(2), neighbour.Announced}, {six, mac(8), neighbour.Announced}, {six, mac(2), neighbour.Asked}} {
		if got := <-l.Claims; got != want {
			t.Errorf("%d: %v, want %v", i, got, want)
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, open := <-l.Claims; open || l.Missed() != 0 {
		t.Error("a closed listener hears")
	}
}

// What the kernel says of interfaces, and that it says when they change.
func TestLinks(t *testing.T) {
	w := neighbourtest.New(t, 2)
	var links *neighbour.Links
	var watch *neighbour.LinkWatch
	err := w.Inside(1, func() (err error) {
		if links, err = neighbour.OpenLinks(); err == nil {
			watch, err = neighbour.WatchLinks()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer links.Close()
	defer watch.Close()
	l, err := links.Named("eth0")
	if err != nil || l.MAC != mac(1) || !l.Carrier || !l.Up || !l.Neighbours || l.Forwards {
		t.Errorf("%+v %v", l, err)
	}
	if same, err := links.Numbered(l.Index); err != nil || same != l {
		t.Errorf("%+v %v", same, err)
	}
	if lo, err := links.Named("lo"); err != nil || lo.Neighbours {
		t.Errorf("%+v %v", lo, err)
	}
	if all, err := links.All(); err != nil || !slices.Contains(all, l) {
		t.Errorf("%+v %v", all, err)
	}
	for _, name := range []string{"nix", "", "far-too-long-a-name"} {
		if _, err := links.Named(name); !errors.Is(err, fs.ErrNotExist) {
			t.Error(name, err)
		}
	}
	w.IP(1, "address add 10.0.0.1/24 dev eth0\naddress add 2001:db8::1/64 dev eth0 nodad\naddress add 2001:db8::2/64 dev eth0\naddress add 10.0.0.9/32 dev lo\n")
	have, err := links.Addresses(l.Index)
	if err != nil || !have[addrs("10.0.0.1")[0]] || !have[addrs("2001:db8::1")[0]] || have[addrs("2001:db8::2")[0]] || have[addrs("10.0.0.9")[0]] {
		t.Error(have, err)
	}
	w.Output(1, "sysctl", "-q", "net.ipv6.conf.eth0.forwarding=1")
	if l, err := links.Numbered(l.Index); err != nil || !l.Forwards {
		t.Errorf("%+v %v", l, err)
	}
	until := func(what string, is func(neighbour.Link) bool) {
		t.Helper()
		for {
			changed, missed, err := watch.Receive()
			if err != nil || missed {
				t.Fatal(what, missed, err)
			}
			if slices.ContainsFunc(changed, is) {
				return
			}
		}
	}
	w.Plug(1, false)
	until("down", func(l neighbour.Link) bool { return l.Name == "eth0" && !l.Carrier })
	w.Plug(1, true)
	until("up", func(k neighbour.Link) bool { return k.Name == "eth0" && k.Carrier && k.Changes > l.Changes })
	w.IP(1, "link set eth0 address 02:00:00:00:00:77\n")
	until("address", func(l neighbour.Link) bool { return l.MAC == mac(0x77) })
	w.IP(1, "link del eth0\n")
	until("gone", func(l neighbour.Link) bool { return l.Gone && l.Name == "eth0" })
	if _, err := links.Numbered(l.Index); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// An interface without neighbours, and none.
func TestOpenStationErrors(t *testing.T) {
	w := neighbourtest.New(t, 1)
	for _, name := range []string{"lo", "nix"} {
		err := w.Inside(1, func() error { _, err := neighbour.OpenStation(name); return err })
		if err == nil || errors.Is(err, neighbour.ErrNoNeighbours) != (name == "lo") {
			t.Error(name, err)
		}
	}
}
