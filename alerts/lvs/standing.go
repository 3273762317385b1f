package lvs

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/words"
	"github.com/mondhq/mond/plugins/alert"
)

// standing tells how the claims of these services stand, each named SERVICE or
// GROUP:SERVICE, as a JSON list of alert.Standing: one read for each virtual
// service. A claim on several virtual services is there if it is in any of
// them, with the highest weight, and its connections are those in all.
func (d *desk) standing(services []string) (string, error) {
	var claims []*held
	for _, h := range d.claims {
		if slices.Contains(services, h.Claim.Service) || slices.Contains(services, h.Group+":"+h.Claim.Service) {
			claims = append(claims, h)
		}
	}
	slices.SortFunc(claims, func(a, b *held) int { return cmp.Compare(a.ID, b.ID) })
	l := looker{desk: d, seen: map[place]looked{}}
	out := make([]alert.Standing, 0, len(claims))
	for _, h := range claims {
		if !h.OfTable() {
			out = append(out, l.standing(h))
		}
	}
	text, err := json.Marshal(out)
	return string(text) + "\n", err
}

// looker reads each virtual service once.
type looker struct {
	*desk
	seen map[place]looked
}

// looked is what was read of a virtual service.
type looked struct {
	there bool
	reals map[netip.AddrPort]ipvs.Destination
	err   error
}

func (l looker) at(p place) looked {
	if was, ok := l.seen[p]; ok {
		return was
	}
	now := l.read(p)
	l.seen[p] = now
	return now
}

func (l looker) read(p place) (now looked) {
	m := l.table(p.table)
	if now.err = m.open(l.Open); now.err != nil {
		return now
	}
	ctx, cancel := l.looking()
	defer cancel()
	rows, err := m.table.Destinations(ctx, p.virtual)
	if errors.Is(err, ipvs.ErrNoService) {
		return now
	}
	now.there, now.err = err == nil, err
	now.reals = make(map[netip.AddrPort]ipvs.Destination, len(rows))
	for _, row := range rows {
		now.reals[row.Addr] = row
	}
	return now
}

func (l looker) standing(h *held) alert.Standing {
	out := alert.Standing{ID: h.ID, Known: true}
	if h.Kind == words.Service || h.Table.File != "" { // neither counts connections
		out.Active, out.Inactive, out.Persistent = -1, -1, -1
	}
	for v := range h.Virtuals() {
		now := l.at(place{h.Table, v})
		if now.err != nil {
			return alert.Standing{ID: h.ID, Active: -1, Inactive: -1, Persistent: -1}
		}
		if h.Kind == words.Service {
			out.There = out.There || now.there
			continue
		}
		row, there := now.reals[h.Row.Addr]
		if !there {
			continue
		}
		out.There, out.Weight = true, max(out.Weight, int(row.Weight))
		if h.Table.File == "" {
			out.Active += int(row.Counters.Active)
			out.Inactive += int(row.Counters.Inactive)
			out.Persistent += int(row.Counters.Persistent)
		}
	}
	return out
}
