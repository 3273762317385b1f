package reach_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/monitors/tcp/origin/origintest"
	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

// hear connects to a host and is told where from.
func hear(t *testing.T, o *reach.Options, host string, port uint16) (string, error) {
	t.Helper()
	deadline := o.Deadline(t.Context())
	to, err := o.Target(t.Context(), deadline, host, port)
	if err != nil {
		return "", err
	}
	if err := o.Open(t.Context(), deadline, to); err != nil {
		return "", err
	}
	c, err := o.Dial(t.Context(), deadline, to)
	if err != nil {
		return "", err
	}
	defer c.Close()
	b, err := io.ReadAll(c)
	return strings.TrimSpace(string(b)), err
}

// hearUDP asks a host where datagrams come from.
func hearUDP(t *testing.T, o *reach.Options, host string, port uint16) (said string, err error) {
	t.Helper()
	deadline := o.Deadline(t.Context())
	to, err := o.Target(t.Context(), deadline, host, port)
	if err != nil {
		return "", err
	}
	_, err = o.Ask(t.Context(), deadline, to, reach.Datagram{Send: []byte("?"), Room: 100}, func(b []byte) bool {
		said = string(b)
		return true
	})
	return said, err
}

// serving is where a host serves: a wildcard would answer datagrams from whichever
// of its addresses it likes.
func serving(host string) string {
	switch host {
	case origintest.FarLink, origintest.FarLink + "%near0":
		return origintest.FarLink + "%far0"
	case origintest.Near4, "10.79.0.1", "192.0.2.1", "nobody.invalid":
		return origintest.Far4
	}
	return host
}

func TestWhereCheckComesFrom(t *testing.T) {
	space := origintest.New(t)
	if err := echotest.IP("addr add 10.77.0.9/24 dev " + origintest.Near); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		host, args string
		want       string // the address it comes from, or the error after !
	}{
		"usual":               {origintest.Far4, "", origintest.Near4},
		"source":              {origintest.Far4, "--source 10.77.0.9", "10.77.0.9"},
		"mark":                {origintest.Far4, "--mark 7", origintest.Near4},
		"interface":           {origintest.Far4, "--interface near0 --source 10.77.0.9", "10.77.0.9"},
		"wrong interface":     {origintest.Far4, "--interface lo -t 200ms", "!"},
		"link-local":          {origintest.FarLink, "--interface near0", "[" + origintest.NearLink + "]"},
		"link-local, source":  {origintest.FarLink, "--interface near0 --source " + origintest.NearLink, "[" + origintest.NearLink + "]"},
		"link-local, zone":    {origintest.FarLink + "%near0", "", "[" + origintest.NearLink + "]"},
		"there":               {origintest.Only4, "--netns NETNS", origintest.Only4},
		"there, source":       {origintest.Only4, "--netns NETNS --source " + origintest.Far4, origintest.Far4},
		"there, all":          {origintest.Far4, "--netns NETNS --mark 9 --source " + origintest.Only4, origintest.Only4},
		"there, v6":           {origintest.Far6, "--netns NETNS", "[" + origintest.Far6 + "]"},
		"there, zone":         {origintest.FarLink + "%far0", "--netns NETNS", "[" + origintest.FarLink + "]"},
		"there, wrong zone":   {origintest.FarLink + "%far0", "--netns NETNS --interface lo", "!the address is one of the interface far0, and --interface says lo"},
		"there, nobody":       {"10.79.0.1", "--netns NETNS", "!network is unreachable"},
		"there, not our port": {origintest.Near4, "--netns NETNS", "!connection refused"},
		"to":                  {"192.0.2.1", "--to " + origintest.Far4, origintest.Near4},
		"to, a name":          {"nobody.invalid", "--to " + origintest.Far4, origintest.Near4},
		"no namespace":        {origintest.Far4, "--netns blue-99", "!enter the network namespace blue-99 (--netns): there is none: /run/netns/blue-99 does not exist"},
		"no interface":        {origintest.Far4, "--interface eth99", "!send by the interface eth99 (--interface): there is none of that name"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, strings.ReplaceAll("-t 5 "+tt.args, "NETNS", space.Path))
			for kind, try := range map[string]func(*testing.T, *reach.Options, string, uint16) (string, error){"tcp": hear, "udp": hearUDP} {
				at := serving(tt.host)
				port := space.Echo(t, at)
				if kind == "tcp" {
					port = space.Serve(t, at)
				}
				said, err := try(t, o, tt.host, port)
				said, _, _ = strings.Cut(said, "%")
				if want, bad := strings.CutPrefix(tt.want, "!"); bad {
					if !strings.Contains(fmt.Sprint(err), want) || err == nil && kind == "tcp" {
						t.Errorf("%s: %q, %v", kind, said, err)
					}
					continue
				}
				if !strings.HasPrefix(said+":", "from "+tt.want+":") && !strings.HasPrefix(said, "from "+strings.TrimSuffix(tt.want, "]")) {
					t.Errorf("%s: %q, %v", kind, said, err)
				}
			}
		})
	}
}

// TestLocalFaults makes sure that what is wrong here fails no host.
func TestLocalFaults(t *testing.T) {
	echotest.Need(t)
	addr := netip.MustParseAddrPort("127.0.0.1:1")
	for _, args := range []string{"--netns blue-99", "--interface eth99"} {
		o := options(t, args)
		deadline := o.Deadline(t.Context())
		_, errDial := o.Dial(t.Context(), deadline, addr)
		_, errAsk := o.Ask(t.Context(), deadline, addr, reach.Datagram{}, func([]byte) bool { return true })
		for what, err := range map[string]error{"open": o.Open(t.Context(), deadline, addr), "dial": errDial, "ask": errAsk} {
			if !monitor.Local(err) {
				t.Errorf("%s: %s: %v", args, what, err)
			}
		}
	}
}

func TestDeadlineElsewhere(t *testing.T) {
	space := origintest.New(t)
	o := options(t, "-t 300ms --netns "+space.Path)
	if err := space.In(func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	// nobody has this address: its neighbour solicitation takes 3 s
	to := netip.MustParseAddrPort("10.77.0.77:80")
	started := time.Now()
	_, err := o.Dial(t.Context(), o.Deadline(t.Context()), to)
	if !monitor.IsLate(err) || time.Since(started) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(started))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Dial(ctx, time.Now().Add(time.Minute), to); monitor.IsLate(err) || err == nil {
		t.Errorf("cancelled: %v", err)
	}
}

func TestTo(t *testing.T) {
	for args, want := range map[string]string{
		"--to 10.0.0.3":                            "10.0.0.3:99",
		"--to 10.0.0.3:80":                         "10.0.0.3:80",
		"--to 2001:db8::3":                         "[2001:db8::3]:99",
		"--to [2001:db8::3]":                       "[2001:db8::3]:99",
		"--to [2001:db8::3]:80":                    "[2001:db8::3]:80",
		"--to ::ffff:10.0.0.3":                     "10.0.0.3:99",
		"--to 10.0.0.3:0":                          "!want an IP address in figures",
		"--to web:80":                              "!want an IP address in figures",
		"--to 10.0.0.3:":                           "!want an IP address in figures",
		"--to [10.0.0.3":                           "!want an IP address in figures",
		"--to 10.0.0.3 -6":                         "!option --to: 10.0.0.3 is no IPv6 address",
		"--to 2001:db8::3 --source 10.0.0.1":       "!option --to: 2001:db8::3 is no IPv4 address",
		"--to 2001:db8::3 -6 --source ::1":         "[2001:db8::3]:99",
		"--to 10.0.0.3 --source 10.0.0.1 --mark 7": "10.0.0.3:99",
	} {
		o := &reach.Options{Limit: reach.Seconds(time.Second), Resolver: new(resolve.Resolver)}
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		o.Declare(fs)
		err := fs.Parse(strings.Fields(args))
		if err == nil {
			err = o.Validate()
		}
		if text, bad := strings.CutPrefix(want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v", args, err)
			}
			continue
		}
		to, e := o.Target(t.Context(), o.Deadline(t.Context()), "nobody.invalid", 99)
		if err != nil || e != nil || to.String() != want {
			t.Errorf("%s: %v, %v, %v", args, to, err, e)
		}
		if got := "--to " + o.To.String(); !strings.Contains(got, to.Addr().String()) {
			t.Errorf("%s is shown as %s", args, got)
		}
		if e := o.Elsewhere(); e.To.Given() || e.Mark != 0 || e.Source != o.Source {
			t.Errorf("%s: elsewhere %+v", args, e)
		}
	}
	if o := options(t, "--mark 7"); o.Elsewhere().Mark != 7 {
		t.Error("a mark is for all hosts where there is no --to")
	}
}
