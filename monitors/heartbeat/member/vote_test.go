package member

import (
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

// What becomes of the witness's words: a vote counts from its question, not from
// its answer; one that was asked for before this node said that it wants none is
// none; and one that is asked for anew is no longer than that.
func TestVotes(t *testing.T) {
	fresh := func() (*Member, *group) {
		o := newOne(t, func(c *Config) { c.Witness = true })
		return o.m, o.group()
	}
	yes := func(asked time.Duration) Voted {
		return Voted{Group: "vip", Asked: asked, Yes: true, For: time.Second, Whose: 1}
	}
	m, g := fresh()
	m.now += time.Second
	asked := m.now - 300*time.Millisecond
	m.voted(yes(asked))
	if !g.vote.yes || g.vote.until != asked+time.Second {
		t.Errorf("a vote for 1s, asked 300ms ago, ends in %v", g.vote.until-m.now)
	}
	if s := m.Status().Witness; s == nil || !s.Answered || len(s.Groups) != 1 || s.Groups[0].Whose != wire.Node(1) || s.Groups[0].Left != 700*time.Millisecond {
		t.Errorf("%+v", s)
	}
	m.askVote(g, true) // for a dead time
	if left := g.vote.until - m.now; left != m.cfg.Dead {
		t.Errorf("asked for %v, it ends in %v", m.cfg.Dead, left)
	}

	m, g = fresh()
	m.now += time.Second
	m.askVote(g, false)
	m.voted(yes(m.now - time.Millisecond))
	if g.given(m.now) {
		t.Error("a vote counts that was given back")
	}
	m.voted(yes(m.now + time.Millisecond))
	m.voted(yes(m.now)) // overtaken
	if !g.given(m.now) || g.vote.until != m.now+time.Millisecond+time.Second {
		t.Errorf("a later vote does not count: %+v", g.vote)
	}
}
