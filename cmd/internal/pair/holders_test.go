package pair

import (
	"math"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// witness looks every millisecond or two who has the virtual address, by both
// directors' own tables.
type witness struct {
	mu    sync.Mutex
	both  time.Duration // for how long both had it, as far as seen
	first time.Time     // of the last time that both had it
	holds map[string]held
	ended chan struct{}
	wait  sync.WaitGroup
}

func newWitness(t testing.TB, w *world) *witness {
	t.Helper()
	v := &witness{holds: map[string]held{}, ended: make(chan struct{})}
	var tables []*netlink.Handle
	for _, n := range []string{"a", "b"} {
		h, err := netns.GetFromName(w.node(n))
		must(t, err)
		table, err := netlink.NewHandleAt(h)
		_ = h.Close()
		must(t, err)
		tables = append(tables, table)
	}
	v.wait.Go(func() { v.look(tables) })
	t.Cleanup(func() {
		close(v.ended)
		v.wait.Wait()
		for _, table := range tables {
			table.Close()
		}
	})
	return v
}

func (v *witness) look(tables []*netlink.Handle) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	before := time.Now()
	was := false
	for {
		select {
		case <-v.ended:
			return
		case <-tick.C:
		}
		a, b := has(tables[0]), has(tables[1])
		now := time.Now()
		v.mu.Lock()
		v.holds["a"], v.holds["b"] = a, b
		both := a != none && b != none
		if both && was {
			v.both += now.Sub(before)
		}
		if both && !was {
			v.first = now
		}
		was, before = both, now
		v.mu.Unlock()
	}
}

// held is how a node has the virtual address.
type held int

const (
	none held = iota
	leased
	permanent
)

var virtual = net.ParseIP(vip)

// has says how a node has the virtual address, as far as others can see: not if
// its interface is down.
func has(table *netlink.Handle) held {
	all, err := table.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return none
	}
	for _, a := range all {
		if !a.IP.Equal(virtual) {
			continue
		}
		if lan, err := table.LinkByName("eth0"); err != nil || lan.Attrs().Flags&net.FlagUp == 0 {
			return none
		}
		if a.ValidLft > 0 && uint32(a.ValidLft) != math.MaxUint32 {
			return leased
		}
		return permanent
	}
	return none
}

// who has it now: "a", "b", "ab" or "".
func (v *witness) who() (who string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, n := range []string{"a", "b"} {
		if v.holds[n] != none {
			who += n
		}
	}
	return who
}

// how a node has it now.
func (v *witness) how(n string) held {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.holds[n]
}

// double is for how long both had it since the last call.
func (v *witness) double() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	both := v.both
	v.both = 0
	return both
}
