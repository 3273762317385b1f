package heartbeat

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/member"
	"github.com/mondhq/mond/monitors/heartbeat/sight"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/role/boottime"
)

const (
	// aloneEvery is the time between two tokens, aloneFor how long each is good.
	aloneEvery = 500 * time.Millisecond
	aloneFor   = 2 * time.Second
	// probeFor is how long an answer to a question of a start may take; unanswered
	// how many of them in a row nobody may answer; askAgain the time between two
	// while nothing is held yet.
	probeFor   = 40 * time.Millisecond
	unanswered = 2
	askAgain   = 500 * time.Millisecond
	// watchRival is the time between two questions whether a stranger has gone that
	// was to be ignored.
	watchRival = 2 * time.Second
)

// single is a director without another one: it holds all groups as soon as
// their networks work, and then for good: there is nobody who could hold them
// better.
type single struct {
	h      *heart
	say    monitor.Election
	voice  voice
	site   role.Site
	seen   sight.Seen
	views  *sight.Sight
	stop   context.CancelFunc
	looks  chan sight.Seen
	probed chan member.Probed // capacity 16: what finds no room is asked again
	groups []aloneGroup
}

type aloneGroup struct {
	role.Group
	lans  []int
	order role.Verb
	// ready: the conditions of start were met once.
	ready bool
	// free counts the questions in a row that nobody answered; asked is when the
	// last was sent, 0 for none. stranger: the last was answered.
	free     int
	asked    time.Duration
	stranger bool
	// hold is what was told last.
	hold, told bool
	since      time.Duration
	why        string
}

// electAlone is Elect without a peer.
func (h *heart) electAlone(ctx context.Context, first role.Site, site <-chan role.Site, say monitor.Election) error {
	d := &single{h: h, say: say, looks: make(chan sight.Seen, 1), probed: make(chan member.Probed, 16)}
	d.voice.say = say.Report
	if err := d.configure(ctx, first); err != nil {
		return err
	}
	defer func() { d.stop() }()
	tick := time.NewTicker(aloneEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-d.looks:
			if s.LANs == nil { // this machine's own trouble
				s.LANs, s.Groups = d.seen.LANs, d.seen.Groups
			}
			d.seen = s
			d.decide(false)
		case s := <-site:
			if !sameLines(s.Lines, d.site.Lines) {
				d.voice.site(d.configure(ctx, s))
			}
			s.Lines, d.site = d.site.Lines, s
			d.obey()
			d.decide(true)
		case p := <-d.probed:
			d.heard(p)
			d.decide(false)
		case <-tick.C:
			d.decide(true)
			d.voice.remind(d.reports)
			d.show()
		}
		if d.site.Leaving && (d.site.Keep || d.free()) {
			return nil
		}
	}
}

// configure puts the groups of a site in place; those that are no more are
// released.
func (d *single) configure(ctx context.Context, s role.Site) error {
	groups, err := parse(s.Lines)
	if err != nil {
		return err
	}
	if d.stop != nil {
		d.stop()
	}
	old := d.groups
	view := sight.New(sight.Options{Groups: groups, Neighbours: d.h.neighbours})
	d.groups, d.views, d.seen, d.site = nil, view, sight.Seen{}, s
	for i, g := range groups {
		fresh := aloneGroup{Group: g, lans: view.LANs(i), order: role.Auto, since: boottime.Now()}
		for j, o := range old {
			if o.Name == g.Name {
				fresh.order, fresh.ready, fresh.hold, fresh.since = o.order, o.ready, o.hold, o.since
				fresh.stranger = o.stranger
				old[j].hold = false
			}
		}
		d.groups = append(d.groups, fresh)
	}
	for _, o := range old {
		if o.hold {
			d.say.Token(role.Token{Group: o.Name, Epoch: 1, Reason: "it is not configured any more"})
		}
	}
	d.voice.only(groups)
	d.obey()
	run, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	d.stop = func() { stop(); <-ended }
	looks := make(chan sight.Seen, 1)
	d.looks = looks
	go func() { // ends with stop
		defer close(ended)
		view.Run(run, func(s sight.Seen) {
			select {
			case <-looks: // an older one
			default:
			}
			looks <- s
		})
	}()
	return nil
}

// obey takes in the orders that stand.
func (d *single) obey() {
	for i := range d.groups {
		g := &d.groups[i]
		g.order = role.Auto
		var newest uint64
		for _, o := range d.site.Orders {
			if (o.Group == "" || o.Group == g.Name) && o.Serial >= newest && o.Verb != role.Release {
				g.order, newest = o.Verb, o.Serial
			}
		}
	}
}

// decide says what is to be held: what changed, and all of it with again.
func (d *single) decide(again bool) {
	for i := range d.groups {
		g := &d.groups[i]
		d.ask(i)
		hold, why := d.may(i)
		changed := !g.told || hold != g.hold || why != g.why
		if hold != g.hold {
			g.since = boottime.Now()
		}
		if changed || again {
			t := role.Token{Group: g.Name, Hold: hold, Epoch: 1, Announce: hold && !g.hold, Reason: why}
			if hold {
				t.Until, t.Lease = boottime.Now()+aloneFor, d.h.leaseAlone.value
			}
			d.say.Token(t)
		}
		g.hold, g.why, g.told = hold, why, true
		if changed {
			d.voice.report(d.report(i), nil)
		}
	}
}

// may says whether a group is to be held, and why.
func (d *single) may(at int) (bool, string) {
	g := &d.groups[at]
	switch {
	case d.site.Leaving:
		return false, "this program ends"
	case g.order == role.Off:
		return false, "an operator ordered off"
	case g.ready:
		return true, "there is no other director"
	case len(d.seen.LANs) == 0:
		return false, "its networks were not looked at yet"
	case !d.site.Loaded:
		return false, "the table is not loaded"
	case !d.site.Results:
		return false, "first results are missing"
	}
	for _, i := range g.lans {
		if text := d.seen.LANs[i].Lacks(); text != "" {
			return false, text
		}
	}
	switch {
	case d.held(at) > 0: // the kernel has it already
	case g.stranger && g.Conflict == role.Takeover:
	case g.stranger:
		return false, "a stranger answers for the addresses"
	case g.free < unanswered:
		return false, "asking whether a stranger answers for the addresses"
	}
	g.ready = true
	return true, "there is no other director"
}

// ask asks the network whether a third machine has the addresses (RFC 5227 2.1),
// from the start on until the group is held, so that it costs no time; and after
// that, as long as a stranger was to be ignored, whether it has gone.
func (d *single) ask(at int) {
	g := &d.groups[at]
	every := askAgain
	if g.ready {
		every = watchRival
	}
	due := g.stranger || !g.ready && d.held(at) == 0 && len(d.seen.LANs) > 0
	if now := boottime.Now(); due && (g.asked == 0 || now-g.asked >= every) {
		g.asked = now
		d.views.Probe(at, probeFor, func(p member.Probed) {
			select {
			case d.probed <- p:
			default:
			}
		})
	}
}

// heard takes in an answer. The stranger has gone when nobody answers any more.
func (d *single) heard(p member.Probed) {
	for i := range d.groups {
		g := &d.groups[i]
		if g.Name != p.Group || p.Asked < g.asked {
			continue
		}
		switch p.Answer {
		case member.Nobody:
			if g.free++; g.free >= unanswered {
				g.stranger = false
			}
		case member.ByPeer, member.ByRival:
			g.free, g.stranger = 0, true
		case member.Unlooked:
			g.free = 0
		}
		if g.free > 0 && g.free < unanswered {
			g.asked = 0 // at once
		}
	}
}

// report is how a group stands.
func (d *single) report(i int) member.Report {
	g, held := d.groups[i], d.held(i)
	r := member.Report{Service: "role-" + g.Name, Code: "standby", Summary: "standby: " + g.why}
	late := boottime.Now()-g.since > member.DefaultTakeWithin/2
	switch {
	case g.hold && held == 0 && late:
		r.Level, r.Code, r.Summary = member.Bad, "holding, nothing held", "holds it, but its addresses are not there"
	case g.hold && g.stranger:
		r.Level, r.Code, r.Summary = member.Bad, "holding, rival", "holding, but a stranger answers for the addresses, too"
	case g.hold:
		r.Code, r.Summary = "holding", "holding: "+g.why
	case g.order == role.Off || d.site.Leaving:
	case g.stranger:
		r.Level, r.Code, r.Summary = member.Bad, "standby, rival serves", "nobody of ours holds it: "+g.why
	case late:
		r.Level, r.Code = member.Bad, "standby, free"
		r.Summary = "nobody holds it: " + g.why
	}
	return r
}

func (d *single) reports() (all []member.Report) {
	for _, service := range []string{"peer", "redundancy"} {
		all = append(all, member.Report{Service: service, Code: "none", Summary: "no other director is configured"})
	}
	for i := range d.groups {
		all = append(all, d.report(i))
	}
	return all
}

func (d *single) held(i int) int {
	if i < len(d.seen.Groups) {
		return d.seen.Groups[i].Count
	}
	return 0
}

// free reports whether nothing is held any more.
func (d *single) free() bool {
	for i := range d.groups {
		if d.held(i) > 0 {
			return false
		}
	}
	return true
}

// show sums up what there is to show, and tells what time changed.
func (d *single) show() {
	s := &Status{Node: int(d.h.self), At: boottime.Now()}
	for i, g := range d.groups {
		r := d.report(i)
		if known := d.voice.find(r.Service); known.Code != r.Code {
			d.voice.report(r, nil)
		}
		claim, _, _ := strings.Cut(r.Code, ",")
		shown := GroupShown{Name: g.Name, Claim: claim, Since: g.since, Epoch: 1, Order: string(g.order), Held: d.held(i), Total: len(g.Addresses), Reason: claim, Text: g.why}
		if i < len(d.seen.Groups) {
			shown.Lease = d.seen.Groups[i].Lease
		}
		s.Groups = append(s.Groups, shown)
	}
	if d.seen.Err != nil {
		d.voice.seen(fmt.Errorf("look at the networks: %w", d.seen.Err))
	} else {
		d.voice.seen(nil)
	}
	s.sum(d.voice.last)
	d.h.status.Store(s)
}
