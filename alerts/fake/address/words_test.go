package address

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestWords(t *testing.T) {
	t.Parallel()
	like := netip.MustParseAddr("2001:db8::3")
	for _, row := range []struct{ kind, words, says string }{
		{"route", "default via 10.0.0.1", ""},
		{"route", "default", ""},
		{"route", "to 10.0.0.0/8 dev eth0 scope link table local", ""},
		{"route", "", `"route" wants a word`},
		{"route", "10.0.0.1/8", "say 10.0.0.0/8"},
		{"route", "default via", `"via" wants a word`},
		{"route", "default via gateway", `via "gateway": say an IP address`},
		{"route", "default via 10.0.0.1 src 2001:db8::3", "IPv4 and IPv6 are mixed"},
		{"route", "default metric much", `metric "much": say a number`},
		{"route", "default table 0", "say main or a number from 1"},
		{"route", "default scope wide", "say global, site, link or host"},
		{"route", "default proto static", "leave out"},
		{"route", "default color red", `"color" is not understood`},
		{"rule", "from 10.0.0.3 lookup 100", ""},
		{"rule", "fwmark 7 lookup main", ""},
		{"rule", "from 10.0.0.3", "say lookup 100"},
		{"rule", "fwmark 7/x lookup 100", "fwmark"},
		{"rule", "not from 10.0.0.3 lookup 100", `"not" is not understood`},
		{"rule", "from 10.0.0.3 to 2001:db8::1 lookup 7", "mixed"},
	} {
		var err error
		if row.kind == "route" {
			_, err = ParseRoute(strings.Fields(row.words), like)
		} else {
			_, err = ParseRule(strings.Fields(row.words), like)
		}
		if row.says == "" && err != nil || row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), fmt.Sprintf("%q", row.words))) {
			t.Errorf("%s %s: %v, want %q", row.kind, row.words, err, row.says)
		}
	}
}

func FuzzWords(f *testing.F) {
	f.Add("default via 10.0.0.1 dev eth0 src 10.0.0.3 table 100 metric 7 mtu 1400 onlink")
	f.Add("from 10.0.0.3 to 10.0.0.0/8 iif eth0 fwmark 1/2 lookup 100")
	like := netip.MustParseAddr("10.0.0.3")
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := ParseRoute(strings.Fields(text), like); err == nil {
			if _, _, body := r.message(Add); len(body)%4 != 0 {
				t.Errorf("% x", body)
			}
		}
		if r, err := ParseRule(strings.Fields(text), like); err == nil {
			if _, _, body := r.message(Add); len(body)%4 != 0 {
				t.Errorf("% x", body)
			}
		}
	})
}

// Whatever comes, it is read within its bounds.
func FuzzDecode(f *testing.F) {
	_, _, body := Address{Prefix: netip.MustParsePrefix("10.0.0.3/32"), Index: 2, Label: "eth0:lvs", Lease: time.Second, Mark: Mark}.message(Add)
	f.Add((&socket{}).append(nil, 20, 0, body))
	f.Fuzz(func(_ *testing.T, b []byte) {
		for p := range packets(b) {
			_ = readRefusal(p)
			decodeRow(p.body)
			decodeLink(p.body)
			decodeRoute(p.body)
		}
	})
}

// The clock learns from what was written, and tells the end of a lease within
// what it knows; before that, the latest that it can be.
func TestClock(t *testing.T) {
	t.Parallel()
	const at = 4000 * time.Second
	difference := 237 * time.Millisecond // between boot time and stamps
	stamp := func(at time.Duration) uint32 { return uint32((at - difference) / tick) }
	var c clock
	end := func(written, now time.Duration) time.Duration {
		rows := []Row{{Changed: stamp(written), left: 5 - uint32((now-written)/time.Second)}}
		c.read(rows, now, now+time.Millisecond)
		return rows[0].Expires - written
	}
	if got := end(at, at+1700*time.Millisecond); got < 5*time.Second || got > 6*time.Second {
		t.Errorf("not known: %v", got)
	}
	c.learn(stamp(at), at-time.Millisecond, at+2*time.Millisecond)
	for _, passed := range []time.Duration{0, 30 * time.Millisecond, 990 * time.Millisecond, time.Second, 1011 * time.Millisecond, 1700 * time.Millisecond, 4900 * time.Millisecond} {
		if got := end(at, at+passed); got < 5*time.Second-tick || got > 5*time.Second+3*tick {
			t.Errorf("%v later: it ends %v after it was written", passed, got)
		}
	}
	// After a sleep all stamps are as much earlier as it was long.
	const later = at + time.Hour
	difference += 10 * time.Minute
	c.learn(stamp(later), later-time.Millisecond, later)
	if got := end(later, later+time.Millisecond); got < 5*time.Second-tick || got > 5*time.Second+3*tick {
		t.Errorf("after a sleep: %v", got)
	}
}
