package heartbeat

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	mathrand "math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/role"
)

// carries waits until a director was given each of these parcels by the peer.
func (d *director) carries(limit time.Duration, parcels ...[]byte) {
	d.t.Helper()
	missing := len(parcels)
	seen := make([]bool, len(parcels))
	d.until("the other's parcels", limit, func(s said) bool {
		if s.Token != nil && s.Token.Hold != (d.node == 1) {
			d.t.Errorf("director %d: a token %+v", d.node, *s.Token)
		}
		if s.Shared == nil || len(s.Shared.Parcel) == 0 {
			return false
		}
		found := false
		for i, p := range parcels {
			if bytes.Equal(p, s.Shared.Parcel) {
				found = true
				if !seen[i] {
					seen[i] = true
					missing--
				}
			}
		}
		if !found {
			d.t.Errorf("director %d was given %d bytes that nobody sent", d.node, len(s.Shared.Parcel))
		}
		return missing == 0
	})
}

// silent fails if a director is given anything for a while.
func (d *director) silent(while time.Duration) {
	d.t.Helper()
	timer := time.NewTimer(while)
	defer timer.Stop()
	for {
		select {
		case s := <-d.lines:
			if s.Shared != nil {
				d.t.Errorf("director %d was given %d bytes", d.node, len(s.Shared.Parcel))
			}
		case <-timer.C:
			return
		}
	}
}

func knows(replica uint64, parcels ...[]byte) role.Site {
	s := site(web)
	s.Replica, s.Share = replica, &role.Share{Parcels: parcels}
	return s
}

// What the two monds share comes to the other one whole, over a link that loses,
// repeats and damages packets; it ends when both know the same, and begins again
// with a director that does; no role moves by it.
func TestSharing(t *testing.T) {
	l := newLab(t)
	r := l.newRelay()
	a, b := l.settled(l.over)
	l.in(1, "link set hb1 down", "link set hb2 down")
	a.says("link-hb2", "interface hb2 is down", soon)
	var mu sync.Mutex
	var old [][]byte
	r.does(func(_ int, p []byte) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		old = append(old, p)
		out := [][]byte{p, old[mathrand.IntN(len(old))]} // and one from before
		bad := bytes.Clone(p)
		bad[mathrand.IntN(len(bad))] ^= 1
		switch mathrand.IntN(5) {
		case 0:
			return nil
		case 1:
			out = append(out, bad)
		}
		return out
	})
	large, one, two := make([]byte, 5<<10), []byte("www1 is out"), []byte("www2 is out")
	_, _ = rand.Read(large)
	a.tell(knows(7, one, large))
	b.tell(knows(9, two))
	b.carries(2*soon, one, large)
	a.carries(soon, two)
	b.tell(knows(7, two))
	b.steady(false, 500*time.Millisecond) // what is on its way yet
	b.silent(time.Second)
	three := []byte("www3 is out")
	a.tell(knows(8, three, one, large))
	began := time.Now()
	b.carries(soon, three)
	t.Logf("a new word came after %v, with a fifth of the packets lost", time.Since(began).Round(time.Millisecond))
	b.kill()
	r.does(through)
	l.in(1, "link set hb1 up")
	b = l.start(2, knows(9, two), l.over(2)...)
	b.carries(2*soon, three, one, large)
	if !l.has(1) || l.has(2) {
		t.Error("the address moved")
	}
}

// Rounds begin at once with what is new, stop when both know the same, and begin
// again from time to time while they do not.
func TestRounds(t *testing.T) {
	var c courier
	c.meet()
	s := &role.Share{Parcels: [][]byte{{1}, {2}}}
	now := time.Hour
	next := func(ours, theirs uint64) byte {
		now += 10 * time.Millisecond
		if p := c.round(s, ours, theirs, now); p != nil {
			return p[0]
		}
		return 0
	}
	after := func(d time.Duration, ours, theirs uint64) byte {
		for end := now + d; now < end; {
			if p := next(ours, theirs); p != 0 {
				return p
			}
		}
		return 0
	}
	for _, tt := range []struct {
		name         string
		ours, theirs uint64
		wait         time.Duration
		want         byte
	}{
		{"nothing is known of the peer", 5, 0, time.Minute, 0},
		{"nothing is known here", 0, 5, time.Minute, 0},
		{"at first, at once", 5, 6, 0, 1},
		{"it may be enough", 5, 6, sharePace - 20*time.Millisecond, 0},
		{"it was not", 5, 6, sharePace, 2},
		{"that was all", 5, 6, shareAgain - 100*time.Millisecond, 0},
		{"again", 5, 6, time.Second, 1},
		{"now they know the same", 5, 5, time.Minute, 0},
		{"the peer knows more: it tells first", 5, 7, shareWait - 20*time.Millisecond, 0},
		{"it does not", 5, 7, shareWait, 1},
	} {
		got := byte(0)
		if tt.wait == 0 {
			got = next(tt.ours, tt.theirs)
		} else {
			got = after(tt.wait, tt.ours, tt.theirs)
		}
		if got != tt.want {
			t.Fatalf("%s: parcel %d, want %d", tt.name, got, tt.want)
		}
	}
	s = &role.Share{Parcels: [][]byte{{3}, {1}, {2}}}
	if got := next(8, 7); got != 3 {
		t.Errorf("a new word: parcel %d", got)
	}
	_ = c.out.Push(messageShare, []byte{3}, now)
	if got := after(time.Minute, 8, 7); got != 0 {
		t.Errorf("while the last one is on its way: parcel %d", got)
	}
	s = nil
	if got := next(8, 7); got != 0 {
		t.Errorf("nothing to share: parcel %d", got)
	}
	if _, err := json.Marshal(knows(1)); err != nil {
		t.Error(err)
	}
}
