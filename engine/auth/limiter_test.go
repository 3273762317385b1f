package auth

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// wrong makes attempts with a wrong password, a second apart, and returns how
// many were looked at.
func wrong(l *limiter, w who, now *time.Time, n int) int {
	looked := 0
	for range n {
		if l.wait(w, *now) == nil {
			looked++
			l.failed(w, *now)
		}
		*now = now.Add(time.Second)
	}
	return looked
}

func TestLimitOfUser(t *testing.T) {
	l, now := newLimiter(), start
	alice := l.who(netip.MustParseAddr("192.0.2.1"), "alice")
	if n := wrong(l, alice, &now, 5); n != 5 {
		t.Errorf("%d of the first 5 are looked at", n)
	}
	// waits of 1, 2, 4, 8, 16, 32, 60, 60, 60 seconds
	if n := wrong(l, alice, &now, 63+180); n < 8 || n > 10 {
		t.Errorf("%d of the next four minutes are looked at, want about 9", n)
	}
	err := l.wait(alice, now)
	if !limited(err) {
		t.Fatalf("error %v, want one that says to wait", err)
	}
	for name, w := range map[string]who{
		"another user": l.who(netip.MustParseAddr("192.0.2.1"), "bob"),
		"another host": l.who(netip.MustParseAddr("192.0.2.2"), "alice"),
	} {
		if err := l.wait(w, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	now = now.Add(2 * time.Minute)
	if n := wrong(l, alice, &now, 5); n != 5 {
		t.Errorf("%d of 5 are looked at after two quiet minutes", n)
	}
}

func TestFewWrongPasswords(t *testing.T) {
	l, now := newLimiter(), start
	w := l.who(netip.MustParseAddr("192.0.2.1"), "alice")
	for i := range 100 { // one each 15 s: never five in a minute
		if err := l.wait(w, now); err != nil {
			t.Fatalf("attempt %d: %v", i, err)
		}
		l.failed(w, now)
		now = now.Add(15 * time.Second)
	}
	for range 4 {
		l.failed(w, now)
		l.succeeded(w)
	}
	l.failed(w, now)
	if err := l.wait(w, now); err != nil {
		t.Errorf("right passwords do not end the count: %v", err)
	}
}

func TestLimitOfSource(t *testing.T) {
	for name, addr := range map[string]func(i int) string{
		"IPv4": func(int) string { return "192.0.2.1" },
		"IPv6": func(i int) string { return fmt.Sprintf("2001:db8:0:1:%x::%x", i, i) },
		"mapped": func(i int) string {
			return []string{"::ffff:192.0.2.1", "192.0.2.1"}[i%2]
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLimiter()
			looked := 0
			for i := range 1000 {
				w := l.who(netip.MustParseAddr(addr(i)), fmt.Sprint("user", i))
				if l.wait(w, start) == nil {
					looked++
					l.failed(w, start)
				}
			}
			if looked != wrongOfSource {
				t.Errorf("%d users are tried, want %d", looked, wrongOfSource)
			}
			if err := l.wait(l.who(netip.MustParseAddr("2001:db8:0:2::1"), "alice"), start); err != nil {
				t.Errorf("another source: %v", err)
			}
		})
	}
}

func TestLimitInAll(t *testing.T) {
	l := newLimiter()
	known := l.who(netip.MustParseAddr("10.0.0.1"), "alice")
	l.succeeded(known)
	looked := 0
	for i := range 10_000 {
		w := l.who(netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), "alice")
		if l.wait(w, start) == nil {
			looked++
			l.failed(w, start)
		}
	}
	if looked != wrongInAll {
		t.Errorf("%d are looked at, want %d", looked, wrongInAll)
	}
	if err := l.wait(known, start); err != nil {
		t.Errorf("a source that was right before: %v", err)
	}
	if err := l.wait(known, start.Add(-time.Hour)); err != nil {
		t.Errorf("when the clock is set back: %v", err)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l, now := newLimiter(), start
	for i := range 3 * mostTracked {
		w := l.who(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), "u")
		l.failed(w, now)
		w.source = netip.PrefixFrom(netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
		l.succeeded(w)
		now = now.Add(time.Millisecond)
	}
	if l.wrong.size() > mostTracked || l.right.size() > mostTracked {
		t.Errorf("%d wrong, %d right are tracked, at most %d may be", l.wrong.size(), l.right.size(), mostTracked)
	}
}

// TestLimiterProperties tries passwords in any rhythm.
func TestLimiterProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, now := newLimiter(), start
		w := l.who(netip.MustParseAddr("192.0.2.1"), "alice")
		var looked []time.Time
		for range rapid.IntRange(1, 200).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond)
			switch err := l.wait(w, now).(type) {
			case nil:
				looked = append(looked, now)
				l.failed(w, now)
			case Limited:
				if err.Wait <= 0 || err.Wait > longestWait {
					t.Fatalf("wait of %s", err.Wait)
				}
			}
			// 5, and one after each wait of 1, 2, 4, 8 and 16 s
			n := 0
			for _, at := range looked {
				if now.Sub(at) < window {
					n++
				}
			}
			if n > wrongOfUser+5+wrongOfUser {
				t.Fatalf("%d are looked at within a minute", n)
			}
		}
	})
}

func BenchmarkFailedWhenFull(b *testing.B) {
	l, now := newLimiter(), start
	for i := 0; b.Loop(); i++ {
		l.failed(l.who(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), "u"), now)
		now = now.Add(time.Microsecond)
	}
}
