package probe

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/mondhq/mond/alerts/lvs/doctor"
	"github.com/mondhq/mond/plugins/neighbour"
)

// question is what is asked on one link.
type question struct {
	link  *doctor.Link
	addrs []netip.Addr
	// from is the link's own link-local address; invalid for none. IPv6 is asked
	// from it: a question from nowhere could keep a station from an address that
	// it is just testing (RFC 4862 5.4.3), and this changes nothing.
	from netip.Addr
}

// questions gathers the virtual addresses by link.
func questions(s doctor.Site, f *doctor.Facts) []*question {
	var out []*question
	for _, vip := range s.VIPs() {
		l := f.AskOn(vip)
		if l == nil {
			continue
		}
		var q *question
		for _, have := range out {
			if have.link.Index == l.Index {
				q = have
			}
		}
		if q == nil {
			q = &question{link: l, from: linkLocal(f, l.Name)}
			out = append(out, q)
		}
		q.addrs = append(q.addrs, vip)
	}
	for _, q := range out {
		if n := len(q.addrs); n > maxAsked {
			f.Unread = append(f.Unread, doctor.Unread{
				What: fmt.Sprintf("who answers for %s on %s", doctor.Stretch(q.addrs[maxAsked:]), q.link.Name),
				Err:  fmt.Sprintf("only the first %d of %d virtual addresses are asked for, lest the network be flooded", maxAsked, n),
			})
			q.addrs = q.addrs[:maxAsked]
		}
	}
	return out
}

// maxAsked is for how many addresses is asked on a link: each question goes to
// all stations, twice within a second.
const maxAsked = 256

func linkLocal(f *doctor.Facts, link string) netip.Addr {
	for _, a := range f.Addrs {
		if a.Link == link && a.Prefix.Addr().Is6() && a.Prefix.Addr().IsLinkLocalUnicast() && !a.Tentative {
			return a.Prefix.Addr()
		}
	}
	return netip.Addr{}
}

// ask asks for all addresses on the link: twice, half the wait apart.
func (q *question) ask(ctx context.Context) ([]doctor.Answer, error) {
	s, err := neighbour.OpenStation(q.link.Name)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	claims, err := s.Ask(ctx, neighbour.Question{Addrs: q.addrs, From6: q.from, Wait: wait, Times: 2, All: true})
	var out []doctor.Answer
	for _, c := range claims {
		out = append(out, doctor.Answer{VIP: c.Addr, Link: q.link.Name, MAC: c.MAC.String()})
	}
	return out, err
}
