package announce

import (
	"context"
	"fmt"
	"time"

	"github.com/mondhq/mond/plugins/neighbour"
)

// arrange opens, closes and filters ports as the plan has it.
func (a *Announcer) arrange() {
	a.mu.Lock()
	if version := a.plan.Version(); a.heard == nil || version != a.version {
		a.version, a.heard = version, a.plan.Heard()
	}
	heard := a.heard
	moved := map[string]bool{}
	for device, p := range a.ports {
		l, ok := a.links[device]
		moved[device] = ok && l.Index != p.index
	}
	a.mu.Unlock()
	for device, p := range a.ports {
		if heard[device] == nil || moved[device] || p.claimsEnded() && time.Since(p.tried) >= retry {
			a.close(device)
		}
	}
	for device, addrs := range heard {
		p, err := a.port(device)
		if err != nil || p.version == a.version {
			continue // what cannot be opened is told of when it is to be sent on
		}
		p.version = a.version
		if err := p.Only(addrs); err != nil {
			a.tell(Event{Kind: Deaf, Device: device, When: time.Now(), Text: fmt.Sprintf("claims of others on %s are not heard: %v", device, err)})
		}
	}
}

// port is the port of an interface, which is opened if it is not.
func (a *Announcer) port(device string) (*opened, error) {
	if p := a.ports[device]; p != nil {
		return p, nil
	}
	port, err := a.Network.Open(device)
	if err != nil {
		return nil, err
	}
	link, err := port.Link()
	if err != nil {
		a.workers.Go(func() { _ = port.Close() })
		return nil, err
	}
	p := &opened{Port: port, index: link.Index, deaf: make(chan struct{}), tried: time.Now()}
	a.ports[device] = p
	a.workers.Go(func() { a.hear(device, p) })
	return p, nil
}

// claimsEnded reports whether nothing is heard on it any more.
func (p *opened) claimsEnded() bool {
	select {
	case <-p.deaf:
		return true
	default:
		return false
	}
}

// close closes a port, aside: the kernel takes its time for it.
func (a *Announcer) close(device string) {
	p := a.ports[device]
	delete(a.ports, device)
	a.workers.Go(func() { _ = p.Close() })
}

// hear takes in claims by others until the port is closed.
func (a *Announcer) hear(device string, p *opened) {
	for c := range p.Claims() {
		a.mu.Lock()
		if a.own[c.MAC] {
			a.mu.Unlock()
			continue
		}
		events := a.plan.Claimed(time.Now(), device, c)
		a.mu.Unlock()
		a.tell(events...)
		word(a.poke)
	}
	close(p.deaf)
	word(a.poke)
}

// watch keeps an eye on interfaces until ctx ends.
func (a *Announcer) watch(ctx context.Context) {
	for {
		err := a.Network.Watch(ctx, a.noticed)
		if ctx.Err() != nil {
			return
		}
		a.tell(Event{Kind: Deaf, When: time.Now(), Text: fmt.Sprintf("changes of interfaces are not heard: %v", err)})
		select {
		case <-ctx.Done():
			return
		case <-time.After(retry):
		}
	}
}

// noticed takes in what interfaces are like, and begins anew on those where
// what was sent before may have been in vain.
func (a *Announcer) noticed(links []neighbour.Link) {
	now := time.Now()
	var events []Event
	a.mu.Lock()
	for _, l := range links {
		was, had := a.links[l.Name]
		if l.Gone {
			delete(a.links, l.Name)
			if had && a.plan.Uses(l.Name) { // so that another of its name is noticed
				a.links[l.Name] = neighbour.Link{Name: l.Name, Index: was.Index}
			}
			continue
		}
		a.links[l.Name] = l
		why := reason(was, l)
		if had && why != "" && a.plan.AgainOn(now, l.Name) > 0 {
			events = append(events, Event{Kind: Moved, Device: l.Name, When: now, Text: why})
		}
	}
	a.ownLocked()
	a.mu.Unlock()
	a.tell(events...)
	word(a.poke)
}

// ownLocked gathers this machine's hardware addresses: what another of its
// interfaces on the same network answers is no stranger's claim.
func (a *Announcer) ownLocked() {
	clear(a.own)
	for _, l := range a.links {
		a.own[l.MAC] = true
	}
}

// reason says why all is to be announced anew; "" for no reason.
func reason(was, is neighbour.Link) string {
	switch {
	case !is.Carrier:
		return ""
	case was.Index != is.Index:
		return "it is another interface than before"
	case was.MAC != is.MAC:
		return fmt.Sprintf("its hardware address is %s, it was %s", is.MAC, was.MAC)
	case !was.Carrier, was.Changes != is.Changes:
		return "it has a carrier again"
	}
	return ""
}
