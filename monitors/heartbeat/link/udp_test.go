package link

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ways are the words of both ends of each kind of link over UDP.
var ways = map[string][2]string{
	"unicast":             {"a=udp:10.8.0.1,10.8.0.2", "a=udp:10.8.0.2,10.8.0.1"},
	"unicast IPv6":        {"a=udp:fd08::1,fd08::2", "a=udp:fd08::2,fd08::1"},
	"unicast, link-local": {"a=udp:fe80::1%veth0,fe80::2%veth0", "a=udp:fe80::2%veth0,fe80::1%veth0"},
	"multicast":           {"a=mcast:veth0,239.6.9.4", "a=mcast:veth0,239.6.9.4"},
	"multicast IPv6":      {"a=mcast:veth0,ff12::694", "a=mcast:veth0,ff12::694"},
	"broadcast":           {"a=bcast:veth0", "a=bcast:veth0"},
}

// TestWays: packets go both ways, all links at once, and none gets its own.
func TestWays(t *testing.T) {
	l := newLab(t)
	for name, words := range ways {
		t.Run(name, func(t *testing.T) {
			a, b := begin(t, l, 1, words[0]), begin(t, l, 2, words[1])
			a.opened()
			b.opened()
			b.gets(a, "from a")
			a.gets(b, "from b")
			s := a.State()
			if !s.Carrier || s.Err != nil || s.Refused != 0 || s.Overrun != 0 {
				t.Errorf("%+v", s)
			}
			for len(a.came) > 0 {
				if p := <-a.came; string(p) == "from a" && name != "broadcast" {
					t.Error("it heard itself")
				}
			}
		})
	}
}

// TestFromAfar: a packet that a router forwarded is not the peer's (RFC 5082).
func TestFromAfar(t *testing.T) {
	l := newLab(t)
	a := begin(t, l, 1, "a=udp:10.8.0.1:7000,10.8.0.2:7000")
	a.opened()
	send := func(ttl int, text string) {
		t.Helper()
		err := l.inside(2, func() error {
			from := net.UDPAddrFromAddrPort(netip.MustParseAddrPort("10.8.0.2:7000"))
			c, err := net.DialUDP("udp", from, net.UDPAddrFromAddrPort(netip.MustParseAddrPort("10.8.0.1:7000")))
			if err != nil {
				return err
			}
			defer c.Close()
			raw, err := c.SyscallConn()
			if err != nil {
				return err
			}
			var failed error
			err = raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, ttl) })
			_, sent := c.Write([]byte(text))
			return errors.Join(err, failed, sent)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	send(254, "forged")
	a.until("refusal", func(s State) bool { return s.Refused == 1 })
	send(255, "true")
	if p := <-a.came; string(p) != "true" {
		t.Errorf("%q came", p)
	}
	// What is longer than a packet comes longer, so that it is refused as too long.
	send(255, strings.Repeat("x", 4*MaxPacket))
	if p := <-a.came; len(p) <= MaxPacket {
		t.Errorf("%d bytes came", len(p))
	}
}

// TestInterfaceGoes: links whose interface goes say so, send nothing, and work
// again when it is back: all kinds at once, on one port.
func TestInterfaceGoes(t *testing.T) {
	l := newLab(t)
	var all [][2]*end
	for _, words := range ways {
		a, b := begin(t, l, 1, words[0]), begin(t, l, 2, words[1])
		b.gets(a, "before")
		all = append(all, [2]*end{a, b})
	}
	l.ip(2, "link set veth0 down")
	for _, ends := range all {
		ends[0].until("lost carrier", func(s State) bool { return s.Open && !s.Carrier })
	}
	l.ip(2, "link delete veth0")
	for _, ends := range all {
		for _, e := range ends {
			e.until("closed link", func(s State) bool {
				for _, ends := range all { // as beats do
					ends[0].Send([]byte("lost"))
					ends[1].Send([]byte("lost"))
				}
				return !s.Open && s.Err != nil && (strings.Contains(s.Err.Error(), "interface veth0") || strings.Contains(s.Err.Error(), "no interface"))
			})
		}
	}
	l.cable()
	for _, ends := range all {
		ends[1].gets(ends[0], "after")
		ends[0].gets(ends[1], "after")
	}
}

// TestNobodyThere: a peer whose program does not run costs nothing, and the
// link says so.
func TestNobodyThere(t *testing.T) {
	l := newLab(t)
	a := begin(t, l, 1, "a=udp:10.8.0.1,10.8.0.2")
	a.opened()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	a.until("refusal", func(s State) bool {
		<-tick.C
		a.Send([]byte("hello"))
		return s.Err != nil && errors.Is(s.Err, unix.ECONNREFUSED)
	})
	b := begin(t, l, 2, "a=udp:10.8.0.2,10.8.0.1")
	b.gets(a, "hello again")
	a.gets(b, "hello")
	if s := a.State(); s.Opened != 1 {
		t.Errorf("it was opened anew: %+v", s)
	}
}

// TestCannotBeOpened: each says what is missing, and is tried again.
func TestCannotBeOpened(t *testing.T) {
	l := newLab(t)
	taken := begin(t, l, 1, "a=udp:10.8.0.1:7001,10.8.0.2")
	taken.opened()
	for words, want := range map[string]string{
		"b=udp:10.8.0.77,10.8.0.2":     "no interface of this machine has the address 10.8.0.77",
		"b=udp:10.8.0.1:7001,10.8.0.3": "another program has that port",
		"b=mcast:veth7,239.1.1.1":      "interface veth7",
		"b=bcast:veth7":                "interface veth7",
		"b=serial:/dev/does-not-exist": "open the serial line",
		"b=serial:/dev/null":           "no terminal line",
	} {
		b := begin(t, l, 1, words)
		b.until("error", func(s State) bool { return s.Err != nil })
		if s := b.State(); s.Open || !strings.Contains(s.Err.Error(), want) {
			t.Errorf("%s: %+v, want %s", words, s, want)
		}
		if b.Send([]byte("x")) {
			t.Errorf("%s: it sent", words)
		}
	}
}

// TestFlood: a receiver that is behind loses packets, which are counted, and
// the sender never waits.
func TestFlood(t *testing.T) {
	l := newLab(t)
	a, b := begin(t, l, 1, "a=udp:10.8.0.1,10.8.0.2"), begin(t, l, 2, "a=udp:10.8.0.2,10.8.0.1")
	b.gets(a, "ready")
	packet := make([]byte, MaxPacket)
	for range 20000 {
		a.Send(packet)
	}
	b.gets(a, "still there")
	s := a.State()
	if s.Sent+s.Dropped+s.Failed < 20000 {
		t.Errorf("%+v", s)
	}
}

func BenchmarkSend(b *testing.B) {
	l := newLab(b)
	a := begin(b, l, 1, "a=udp:10.8.0.1,10.8.0.2")
	z := begin(b, l, 2, "a=udp:10.8.0.2,10.8.0.1")
	z.gets(a, "ready")
	packet := make([]byte, 160)
	b.ReportAllocs()
	for b.Loop() {
		a.Send(packet)
	}
}
