package echo

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/bpf"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/plugins/monitor"
)

func TestWaits(t *testing.T) {
	s := Settings{Tries: 4, Wait: 2 * time.Second, Backoff: 1.5}
	if s.Limit() != 16250*time.Millisecond {
		t.Error(s.Limit())
	}
	s = Settings{Tries: MaxTries, Wait: time.Hour, Backoff: 5}
	if l := s.Limit(); l <= 0 || l > MaxTries*longest {
		t.Error(l)
	}
}

// Whatever happens in whatever order, each host has one outcome in the end, is
// asked no more often than it may be, and no sooner than its wait is over.
func TestRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, tries := rapid.IntRange(1, 20).Draw(t, "hosts"), rapid.IntRange(1, 4).Draw(t, "tries")
		s := Settings{Tries: tries, Wait: 10, Backoff: rapid.SampledFrom([]float64{1, 1.5, 3}).Draw(t, "backoff")}
		waits := s.waits()
		r := newRound(hosts("10.0.0.0", n), waits, rapid.IntRange(0, n-1).Draw(t, "start"))
		var now time.Duration
		last := make([]time.Duration, n)
		for r.left > 0 {
			now += time.Duration(rapid.IntRange(0, 7).Draw(t, "pause"))
			r.expire(now)
			for _, number := range send(r, rapid.IntRange(0, 5).Draw(t, "batch"), now) {
				host, try := r.split(number)
				if try > 0 && now < last[host]+waits[try-1] {
					t.Fatalf("host %d was asked too soon", host)
				}
				last[host] = now
			}
			number := rapid.IntRange(-1, n*tries).Draw(t, "number")
			host := (number + n) % n
			if known := r.known(number, r.to[host]); known != (number >= 0 && number < n*tries && number/n < r.host[host].tries) {
				t.Fatalf("request %d is known: %v", number, known)
			} else if known && rapid.Bool().Draw(t, "answer") {
				r.answered(number, now)
			} else if known && rapid.IntRange(0, 9).Draw(t, "error") == 0 {
				r.failed(number, now, errors.New("failed"))
			}
			if at, ok := r.wake(); ok && at < 0 || !ok && r.left > 0 && r.due() == 0 {
				t.Fatal("nothing to do and nothing to wait for")
			}
			if now > 100000 {
				t.Fatal("it does not end")
			}
		}
		for i, h := range r.host {
			if !h.over || h.Sent < 1 || h.Sent > tries || h.Err == nil && (h.Lost != h.Sent-1 || h.RTT <= 0) || h.Err != nil && h.Lost != h.Sent {
				t.Fatalf("host %d: %+v", i, h)
			}
		}
	})
}

// send sends up to n requests.
func send(r *round, n int, now time.Duration) []int {
	numbers := r.take(n, nil)
	r.went(numbers, now)
	return numbers
}

func TestRoundInTurn(t *testing.T) {
	r := newRound(hosts("10.0.0.0", 4), Settings{Tries: 2, Wait: 100, Backoff: 2}.waits(), 3)
	steps := []struct {
		what string
		got  any
		want any
	}{
		{"the first is drawn by lot", send(r, 3, 10), []int{3, 0, 1}},
		{"one is left", r.due(), 1},
		{"the last", send(r, 3, 20), []int{2}},
		{"none is left", r.due(), 0},
	}
	for _, s := range steps {
		if diff := cmp.Diff(s.want, s.got); diff != "" {
			t.Errorf("%s: %s", s.what, diff)
		}
	}
	r.answered(0, 60)
	r.answered(0, 70) // twice
	r.expire(109)
	if r.due() != 0 {
		t.Error("asked again too soon")
	}
	if at, ok := r.wake(); !ok || at != 110 {
		t.Error(at, ok)
	}
	r.expire(110)
	r.answered(3, 115) // after its wait, and before it is asked again
	if diff := cmp.Diff([]int{4 + 1}, send(r, 9, 118)); diff != "" {
		t.Error(diff)
	}
	r.answered(1, 130) // the first request to it, late
	r.expire(120)
	if diff := cmp.Diff([]int{4 + 2}, send(r, 9, 120)); diff != "" {
		t.Error(diff)
	}
	r.expire(320)
	want := []Answer{
		{RTT: 50, Took: 50, Sent: 1}, {RTT: 120, Took: 120, Sent: 2, Lost: 1},
		{Err: monitor.Late("sent 2 echo requests to 10.0.0.2"), Took: 300, Sent: 2, Lost: 2}, {RTT: 105, Took: 105, Sent: 1},
	}
	for i, h := range r.host {
		if diff := cmp.Diff(want[i], h.Answer, cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) || a == b })); diff != "" {
			t.Errorf("host %d: %s", i, diff)
		}
	}
	if r.left != 0 {
		t.Error(r.left)
	}
}

func TestAbandon(t *testing.T) {
	r := newRound(hosts("10.0.0.0", 3), []time.Duration{100}, 0)
	send(r, 2, 5)
	r.answered(0, 6)
	r.abandon(10, monitor.ErrNotStarted, nil)
	if r.host[0].Err != nil || !monitor.IsLate(r.host[1].Err) || !errors.Is(r.host[2].Err, monitor.ErrNotStarted) || r.left != 0 {
		t.Errorf("%+v", r.host)
	}
}

func TestPacer(t *testing.T) {
	var p pacer
	now := time.Unix(1000, 0)
	const gap = 50 * time.Microsecond
	for i, tt := range []struct {
		after time.Duration
		n     int
		want  time.Duration
	}{
		{0, burst, 0},               // a full bucket
		{0, 1, gap},                 // is empty now
		{0, 9, 10 * gap},            // and others queue
		{10 * gap, 0, 0},            // whose turn has come
		{time.Hour, burst + 1, gap}, // it does not overflow
		{time.Hour, 1, 0},           //
		{-time.Hour, 1, time.Hour - (burst-2)*gap}, // the clock went back: monotonic time does not
	} {
		now = now.Add(tt.after)
		if got := p.reserve(now, tt.n, gap); got != tt.want {
			t.Errorf("%d: %v, want %v", i, got, tt.want)
		}
	}
}

// No more than the pace and one burst are let through in any span of time.
func TestPace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p pacer
		gap := each(rapid.IntRange(1, 1000000).Draw(t, "pace"))
		began := time.Unix(1000, 0)
		now, sent := began, 0
		for range 50 {
			n := rapid.IntRange(1, batch).Draw(t, "n")
			at := now.Add(p.reserve(now, n, gap))
			if sent += n; time.Duration(sent-burst)*gap > at.Sub(began) {
				t.Fatalf("%d requests in %v", sent, at.Sub(began))
			}
			now = at.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "pause")) * time.Microsecond)
		}
	})
}

func TestFilters(t *testing.T) {
	v4 := func(ihl byte, id uint16) []byte {
		b := make([]byte, int(ihl)*4+8)
		b[0], b[9] = 0x40|ihl, 1
		stamp{id: id}.put(append(b[ihl*4:], make([]byte, stampLen)...), false)
		b[ihl*4+4], b[ihl*4+5] = byte(id>>8), byte(id)
		return b
	}
	for name, tt := range map[string]struct {
		program []bpf.Instruction
		packet  []byte
		want    bool
	}{
		"ours":              {bpf4(0x1234), v4(5, 0x1234), true},
		"ours with options": {bpf4(0x1234), v4(8, 0x1234), true},
		"another's":         {bpf4(0x1234), v4(5, 0x1235), false},
		"cut":               {bpf4(0x1234), v4(5, 0x1234)[:24], false},
		"empty":             {bpf4(0x1234), nil, false},
		"ours, v6":          {bpf6(0x1234), []byte{129, 0, 0, 0, 0x12, 0x34, 0, 0}, true},
		"another's, v6":     {bpf6(0x1234), []byte{129, 0, 0, 0, 0x12, 0x35, 0, 0}, false},
	} {
		vm, err := bpf.NewVM(tt.program)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := vm.Run(tt.packet); err != nil || n > 0 != tt.want {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}
