package heartbeat

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/role/boottime"
)

// directed is set in the environment of a test program that is to be a director
// itself: its arguments are then those of heartbeat.monitor.
const directed = "MOND_TEST_DIRECTOR"

func TestMain(m *testing.M) {
	if site := os.Getenv(directed); site != "" {
		if err := direct(site); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// said is a line that a director prints.
type said struct {
	Service, Summary, Detail string
	Exit                     int
	Warn, Blind              bool
	Token                    *role.Token
	Shared                   *role.Shared
	At                       time.Duration
}

// direct is a director: heartbeat.monitor, and a keeper of addresses that does
// what tokens say and nothing else. SIGTERM is a clean end; a site on the
// standard input takes the place of the one before.
func direct(first string) error {
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	h := New(fs).(*heart)
	if err := fs.Parse(os.Args[1:]); err != nil {
		return err
	}
	if err := h.Validate(); err != nil {
		return err
	}
	var site role.Site
	if err := json.Unmarshal([]byte(first), &site); err != nil {
		return err
	}
	sites := make(chan role.Site, 8)
	sites <- site
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	go func() {
		<-term
		site.Leaving = true
		sites <- site
	}()
	go func() {
		for in := json.NewDecoder(os.Stdin); ; {
			var s role.Site
			if in.Decode(&s) != nil {
				return
			}
			sites <- s
		}
	}()
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	say := func(s said) {
		mu.Lock()
		defer mu.Unlock()
		s.At = boottime.Now()
		_ = out.Encode(s)
	}
	tokens := make(chan role.Token, 256)
	go keep(site, tokens)
	return h.Elect(context.Background(), monitor.Request{}, sites, monitor.Election{
		Token:  func(t role.Token) { say(said{Token: &t}); tokens <- t },
		Shared: func(s role.Shared) { say(said{Shared: &s}) },
		Report: func(service string, r monitor.Result) {
			say(said{Service: service, Summary: r.Summary, Detail: r.Detail, Exit: r.Exit, Warn: r.Warn, Blind: r.Blind()})
		},
	})
}

// keep adds and removes addresses.
func keep(site role.Site, tokens <-chan role.Token) {
	groups := map[string]role.Group{}
	for _, l := range site.Lines {
		g, err := role.ParseGroup(l.Args)
		if err != nil {
			panic(err)
		}
		groups[l.Group] = g
	}
	for t := range tokens {
		for _, a := range groups[t.Group].Addresses {
			link, err := netlink.LinkByName(a.Device)
			if err != nil {
				continue
			}
			addr := &netlink.Addr{IPNet: &net.IPNet{IP: a.Prefix.Addr().AsSlice(), Mask: net.CIDRMask(a.Prefix.Bits(), a.Prefix.Addr().BitLen())}}
			if a.Prefix.Addr().Is6() {
				addr.Flags = unix.IFA_F_NODAD
			}
			switch {
			case t.Hold && boottime.Now() > t.Until:
			case t.Hold && t.Lease != 0:
				addr.ValidLft, addr.PreferedLft = int(t.Lease/time.Second), int(t.Lease/time.Second)
				_ = netlink.AddrReplace(link, addr)
			case t.Hold:
				// vishvananda/netlink takes 0 for not set, which leaves a finite one.
				addr.ValidLft, addr.PreferedLft = 1<<32-1, 1<<32-1
				_ = netlink.AddrReplace(link, addr)
			default:
				_ = netlink.AddrDel(link, addr)
			}
		}
	}
}
