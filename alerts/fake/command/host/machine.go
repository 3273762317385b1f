// Package host joins the program fake (alerts/fake/command) with this machine:
// its addresses (alerts/fake/address) and whom they are announced to
// (plugins/neighbour). It decides nothing.
package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/alerts/fake/command"
	"github.com/mondhq/mond/alerts/fake/hold"
	"github.com/mondhq/mond/plugins/role"
)

// Machine is the kernel of this network namespace. What it adds is permanent and
// has no mark: mond's fake.alert, which knows its own by one, leaves it alone.
type Machine struct{}

var _ command.Machine = Machine{}

// within opens the kernel for do.
func within(do func(k *address.Kernel, v address.View) error) error {
	k, err := address.Open()
	if err != nil {
		return err
	}
	defer k.Close()
	v, err := k.View()
	if err == nil {
		err = do(k, v)
	}
	if errors.Is(err, address.ErrPermission) {
		err = fmt.Errorf("%w: %w", err, syscall.EPERM)
	}
	return err
}

// Places looks for the addresses whatever their prefix. An address on lo is that
// of a real server, and is held by nobody, unless lo is what the group names.
func (Machine) Places(_ context.Context, g role.Group) ([]command.Place, error) {
	out := make([]command.Place, len(g.Addresses))
	err := within(func(_ *address.Kernel, v address.View) error {
		for i, a := range g.Addresses {
			for _, r := range rows(v, a) {
				l, _ := v.Link(r.Index)
				out[i] = command.Place{Device: v.Name(r.Index), Carrier: l.Carrier}
			}
		}
		return nil
	})
	return out, err
}

// rows are those of the address on its interface, or on any but lo.
func rows(v address.View, a role.Address) (out []address.Row) {
	for _, r := range v.Where(a.Prefix.Addr()) {
		name := v.Name(r.Index)
		if name == a.Device || a.Device == "" && r.Index != address.Loopback {
			out = append(out, r)
		}
	}
	return out
}

// Add adds the addresses that are missing, then routes and rules, all or none.
// An address on lo may stay there beside it: with the settings of a real server
// the kernel answers for it on the interface it is asked on.
func (Machine) Add(_ context.Context, g role.Group) error {
	return within(func(k *address.Kernel, v address.View) error {
		missing := g
		missing.Addresses = nil
		for _, a := range g.Addresses {
			if len(rows(v, a)) == 0 {
				missing.Addresses = append(missing.Addresses, a)
			}
		}
		placed, err := hold.Place(v, missing, 0, k.Via)
		if err != nil {
			return err
		}
		return k.Take(steps(placed))
	})
}

func steps(p hold.Placed) (out []address.Step) {
	for _, a := range p.Addresses {
		out = append(out, address.Step{Op: address.Add, Thing: a})
	}
	for _, r := range p.Rules {
		out = append(out, address.Step{Op: address.Remove, Thing: r}, address.Step{Op: address.Add, Thing: r})
	}
	for _, r := range p.Routes {
		out = append(out, address.Step{Op: address.Remove, Thing: r}, address.Step{Op: address.Add, Thing: r})
	}
	return out
}

// Remove removes routes and rules, then the addresses, as far as it can: what is
// gone already, and words of a route that make no sense and so were never added,
// are no error.
func (Machine) Remove(_ context.Context, g role.Group) error {
	return within(func(k *address.Kernel, v address.View) error {
		here := hold.Placed{}
		for _, a := range g.Addresses {
			for _, r := range rows(v, a) {
				here.Addresses = append(here.Addresses, address.Address{Prefix: r.Prefix, Index: r.Index, Device: v.Name(r.Index), Label: r.Label})
				spare(v, r)
			}
		}
		results, err := k.Do(removals(v, g, here))
		for i, e := range results {
			if errors.Is(e, fs.ErrNotExist) {
				results[i] = nil
			}
		}
		return errors.Join(err, errors.Join(results...))
	})
}

func removals(v address.View, g role.Group, here hold.Placed) (out []address.Step) {
	if len(here.Addresses) == 0 {
		return nil
	}
	if routes, rules, err := paths(v, g, here); err == nil {
		for _, r := range routes {
			out = append(out, address.Step{Op: address.Remove, Thing: r})
		}
		for _, r := range rules {
			out = append(out, address.Step{Op: address.Remove, Thing: r})
		}
	}
	for _, a := range here.Addresses {
		out = append(out, address.Step{Op: address.Remove, Thing: a})
	}
	return out
}

// spare keeps the kernel from removing, together with the first address of a
// network, all others of it that are on the interface: with promote_secondaries
// the next one becomes the first. Where it cannot be set it may be set already.
func spare(v address.View, first address.Row) {
	if !first.Primary() {
		return
	}
	for _, r := range v.Rows {
		if r.Index == first.Index && r.Prefix != first.Prefix && r.Prefix.Masked() == first.Prefix.Masked() {
			_ = os.WriteFile("/proc/sys/net/ipv4/conf/"+v.Name(r.Index)+"/promote_secondaries", []byte("1\n"), 0)
			return
		}
	}
}

// paths are the routes and rules of the group, on the interfaces that its
// addresses are on.
func paths(v address.View, g role.Group, here hold.Placed) ([]address.Route, []address.Rule, error) {
	routes, rules, err := hold.Paths(g)
	for i, r := range routes {
		device := r.Device
		if device == "" && !r.Via.IsValid() && !r.Blackhole {
			device = here.Addresses[0].Device
		}
		if l, ok := v.Named(device); ok {
			routes[i].Index = l.Index
		}
	}
	return routes, rules, err
}
