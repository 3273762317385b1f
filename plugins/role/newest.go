package role

import (
	"slices"
	"time"
)

// Newest holds tokens for whoever cannot pass them on at once: of each group
// the newest only, so that however long it takes no more waits than there are
// groups. It is not for concurrent use; the zero value is empty.
type Newest struct{ tokens []Token }

// Put adds t, behind those of other groups, in the place of the one of its group;
// where that has a higher epoch, it stays. What the older one asked to be
// announced is still to be announced.
func (n *Newest) Put(t Token) {
	i := slices.IndexFunc(n.tokens, func(o Token) bool { return o.Group == t.Group })
	if i >= 0 {
		old := n.tokens[i]
		if old.Epoch > t.Epoch {
			return
		}
		t.Announce = t.Announce || t.Hold && old.Hold && old.Announce
		n.tokens = slices.Delete(n.tokens, i, i+1)
	}
	n.tokens = append(n.tokens, t)
}

// Take empties n and returns what was in it.
func (n *Newest) Take() []Token {
	all := n.tokens
	n.tokens = nil
	return all
}

// Len is how many groups have a token.
func (n *Newest) Len() int { return len(n.tokens) }

// Late reports whether t permits nothing any more at the instant now: a hold
// whose end has passed. A release is never too late.
func (t Token) Late(now time.Duration) bool { return t.Hold && now >= t.Until }

// Then is w followed by next, as one: the Lines of the last that is Full, and the
// newest token of each group, less those before it of groups that it has not.
func (w Work) Then(next Work) Work {
	if next.Full {
		w.Full, w.Lines = true, next.Lines
	}
	var n Newest
	for _, t := range w.Tokens {
		if !next.Full || next.has(t.Group) {
			n.Put(t)
		}
	}
	for _, t := range next.Tokens {
		n.Put(t)
	}
	w.Tokens = n.Take()
	return w
}

func (w Work) has(group string) bool {
	return slices.ContainsFunc(w.Lines, func(l Line) bool { return l.Group == group })
}

// Fresh is w without tokens that permit nothing any more at the instant now.
func (w Work) Fresh(now time.Duration) Work {
	w.Tokens = slices.DeleteFunc(slices.Clone(w.Tokens), func(t Token) bool { return t.Late(now) })
	return w
}

// None reports whether there is nothing in w to be done.
func (w Work) None() bool { return !w.Full && len(w.Tokens) == 0 }
