package lab

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/alerts/lvs/doctor/realserver"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// guePort is where the real server takes GUE.
const guePort = 6080

// wrapping is a way in which packets are wrapped.
type wrapping struct {
	forward, vip, real string
	kind               ipvs.TunnelType
	flags              string // of ipvsadm
	seen               outer  // what is to be on the wire
}

func wrappings() []wrapping {
	const real4, real6 = "192.168.0.1", "2001:db8::1"
	const summed4, summed6 = "192.168.0.2", "2001:db8::2" // one address takes GRE either with checksums or without
	gre, gue := outer{proto: unix.IPPROTO_GRE}, outer{proto: unix.IPPROTO_UDP}
	summed := func(o outer) outer { o.sum = true; return o }
	remote, v6 := summed(gue), func(o outer) outer { o.six = true; return o }
	remote.remote = true
	return []wrapping{
		{"gre", "10.0.0.11", real4, ipvs.GRE, "--tun-type gre --tun-nocsum", gre},
		{"gre csum", "10.0.0.12", summed4, ipvs.GRE, "--tun-type gre --tun-csum", summed(gre)},
		{"gue 6080", "10.0.0.13", real4, ipvs.GUE, "--tun-type gue --tun-port 6080 --tun-nocsum", gue},
		{"gue 6080 csum", "10.0.0.14", real4, ipvs.GUE, "--tun-type gue --tun-port 6080 --tun-csum", summed(gue)},
		{"gue 6080 remcsum", "10.0.0.15", real4, ipvs.GUE, "--tun-type gue --tun-port 6080 --tun-remcsum", remote},
		{"gre", "2001:db8::16", real6, ipvs.GRE, "--tun-type gre --tun-nocsum", v6(gre)},
		{"gue 6080 csum", "2001:db8::17", real6, ipvs.GUE, "--tun-type gue --tun-port 6080 --tun-csum", v6(summed(gue))},
		{"gre csum", "10.0.0.18", summed6, ipvs.GRE, "--tun-type gre --tun-csum", v6(summed(gre))},
		{"gue 6080", "2001:db8::19", real4, ipvs.GUE, "--tun-type gue --tun-port 6080 --tun-nocsum", gue},
	}
}

// want is what the real server needs for the tunnel.
func (u *wrapping) want() realserver.Want {
	e := ipvs.Encapsulation{Type: u.kind}
	if u.seen.sum {
		e.Checksum = ipvs.WithChecksum // remcsum is the same to who takes it
	}
	if u.kind == ipvs.GUE {
		e.Port = guePort
	}
	return realserver.Want{VIP: netip.MustParseAddr(u.vip), Real: netip.MustParseAddr(u.real), Forward: ipvs.Tunnel, Tunnel: e}
}

// at is the real server that the tunnel leads to.
func (u *wrapping) at() node {
	if strings.HasSuffix(u.real, "2") {
		return rs2
	}
	return rs1
}

// Clients are served through every kind of tunnel by real servers that were made
// ready for it, and each wraps packets as it was declared: what the real server's
// link brings is looked at. One request is larger than a packet, so that the room
// that the wrapping takes counts. (ipip is tried by TestDeclared.)
func TestTunnels(t *testing.T) {
	newCluster(t)
	director.run(t, "ipvsadm -C")
	all := wrappings()
	if os.Getenv("LAB_ALL") == "" { // each costs the slow kernel seconds
		t.Log("two kinds of tunnels; with LAB_ALL there are more")
		all = []wrapping{all[1], all[6]}
	}
	wants := map[node][]realserver.Want{}
	for i := range all {
		wants[all[i].at()] = append(wants[all[i].at()], all[i].want())
		director.run(t, "ip addr add dev eth0 "+held(all[i].vip))
		defer director.run(t, "ip addr del dev eth0 "+strings.Fields(held(all[i].vip))[0])
	}
	setup(t, rs1, wants[rs1])
	setup(t, rs2, wants[rs2])
	config, rows := declaredTunnels(all)
	install(t, config)
	d := startMond(t)
	untilTable(t, d, rows...)
	wires := map[node]int{rs1: 0, rs2: 0}
	for n := range wires {
		must(t, n.enter(func() (err error) { wires[n], err = tap("eth0", unix.SOCK_DGRAM); return err }))
		defer unix.Close(wires[n])
	}
	for _, u := range all {
		for _, size := range []int{1, 3000} {
			if got, err := fetch(t.Context(), "http://"+bracket(u.vip)+"/", size); got != string(u.at()) {
				t.Errorf("tun %s from %s to %s: a request of %d bytes and more: %v, %q", u.forward, u.vip, u.real, size, err, got)
			}
		}
	}
	seen := map[netip.Addr]map[outer]int{}
	wrapped(t, wires[rs1], seen)
	wrapped(t, wires[rs2], seen)
	for _, u := range all {
		u.wantSeen(t, seen[netip.MustParseAddr(u.vip)])
	}
	d.end(t, syscall.SIGTERM)
}

// declaredTunnels is the configuration with a virtual service for each, and the
// rows that are to come of it.
func declaredTunnels(all []wrapping) (config string, rows []string) {
	config = "syntax = mond\n"
	for i, u := range all {
		at := bracket(u.vip) + ":80"
		config += fmt.Sprintf("\nvirtual t%d\n    address tcp %s\n    scheduler rr\n    start optimistic\n    real %s forward tun %s\n", i, at, bracket(u.real), u.forward)
		rows = append(rows, fmt.Sprintf("-A -t %s -s rr", at), fmt.Sprintf("-a -t %s -r %s:80 -i -w 1 %s", at, bracket(u.real), u.flags))
	}
	return config, rows
}

// wantSeen fails the test unless packets came, all of them wrapped as they should
// be. A checksum is left to the receiver only where the sender left it to its card.
func (u *wrapping) wantSeen(t *testing.T, seen map[outer]int) {
	t.Helper()
	if seen[u.seen] == 0 {
		t.Errorf("tun %s from %s to %s: no packet was wrapped as %+v", u.forward, u.vip, u.real, u.seen)
	}
	local := u.seen
	local.remote = false
	for got, n := range seen {
		if got != u.seen && got != local {
			t.Errorf("tun %s from %s to %s: %d packets were wrapped as %+v, want %+v", u.forward, u.vip, u.real, n, got, u.seen)
		}
	}
}

// fetch gets a page with a request that has a header of that many bytes.
func fetch(ctx context.Context, url string, size int) (string, error) {
	out, err := client.command(ctx, "curl", "-gs", "-m", "5", "-H", "X-Long: "+strings.Repeat("x", size), url).Output()
	return strings.TrimSpace(string(out)), err
}

// held is a virtual address as the director has it, for ip addr add.
func held(vip string) string {
	if strings.Contains(vip, ":") {
		return vip + "/128 nodad preferred_lft 0"
	}
	return vip + "/32"
}

// setup makes a node ready, as monctl realserver setup does, until the test ends.
func setup(t *testing.T, n node, wants []realserver.Want) {
	t.Helper()
	script := func(verb realserver.Verb) string {
		text, err := realserver.Script(verb, wants)
		must(t, err)
		path := t.TempDir() + "/" + string(verb)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return "sh " + path
	}
	undo := script(realserver.Undo)
	t.Cleanup(func() { n.run(t, undo) })
	n.run(t, script(realserver.Setup))
}

// outer is how a packet is wrapped.
type outer struct {
	proto int  // GRE, or UDP for GUE
	six   bool // the outer packet is one of IPv6
	sum   bool // it has a checksum
	// remote is set if the checksum of the inner packet is left to the receiver
	// (remote checksum offload).
	remote bool
}

// wrapped counts the wrapped packets that were heard, by the address that is in
// them.
func wrapped(t *testing.T, socket int, seen map[netip.Addr]map[outer]int) {
	t.Helper()
	buf := make([]byte, 256)
	for {
		n, _, err := unix.Recvfrom(socket, buf, 0)
		if err == unix.EAGAIN {
			return
		}
		must(t, err)
		o, inner, ok := unwrap(buf[:n])
		if !ok {
			continue
		}
		_, to, _, ok := ipHeader(inner)
		if !ok {
			t.Fatalf("no packet is in %x", buf[:n])
		}
		if seen[to] == nil {
			seen[to] = map[outer]int{}
		}
		seen[to][o]++
	}
}

// ipHeader reads the header of a packet of either family; none that IPVS makes
// has options or extensions.
func ipHeader(b []byte) (proto int, to netip.Addr, rest []byte, ok bool) {
	switch {
	case len(b) >= 20 && b[0] == 0x45:
		to, _ = netip.AddrFromSlice(b[16:20])
		return int(b[9]), to, b[20:], true
	case len(b) >= 40 && b[0]>>4 == 6:
		to, _ = netip.AddrFromSlice(b[24:40])
		return int(b[6]), to, b[40:], true
	}
	return 0, to, nil, false
}

// unwrap reads what is around a packet; ok is false if it is none of a tunnel.
func unwrap(b []byte) (o outer, inner []byte, ok bool) {
	proto, to, rest, ok := ipHeader(b)
	if !ok {
		return o, nil, false
	}
	o.proto, o.six = proto, to.Is6()
	switch {
	case proto == unix.IPPROTO_GRE && len(rest) >= 8:
		inner, ok = o.gre(rest)
		return o, inner, ok
	case proto == unix.IPPROTO_UDP && len(rest) >= 20 && binary.BigEndian.Uint16(rest[2:]) == guePort:
		o.sum = binary.BigEndian.Uint16(rest[6:]) != 0
		inner, ok = o.gue(rest[8:])
		return o, inner, ok
	}
	return o, nil, false
}

// gre reads RFC 2784's header, without the keys and numbers of RFC 2890.
func (o *outer) gre(b []byte) (inner []byte, ok bool) {
	flags, kind := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	o.sum = flags == 0x8000
	inner = b[4:]
	if o.sum {
		inner = b[8:]
	}
	return inner, (flags == 0 || o.sum) && kind == map[byte]uint16{4: 0x0800, 6: 0x86dd}[inner[0]>>4]
}

// gue reads the header of draft-ietf-intarea-gue, version 0, with the private
// flag of Linux for remote checksums (its include/net/gue.h) and no other.
func (o *outer) gue(b []byte) (inner []byte, ok bool) {
	size := 4 + 4*int(b[0]&0x1f)
	if b[0]&^0x1f != 0 || len(b) <= size { // another version, or a control message
		return nil, false
	}
	switch flags := binary.BigEndian.Uint16(b[2:]); {
	case flags == 0 && size == 4:
	case flags == 1 && size == 12 && binary.BigEndian.Uint32(b[4:]) == 1<<31:
		o.remote = true
	default:
		return nil, false
	}
	inner = b[size:]
	return inner, b[1] == map[byte]byte{4: unix.IPPROTO_IPIP, 6: unix.IPPROTO_IPV6}[inner[0]>>4]
}
