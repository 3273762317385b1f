package announce

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/neighbour"
	"github.com/mondhq/mond/plugins/neighbour/neighbourtest"
)

// patience is for what takes milliseconds on a machine that is not busy.
const patience = 20 * time.Second

// The machines of these tests: the director that announces, a client, and
// whoever has had the address.
const (
	director = 1
	client   = 2
	old      = 3
)

func macOf(machine int) neighbour.MAC {
	m, err := neighbour.ParseMAC(neighbourtest.MAC(machine))
	if err != nil {
		panic(err)
	}
	return m
}

// lab is a wire with an Announcer on the director, which has the addresses.
type lab struct {
	*Announcer
	t      testing.TB
	wire   *neighbourtest.Wire
	frames *neighbourtest.Capture // what the client receives
	table  *neighbour.Links       // the client's
	eth0   int                    // there

	moved chan Event
}

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{t: t, wire: neighbourtest.New(t, 3), moved: make(chan Event, 64)}
	l.wire.IP(director, "address add 10.0.0.1/24 dev eth0\naddress add 10.0.0.3/32 dev eth0\naddress add 2001:db8::3/128 dev eth0 nodad preferred_lft 0\n")
	l.wire.IP(client, "address add 10.0.0.2/24 dev eth0\naddress add 2001:db8::2/64 dev eth0 nodad\n")
	l.frames = l.wire.Capture(client, "eth0")
	err := l.wire.Inside(client, func() (err error) { l.table, err = neighbour.OpenLinks(); return err })
	if err != nil {
		t.Fatal(err)
	}
	link, err := l.table.Named("eth0")
	if err != nil {
		t.Fatal(err)
	}
	l.eth0 = link.Index
	l.start()
	return l
}

func (l *lab) start() {
	kernel := Kernel{Inside: func(f func() error) error { return l.wire.Inside(director, f) }}
	l.Announcer = New(Options{Network: kernel, Told: func(e Event) {
		select {
		case l.moved <- e:
		default:
		}
	}})
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := l.Run(ctx); err != nil {
			l.t.Error(err)
		}
	})
	l.t.Cleanup(func() { stop(); done.Wait(); l.table.Close() })
}

// believes makes the client believe that an address is with a machine.
func (l *lab) believes(a netip.Addr, machine int) {
	l.t.Helper()
	l.wire.IP(client, fmt.Sprintf("neigh replace %s lladdr %s nud reachable dev eth0\n", a, neighbourtest.MAC(machine)))
	if m, ok := l.table.Known(l.eth0, a); !ok || m != macOf(machine) {
		l.t.Fatalf("%s is at %v, %v", a, m, ok)
	}
}

// learns waits until the client knows where an address is.
func (l *lab) learns(a netip.Addr, is neighbour.MAC) {
	l.t.Helper()
	for until := time.Now().Add(patience); time.Now().Before(until); {
		if m, ok := l.table.Known(l.eth0, a); ok && m == is {
			return
		}
	}
	m, ok := l.table.Known(l.eth0, a)
	l.t.Errorf("the client has %s at %v %v, not at %v: %+v", a, m, ok, is, l.Rows())
}

// sees waits for a frame, octet for octet.
func (l *lab) sees(what string, frame []byte) {
	l.t.Helper()
	if l.frames.Next(patience, func(f []byte) bool { return bytes.Equal(f, frame) }) == nil {
		l.t.Errorf("the client does not see the %s:\n% x\n%+v", what, frame, l.Rows())
	}
}

// tells waits for an event.
func (l *lab) tells(kind Kind) Event {
	l.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case e := <-l.moved:
			if e.Kind == kind {
				return e
			}
		case <-timer.C:
			l.t.Fatalf("no event %d", kind)
		}
	}
}

// Each form alone makes a Linux client change the entry that it has, with
// arp_accept 0.
func TestFormsSwitchAClient(t *testing.T) {
	l := newLab(t)
	var s *neighbour.Station
	if err := l.wire.Inside(director, func() (err error) { s, err = neighbour.OpenStation("eth0"); return err }); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if out := l.wire.Output(client, "sysctl", "-n", "net.ipv4.conf.eth0.arp_accept"); strings.TrimSpace(out) != "0" {
		t.Errorf("arp_accept is %s", out)
	}
	two4, two6 := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("2001:db8::2")
	mac := macOf(director)
	for _, c := range []struct {
		name  string
		addr  netip.Addr
		frame []byte
	}{
		{"request", four, neighbour.AppendAnnouncement(nil, mac, four, false)},
		{"reply", four, neighbour.AppendReply(nil, mac, four)},
		{"question to the client", four, neighbour.AppendQuestion(nil, mac, four, macOf(client), two4)},
		{"advertisement", six, neighbour.AppendAnnouncement(nil, mac, six, false)},
		{"solicitation to the client", six, neighbour.AppendQuestion(nil, mac, six, macOf(client), two6)},
	} {
		l.believes(c.addr, old)
		if err := s.Send(neighbour.FamilyOf(c.addr), c.frame); err != nil {
			t.Fatal(c.name, err)
		}
		l.sees(c.name, c.frame)
		l.learns(c.addr, mac)
	}
}

// What the Announcer sends, octet for octet, and that the client switches.
func TestAnnouncesOnTheWire(t *testing.T) {
	l := newLab(t)
	mac := macOf(director)
	l.believes(four, old)
	l.believes(six, old)
	g := one("web", time.Minute, four, six)
	g.Tell = []netip.Addr{netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("2001:db8::2")}
	l.Took(g)
	l.sees("request", neighbour.AppendAnnouncement(nil, mac, four, false))
	l.sees("advertisement", neighbour.AppendAnnouncement(nil, mac, six, false))
	l.sees("reply", neighbour.AppendReply(nil, mac, four))
	l.sees("advertisement to routers", neighbour.AppendToRouters(nil, mac, six, false))
	l.learns(four, mac)
	l.learns(six, mac)
	// the stations answered, so they are asked by themselves
	l.sees("question", neighbour.AppendQuestion(nil, mac, four, macOf(client), g.Tell[0]))
	l.sees("solicitation", neighbour.AppendQuestion(nil, mac, six, macOf(client), g.Tell[1]))
	for _, r := range l.Stations() {
		if r.At != macOf(client) || r.Answered.IsZero() {
			t.Errorf("%+v", r)
		}
	}
	if a := l.Account("web"); a.Error != "" || a.Failed > 0 || a.Sent < 6 {
		t.Errorf("%+v", a)
	}
	l.Released("web")
	l.frames.Next(10*time.Millisecond, func([]byte) bool { return false }) // what was on its way
	if f := l.frames.Next(250*time.Millisecond, isOf(four, six)); f != nil {
		t.Errorf("after the release: % x", f)
	}
}

// isOf takes announcements of addresses, whoever sends them.
func isOf(addrs ...netip.Addr) func([]byte) bool {
	return func(f []byte) bool {
		c, ok := neighbour.Read(f)
		return ok && slices.Contains(addrs, c.Addr) && c.Kind != neighbour.Answered
	}
}

// The router flag is that of the interface's forwarding, or of the declaration;
// without it a client drops the router.
func TestRouterFlag(t *testing.T) {
	l := newLab(t)
	router := func() bool {
		return strings.Contains(l.wire.Output(client, "ip", "-6", "neigh", "show", six.String()), "router")
	}
	mac := macOf(director)
	for _, c := range []struct {
		name, forwarding string
		declared, flag   bool
	}{
		{"host", "0", false, false}, {"forwards", "1", false, true}, {"host again", "0", false, false}, {"declared", "0", true, true},
	} {
		l.wire.Output(director, "sysctl", "-q", "net.ipv6.conf.eth0.forwarding="+c.forwarding)
		l.wire.IP(client, "neigh flush dev eth0\n")
		l.believes(six, old)
		g := one("web", 0, six)
		g.Addresses[0].Router = c.declared
		l.Took(g)
		l.sees(c.name, neighbour.AppendAnnouncement(nil, mac, six, c.flag))
		l.learns(six, mac)
		if router() != c.flag {
			t.Errorf("%s: the client's entry: %s", c.name, l.wire.Output(client, "ip", "-6", "neigh", "show"))
		}
		l.Released("web")
	}
}

// A stranger that announces the address is told of, and has not the last word.
func TestRivalOnTheWire(t *testing.T) {
	l := newLab(t)
	l.Took(one("web", 0, four, six))
	l.sees("request", neighbour.AppendAnnouncement(nil, macOf(director), four, false))
	var s *neighbour.Station
	if err := l.wire.Inside(old, func() (err error) { s, err = neighbour.OpenStation("eth0"); return err }); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, a := range []netip.Addr{four, six} {
		l.believes(a, director)
		if err := s.Send(neighbour.FamilyOf(a), neighbour.AppendAnnouncement(nil, macOf(old), a, false)); err != nil {
			t.Fatal(err)
		}
		if e := l.tells(Rival); e.Addr != a || e.MAC != macOf(old) || e.Group != "web" || e.When.IsZero() {
			t.Errorf("%+v", e)
		}
		l.learns(a, macOf(director))
	}
	for _, r := range l.Rows() {
		if r.Rivals != 1 || r.Rival != macOf(old) {
			t.Errorf("%+v", r)
		}
	}
	if err := s.Send(neighbour.IPv4, neighbour.AppendQuestion(nil, macOf(old), four, neighbour.MAC{}, netip.MustParseAddr("10.0.0.2"))); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(patience); l.Rows()[0].Rivals < 2; {
		if time.Now().After(until) {
			t.Fatalf("who asks from the address is no rival: %+v", l.Rows())
		}
	}
}

// A carrier that comes again, another hardware address, another interface of the
// same name, and an address that others removed.
func TestLinkChangesOnTheWire(t *testing.T) {
	l := newLab(t)
	mac := macOf(director)
	l.Took(one("web", 0, six, four))
	l.sees("reply", neighbour.AppendReply(nil, mac, four))
	l.wire.Plug(director, false)
	l.Again("web")
	l.tells(Failing)
	l.believes(four, old)
	l.wire.Plug(director, true)
	if e := l.tells(Moved); e.Device != "eth0" || !strings.Contains(e.Text, "carrier") {
		t.Errorf("%+v", e)
	}
	l.learns(four, mac)

	other := neighbour.MAC{2, 0, 0, 0, 0, 0x77}
	l.wire.IP(director, "link set eth0 address "+other.String()+"\n")
	if e := l.tells(Moved); !strings.Contains(e.Text, other.String()) {
		t.Errorf("%+v", e)
	}
	l.sees("request", neighbour.AppendAnnouncement(nil, other, four, false))
	l.sees("advertisement", neighbour.AppendAnnouncement(nil, other, six, false))
	l.learns(four, other)

	l.wire.IP(director, "address del 10.0.0.3/32 dev eth0\n")
	l.Again("web")
	for until := time.Now().Add(patience); !strings.Contains(l.Account("web").Error, "does not have the address"); {
		if time.Now().After(until) {
			t.Fatalf("%+v", l.Account("web"))
		}
	}
	l.wire.Rewire(director)
	l.wire.IP(director, "address add 10.0.0.3/32 dev eth0\naddress add 2001:db8::3/128 dev eth0 nodad\n")
	l.sees("request on the new interface", neighbour.AppendAnnouncement(nil, mac, four, false))
	l.learns(four, mac)
}

// BenchmarkOnTheWire is the time from Took to the first frame at the client.
func BenchmarkOnTheWire(b *testing.B) {
	l := newLab(b)
	l.Took(one("other", 0, six)) // so that the interface is open
	l.sees("advertisement", neighbour.AppendAnnouncement(nil, macOf(director), six, false))
	want := neighbour.AppendAnnouncement(nil, macOf(director), four, false)
	for b.Loop() {
		l.Took(one("web", 0, four))
		l.sees("request", want)
		l.Released("web")
		b.StopTimer()
		for l.frames.Next(50*time.Millisecond, isOf(four)) != nil { // the rate fills up again, too
		}
		b.StartTimer()
	}
}

// BenchmarkFirstOfAll is the same on an interface that is not open yet.
func BenchmarkFirstOfAll(b *testing.B) {
	l := newLab(b)
	want := neighbour.AppendAnnouncement(nil, macOf(director), four, false)
	for b.Loop() {
		l.Took(one("web", 0, four))
		l.sees("request", want)
		b.StopTimer()
		l.Released("web")
		for l.frames.Next(50*time.Millisecond, isOf(four)) != nil {
		}
		b.StartTimer()
	}
}
