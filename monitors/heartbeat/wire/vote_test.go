package wire

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func drawQuestion(t *rapid.T, group uint16) Question {
	return Question{
		Number: rapid.Uint32Range(1, 1<<32-1).Draw(t, "number"), Group: group, Epoch: rapid.Uint64Range(0, MaxEpoch).Draw(t, "epoch"),
		Want: rapid.Bool().Draw(t, "want"), Sure: rapid.Bool().Draw(t, "sure"), For: ms(t, "for"),
	}
}

func drawVote(t *rapid.T, group uint16) Vote {
	v := Vote{
		Number: rapid.Uint32Range(1, 1<<32-1).Draw(t, "number"), Group: group, Epoch: rapid.Uint64Range(0, MaxEpoch).Draw(t, "epoch"),
		Whose: Node(rapid.Byte().Draw(t, "whose")), For: ms(t, "for"), Left: ms(t, "left"),
	}
	switch rapid.IntRange(0, 3).Draw(t, "what") {
	case 0:
		v.Yes = true
	case 1:
		v.Undecided = true
	case 2:
		v.Refused = true
	}
	return v
}

// What is asked and answered arrives, and always fits, also where a later release
// says more.
func TestVoteProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var asked []Question
		var votes []Vote
		var ask, answer []byte
		for i := range rapid.IntRange(1, MaxGroups).Draw(t, "groups") {
			asked, votes = append(asked, drawQuestion(t, uint16(i))), append(votes, drawVote(t, uint16(i)))
			ask, answer = asked[i].Append(ask), votes[i].Append(answer)
			if rapid.Bool().Draw(t, "more") { // of a later release
				ask, answer = append(ask, 200, 1, 7), append(answer, 200, 0)
			}
		}
		if len(ask) > MaxBody || len(answer) > MaxBody {
			t.Fatalf("%d and %d bytes", len(ask), len(answer))
		}
		if got, ok := DecodeQuestions(nil, ask); !ok || cmp.Diff(asked, got) != "" {
			t.Fatal(cmp.Diff(asked, got))
		}
		if got, ok := DecodeVotes(nil, answer); !ok || cmp.Diff(votes, got) != "" {
			t.Fatal(cmp.Diff(votes, got))
		}
	})
}

func TestVoteRefused(t *testing.T) {
	q := Question{Number: 1, Group: 1}.Append(nil)
	v := Vote{Number: 1, Group: 1, Yes: true}.Append(nil)
	many := func(one func(i uint16) []byte) (all []byte) {
		for i := range uint16(MaxGroups + 1) {
			all = append(all, one(i)...)
		}
		return all
	}
	for name, body := range map[string][]byte{
		"empty": nil, "short": q[:len(q)-1], "twice": append(q[:len(q):len(q)], q...), "no number": Question{Group: 1}.Append(nil),
		"something else": {200, 0}, "too many": many(func(i uint16) []byte { return Question{Number: 1, Group: i}.Append(nil) }),
	} {
		if got, ok := DecodeQuestions(nil, body); ok {
			t.Errorf("question, %s: %+v", name, got)
		}
	}
	for name, body := range map[string][]byte{
		"empty": nil, "short": v[:len(v)-1], "twice": append(v[:len(v):len(v)], v...), "no number": Vote{Group: 1}.Append(nil),
		"a question": q, "too many": many(func(i uint16) []byte { return Vote{Number: 1, Group: i}.Append(nil) }),
	} {
		if got, ok := DecodeVotes(nil, body); ok {
			t.Errorf("vote, %s: %+v", name, got)
		}
	}
	both := Vote{Number: 1, Yes: true, Undecided: true}.Append(nil)
	if got, ok := DecodeVotes(nil, both); !ok || got[0].Yes {
		t.Errorf("a yes that is none: %+v", got)
	}
}

func FuzzVote(f *testing.F) {
	f.Add(Question{Number: 1, Group: 2, Epoch: 3, Want: true, For: time.Second}.Append(nil))
	f.Add(Vote{Number: 1, Group: 2, Epoch: 3, Yes: true, For: time.Second}.Append(nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		if list, ok := DecodeQuestions(nil, body); ok {
			var again []byte
			for _, q := range list {
				again = q.Append(again)
			}
			if got, ok := DecodeQuestions(nil, again); !ok || cmp.Diff(list, got) != "" {
				t.Error(cmp.Diff(list, got))
			}
		}
		if list, ok := DecodeVotes(nil, body); ok {
			var again []byte
			for _, v := range list {
				again = v.Append(again)
			}
			if got, ok := DecodeVotes(nil, again); !ok || cmp.Diff(list, got) != "" {
				t.Error(cmp.Diff(list, got))
			}
		}
	})
}

// TestVoteReplayed: a vote is taken once, by whom it is for, and none of an
// incarnation that was not proven.
func TestVoteReplayed(t *testing.T) {
	keys, err := NewKeys(1, map[uint8][]byte{1: bytes.Repeat([]byte("s"), 16)})
	if err != nil {
		t.Fatal(err)
	}
	id := func(n Node, inc uint64) Identity { return Identity{Cluster: "pair", Self: n, Incarnation: inc} }
	asker := NewSession(id(1, 11), 9, keys, SessionOptions{})
	other := NewSession(id(2, 12), 9, keys, SessionOptions{})
	out := NewSealer(id(1, 11), keys)
	witness := NewSealer(id(9, 90), keys)
	there := NewSession(id(9, 90), 1, keys, SessionOptions{})
	seal := func(s *Sealer, kind Kind, to Node, body []byte) (p []byte) {
		s.Seal(kind, to, body, []uint8{0}, func(_ uint8, b []byte) { p = bytes.Clone(b) })
		return p
	}
	vote := Vote{Number: 1, Group: 1, Yes: true, For: time.Second}.Append(nil)
	early := seal(witness, KindVote, 1, vote)
	if _, r := asker.Open(0, early); r != Unproven {
		t.Fatalf("before it was challenged: %s", r)
	}
	// The challenge, and its answer.
	kind, body := asker.Reply(nil, time.Second)
	if _, r := there.Open(0, seal(out, kind, 9, body)); kind != KindHello || r != Taken {
		t.Fatalf("%s: %s", kind, r)
	}
	kind, body = there.Reply(nil, time.Second)
	if _, r := asker.Open(0, seal(witness, kind, 1, body)); kind != KindAck || r != Taken {
		t.Fatalf("%s: %s", kind, r)
	}
	p := seal(witness, KindVote, 1, vote)
	if o, r := asker.Open(0, p); r != Taken || o.Kind != KindVote {
		t.Errorf("%s", r)
	}
	if _, r := asker.Open(0, p); r != Replayed {
		t.Errorf("again: %s", r)
	}
	if _, r := asker.Open(0, early); r == Taken {
		t.Error("the one from before was taken")
	}
	if _, r := other.Open(0, p); r != NotForUs {
		t.Errorf("by the other director: %s", r)
	}
}
