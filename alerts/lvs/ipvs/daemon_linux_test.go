package ipvs

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"
)

// answerOf is what the kernel would answer about d: it tells a daemon as it is
// told one.
func answerOf(d Daemon) []byte { return append(make([]byte, 4), daemonAll(d).Serialize()...) }

func anyDaemon(t *rapid.T) Daemon {
	return Daemon{
		State: rapid.SampledFrom([]DaemonState{Master, Backup}).Draw(t, "state"),
		Sync: Sync{
			Link: rapid.StringMatching(`[a-z][a-z0-9.@-]{0,14}`).Draw(t, "link"), ID: rapid.Uint8().Draw(t, "id"),
			MaxLen: rapid.Uint16().Draw(t, "maxlen"), Port: rapid.Uint16().Draw(t, "port"), TTL: rapid.Uint8().Draw(t, "ttl"),
			Group: rapid.SampledFrom([]netip.Addr{{}, DefaultSyncGroup(), netip.MustParseAddr("ff02::51")}).Draw(t, "group"),
		},
	}
}

func TestDaemonRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyDaemon(t)
		if got, err := parseDaemon(answerOf(want)); err != nil || got != want {
			t.Fatalf("%+v, %v; want %+v", got, err, want)
		}
	})
}

func FuzzParseDaemon(f *testing.F) {
	f.Add(answerOf(Daemon{Master, Sync{Link: "eth1", ID: 7, Group: netip.MustParseAddr("ff02::51")}}))
	f.Add([]byte{4, 1, 0, 0, 8, 0, 3, 0, 9, 9, 9, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parseDaemon(data)
		if err != nil {
			return
		}
		if again, err := parseDaemon(answerOf(d)); err != nil || !reflect.DeepEqual(again, d) && !strings.Contains(d.Link, "\x00") {
			t.Fatalf("%+v comes back as %+v, %v", d, again, err)
		}
	})
}

func TestSyncLike(t *testing.T) {
	told := Sync{Link: "eth1", ID: 7, MaxLen: 1472, Group: DefaultSyncGroup(), Port: 8848, TTL: 1}
	for name, c := range map[string]struct {
		want, has Sync
		like      bool
	}{
		"the kernel's defaults": {Sync{Link: "eth1", ID: 7}, told, true},
		"all said":              {told, told, true},
		"an old kernel":         {Sync{Link: "eth1", ID: 7, TTL: 3}, Sync{Link: "eth1", ID: 7}, true},
		"another link":          {Sync{Link: "eth2", ID: 7}, told, false},
		"another id":            {Sync{Link: "eth1", ID: 8}, told, false},
		"another length":        {Sync{Link: "eth1", ID: 7, MaxLen: 1400}, told, false},
		"another port":          {Sync{Link: "eth1", ID: 7, Port: 8850}, told, false},
		"another group":         {Sync{Link: "eth1", ID: 7, Group: netip.MustParseAddr("224.0.0.82")}, told, false},
	} {
		if got := c.want.Like(c.has); got != c.like {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSyncValidate(t *testing.T) {
	for name, s := range map[string]Sync{
		"no link":                   {},
		"a long one":                {Link: "sixteen-letters-"},
		"a path":                    {Link: "a/b"},
		"short messages":            {Link: "eth1", MaxLen: 1000},
		"long messages":             {Link: "eth1", MaxLen: 65508},
		"long messages, IPv6":       {Link: "eth1", MaxLen: 65488, Group: netip.MustParseAddr("ff02::51")},
		"no group":                  {Link: "eth1", Group: netip.MustParseAddr("10.0.0.1")},
		"a group with a zone":       {Link: "eth1", Group: netip.MustParseAddr("ff02::51%eth1")},
		"a group in another's coat": {Link: "eth1", Group: netip.MustParseAddr("::ffff:224.0.0.81")},
	} {
		if err := s.Validate(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	whole := Daemon{Backup, Sync{Link: "eth1", ID: 255, MaxLen: 1400, Group: netip.MustParseAddr("ff02::51"), Port: 8850, TTL: 2}}
	if err := whole.Validate(); err != nil {
		t.Error(err)
	}
	if got := whole.Options(); got != "backup --mcast-interface eth1 --syncid 255 --sync-maxlen 1400 --mcast-group ff02::51 --mcast-port 8850 --mcast-ttl 2" {
		t.Error(got)
	}
}

// What the kernel refuses is told with what to do.
func TestDaemonErrors(t *testing.T) {
	for _, e := range []syscall.Errno{syscall.ENODEV, syscall.EADDRNOTAVAIL, syscall.ENETDOWN} {
		if err := daemonErrno(e); !errors.Is(err, ErrNoLink) || ActionFor(err) != Retry {
			t.Errorf("%v: %v", e, err)
		}
	}
	fake := NewFake(Service{Virtual: Virtual{Protocol: TCP, Addr: netip.MustParseAddrPort("10.0.0.3:80")}, Scheduler: "wlc"})
	v := fake.m.rows.virtuals()[0]
	refused := invalid("the kernel says so")
	plain := Daemon{Master, Sync{Link: "eth1"}}
	if err := explainDaemon(t.Context(), fake, plain, refused); !errors.Is(err, refused) || strings.Contains(err.Error(), "family") {
		t.Error(err)
	}
	if err := explainDaemon(t.Context(), fake, Daemon{Master, Sync{Link: "eth1", TTL: 3}}, refused); !strings.Contains(err.Error(), "Linux 4.3") {
		t.Error(err)
	}
	six := Destination{Addr: netip.MustParseAddrPort("[2001:db8::1]:80"), Weight: 1, Forward: Tunnel}
	if err := fake.AddDestination(t.Context(), v, six); err != nil {
		t.Fatal(err)
	}
	if err := explainDaemon(t.Context(), fake, plain, refused); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "[2001:db8::1]:80 is of another address family than tcp 10.0.0.3:80") {
		t.Error(err)
	}
}
