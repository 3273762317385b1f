package host

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/mondhq/mond/alerts/fake/announce"
	"github.com/mondhq/mond/alerts/fake/command"
	"github.com/mondhq/mond/plugins/neighbour"
	"github.com/mondhq/mond/plugins/role"
)

// Network is the stations on the links of this machine.
type Network struct{}

var _ command.Network = Network{}

// byDevice are the addresses of g that are here, by the interface they are on.
// Those on lo are announced nowhere.
func byDevice(ctx context.Context, g role.Group) (map[string][]role.Address, error) {
	places, err := Machine{}.Places(ctx, g)
	if err != nil {
		return nil, err
	}
	out := map[string][]role.Address{}
	for i, at := range places {
		if at.Device != "" && at.Device != "lo" {
			out[at.Device] = append(out[at.Device], g.Addresses[i])
		}
	}
	return out, nil
}

// Announce sends one announcement of each kind for every address.
func (Network) Announce(ctx context.Context, g role.Group) error {
	devices, err := byDevice(ctx, g)
	if err != nil {
		return err
	}
	var errs []error
	for _, device := range slices.Sorted(maps.Keys(devices)) {
		if err := announceOn(device, devices[device], g.Tell); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// announceOn announces on one interface. One without neighbours, such as a tunnel,
// has nobody to tell; one without carrier cannot serve, so a start there fails.
func announceOn(device string, addresses []role.Address, tell []netip.Addr) error {
	links, err := neighbour.OpenLinks()
	if err != nil {
		return err
	}
	defer links.Close()
	switch on, err := links.Named(device); {
	case err != nil:
		return err
	case !on.Neighbours:
		return nil
	case !on.Carrier:
		return fmt.Errorf("announce on %s: it has no carrier", device)
	}
	s, err := neighbour.OpenStation(device)
	if err != nil {
		return err
	}
	defer s.Close()
	l, err := s.Link()
	if err != nil {
		return err
	}
	for _, a := range addresses {
		for _, frame := range frames(s, l, a, tell) {
			if err := s.Send(neighbour.FamilyOf(a.Prefix.Addr()), frame); err != nil {
				return fmt.Errorf("announce %s on %s: %w", a.Prefix.Addr(), device, err)
			}
		}
	}
	return nil
}

// frames are what is sent for one address: to all, in the forms that different
// equipment heeds, and to each station that is to be told by itself, as a
// question that it answers.
func frames(s *neighbour.Station, l neighbour.Link, a role.Address, tell []netip.Addr) [][]byte {
	ip, router := a.Prefix.Addr(), a.Router || l.Forwards
	out := [][]byte{neighbour.AppendAnnouncement(nil, l.MAC, ip, router)}
	if ip.Is4() {
		out = append(out, neighbour.AppendReply(nil, l.MAC, ip))
	} else {
		out = append(out, neighbour.AppendToRouters(nil, l.MAC, ip, router))
	}
	for _, who := range tell {
		if who.Is4() == ip.Is4() {
			to, _ := s.Known(who)
			out = append(out, neighbour.AppendQuestion(nil, l.MAC, ip, to, who))
		}
	}
	return out
}

// Repeat goes on after Announce, on the schedule of alerts/fake/announce. Rivals,
// and what could not be sent, are told.
func (Network) Repeat(ctx context.Context, g role.Group, failed func(error)) error {
	devices, err := byDevice(ctx, g)
	if err != nil {
		return err
	}
	held := announce.Group{Name: g.Name, Tell: g.Tell, Refresh: g.Refresh}
	for device, addresses := range devices {
		for _, a := range addresses {
			held.Addresses = append(held.Addresses, announce.Address{Addr: a.Prefix.Addr(), Device: device, Router: a.Router})
		}
	}
	a := announce.New(announce.Options{Network: announce.Kernel{}, Told: func(e announce.Event) { failed(errors.New(e.String())) }})
	a.Took(held)
	return a.Run(ctx)
}

// Stranger asks for the addresses on their interfaces.
func (Network) Stranger(ctx context.Context, g role.Group) (string, error) {
	for _, a := range g.Addresses {
		if a.Device == "" || a.Device == "lo" {
			continue
		}
		claims, err := ask(ctx, a)
		if err != nil {
			return "", err
		}
		for _, c := range claims {
			return fmt.Sprintf("%v (on %s)", c.MAC, a.Device), nil
		}
	}
	return "", nil
}

func ask(ctx context.Context, a role.Address) ([]neighbour.Claim, error) {
	s, err := neighbour.OpenStation(a.Device)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Ask(ctx, neighbour.Question{Addrs: []netip.Addr{a.Prefix.Addr()}, Wait: 100 * time.Millisecond, Times: 2})
}
