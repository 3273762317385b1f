package fping

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/plugins/monitor"
)

// routed is a network of routers in a row, 10.9.255.1 and on, of which the
// second says nothing. By the third byte of an address its host is behind
// router 3 and answers slowly enough to be late (1), is dead behind it (2), is
// unreachable for router 3 (3), or is dead behind router 13 (4).
func routed(t testing.TB) {
	echotest.Open(t, func(p echotest.Packet) [][]byte {
		ttl, to := p.Data[8], p.Dst.As4()
		router := netip.AddrFrom4([4]byte{10, 9, 255, ttl})
		last := byte(3)
		if to[2] == 4 {
			last = 13
		}
		switch {
		case ttl == 2:
			return nil
		case to[2] == 3 && ttl >= last:
			return [][]byte{p.Error(netip.AddrFrom4([4]byte{10, 9, 255, last}), 3, 1, 64)}
		case ttl <= last:
			return [][]byte{p.Error(router, 11, 0, 64)}
		case to[2] == 1:
			return [][]byte{p.Reply()}
		}
		return nil
	})
}

// untimed is a detail without times.
func untimed(detail string) string {
	return regexp.MustCompile(`[0-9.]+m?s\b`).ReplaceAllString(detail, "T")
}

func TestPaths(t *testing.T) {
	routed(t)
	const begin = "  1  10.9.255.1  T\n  2  *\n"
	for name, tt := range map[string]struct{ hosts, options, want string }{
		"nobody failed": {"10.9.1.1", "", ""},
		"dead":          {"10.9.2.1", "", "\npath to 10.9.2.1:\n" + begin + "  3  10.9.255.3  T\n     no answer from hop 4 on\n"},
		"slow":          {"10.9.1.1", "-s 0.001", "\npath to 10.9.1.1:\n" + begin + "  3  10.9.255.3  T\n  4  10.9.1.1  T\n"},
		"unreachable":   {"10.9.3.1", "", "\npath to 10.9.3.1:\n" + begin + "  3  10.9.255.3 says host unreachable\n"},
		"a name":        {"alive", "-s 0.001", "\npath to alive (10.9.1.1):\n" + begin + "  3  10.9.255.3  T\n  4  10.9.1.1  T\n"},
		"no address":    {"nobody", "", ""},
		"twice":         {"10.9.3.1 10.9.3.1", "", "\npath to 10.9.3.1:\n" + begin + "  3  10.9.255.3 says host unreachable\n"},
	} {
		t.Run(name, func(t *testing.T) {
			options := "-t 400 -r 1 -B 1 " + tt.options
			without, with := check(t, tt.hosts, options), check(t, tt.hosts, options+" -T")
			_, got, _ := strings.Cut(untimed(with.Detail), "\n\n")
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), got); diff != "" {
				t.Error(diff)
			}
			if with.Cause != without.Cause || with.Exit != without.Exit || with.Summary != without.Summary || !strings.HasPrefix(untimed(with.Detail), untimed(without.Detail)) {
				t.Errorf("the verdict is another: %v %d %q %s", with.Cause, with.Exit, with.Summary, with.Detail)
			}
		})
	}
}

func TestLongPath(t *testing.T) {
	routed(t)
	r := check(t, "10.9.4.1", "-t 100 -r 0 -T")
	if !strings.HasSuffix(untimed(r.Detail), " 12  10.9.255.12  T\n 13  10.9.255.13  T\n     no answer from hop 14 on\n") {
		t.Error(r.Detail)
	}
}

func TestManyPaths(t *testing.T) {
	routed(t)
	var hosts []string
	for i := range 11 {
		hosts = append(hosts, fmt.Sprintf("10.9.3.%d", i+1))
	}
	r := check(t, strings.Join(hosts, " "), "-t 2000 -r 0 -T")
	if n := strings.Count(r.Detail, "path to "); n != maxPaths || !strings.HasSuffix(r.Detail, "\n3 more hosts failed, whose paths were not looked for\n") {
		t.Errorf("%d: %s", n, r.Detail)
	}
}

// Who has no time for it, or no turn, says so.
func TestNoTimeForPaths(t *testing.T) {
	m, err := configure(zone(), "-T")
	if err != nil {
		t.Fatal(err)
	}
	p := m.(*probe)
	for range tracers {
		p.turns <- struct{}{}
	}
	seen := []monitor.Seen{{Host: monitor.Host{Name: "10.9.3.1"}, Err: errors.New("dead")}}
	to := targets{addrs: []netip.Addr{netip.MustParseAddr("10.9.3.1")}, hosts: []int{0}}
	for limit, want := range map[time.Duration]string{
		leastTracing:           "\npaths to hosts that failed: no time was left to look for them\n",
		500 * time.Millisecond: "\npaths to hosts that failed: no time was left to look for them, beside those of other checks\n",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		if got := p.paths(ctx, seen, to); got != want {
			t.Errorf("%v: %q", limit, got)
		}
		cancel()
	}
}
