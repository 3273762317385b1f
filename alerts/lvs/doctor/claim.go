package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/words"
)

// AddClaim adds what the words of lvs.alert say to the site: a virtual
// service (--service) or a real server. Of a range of addresses it takes the
// first and the last. name is what the configuration calls the virtual service,
// or empty.
func (s *Site) AddClaim(name string, claim []string) error {
	j, err := words.Parse(claim)
	if err != nil {
		return fmt.Errorf("%s %s: %w", words.Name, strings.Join(claim, " "), err)
	}
	if j.Table.File != "" || j.OfTable() {
		return nil // a file's rows meet no packets
	}
	for _, v := range ends(j) {
		join(s.virtual(name, j.Table.NetNS, v), j)
	}
	return nil
}

// ends are the first and the last virtual service of a range.
func ends(j words.Job) []ipvs.Virtual {
	all := slices.Collect(j.Virtuals())
	return slices.Compact([]ipvs.Virtual{all[0], all[len(all)-1]})
}

// virtual is the virtual service of the site, which is added if it is new.
func (s *Site) virtual(name, netns string, v ipvs.Virtual) *Virtual {
	at := slices.IndexFunc(s.Virtuals, func(have Virtual) bool { return have.Virtual == v && have.Netns == netns })
	if at < 0 {
		at = len(s.Virtuals)
		s.Virtuals = append(s.Virtuals, Virtual{Name: name, Netns: netns, Virtual: v})
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
