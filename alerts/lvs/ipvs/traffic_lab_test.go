package ipvs_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// Virtual and real servers and clients of the tests with packets are all on lo,
// since what this kernel sends to a virtual address is balanced as well. Each
// test has a virtual service of its own: the kernel remembers the real servers
// of one that is gone, with what it counted, as long as it knows connections.
const (
	packetRealA = "10.77.0.1:5060"
	packetRealB = "10.77.0.2:5060"
)

// packets are the packets of UDP that the two real servers got, in order: 0 or
// 1, the real server.
type packets chan int

// receive puts the addresses on lo, and listens at the real servers.
func receive(t *testing.T) packets {
	t.Helper()
	addresses := func(verb string) ([]byte, error) {
		cmd := exec.Command("ip", "-batch", "-")
		var lines strings.Builder
		for _, host := range []string{"1", "2", "3", "9"} {
			fmt.Fprintf(&lines, "address %s 10.77.0.%s/32 dev lo\n", verb, host)
		}
		cmd.Stdin = strings.NewReader(lines.String())
		return cmd.CombinedOutput()
	}
	if out, err := addresses("add"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() { _, _ = addresses("delete") })
	got := make(packets, 100)
	for i, at := range []string{packetRealA, packetRealB} {
		c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(addr(at)))
		must(t, err)
		t.Cleanup(func() { c.Close() })
		go func() {
			for b := make([]byte, 2048); ; {
				if _, _, err := c.ReadFrom(b); err != nil {
					return
				}
				got <- i
			}
		}()
	}
	return got
}

// send sends a packet from an address, and says which real server got it.
func (p packets) send(t *testing.T, c net.Conn, text string) int {
	t.Helper()
	_, err := c.Write([]byte(text))
	must(t, err)
	select {
	case i := <-p:
		return i
	case <-time.After(10 * time.Second):
		t.Fatal("the packet came nowhere")
		return 0
	}
}

// dial opens a client of a virtual service, at a port that no other has.
func dial(t *testing.T, v ipvs.Virtual) net.Conn {
	t.Helper()
	c, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(addr("10.77.0.9:0")), net.UDPAddrFromAddrPort(v.Addr))
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// balanced makes a service of the two real servers. What it counts is forgotten
// after a second.
func balanced(t *testing.T, s ipvs.Service) *ipvs.Kernel {
	t.Helper()
	k := openKernel(t).(*ipvs.Kernel)
	t.Cleanup(func() { k.Close() })
	before, err := k.Timeouts(t.Context())
	must(t, err)
	must(t, k.SetTimeouts(t.Context(), ipvs.Timeouts{UDP: 1}))
	must(t, k.AddService(t.Context(), s))
	for _, real := range []string{packetRealA, packetRealB} {
		must(t, k.AddDestination(t.Context(), s.Virtual, dest(real, ipvs.NAT, 1)))
	}
	t.Cleanup(func() {
		ctx := context.Background() // the test's has ended
		if err := errors.Join(k.DeleteService(ctx, s.Virtual), k.SetTimeouts(ctx, before)); err != nil {
			t.Error(err)
		}
	})
	return k
}

// counts are the connections of both real servers: inactive, persistent.
func counts(t *testing.T, k ipvs.Table, v ipvs.Virtual) (inactive, persistent uint32) {
	t.Helper()
	list, err := k.Destinations(t.Context(), v)
	must(t, err)
	for _, d := range list {
		if d.Counters.Active != 0 {
			t.Errorf("%s has %d active connections of %s", d.Addr, d.Counters.Active, v)
		}
		inactive, persistent = inactive+d.Counters.Inactive, persistent+d.Counters.Persistent
	}
	return inactive, persistent
}

// Each packet of UDP is scheduled by itself with one-packet, and no flow is
// known afterwards; without it a flow stays where it began, and counts as an
// inactive connection, by which a drain knows that it is there.
func TestLabOnePacket(t *testing.T) {
	for _, tt := range []struct {
		name, at, reals string
		one             bool
		flows           uint32
	}{
		{"by itself", "10.77.0.3:5070", "[0 1 0 1 0 1]", true, 0},
		{"in a flow", "10.77.0.3:5071", "[0 0 0 0 0 0]", false, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := udp(tt.at)
			k := balanced(t, ipvs.Service{Virtual: v, Scheduler: "rr", OnePacket: tt.one})
			p, c := receive(t), dial(t, v)
			var reals []int
			for range 6 {
				reals = append(reals, p.send(t, c, "x"))
			}
			if got := fmt.Sprint(like(reals)); got != tt.reals {
				t.Errorf("packets went to %s, want %s", got, tt.reals)
			}
			if n, _ := counts(t, k, v); n != tt.flows {
				t.Errorf("%d flows are known, want %d", n, tt.flows)
			}
		})
	}
}

// like is a list of real servers, counted from the first that was met.
func like(reals []int) []int {
	first := reals[0]
	for i := range reals {
		reals[i] ^= first
	}
	return reals
}

// With the engine sip each call of a client stays where it began, and without
// it all of them: those are the templates, which the kernel counts.
func TestLabPersistence(t *testing.T) {
	openKernel(t).Close()
	loadFor(t, "pe_sip")
	for _, tt := range []struct {
		engine, at, reals string
		templates         uint32
	}{
		{"sip", "10.77.0.3:5072", "[0 1 0 1]", 2},
		{"", "10.77.0.3:5073", "[0 0 0 0]", 1},
	} {
		t.Run("engine "+tt.engine, func(t *testing.T) {
			v := udp(tt.at)
			k := balanced(t, ipvs.Service{Virtual: v, Scheduler: "rr", Persist: 3, Engine: tt.engine})
			p := receive(t)
			var reals []int
			for _, call := range []string{"one", "two", "one", "two"} {
				reals = append(reals, p.send(t, dial(t, v), "OPTIONS sip:a@10.77.0.3 SIP/2.0\r\nCall-ID: "+call+"@example.com\r\nContent-Length: 0\r\n\r\n"))
			}
			if got := fmt.Sprint(like(reals)); got != tt.reals {
				t.Errorf("calls went to %s, want %s", got, tt.reals)
			}
			if _, n := counts(t, k, v); n != tt.templates {
				t.Errorf("%d templates, want %d", n, tt.templates)
			}
		})
	}
}

// SCTP is taken as a service, and its connections are balanced: the kernel
// takes such a row even where it cannot do that, so that a packet must prove it.
func TestLabSCTP(t *testing.T) {
	v := ipvs.Virtual{Protocol: ipvs.SCTP, Addr: addr("10.77.0.3:5060")}
	k := balanced(t, ipvs.Service{Virtual: v, Scheduler: "rr"})
	receive(t)
	out, err := exec.Command("ipvsadm", "-Sn").Output()
	if err != nil || !strings.Contains(string(out), "-a --sctp-service 10.77.0.3:5060 -r 10.77.0.1:5060 -m -w 1\n") {
		t.Errorf("ipvsadm: %v\n%s", err, out)
	}
	c, err := net.DialIP("ip4:132", &net.IPAddr{IP: net.IPv4(10, 77, 0, 9)}, &net.IPAddr{IP: net.IPv4(10, 77, 0, 3)})
	must(t, err)
	defer c.Close()
	_, err = c.Write(sctpInit(4000, 5060))
	must(t, err)
	if n, _ := counts(t, k, v); n != 1 {
		t.Errorf("%d connections of SCTP are known, want 1", n)
	}
}

// sctpInit is the packet by which a connection of SCTP begins (RFC 9260 3.3.2).
func sctpInit(from, to uint16) []byte {
	p := binary.BigEndian.AppendUint16(nil, from)
	p = binary.BigEndian.AppendUint16(p, to)
	p = append(p, make([]byte, 8)...) // no tag yet; the checksum
	p = append(p, 1, 0, 0, 20)        // INIT of 20 octets
	for _, n := range []uint32{0xabcdef01, 65536, 1<<16 | 1, 1} {
		p = binary.BigEndian.AppendUint32(p, n)
	}
	binary.LittleEndian.PutUint32(p[8:], crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli)))
	return p
}
