package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/words"
)

// AddClaim adds what the words of lvs.alert say to the site: a virtual
// service (--service) or a real server. name is what the configuration calls the
// virtual service, or empty.
func (s *Site) AddClaim(name string, claim []string) error {
	j, err := words.Parse(claim)
	if err != nil {
		return fmt.Errorf("%s %s: %w", words.Name, strings.Join(claim, " "), err)
	}
	if j.Table.File != "" || j.OfTable() {
		return nil // a file's rows meet no packets
	}
	join(s.virtual(name, j.Table.NetNS, j.First, lastOf(j)), j)
	return nil
}

// lastOf is the last address of a range, invalid for one address.
func lastOf(j words.Job) netip.Addr {
	var last netip.Addr
	if j.Count > 1 {
		for v := range j.Virtuals() {
			last = v.Addr.Addr()
		}
	}
	return last
}

// virtual is the virtual service of the site, which is added if it is new.
func (s *Site) virtual(name, netns string, v ipvs.Virtual, last netip.Addr) *Virtual {
	at := slices.IndexFunc(s.Virtuals, func(have Virtual) bool {
		return have.Virtual == v && have.Last == last && have.Netns == netns
	})
	if at < 0 {
		at = len(s.Virtuals)
		s.Virtuals = append(s.Virtuals, Virtual{Name: name, Netns: netns, Virtual: v, Last: last})
	}
	return &s.Virtuals[at]
}

// join makes v what the claim says of it.
func join(v *Virtual, j words.Job) {
	v.ByRole = v.ByRole || j.ByRole
	if j.Kind == words.Service {
		v.Declared = true
		v.Scheduler, v.Persist, v.Engine, v.OnePacket = j.Service.Scheduler, j.Service.Persist, j.Service.Engine, j.Service.OnePacket
		return
	}
	real := Real{Addr: j.Row.Addr, Forward: j.Row.Forward, Tunnel: j.Row.Tunnel}
	if !slices.ContainsFunc(v.Reals, func(r Real) bool { return r.Addr == real.Addr }) {
		v.Reals = append(v.Reals, real)
	}
}
