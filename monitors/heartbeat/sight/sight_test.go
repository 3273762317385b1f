package sight

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/monitors/heartbeat/member"
	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/role/boottime"
)

// The tests run in a network namespace of their own.
func TestMain(m *testing.M) { echotest.Main(m) }

// soon is how long a test waits for what comes at once.
const soon = 10 * time.Second

const vip, vip6 = "10.7.0.100", "fd07::100"

// far is a second machine, at the end of veth0: 10.7.0.254, the gateway.
func far(t *testing.T) (ip, inside func(commands ...string)) {
	t.Helper()
	echotest.Need(t)
	name := fmt.Sprintf("mond-sight-%d", time.Now().UnixNano())
	do := func(words string) {
		t.Helper()
		if out, err := exec.Command("ip", strings.Fields(words)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v\n%s", words, err, out)
		}
	}
	do("netns add " + name)
	t.Cleanup(func() {
		_ = exec.Command("ip", "link", "delete", "veth0").Run() // it may be gone
		_ = exec.Command("ip", "netns", "delete", name).Run()
	})
	ip = func(commands ...string) {
		t.Helper()
		for _, c := range commands {
			do(c)
		}
	}
	inside = func(commands ...string) {
		t.Helper()
		for _, c := range commands {
			do("-n " + name + " " + c)
		}
	}
	ip("link add veth0 type veth peer name veth0 netns " + name)
	for _, end := range []struct {
		on   func(...string)
		last string
	}{{ip, "1"}, {inside, "254"}} {
		end.on("link set veth0 addrgenmode none", "addr add 10.7.0."+end.last+"/24 dev veth0", "addr add fd07::"+end.last+"/64 dev veth0 nodad", "addr add fe80::"+end.last+"/64 dev veth0 nodad", "link set veth0 up")
	}
	return ip, inside
}

// looking is a Sight that runs.
type looking struct {
	*Sight
	t    *testing.T
	mu   sync.Mutex
	last Seen
	at   time.Duration
}

func look(t *testing.T, o Options) *looking {
	t.Helper()
	l := &looking{Sight: New(o), t: t}
	done := make(chan struct{})
	ctx := t.Context() // it ends before the cleanups
	go func() {
		defer close(done)
		l.Run(ctx, func(s Seen) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.last, l.at = s, boottime.Now()
		})
	}()
	t.Cleanup(func() { <-done })
	return l
}

// until waits until what is seen is so.
func (l *looking) until(what string, is func(Seen) bool) Seen {
	l.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(soon); ; <-tick.C {
		l.mu.Lock()
		s := l.last
		l.mu.Unlock()
		if len(s.LANs) > 0 && is(s) {
			return s
		}
		if time.Now().After(end) {
			l.t.Fatalf("no %s: %+v", what, s)
		}
	}
}

func web(device string) []role.Group {
	return []role.Group{{Name: "web", Addresses: []role.Address{
		{Prefix: netip.MustParsePrefix(vip + "/32"), Device: device}, {Prefix: netip.MustParsePrefix(vip6 + "/128"), Device: device},
	}}}
}

func TestNetworks(t *testing.T) {
	ip, inside := far(t)
	ip("link set lo up", "route add default via 10.7.0.254")
	for _, device := range []string{"veth0", ""} { // "": the one whose network it is in
		l := look(t, Options{Groups: web(device)})
		l.until("gateway", func(s Seen) bool {
			return s.LANs[0].Name == "veth0" && s.LANs[0].Carrier && s.LANs[0].Gateway && s.LANs[0].Neighbour && s.Err == nil
		})
		inside("addr del 10.7.0.254/24 dev veth0")
		l.until("silent gateway", func(s Seen) bool { return s.LANs[0].Carrier && !s.LANs[0].Gateway })
		inside("addr add 10.7.0.254/24 dev veth0")
		l.until("gateway again", func(s Seen) bool { return s.LANs[0].Gateway })
		inside("link set veth0 down")
		l.until("lost carrier", func(s Seen) bool { return !s.LANs[0].Carrier })
		inside("link set veth0 up")
		l.until("carrier", func(s Seen) bool { return s.LANs[0].Carrier && s.LANs[0].Gateway })
	}
}

// TestNeighbours: without a gateway any station that is named, or was spoken
// to, will do.
func TestNeighbours(t *testing.T) {
	_, _ = far(t)
	l := look(t, Options{Groups: web("veth0"), Neighbours: []netip.Addr{netip.MustParseAddr("fd07::254"), netip.MustParseAddr("192.0.2.1")}})
	l.until("neighbour", func(s Seen) bool { return s.LANs[0].NoGateway && s.LANs[0].Neighbour && !s.LANs[0].Gateway })
}

func TestNoInterface(t *testing.T) {
	ip, _ := far(t)
	l := look(t, Options{Groups: web("veth0")})
	l.until("carrier", func(s Seen) bool { return s.LANs[0].Carrier })
	ip("link set veth0 name veth7")
	l.until("lost interface", func(s Seen) bool { return !s.LANs[0].Carrier })
	ip("link set veth7 name veth0")
	l.until("interface", func(s Seen) bool { return s.LANs[0].Carrier })
}

// TestHeld: the kernel's addresses are seen at once, with the very end of their
// lifetime.
func TestHeld(t *testing.T) {
	ip, _ := far(t)
	l := look(t, Options{Groups: web("veth0")})
	l.until("nothing", func(s Seen) bool { return s.Groups[0] == member.Held{} })
	before := boottime.Now()
	ip("addr add " + vip + "/32 dev veth0 valid_lft 3 preferred_lft 3")
	after := boottime.Now()
	s := l.until("address", func(s Seen) bool { return s.Groups[0].Count == 1 })
	if e := s.Groups[0].Lease; e < before+2*time.Second || e > after+3*time.Second+tickOfKernel {
		t.Errorf("it ends at %v, set between %v and %v", e, before, after)
	}
	before = boottime.Now()
	ip("addr replace " + vip + "/32 dev veth0 valid_lft 4 preferred_lft 4")
	after = boottime.Now()
	// Now it is known by how much the kernel's stamps are behind.
	l.until("very end", func(s Seen) bool {
		e := s.Groups[0].Lease
		return e >= before+4*time.Second-tickOfKernel && e <= after+4*time.Second+2*tickOfKernel
	})
	ip("addr add " + vip6 + "/128 dev veth0 nodad")
	s = l.until("both", func(s Seen) bool { return s.Groups[0].Count == 2 })
	if s.Groups[0].Lease == wire.Permanent || s.Groups[0].Digest == 0 || len(s.Held[0]) != 2 {
		t.Errorf("%+v", s)
	}
	end := s.Groups[0].Lease
	l.until("one", func(s Seen) bool { return s.Groups[0].Count == 1 && s.Groups[0].Lease == wire.Permanent })
	if late := boottime.Now() - end; late < -tickOfKernel || late > time.Second {
		t.Errorf("the kernel removed it %v after its end", late)
	}
	ip("addr del " + vip6 + "/128 dev veth0")
	l.until("nothing", func(s Seen) bool { return s.Groups[0].Count == 0 && s.Groups[0].Lease == 0 })
}

func TestProbe(t *testing.T) {
	_, inside := far(t)
	peer := netip.MustParseAddr("10.7.0.254")
	stranger := look(t, Options{Groups: web("veth0")})
	friend := look(t, Options{Groups: web("veth0"), Peer: []netip.Addr{peer}})
	eventually := func(l *looking, want member.Answer) {
		t.Helper()
		l.asked(fmt.Sprintf("answer %d", want), func(p member.Probed) bool { return p.Answer == want })
	}
	for _, l := range []*looking{stranger, friend} {
		l.until("carrier", func(s Seen) bool { return s.LANs[0].Carrier })
		eventually(l, member.Nobody)
	}
	for _, a := range []string{vip + "/32", vip6 + "/128"} {
		inside("addr add " + a + " dev veth0 nodad") // else the question makes it give up
		eventually(stranger, member.ByRival)
		eventually(friend, member.ByPeer)
		inside("addr del " + a + " dev veth0")
		eventually(friend, member.Nobody)
	}
	// Who answers for what the peer says it holds is the peer.
	inside("addr add " + vip + "/32 dev veth0")
	stranger.PeerHolds(0, true)
	eventually(stranger, member.ByPeer)
	inside("link set veth0 down")
	eventually(stranger, member.Unlooked)
}

// TestProof: that nobody answers for an address is proved by a gateway or a
// neighbour that answers in the same time, on each network.
func TestProof(t *testing.T) {
	ip, inside := far(t)
	peer := netip.MustParseAddr("10.7.0.254")
	for _, c := range []struct {
		name   string
		before func()
		o      Options
		proved bool
	}{
		{"nobody to be asked but the peer", func() {}, Options{Peer: []netip.Addr{peer, netip.MustParseAddr("fd07::254")}}, false},
		{"a neighbour", func() {}, Options{Neighbours: []netip.Addr{netip.MustParseAddr("fd07::254")}}, true},
		{"a gateway", func() { ip("link set lo up", "route add default via 10.7.0.254") }, Options{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.before()
			c.o.Groups = web("veth0")
			l := look(t, c.o)
			l.until("carrier", func(s Seen) bool { return s.LANs[0].Carrier && s.LANs[0].Neighbour == c.proved })
			l.asked("nobody, proved or not", func(p member.Probed) bool { return p.Answer == member.Nobody && (p.Unproven == "") == c.proved })
			inside("addr del 10.7.0.254/24 dev veth0", "addr del fd07::254/64 dev veth0")
			l.asked("nobody, unproven", func(p member.Probed) bool { return p.Answer == member.Nobody && p.Unproven == "veth0" })
			inside("addr add 10.7.0.254/24 dev veth0", "addr add fd07::254/64 dev veth0 nodad")
			l.asked("as before", func(p member.Probed) bool { return p.Answer == member.Nobody && (p.Unproven == "") == c.proved })
		})
	}
}

// asked asks until the answer is so.
func (l *looking) asked(what string, is func(member.Probed) bool) {
	l.t.Helper()
	for end := time.Now().Add(soon); ; {
		answer := make(chan member.Probed, 1)
		l.Probe(0, 40*time.Millisecond, func(p member.Probed) { answer <- p })
		select {
		case p := <-answer:
			if is(p) {
				return
			}
			if time.Now().After(end) {
				l.t.Fatalf("no %s: %+v", what, p)
			}
		case <-time.After(soon):
			l.t.Fatal("no answer")
		}
	}
}

func TestEnds(t *testing.T) {
	const second = time.Second
	for _, c := range []struct {
		name          string
		valid, stamp  uint32 // seconds left, hundredths
		before, after time.Duration
		end           time.Duration
		unsure        bool
	}{
		{"just set", 3, 10000, 100*second + 20*time.Millisecond, 100*second + 30*time.Millisecond, 103 * second, false},
		{"half a second later", 3, 10000, 100*second + 500*time.Millisecond, 100*second + 501*time.Millisecond, 103 * second, false},
		{"one and a half later", 2, 10000, 101*second + 500*time.Millisecond, 101*second + 501*time.Millisecond, 103 * second, false},
		{"on the second", 2, 10000, 101*second - time.Millisecond, 101*second + time.Millisecond, 102 * second, true},
		{"the stamp is a tick ahead", 3, 10001, 100 * second, 100 * second, 103*second + 10*time.Millisecond, false},
	} {
		end, unsure := ends(c.valid, c.stamp, c.before, c.after, 0)
		if end != c.end || unsure != c.unsure {
			t.Errorf("%s: %v, %v", c.name, end, unsure)
		}
	}
}
