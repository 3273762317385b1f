package copying

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// hex is an address as /proc/net/udp has it on this machine.
func hex(s string) (text string) {
	b := netip.MustParseAddr(s).AsSlice()
	for ; len(b) > 0; b = b[4:] {
		text += fmt.Sprintf("%08X", binary.NativeEndian.Uint32(b))
	}
	return text
}

func udpLine(local, remote string, drops int) string {
	return fmt.Sprintf("   77: %s %s 07 00000000:00000000 00:00000000 00000000     0        0 88 2 000000007335832a %d            \n", local, remote, drops)
}

const udpHead = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            \n"

func TestSockets(t *testing.T) {
	four := ipvs.Sync{Link: "eth1"}.Filled()
	six := ipvs.Sync{Link: "eth1", Group: netip.MustParseAddr("ff02::51")}.Filled()
	any4, any6 := hex("0.0.0.0")+":0000", hex("::")+":0000"
	for name, c := range map[string]struct {
		sync  ipvs.Sync
		table string
		want  Sockets
	}{
		"none": {four, udpHead + udpLine(hex("127.0.0.1")+":0035", any4, 9), Sockets{}},
		"both": {four, udpHead + udpLine(hex("224.0.0.81")+":2290", any4, 3) + udpLine(hex("10.9.0.1")+":982E", hex("224.0.0.81")+":2290", 7),
			Sockets{From: netip.MustParseAddr("10.9.0.1"), Drops: 3}},
		"two threads": {four, udpLine(hex("224.0.0.81")+":2290", any4, 3) + udpLine(hex("224.0.0.81")+":2291", any4, 4), Sockets{Drops: 7}},
		"IPv6": {six, udpLine(hex("ff02::51")+":2290", any6, 1) + udpLine(hex("fe80::1")+":982E", hex("ff02::51")+":2290", 0),
			Sockets{From: netip.MustParseAddr("fe80::1"), Drops: 1}},
		"another port": {four, udpLine(hex("224.0.0.81")+":1000", any4, 3), Sockets{}},
		"cut short":    {four, strings.Repeat(udpLine(hex("224.0.0.81")+":2290", any4, 3)[:60]+"\n", 3), Sockets{}},
	} {
		var got Sockets
		if got.read([]byte(c.table), c.sync); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestMember(t *testing.T) {
	four := ipvs.Sync{Link: "eth1"}.Filled()
	six := ipvs.Sync{Link: "eth1", Group: netip.MustParseAddr("ff02::51")}.Filled()
	head := "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
	device := func(name string, groups ...string) string {
		text := "4\t" + name + "      :     1      V3\n"
		for _, g := range groups {
			text += "\t\t\t\t" + hex(g) + "     1 0:00000000\t\t0\n"
		}
		return text
	}
	six6 := "3    eth1            ff020000000000000000000000000051     1 00000004 0\n"
	for name, c := range map[string]struct {
		sync   ipvs.Sync
		groups string
		want   bool
	}{
		"joined":          {four, head + device("lo", "224.0.0.1") + device("eth1", "224.0.0.1", "224.0.0.81"), true},
		"another's":       {four, head + device("eth1", "224.0.0.1") + device("eth2", "224.0.0.81"), false},
		"none":            {four, head, false},
		"IPv6":            {six, six6, true},
		"IPv6, another's": {six, strings.Replace(six6, "eth1", "eth2", 1), false},
	} {
		if got := member([]byte(c.groups), c.sync); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzProc(f *testing.F) {
	f.Add([]byte(udpHead+udpLine(hex("224.0.0.81")+":2290", "x:y", 3)), true)
	f.Fuzz(func(_ *testing.T, data []byte, v6 bool) {
		s := ipvs.Sync{Link: "eth1"}
		if v6 {
			s.Group = netip.MustParseAddr("ff02::51")
		}
		var o Sockets
		o.read(data, s.Filled())
		member(data, s.Filled())
	})
}

func TestStale(t *testing.T) {
	both := []ipvs.Daemon{{State: ipvs.Master}, {State: ipvs.Backup}}
	well := Facts{Index: 4, Addresses: []netip.Prefix{netip.MustParsePrefix("10.9.0.1/24")},
		Sockets: Sockets{Known: true, Joined: true, From: netip.MustParseAddr("10.9.0.1")}}
	but := func(change func(*Facts)) Facts {
		f := well
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		facts Facts
		was   int
		run   []ipvs.Daemon
		want  bool
	}{
		"well":                       {well, 4, both, false},
		"just found":                 {well, 0, both, false},
		"not there":                  {but(func(f *Facts) { f.Index = 0 }), 4, both, false},
		"another one":                {well, 3, both, true},
		"left the group":             {but(func(f *Facts) { f.Sockets.Joined = false }), 4, both, true},
		"no backup, so in no group":  {but(func(f *Facts) { f.Sockets.Joined = false }), 4, both[:1], false},
		"another address":            {but(func(f *Facts) { f.Addresses = nil }), 4, both, true},
		"sockets could not be read":  {but(func(f *Facts) { f.Sockets = Sockets{} }), 4, both, false},
		"IPv6 goes by the interface": {but(func(f *Facts) { f.Sockets.From = netip.MustParseAddr("fe80::1") }), 4, both, false},
	} {
		if got := c.facts.Stale(c.run, c.was); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// This machine is looked at without an error, whatever it has.
func TestLook(t *testing.T) {
	f, err := Kernel{}.Look("", ipvs.Sync{Link: "lo"})
	if err != nil || f.Index == 0 {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := (Kernel{}).Look("", ipvs.Sync{Link: "nosuch0"}); err != nil || f.Index != 0 {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := (Kernel{}).Look("nosuch", ipvs.Sync{Link: "lo"}); err == nil {
		t.Error("a namespace that is not there was looked at")
	}
}
