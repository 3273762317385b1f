package witness

import (
	"fmt"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"pgregory.net/rapid"
)

const (
	start = time.Hour
	quiet = Longest + 200*time.Millisecond
	half  = 500 * time.Millisecond
)

// step is one question, after the witness has run for at.
type step struct {
	at         time.Duration
	from       wire.Node
	epoch      uint64
	want, sure bool
	says       string
}

func (s step) String() string {
	return fmt.Sprintf("at %v: node %d, epoch %d, want %t, sure %t", s.at, s.from, s.epoch, s.want, s.sure)
}

// says is an answer in short.
func says(v wire.Vote, ok bool) string {
	switch {
	case !ok:
		return "nothing"
	case v.Refused:
		return "refused"
	case v.Undecided:
		return "undecided"
	case v.Yes:
		return "yes"
	}
	return fmt.Sprintf("no, %d", v.Whose)
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"one at a time", []step{
			{quiet, 1, 5, true, false, "yes"}, {quiet, 2, 9, true, false, "no, 1"}, {quiet + half/2, 1, 5, true, false, "yes"},
			{quiet + half, 2, 9, true, false, "no, 1"},
		}},
		{"to another when the vote has ended, and as long again as a release takes", []step{
			{quiet, 1, 5, true, false, "yes"}, {quiet + half, 2, 9, true, false, "no, 1"},
			{quiet + half + 199*time.Millisecond, 2, 9, true, false, "no, 1"}, {quiet + half + 200*time.Millisecond, 2, 9, true, false, "yes"},
			{quiet + half + 300*time.Millisecond, 1, 10, true, false, "no, 2"},
		}},
		{"given back", []step{
			{quiet, 1, 5, true, false, "yes"}, {quiet, 1, 5, false, false, "no, 0"}, {quiet, 2, 6, true, false, "yes"},
			{quiet, 1, 5, false, false, "no, 2"}, {quiet, 2, 6, true, false, "yes"},
		}},
		{"who only asks whose it is", []step{{quiet, 1, 5, false, false, "no, 0"}, {quiet, 2, 5, true, false, "yes"}, {quiet, 1, 7, false, false, "no, 2"}}},
		{"the lower epoch yields", []step{
			{quiet, 1, 5, true, false, "yes"}, {quiet + time.Minute, 2, 4, true, false, "no, 0"}, {quiet + time.Minute, 2, 5, true, false, "no, 0"},
			{quiet + time.Minute, 2, 6, true, false, "yes"}, {quiet + 2*time.Minute, 1, 5, true, false, "no, 0"}, {quiet + 2*time.Minute, 2, 6, true, false, "yes"},
		}},
		{"after a restart it gives nothing for one longest vote", []step{
			{0, 1, 5, true, false, "undecided"}, {quiet - 1, 2, 9, true, false, "undecided"}, {quiet, 2, 9, true, false, "yes"},
		}},
		{"but to who is sure", []step{
			{0, 2, 9, true, false, "undecided"}, {0, 1, 5, true, true, "yes"}, {half, 2, 9, true, false, "no, 1"},
			{half + 200*time.Millisecond, 2, 9, true, false, "yes"},
		}},
		{"a stranger", []step{{quiet, 3, 5, true, true, "nothing"}, {quiet, 1, 5, true, false, "yes"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := New([]wire.Node{1, 2}, start)
			for i, s := range c.steps {
				v, ok := w.Ask(s.from, 7, wire.Question{Number: uint32(i + 1), Group: 1, Epoch: s.epoch, Want: s.want, Sure: s.sure, For: half}, start+s.at)
				if got := says(v, ok); got != s.says {
					t.Fatalf("%s: %s, not %s", s, got, s.says)
				}
			}
		})
	}
}

// TestOvertaken: a question that a newer one overtook changes nothing; a restarted
// director begins anew.
func TestOvertaken(t *testing.T) {
	w := New([]wire.Node{1, 2}, start)
	ask := func(incarnation uint64, number uint32, want bool) string {
		return says(w.Ask(1, incarnation, wire.Question{Number: number, Group: 1, Epoch: 5, Want: want, For: half}, start+quiet))
	}
	for i, c := range []struct {
		incarnation uint64
		number      uint32
		want        bool
		says        string
	}{{7, 5, true, "yes"}, {7, 4, false, "nothing"}, {7, 5, false, "nothing"}, {7, 6, true, "yes"}, {8, 1, true, "yes"}, {8, 2, false, "no, 0"}} {
		if got := ask(c.incarnation, c.number, c.want); got != c.says {
			t.Errorf("%d: %s, not %s", i, got, c.says)
		}
	}
}

// TestBounds: no more groups than a pair can have, no longer vote than Longest;
// the place of a group that nobody has is given to another.
func TestBounds(t *testing.T) {
	w := New([]wire.Node{1, 2}, start)
	ask := func(group uint16, at time.Duration) (wire.Vote, bool) {
		return w.Ask(1, 7, wire.Question{Number: uint32(at/time.Millisecond) + 1, Group: group, Epoch: 1, Want: true, For: time.Hour}, start+at)
	}
	for i := range uint16(wire.MaxGroups) {
		if v, _ := ask(i, quiet); !v.Yes || v.For != Longest {
			t.Fatalf("%+v", v)
		}
	}
	for i := range uint16(1000) {
		if v, ok := ask(100+i, quiet); says(v, ok) != "refused" {
			t.Fatalf("%+v", v)
		}
	}
	if len(w.groups) > wire.MaxGroups || len(w.States(start+quiet)) != wire.MaxGroups {
		t.Errorf("%d groups", len(w.groups))
	}
	if v, ok := ask(99, 2*quiet+time.Second); says(v, ok) != "yes" || len(w.groups) > wire.MaxGroups {
		t.Errorf("%+v", v)
	}
}

// Whatever is asked, and whenever it restarts: no two nodes have a vote at one
// time, by the askers' own reckoning, nor one within a release of the other's.
func TestNeverTwoProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := start
		w := New([]wire.Node{1, 2}, now)
		until, margin := [3]time.Duration{}, [3]time.Duration{}
		for i := range rapid.IntRange(1, 200).Draw(t, "steps") {
			now += time.Duration(rapid.IntRange(0, 3000).Draw(t, "gap")) * time.Millisecond
			if rapid.IntRange(0, 20).Draw(t, "restart") == 0 {
				w = New([]wire.Node{1, 2}, now)
			}
			n := wire.Node(rapid.IntRange(1, 2).Draw(t, "node"))
			asked := now
			q := wire.Question{
				Number: uint32(i + 1), Group: 1, Epoch: rapid.Uint64Range(1, 5).Draw(t, "epoch"), Want: rapid.IntRange(0, 5).Draw(t, "want") > 0,
				Sure: until[n] > now, For: time.Duration(rapid.IntRange(0, 40000).Draw(t, "for")) * time.Millisecond,
			}
			if until[n] = min(until[n], asked+q.For); !q.Want {
				until[n] = 0
			}
			now += time.Duration(rapid.IntRange(0, 50).Draw(t, "late")) * time.Millisecond
			q.Sure = q.Sure && until[n] > asked
			v, ok := w.Ask(n, 7, q, now)
			if !ok || !v.Yes || rapid.IntRange(0, 4).Draw(t, "lost") == 0 {
				continue
			}
			if other := 3 - n; until[other] != 0 && now < until[other]+margin[other] {
				t.Fatalf("node %d at %v, node %d until %v", n, now, other, until[other])
			}
			until[n], margin[n] = asked+v.For, Margin(v.For)
		}
	})
}
