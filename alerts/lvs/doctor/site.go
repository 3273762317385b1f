package doctor

import (
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// Site is what the director is for.
type Site struct {
	Virtuals []Virtual
	// Holds are addresses that a program of the configuration moves between
	// directors.
	Holds []netip.Addr
	// FromTable says that it was made of the kernel's table: then the table
	// cannot be wrong.
	FromTable bool
}

// Virtual is a virtual service, at one address or at those of a range.
type Virtual struct {
	// Name is what the configuration calls it, or empty.
	Name string
	// Netns is the network namespace that has its row; empty is the one that
	// mond runs in.
	Netns string
	ipvs.Virtual
	// Last is the last address of a range that begins with Addr; invalid for
	// one address.
	Last netip.Addr
	// Scheduler is empty where nothing says it.
	Scheduler string
	// Persist is the time of persistence in seconds, 0 for none.
	Persist   uint32
	OnePacket bool
	Engine    string
	// Declared says that lvs.alert makes the row of the service, too.
	Declared bool
	// Through says that reals are checked through the director.
	Through bool
	// Quiesces says that a failing or draining real keeps its row at weight 0,
	// Removes that it loses it.
	Quiesces, Removes bool
	// ByRole says that a standby writes nothing of it.
	ByRole bool
	Reals  []Real
}

// Real is a real server of a virtual service.
type Real struct {
	Name    string
	Addr    netip.AddrPort
	Forward ipvs.Forward
	Tunnel  ipvs.Encapsulation
}

// Subject is how findings name v.
func (v *Virtual) Subject() string {
	text := v.Virtual.String()
	if v.Last.IsValid() {
		first := v.VIP().String()
		text = strings.Replace(text, first, first+"-"+v.Last.String(), 1)
	}
	if v.Name != "" {
		return v.Name + " (" + text + ")"
	}
	return text
}

// VIP is the virtual address, the first of a range, invalid for a firewall
// mark.
func (v *Virtual) VIP() netip.Addr { return v.Addr.Addr() }

// Covers reports whether a is a virtual address of v.
func (v *Virtual) Covers(a netip.Addr) bool {
	if !v.Last.IsValid() {
		return a.IsValid() && a == v.VIP()
	}
	return a.Is4() == v.Last.Is4() && !a.Less(v.VIP()) && !v.Last.Less(a)
}

// Addrs are the virtual addresses of v, none for a firewall mark.
func (v *Virtual) Addrs() iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for a := v.VIP(); v.Covers(a) && yield(a); a = a.Next() {
		}
	}
}

// uses reports whether any real is reached by f.
func (v *Virtual) uses(f ipvs.Forward) bool {
	return slices.ContainsFunc(v.Reals, func(r Real) bool { return r.Forward == f })
}

// uses reports whether any virtual of family 6 or 4 has a real reached by f.
func (s *Site) uses(f ipvs.Forward, six bool) bool {
	return slices.ContainsFunc(s.Virtuals, func(v Virtual) bool { return v.Is6() == six && v.uses(f) })
}

// maxVIPs is how many virtual addresses are looked at. The kernel is asked for
// the route to each.
const maxVIPs = 16384

// VIPs are the virtual addresses, each once: all, or the first of them if there
// are very many.
func (s *Site) VIPs() []netip.Addr {
	all := s.addresses()
	return all[:min(len(all), maxVIPs)]
}

// Beyond are the virtual addresses that VIPs leaves out.
func (s *Site) Beyond() []netip.Addr {
	all := s.addresses()
	return all[min(len(all), maxVIPs):]
}

func (s *Site) addresses() []netip.Addr {
	var out []netip.Addr
	for i := range s.Virtuals {
		out = slices.AppendSeq(out, s.Virtuals[i].Addrs())
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// RealAddrs are the addresses of the reals, each once.
func (s *Site) RealAddrs() []netip.Addr {
	var out []netip.Addr
	for _, v := range s.Virtuals {
		for _, r := range v.Reals {
			out = append(out, r.Addr.Addr())
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// Namespaces are the network namespaces of the virtual services, each once:
// first that of mond, which is the empty name.
func (s *Site) Namespaces() []string {
	names := []string{""}
	for _, v := range s.Virtuals {
		names = append(names, v.Netns)
	}
	return distinct(names)
}

// In is the part of the site that is in one of the namespaces.
func (s *Site) In(names ...string) Site {
	part := *s
	part.Virtuals = nil
	for _, v := range s.Virtuals {
		if slices.Contains(names, v.Netns) {
			part.Virtuals = append(part.Virtuals, v)
		}
	}
	return part
}

// FromTable is the site that a table is for.
func FromTable(rows []Row) Site {
	s := Site{FromTable: true}
	for _, row := range rows {
		v := Virtual{
			Virtual: row.Virtual, Scheduler: row.Scheduler, Persist: row.Persist, OnePacket: row.OnePacket, Engine: row.Engine,
			Declared: true,
		}
		for _, d := range row.Reals {
			v.Reals = append(v.Reals, Real{Addr: d.Addr, Forward: d.Forward, Tunnel: d.Tunnel})
			v.Quiesces = v.Quiesces || d.Weight == 0
		}
		s.Virtuals = append(s.Virtuals, v)
	}
	return s
}

// FillFrom takes what the configuration leaves to others from the table: the
// scheduler and persistence of services whose row it does not make.
func (s *Site) FillFrom(rows []Row) {
	for i := range s.Virtuals {
		v := &s.Virtuals[i]
		at := slices.IndexFunc(rows, func(r Row) bool { return r.Virtual == v.Virtual })
		if v.Declared || at < 0 {
			continue
		}
		row := rows[at]
		v.Scheduler, v.Persist, v.OnePacket, v.Engine = row.Scheduler, row.Persist, row.OnePacket, row.Engine
	}
}
