package ipvs_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

var compareAddr = cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })

// ignoreCounters compares rows by what was asked for.
var ignoreCounters = cmp.Comparer(func(a, b ipvs.Counters) bool { return true })

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func tcp(s string) ipvs.Virtual { return ipvs.Virtual{Protocol: ipvs.TCP, Addr: addr(s)} }
func udp(s string) ipvs.Virtual { return ipvs.Virtual{Protocol: ipvs.UDP, Addr: addr(s)} }

func service(v ipvs.Virtual) ipvs.Service { return ipvs.Service{Virtual: v, Scheduler: "wlc"} }

func dest(a string, f ipvs.Forward, weight uint32) ipvs.Destination {
	return ipvs.Destination{Addr: addr(a), Forward: f, Weight: weight}
}

func TestFakeTable(t *testing.T) {
	testTable(t, func(t *testing.T) ipvs.Table { return ipvs.NewFake() })
}

func TestFileTable(t *testing.T) {
	testTable(t, func(t *testing.T) ipvs.Table {
		f, err := ipvs.OpenFile(filepath.Join(t.TempDir(), "table"))
		if err != nil {
			t.Fatal(err)
		}
		return f
	})
}

// testTable is what every table does alike; open gives an empty one.
func testTable(t *testing.T, open func(t *testing.T) ipvs.Table) {
	for name, test := range map[string]func(*testing.T, ipvs.Table){
		"services":            testServices,
		"destinations":        testDestinations,
		"missing and present": testMissing,
		"refused":             testRefused,
	} {
		t.Run(name, func(t *testing.T) {
			table := open(t)
			test(t, table)
			if err := table.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func testServices(t *testing.T, table ipvs.Table) {
	ctx := t.Context()
	want := []ipvs.Service{
		service(tcp("10.0.0.3:80")),
		{Virtual: udp("10.0.0.3:80"), Scheduler: "rr", OnePacket: true},
		{Virtual: tcp("10.0.0.3:443"), Scheduler: "sh", SchedFlags: 3, Persist: 300, Mask: 24},
		service(tcp("10.0.0.4:80")),
		{Virtual: tcp("[2001:db8::3]:80"), Scheduler: "rr", Persist: 360, Mask: 64},
		service(ipvs.Virtual{Mark: 7}),
		service(ipvs.Virtual{Mark: 7, V6: true}),
	}
	for i := len(want) - 1; i >= 0; i-- {
		if err := table.AddService(ctx, want[i]); err != nil {
			t.Fatal(err)
		}
	}
	wantServices(t, table, want)

	want[0].Scheduler = "rr"
	if err := table.UpdateService(ctx, want[0]); err != nil {
		t.Fatal(err)
	}
	wantServices(t, table, want)
	for _, s := range want {
		if err := table.DeleteService(ctx, s.Virtual); err != nil {
			t.Fatal(err)
		}
	}
	wantServices(t, table, []ipvs.Service{})
}

func wantServices(t *testing.T, table ipvs.Table, want []ipvs.Service) {
	t.Helper()
	got, err := table.Services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, compareAddr); d != "" {
		t.Errorf("services (-want +got):\n%s", d)
	}
}

func testDestinations(t *testing.T, table ipvs.Table) {
	for v, want := range map[ipvs.Virtual][]ipvs.Destination{
		tcp("10.0.0.3:80"): {
			dest("192.168.0.1:80", ipvs.Direct, 5),
			dest("192.168.0.2:80", ipvs.Tunnel, 0),
			dest("192.168.0.2:8080", ipvs.NAT, 65535),
			{Addr: addr("192.168.0.3:80"), Weight: 1, Upper: 100, Lower: 50},
			{Addr: addr("192.168.0.4:80"), Forward: ipvs.Tunnel, Tunnel: ipvs.Encapsulation{Type: ipvs.GUE, Port: 6080}},
			dest("[2001:db8::1]:80", ipvs.Tunnel, 3), // the other family
		},
		udp("10.0.0.3:53"):      {dest("192.168.0.1:53", ipvs.NAT, 1)},
		tcp("[2001:db8::3]:80"): {dest("[2001:db8::1]:80", ipvs.Direct, 2), dest("[2001:db8::2]:8080", ipvs.NAT, 2)},
		{Mark: 8}:               {dest("192.168.0.1:0", ipvs.Direct, 1)},
		{Mark: 8, V6: true}:     {dest("[2001:db8::1]:0", ipvs.Direct, 1)},
	} {
		t.Run(v.String(), func(t *testing.T) { testDestinationsOf(t, table, v, want) })
	}
}

func testDestinationsOf(t *testing.T, table ipvs.Table, v ipvs.Virtual, want []ipvs.Destination) {
	ctx := t.Context()
	must(t, table.AddService(ctx, service(v)))
	wantDestinations(t, table, v, []ipvs.Destination{})
	for i := len(want) - 1; i >= 0; i-- {
		must(t, table.AddDestination(ctx, v, want[i]))
	}
	wantDestinations(t, table, v, want)
	for i := range want {
		want[i].Weight = 7
		must(t, table.UpdateDestination(ctx, v, want[i]))
	}
	wantDestinations(t, table, v, want)
	must(t, table.DeleteDestination(ctx, v, want[0].Addr))
	wantDestinations(t, table, v, want[1:])
	must(t, table.DeleteService(ctx, v))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantDestinations(t *testing.T, table ipvs.Table, v ipvs.Virtual, want []ipvs.Destination) {
	t.Helper()
	got, err := table.Destinations(t.Context(), v)
	must(t, err)
	if d := cmp.Diff(want, got, compareAddr, ignoreCounters); d != "" {
		t.Errorf("real servers of %s (-want +got):\n%s", v, d)
	}
}

func testMissing(t *testing.T, table ipvs.Table) {
	ctx := t.Context()
	v, other := tcp("10.0.0.3:80"), tcp("10.0.0.9:80")
	d := dest("192.168.0.1:80", ipvs.Direct, 1)
	must(t, table.AddService(ctx, service(v)))
	must(t, table.AddDestination(ctx, v, d))
	_, noService := table.Destinations(ctx, other)
	absent := dest("192.168.0.2:80", ipvs.Direct, 1)
	for name, c := range map[string]struct{ got, want error }{
		"read of no service":   {noService, ipvs.ErrNoService},
		"service again":        {table.AddService(ctx, service(v)), ipvs.ErrExists},
		"set no service":       {table.UpdateService(ctx, service(other)), ipvs.ErrNoService},
		"delete no service":    {table.DeleteService(ctx, other), ipvs.ErrNoService},
		"real again":           {table.AddDestination(ctx, v, d), ipvs.ErrExists},
		"real of no service":   {table.AddDestination(ctx, other, d), ipvs.ErrNoService},
		"set no real":          {table.UpdateDestination(ctx, v, absent), ipvs.ErrNoDestination},
		"set of no service":    {table.UpdateDestination(ctx, other, d), ipvs.ErrNoService},
		"delete no real":       {table.DeleteDestination(ctx, v, absent.Addr), ipvs.ErrNoDestination},
		"delete of no service": {table.DeleteDestination(ctx, other, d.Addr), ipvs.ErrNoService},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
		if a := ipvs.ActionFor(c.got); a != ipvs.Correct {
			t.Errorf("%s: action %v, want correct", name, a)
		}
	}
	wantDestinations(t, table, v, []ipvs.Destination{d})
}

func testRefused(t *testing.T, table ipvs.Table) {
	ctx := t.Context()
	v := tcp("10.0.0.3:80")
	must(t, table.AddService(ctx, service(v)))
	for name, d := range map[string]ipvs.Destination{
		"weight":        dest("192.168.0.1:80", ipvs.Direct, 70000),
		"port 0":        dest("192.168.0.1:0", ipvs.NAT, 1),
		"port with dr":  dest("192.168.0.1:8080", ipvs.Direct, 1),
		"port with tun": dest("192.168.0.1:8080", ipvs.Tunnel, 1),
		"family":        dest("[2001:db8::1]:80", ipvs.NAT, 1),
		"mapped":        dest("[::ffff:192.168.0.1]:80", ipvs.NAT, 1),
		"unspecified":   dest("0.0.0.0:80", ipvs.NAT, 1),
		"thresholds":    {Addr: addr("192.168.0.1:80"), Upper: 1, Lower: 2},
		"forwarding":    dest("192.168.0.1:80", 9, 1),
	} {
		if err := table.AddDestination(ctx, v, d); !errors.Is(err, ipvs.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		} else if ipvs.ActionFor(err) != ipvs.GiveUp {
			t.Errorf("%s: action %v, want give up", name, ipvs.ActionFor(err))
		}
	}
	for name, s := range map[string]ipvs.Service{
		"no scheduler": {Virtual: v},
		"port 0":       service(tcp("10.0.0.4:0")),
		"protocol":     {Virtual: ipvs.Virtual{Protocol: 47, Addr: addr("10.0.0.4:1")}, Scheduler: "rr"},
		"mask":         {Virtual: tcp("10.0.0.4:80"), Scheduler: "rr", Mask: 33},
		"two names":    {Virtual: ipvs.Virtual{Mark: 1, Protocol: ipvs.TCP, Addr: v.Addr}, Scheduler: "rr"},
		"zone":         service(tcp("[fe80::1%1]:80")),
	} {
		if err := table.AddService(ctx, s); !errors.Is(err, ipvs.ErrInvalid) {
			t.Errorf("service, %s: got %v, want ErrInvalid", name, err)
		}
	}
	wantDestinations(t, table, v, []ipvs.Destination{})
}

func TestFakeCountsAndFails(t *testing.T) {
	v := tcp("10.0.0.3:80")
	f := ipvs.NewFake(service(v))
	boom := errors.New("boom")
	f.Fail(func(method string, _ ipvs.Virtual, _ netip.AddrPort) error {
		if method == "AddDestination" {
			return boom
		}
		return nil
	})
	err := f.AddDestination(t.Context(), v, dest("192.168.0.1:80", ipvs.NAT, 1))
	if !errors.Is(err, boom) || ipvs.ActionFor(err) != ipvs.Retry {
		t.Errorf("got %v (%v), want boom to be tried again", err, ipvs.ActionFor(err))
	}
	wantDestinations(t, f, v, []ipvs.Destination{})
	if f.Writes() != 1 || f.Calls("Destinations") != 1 {
		t.Errorf("writes %d, reads %d; want 1 and 1", f.Writes(), f.Calls("Destinations"))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Services(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

func TestErrorText(t *testing.T) {
	f := ipvs.NewFake()
	err := f.AddDestination(t.Context(), tcp("10.0.0.3:80"), dest("192.168.0.1:80", ipvs.NAT, 1))
	const want = "add real server 192.168.0.1:80 of tcp 10.0.0.3:80: no such virtual service"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestParseForward(t *testing.T) {
	for want, words := range map[ipvs.Forward][]string{
		ipvs.NAT:    {"nat", "masq", "m"},
		ipvs.Tunnel: {"tun", "tunnel", "ipip", "i"},
		ipvs.Direct: {"dr", "route", "gatewaying", "gate", "g"},
	} {
		for _, w := range words {
			if got, err := ipvs.ParseForward(w); err != nil || got != want {
				t.Errorf("%q: %v, %v; want %v", w, got, err, want)
			}
		}
	}
	if _, err := ipvs.ParseForward("bridge"); err == nil {
		t.Error("bridge was accepted")
	}
}

// underLab reports whether this runs on a kernel that has IPVS.
func underLab() bool { return os.Getenv("MOND_LAB") == "1" }
