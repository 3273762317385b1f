package faults

import (
	"runtime"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// prober has the kernel ask a neighbour at once whether it is there, instead
// of believing for up to a minute that it is. That takes CAP_NET_ADMIN, which
// mond holds but has not in effect: so it is done by a thread of its own,
// which raises it for that moment. Without it neighbours are asked as the
// kernel sees fit, when a packet goes to them.
type prober struct {
	ask chan probe // nil while it is stopped
	end sync.WaitGroup
}

type probe struct {
	neighbour *netlink.Neigh
	done      chan bool
}

func (p *prober) start() {
	ask := make(chan probe)
	p.ask = ask
	p.end.Go(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this
		for q := range ask {
			q.done <- solicit(q.neighbour)
		}
	})
}

func (p *prober) stop() {
	close(p.ask)
	p.ask = nil
	p.end.Wait()
}

// probe reports whether the neighbour is being asked.
func (p *prober) probe(n *netlink.Neigh) bool {
	if p.ask == nil {
		return false
	}
	q := probe{n, make(chan bool, 1)}
	p.ask <- q
	return <-q.done
}

// solicit runs on a thread of its own.
func solicit(n *netlink.Neigh) bool {
	if lower, ok := raise(); ok {
		defer lower()
	}
	return netlink.NeighSet(&netlink.Neigh{
		LinkIndex: n.LinkIndex, Family: n.Family, IP: n.IP, HardwareAddr: n.HardwareAddr, State: netlink.NUD_PROBE,
	}) == nil
}

// raise puts CAP_NET_ADMIN into effect on this thread, if it holds it.
func raise() (lower func(), ok bool) {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var was [2]unix.CapUserData
	if unix.Capget(&head, &was[0]) != nil || was[0].Permitted&(1<<unix.CAP_NET_ADMIN) == 0 {
		return nil, false
	}
	now := was
	now[0].Effective |= 1 << unix.CAP_NET_ADMIN
	if unix.Capset(&head, &now[0]) != nil {
		return nil, false
	}
	return func() { _ = unix.Capset(&head, &was[0]) }, true // giving up is always allowed
}
