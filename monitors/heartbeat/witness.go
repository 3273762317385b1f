package heartbeat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/mondhq/mond/monitors/heartbeat/link"
	"github.com/mondhq/mond/monitors/heartbeat/member"
	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/monitors/heartbeat/witness"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/role/boottime"
)

// silentFor is how long a director may be silent before its witness says so.
const silentFor = 3 * time.Second

// validWitness is Validate of a witness.
func (h *heart) validWitness() error {
	var errs []error
	for _, o := range []struct {
		name    string
		missing bool
	}{{"--node", h.self == 0}, {"--keys", h.keys == ""}, {"--cluster", h.cluster == ""}} {
		if o.missing {
			errs = append(errs, fmt.Errorf("option %s is missing: a witness needs --node, --keys, and --director for each of the two", o.name))
		}
	}
	if h.peer != 0 || len(h.links) > 0 || len(h.witness) > 0 {
		errs = append(errs, errors.New("option --director makes this a witness, which is no director: it takes no --peer, --link or --witness"))
	}
	nodes := h.directors.nodes()
	if len(nodes) < 2 {
		errs = append(errs, errors.New("option --director: a witness is between two directors, and one is named"))
	}
	for _, n := range nodes {
		if n == wire.Node(h.self) {
			errs = append(errs, fmt.Errorf("option --director: node %d is this witness itself", n))
		}
	}
	return errors.Join(errs...)
}

// Stays reports whether a check goes on until it is told to end: a witness that
// is started by hand.
func (h *heart) Stays() bool { return len(h.directors) > 0 }

// court is a witness that serves. It belongs to one goroutine.
type court struct {
	h       *heart
	voice   voice
	witness *witness.Witness
	sealer  *wire.Sealer
	parties []*party
	poke    chan struct{}
	work    sync.WaitGroup
	ask     []wire.Question
	// born is when it started; told the last states, by group.
	born time.Duration
	told map[uint16]wire.Node
}

// party is one director as its witness knows it.
type party struct {
	*channel
	// heard is when it last asked, 0 for never.
	heard time.Duration
}

// serveWitness is Elect of a witness: it says who is there, and no token.
func (h *heart) serveWitness(ctx context.Context, first role.Site, site <-chan role.Site, say monitor.Election) error {
	if first.Lines != nil {
		return monitor.Fault(errors.New("a witness holds no addresses: the service with --director has lines of fake.alert; remove them"))
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() { // ends with ctx
		for {
			select {
			case s := <-site:
				if s.Leaving {
					stop()
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return h.holdCourt(ctx, say.Report)
}

// holdCourt serves as a witness until ctx ends.
func (h *heart) holdCourt(ctx context.Context, say func(string, monitor.Result)) error {
	keys, err := loadKeys(h.keys)
	if err != nil {
		return monitor.Fault(err)
	}
	alone, err := only(h.cluster)
	if err != nil {
		return monitor.Fault(err)
	}
	defer alone.Close()
	ctx, stop := context.WithCancel(ctx)
	c := h.newCourt(keys)
	defer h.status.Store(nil)
	defer c.work.Wait()
	defer stop()
	c.voice.say = say
	for _, p := range c.parties {
		p.run(ctx, &c.work, c.poke)
	}
	news := make(chan keyNews, 1)
	go watchKeys(ctx, h.keys, news) // the disk may hang; it ends with ctx
	c.loop(ctx, news)
	return nil
}

// only is a name that one program of a machine (of a network namespace) can have:
// two witnesses of one pair would give its groups to both.
func only(cluster string) (*net.UnixConn, error) {
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: fmt.Sprintf("@mond-witness-%08x", wire.ClusterHash(cluster)), Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("another witness of the pair %q runs on this machine (two would give a group to both directors): %w", cluster, err)
	}
	return c, nil
}

func (h *heart) newCourt(keys *wire.Keys) *court {
	id := wire.Identity{Cluster: h.cluster, Self: wire.Node(h.self), Incarnation: draw()}
	now, nodes := boottime.Now(), h.directors.nodes()
	c := &court{h: h, witness: witness.New(nodes, now), sealer: wire.NewSealer(id, keys), poke: make(chan struct{}, 1), born: now, told: map[uint16]wire.Node{}}
	for _, n := range nodes {
		var specs []link.Spec
		for _, s := range h.directors {
			if s.Name == fmt.Sprint(n) {
				specs = append(specs, s)
			}
		}
		c.parties = append(c.parties, &party{channel: newChannel(id, n, keys, c.sealer, specs)})
	}
	return c
}

// loop is the one goroutine that decides.
func (c *court) loop(ctx context.Context, news <-chan keyNews) {
	sum := time.NewTicker(sumUp)
	defer sum.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.poke:
			c.read()
		case n := <-news:
			c.rotate(n)
		case <-sum.C:
			c.sum()
		}
	}
}

// read opens what has come, some of each way in turn.
func (c *court) read() {
	more := false
	for _, p := range c.parties {
		more = p.drain(func(i uint8, data []byte) { c.hear(p, i, data) }) || more
	}
	if more {
		select {
		case c.poke <- struct{}{}:
		default:
		}
	}
}

// hear opens one packet and answers it.
func (c *court) hear(p *party, i uint8, data []byte) {
	o, ok := p.open(i, data, wire.KindAskVote)
	if !ok {
		return
	}
	list, ok := wire.DecodeQuestions(c.ask, o.Body)
	c.ask = list
	if !ok {
		return
	}
	p.heard = boottime.Now()
	p.body = p.body[:0]
	for _, q := range list {
		if v, ok := c.witness.Ask(p.node, o.Incarnation, q, p.heard); ok {
			c.note(v)
			p.body = v.Append(p.body)
		}
	}
	if len(p.body) > 0 {
		p.send(wire.KindVote)
	}
}

// note logs that a group is another's now.
func (c *court) note(v wire.Vote) {
	if v.Yes && c.told[v.Group] != v.Whose {
		c.told[v.Group] = v.Whose
		slog.Info("vote", "group", groupName(v.Group), "to", v.Whose, "epoch", v.Epoch, "for", v.For.String())
	}
	if len(c.told) > 4*wire.MaxGroups { // groups that are no more
		clear(c.told)
	}
}

// groupName is how a witness calls a group: it knows no more of its name.
func groupName(id uint16) string { return fmt.Sprintf("%04x", id) }

func (c *court) rotate(n keyNews) {
	c.voice.keys(n.err)
	if n.err != nil {
		return
	}
	c.sealer.Rotate(n.keys)
	for _, p := range c.parties {
		p.session.Rotate(n.keys)
	}
}

// sum tells how all stands, once a second.
func (c *court) sum() {
	for _, r := range c.reports() {
		if known := c.voice.find(r.Service); known.Code != r.Code || known.Level != r.Level {
			c.voice.report(r, nil)
		}
	}
	c.voice.remind(c.reports)
	c.show()
}

func (c *court) reports() []member.Report {
	all := []member.Report{
		{Service: "peer", Code: "none", Summary: "this is the witness, and no director"},
		{Service: "redundancy", Code: "none", Summary: "this is the witness, and no director"},
	}
	for _, p := range c.parties {
		all = append(all, c.report(p))
	}
	return all
}

// report is how a director stands.
func (c *court) report(p *party) member.Report {
	now := boottime.Now()
	r := member.Report{Service: fmt.Sprintf("director-%d", p.node), Code: "ok", Summary: "it asks for its groups"}
	limit := silentFor
	if c.h.dead.value != 0 {
		limit = c.h.dead.value
	}
	silent := now - max(p.heard, c.born)
	switch {
	case p.forged():
		r.Level, r.Code, r.Summary = member.Bad, "forged", errKeys.Error()
	case p.heard == 0 && silent < limit:
		r.Level, r.Code, r.Summary = member.Warn, "unknown", "it has not asked yet"
	case silent >= limit:
		r.Level, r.Code = member.Bad, "silent"
		r.Summary = fmt.Sprintf("it has not asked for %v", silent.Round(time.Second))
	}
	for _, w := range p.ways {
		if note := noteOf(new(w.State())); note != "" && r.Level != member.Good {
			r.Summary += "; " + w.Spec().String() + ": " + note
		}
	}
	return r
}

// show sums up what there is to show.
func (c *court) show() {
	now := boottime.Now()
	s := &Status{Node: int(c.h.self), At: now, Incarnation: c.sealer.Incarnation(), Refused: map[string]uint64{}}
	for _, g := range c.witness.States(now) {
		shown := GroupShown{Name: groupName(g.Group), Claim: "nobody's", Epoch: g.Epoch, Lease: now + g.Left}
		if g.Owner != wire.Everyone {
			shown.Claim = fmt.Sprintf("node %d", g.Owner)
			shown.Text = fmt.Sprintf("its vote lasts for %v", g.Left.Round(time.Millisecond))
		}
		s.Groups = append(s.Groups, shown)
	}
	for _, p := range c.parties {
		counts := p.session.Counts()
		for r := wire.Taken + 1; r <= wire.Garbled; r++ {
			if n := counts.Of(r); n > 0 {
				s.Refused[r.String()] += n
			}
		}
	}
	s.sum(c.voice.last)
	c.h.status.Store(s)
}

// byHand serves until ctx ends, and writes what changes to the log.
func (h *heart) byHand(ctx context.Context) monitor.Result {
	last := map[string]string{}
	err := h.holdCourt(ctx, func(service string, r monitor.Result) {
		if last[service] == r.Summary || !strings.HasPrefix(service, "director-") {
			return
		}
		last[service] = r.Summary
		slog.Info(service, "failing", r.Failing(), "is", r.Summary)
	})
	if err != nil {
		return monitor.Blinded(monitor.LocalFault, err.Error())
	}
	return monitor.OK("served as a witness until it was told to end")
}
