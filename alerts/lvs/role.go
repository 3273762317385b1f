package lvs

import (
	"context"
	"maps"
	"net/netip"

	"github.com/mondhq/mond/alerts/lvs/words"
)

// roles is what the owner knows of the addresses on this machine, as far as
// claims follow them.
type roles struct {
	local   map[netip.Addr]bool // nil before they were read
	held    map[span]bool       // of what claims with --by-role name
	any     bool                // one of these is here: what marks follow
	known   bool                // local was read when these were worked out
	changed <-chan struct{}     // a word when they may have changed; nil without a watch
	end     context.CancelFunc
	trouble string // for the log
}

// span are addresses that follow each other.
type span struct {
	first netip.Addr
	count int
}

func spanOf(j words.Job) span { return span{j.First.Addr.Addr(), j.Count} }

// part is which part a pool has.
type part uint8

const (
	acts    part = iota // its rows are kept
	unknown             // nothing is written
	standby             // nothing is written, and what is ours goes
)

func (r *roles) close() {
	if r.end != nil {
		r.end()
	}
	r.end, r.changed = nil, nil
}

// part is the part of p. It acts while one of its addresses is here; a mark
// while one of any pool that follows its role is.
func (d *desk) part(p *pool) part {
	follows := false
	for _, h := range p.claims {
		switch {
		case !h.ByRole:
			continue
		case h.First.Mark != 0 && d.role.any, h.First.Mark == 0 && d.role.held[spanOf(h.Job)]:
			return acts
		}
		follows = true
	}
	switch {
	case !follows:
		return acts
	case d.role.local == nil:
		return unknown
	}
	return standby
}

// readRole reads the addresses if claims follow them. What cannot be read is
// as it was.
func (d *desk) readRole() {
	asked := map[span]bool{}
	for _, h := range d.roled {
		if h.First.Mark == 0 && !h.OfTable() {
			asked[spanOf(h.Job)] = false
		}
	}
	if len(d.roled) == 0 {
		d.role.close()
		d.role.held, d.role.any, d.role.known = nil, false, false
		return
	}
	d.watchRole()
	local, err := d.Role.Local()
	d.tellRole(err)
	if err == nil {
		d.role.local = local
	}
	d.setRole(asked)
}

// setRole works out which of the addresses in asked are here; pools whose part
// may have changed are summed up anew.
func (d *desk) setRole(asked map[span]bool) {
	here := false
	for s := range asked {
		asked[s] = s.in(d.role.local)
		here = here || asked[s]
	}
	known := d.role.local != nil
	if maps.Equal(asked, d.role.held) && known == d.role.known {
		return
	}
	d.role.held, d.role.any, d.role.known = asked, here, known
	for _, p := range d.pools {
		p.stale = p.stale || p.byRole()
	}
}

// in reports whether one of the addresses is in local.
func (s span) in(local map[netip.Addr]bool) bool {
	for a := range local {
		if a.Is4() != s.first.Is4() || a.Less(s.first) {
			continue
		}
		b := s.first
		for range s.count {
			if b == a {
				return true
			}
			b = b.Next()
		}
	}
	return false
}

// watchRole watches the addresses. Without a watch a change is seen at the
// next resync.
func (d *desk) watchRole() {
	if d.role.changed != nil {
		return
	}
	ctx, cancel := context.WithCancel(d.Context)
	changed, err := d.Role.Watch(ctx)
	if err != nil {
		cancel()
		d.tellRole(err)
		return
	}
	d.role.changed, d.role.end = changed, cancel
}

func (d *desk) tellRole(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != d.role.trouble {
		d.Log.Error("the addresses of this machine are not known; rows that follow them stay as they are", "err", err)
	}
	d.role.trouble = text
}

// followRole looks where the addresses are, after a word of the watch; more is
// false when it has ended.
func (d *desk) followRole(more bool) {
	if !more {
		d.role.close()
	}
	if !d.full {
		return
	}
	if d.readRole(); !more {
		return
	}
	if s := d.touched(); len(s.pools) > 0 || len(d.synced) > 0 {
		_ = d.agree(s) // every table has logged its own
		d.saveRecord()
	}
}
