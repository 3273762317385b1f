package reach_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/tcp/reach"
)

// datagrams answers what comes to a port of loopback until the test ends, and
// tells what came.
func datagrams(t testing.TB, answer func(n int, b []byte) []string) (at netip.AddrPort, came func() []string) {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all []string
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 65536)
		for n := 1; ; n++ {
			size, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			mu.Lock()
			all = append(all, string(buf[:size]))
			mu.Unlock()
			for _, a := range answer(n, buf[:size]) {
				_, _ = c.WriteTo([]byte(a), from)
			}
		}
	}()
	t.Cleanup(func() { c.Close(); <-ended })
	return c.LocalAddr().(*net.UDPAddr).AddrPort(), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

func never(int, []byte) []string { return nil }

func TestAskUntilTheAnswer(t *testing.T) {
	to, came := datagrams(t, func(n int, _ []byte) []string {
		if n < 3 {
			return []string{"wait"}
		}
		return []string{"no", "nor this", "yes, and more", "too late"}
	})
	var heard []string
	answered, err := options(t, "").Ask(t.Context(), time.Now().Add(time.Minute), to,
		reach.Datagram{Send: []byte("well?"), Tries: 5, Pause: time.Millisecond, Room: 8},
		func(b []byte) bool { heard = append(heard, string(b)); return string(b) == "yes, and" })
	if !answered || err != nil || len(heard) < 5 || heard[len(heard)-2] != "nor this" {
		t.Errorf("%v %v: %q", answered, err, heard)
	}
	if c := came(); len(c) < 3 || c[0] != "well?" {
		t.Errorf("%q", c)
	}
}

func TestAskInVain(t *testing.T) {
	to, came := datagrams(t, never)
	for _, tries := range []int{0, 1, 3} {
		before := len(came())
		answered, err := options(t, "--source 127.0.0.1").Ask(t.Context(), time.Now().Add(20*time.Millisecond), to,
			reach.Datagram{Tries: tries, Pause: time.Millisecond}, func([]byte) bool { return true })
		if answered || err != nil {
			t.Errorf("%d: %v %v", tries, answered, err)
		}
		if n := len(came()) - before; n > max(1, tries) {
			t.Errorf("sent %d times, not %d", n, tries)
		}
	}
}

// As if this process had been stopped while the answer came.
func TestAskLooksOnceMoreWhenTheDeadlineHasPassed(t *testing.T) {
	to, _ := datagrams(t, func(int, []byte) []string { return []string{"other", "answer"} })
	o := options(t, "")
	for range 100 {
		deadline := time.Now().Add(time.Millisecond)
		answered, err := o.Ask(t.Context(), deadline, to, reach.Datagram{Send: []byte("x"), Room: 9}, func(b []byte) bool {
			for string(b) == "other" && time.Now().Before(deadline) { // busy until it is too late to read
			}
			return string(b) == "answer"
		})
		if answered {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Error("an answer that lay there was never seen")
}

func TestAskIsRefused(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := c.LocalAddr().(*net.UDPAddr).AddrPort()
	c.Close()
	answered, err := options(t, "").Ask(t.Context(), time.Now().Add(time.Minute), to, reach.Datagram{Tries: 3, Pause: time.Millisecond}, nil)
	if answered || !errors.Is(err, syscall.ECONNREFUSED) || err.Error() != "ask "+to.String()+": connection refused" {
		t.Errorf("%v %v", answered, err)
	}
}

func TestAskIsCancelled(t *testing.T) {
	to, _ := datagrams(t, never)
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(5*time.Millisecond, cancel).Stop()
	if _, err := options(t, "").Ask(ctx, time.Now().Add(time.Hour), to, reach.Datagram{Tries: 1000, Pause: time.Microsecond}, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := options(t, "").Ask(ctx, time.Now().Add(time.Hour), to, reach.Datagram{}, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestPatternMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, bytes string
		want           bool
	}{
		{"b", "abc", true},
		{"x", "abc", false},
		{`^\xff\x00`, "\xff\x00", true},
		{"ü", "über", true},
	} {
		var p reach.Pattern
		if err := p.Set(tt.pattern); err != nil || p.Matches([]byte(tt.bytes)) != tt.want {
			t.Errorf("%q on %q: %v, %v", tt.pattern, tt.bytes, !tt.want, err)
		}
	}
	if !new(reach.Pattern).Matches([]byte("anything")) {
		t.Error("without an expression something does not match")
	}
}
