package hold

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/plugins/role"
)

// Via says on which interface's network an address is, by the routes.
type Via func(netip.Addr) (index int, err error)

// Placed is a group on the interfaces of this machine.
type Placed struct {
	Addresses []address.Address
	Routes    []address.Route
	Rules     []address.Rule
	// Moved are addresses of the group that are on lo, as a real server has
	// them: they move to the interface, and back at the end.
	Moved []address.Address
}

// Place finds the interfaces of a group, and says all that keeps it from being
// held there. A lease of 0 is for permanent.
func Place(v address.View, line role.Group, lease time.Duration, via Via) (Placed, error) {
	var p Placed
	var errs []error
	nets := networks(v, line)
	for _, a := range line.Addresses {
		at, err := locate(v, nets, a, via)
		if err == nil {
			err = p.free(v, at, lease)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("hold %s: %w", a.Prefix, err))
			continue
		}
		p.Addresses = append(p.Addresses, at)
	}
	if len(errs) == 0 {
		errs = append(errs, p.paths(v, line))
	}
	return p, errors.Join(errs...)
}

// locate finds the interface of one address.
func locate(v address.View, nets []address.Row, a role.Address, via Via) (address.Address, error) {
	at := address.Address{Prefix: a.Prefix, Label: a.Label, Broadcast: a.Broadcast}
	link, ok := v.Named(a.Device)
	if a.Device == "" {
		index, err := network(nets, a.Prefix.Addr(), via)
		if err != nil {
			return at, err
		}
		link, ok = v.Link(index)
	}
	switch {
	case !ok && a.Device == "":
		return at, address.ErrNoDevice
	case !ok:
		return at, fmt.Errorf("on %s: %w; there are %s", a.Device, address.ErrNoDevice, names(v))
	case !link.Up:
		return at, fmt.Errorf("on %s: %w: ip link set %s up", link.Name, address.ErrDown, link.Name)
	}
	at.Index, at.Device = link.Index, link.Name
	return at, nil
}

// networks are the rows that have one; what the group has added itself does not
// count.
func networks(v address.View, line role.Group) (list []address.Row) {
	for _, r := range v.Rows {
		own := func(a role.Address) bool { return a.Prefix.Addr() == r.Prefix.Addr() }
		if !r.Prefix.IsSingleIP() && !slices.ContainsFunc(line.Addresses, own) {
			list = append(list, r)
		}
	}
	return list
}

// network is the interface with the smallest network that ip is in.
func network(nets []address.Row, ip netip.Addr, via Via) (int, error) {
	best := address.Row{}
	for _, r := range nets {
		if r.Prefix.Masked().Contains(ip) && (best.Index == 0 || r.Prefix.Bits() > best.Prefix.Bits()) {
			best = r
		}
	}
	if best.Index != 0 {
		return best.Index, nil
	}
	return via(ip)
}

func names(v address.View) string {
	text := ""
	for i, l := range v.Links {
		switch {
		case i == 20:
			return text + " and others"
		case i > 0:
			text += " "
		}
		text += l.Name
	}
	return text
}

// free says who else has the address here, and notes what moves away from lo.
func (p *Placed) free(v address.View, at address.Address, lease time.Duration) error {
	for _, r := range v.Where(at.Prefix.Addr()) {
		switch {
		case r.Index == at.Index && r.Prefix == at.Prefix:
			if lease > 0 && r.Primary() {
				return primary(at)
			}
		case r.Index == at.Index:
			return fmt.Errorf("%w: it is on %s as %s: remove that, or say /%d", address.ErrInUse, at.Device, r.Prefix, r.Prefix.Bits())
		case r.Index == address.Loopback && r.Prefix.IsSingleIP():
			p.Moved = append(p.Moved, address.Address{Prefix: r.Prefix, Index: r.Index, Device: v.Name(r.Index), Label: r.Label})
		default:
			return fmt.Errorf("%w: it is on %s as %s already: remove it there, or name that interface", address.ErrInUse, v.Name(r.Index), r.Prefix)
		}
	}
	if _, there := v.Row(at.Prefix, at.Index); !there && lease > 0 && wouldLead(v, at) {
		return primary(at)
	}
	return nil
}

// wouldLead reports whether the address would be the first of its network on the
// interface.
func wouldLead(v address.View, at address.Address) bool {
	if at.Prefix.Addr().Is6() || at.Prefix.IsSingleIP() {
		return false
	}
	return !slices.ContainsFunc(v.Rows, func(r address.Row) bool {
		return r.Index == at.Index && r.Primary() && r.Prefix.Masked() == at.Prefix.Masked()
	})
}

func primary(at address.Address) error {
	return fmt.Errorf("as the first address of %s on %s it cannot be a lease: at its end the kernel would remove the others of that network, too; say %s/32, or give %s an address of its own",
		at.Prefix.Masked(), at.Device, at.Prefix.Addr(), at.Device)
}

// paths reads the routes and rules of the group.
func (p *Placed) paths(v address.View, line role.Group) error {
	if len(line.Addresses) == 0 {
		return nil
	}
	routes, rules, err := Paths(line)
	if err != nil {
		return err
	}
	p.Rules = rules
	for _, r := range routes {
		device := r.Device
		if device == "" && !r.Via.IsValid() && !r.Blackhole {
			device = p.device(r)
		}
		if link, ok := v.Named(device); ok {
			r.Index = link.Index
		} else if device != "" {
			return fmt.Errorf("add %v: %q: %w; there are %s", r, device, address.ErrNoDevice, names(v))
		}
		p.Routes = append(p.Routes, r)
	}
	return nil
}

// device is that of the first address of the route's family.
func (p *Placed) device(r address.Route) string {
	for _, a := range p.Addresses {
		if a.Prefix.Addr().Is4() == r.Is4() {
			return a.Device
		}
	}
	return p.Addresses[0].Device
}

// Paths are the routes and rules that a group declares, or what is wrong with
// their words.
func Paths(line role.Group) (routes []address.Route, rules []address.Rule, err error) {
	if len(line.Addresses) == 0 {
		return nil, nil, nil
	}
	like := line.Addresses[0].Prefix.Addr()
	var errs []error
	for _, words := range line.Routes {
		r, err := address.ParseRoute(words, like)
		errs, routes = append(errs, err), append(routes, r)
	}
	for _, words := range line.Rules {
		r, err := address.ParseRule(words, like)
		errs, rules = append(errs, err), append(rules, r)
	}
	return routes, rules, errors.Join(errs...)
}

// Present are the addresses of a group that are on its interfaces: those of
// Placed, or where it is not placed any more, those that its line names.
func Present(v address.View, line role.Group, p Placed) []address.Address {
	var out []address.Address
	for _, a := range line.Addresses {
		for _, r := range v.Where(a.Prefix.Addr()) {
			name := v.Name(r.Index)
			if r.Prefix == a.Prefix && (name == a.Device || a.Device == "" && r.Index != address.Loopback) || p.has(r) {
				out = append(out, address.Address{Prefix: r.Prefix, Index: r.Index, Device: name, Label: r.Label})
			}
		}
	}
	return out
}

// has reports whether r is one of p.
func (p Placed) has(r address.Row) bool {
	return slices.ContainsFunc(p.Addresses, func(at address.Address) bool { return at.Index == r.Index && at.Prefix == r.Prefix })
}
