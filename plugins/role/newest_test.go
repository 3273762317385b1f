package role

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestNewest(t *testing.T) {
	hold := func(group string, epoch uint64, until time.Duration) Token {
		return Token{Group: group, Hold: true, Epoch: epoch, Until: until}
	}
	announced := hold("a", 1, 2)
	announced.Announce = true
	again := hold("a", 1, 3)
	again.Announce = true
	for _, tt := range []struct {
		name    string
		put     []Token
		remains []Token
	}{
		{"none", nil, nil},
		{"renewed", []Token{hold("a", 1, 1), hold("a", 1, 2)}, []Token{hold("a", 1, 2)}},
		{"two groups", []Token{hold("a", 1, 1), hold("b", 1, 1), hold("a", 1, 2)}, []Token{hold("b", 1, 1), hold("a", 1, 2)}},
		{"older epoch", []Token{hold("a", 2, 1), hold("a", 1, 2)}, []Token{hold("a", 2, 1)}},
		{"released", []Token{hold("a", 2, 1), {Group: "a", Epoch: 2}}, []Token{{Group: "a", Epoch: 2}}},
		{"taken again", []Token{{Group: "a", Epoch: 2}, hold("a", 3, 1)}, []Token{hold("a", 3, 1)}},
		{"announcement is kept", []Token{announced, hold("a", 1, 3)}, []Token{again}},
		{"announcement of what is released", []Token{announced, {Group: "a", Epoch: 1}}, []Token{{Group: "a", Epoch: 1}}},
	} {
		var n Newest
		for _, tok := range tt.put {
			n.Put(tok)
		}
		if n.Len() != len(tt.remains) {
			t.Errorf("%s: %d tokens", tt.name, n.Len())
		}
		if diff := cmp.Diff(tt.remains, n.Take()); diff != "" || n.Len() != 0 {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// Whatever comes: one token a group, of the highest epoch, and of these the one
// that came last.
func TestNewestOfAny(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var n Newest
		want := map[string]Token{}
		for i := range rapid.IntRange(0, 30).Draw(t, "count") {
			tok := Token{
				Group: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group"), Hold: rapid.Bool().Draw(t, "hold"),
				Epoch: rapid.Uint64Range(0, 3).Draw(t, "epoch"), Until: time.Duration(i),
			}
			n.Put(tok)
			if old, ok := want[tok.Group]; !ok || tok.Epoch >= old.Epoch {
				want[tok.Group] = tok
			}
		}
		got := map[string]Token{}
		for _, tok := range n.Take() {
			got[tok.Group] = tok
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Token{}, "Announce")); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestLate(t *testing.T) {
	for _, tt := range []struct {
		token Token
		late  bool
	}{
		{Token{Hold: true, Until: 101}, false},
		{Token{Hold: true, Until: 100}, true},
		{Token{Hold: true}, true},
		{Token{}, false},
	} {
		if got := tt.token.Late(100); got != tt.late {
			t.Errorf("%+v: late=%v", tt.token, got)
		}
	}
}

func TestWorkThen(t *testing.T) {
	a, b := Token{Group: "a", Hold: true, Epoch: 1, Until: 5}, Token{Group: "b", Hold: true, Epoch: 1, Until: 9}
	lines := []Line{{Group: "a"}, {Group: "b"}}
	w := Work{}.Then(Work{Tokens: []Token{a}}).Then(Work{Full: true, Lines: lines}).Then(Work{Tokens: []Token{b}})
	if diff := cmp.Diff(Work{Full: true, Lines: lines, Tokens: []Token{a, b}}, w); diff != "" {
		t.Error(diff)
	}
	if got := w.Fresh(5); len(got.Tokens) != 1 || got.Tokens[0].Group != "b" || len(w.Tokens) != 2 || got.None() {
		t.Errorf("fresh at 5: %+v of %+v", got, w)
	}
	if !(Work{Lines: lines}).None() {
		t.Error("lines alone are work")
	}
	if w := w.Then(Work{Full: true}); len(w.Lines) != 0 || len(w.Tokens) != 0 || !w.Full {
		t.Errorf("no lines any more: %+v", w)
	}
}
