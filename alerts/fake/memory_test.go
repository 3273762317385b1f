package fake

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/plugins/role"
)

// memory is a kernel in memory, with a clock of its own that tests move.
type memory struct {
	now   time.Duration
	links []address.Link
	rows  []address.Row
	late  time.Duration // how late leases end
	stamp uint32
	born  map[uint32]time.Duration // by Row.Made
	set   map[uint32]time.Duration // when the lifetime was set last

	// before and after are called around every change, and may move the clock
	// or end the program by a panic; fail makes the next Take fail at a step.
	before, after func()
	fail          int // -1 for none
	broken        error
	batches       int
	others        []address.Step // that are no addresses, as they were done
	changes       chan struct{}
}

func newMemory() *memory {
	return &memory{
		now: 1000 * time.Second, fail: -1, changes: make(chan struct{}, 1),
		born: map[uint32]time.Duration{}, set: map[uint32]time.Duration{},
		links: []address.Link{{Index: 1, Name: "lo", Up: true, Carrier: true}, {Index: 2, Name: "eth0", Up: true, Carrier: true, Ups: 1}, {Index: 3, Name: "eth1", Up: true, Carrier: true}},
		rows:  []address.Row{{Prefix: netip.MustParsePrefix("10.0.0.1/24"), Index: 2, Expires: address.Forever}},
	}
}

func (m *memory) clock() time.Duration { return m.now }

// pass lets time pass: leases end.
func (m *memory) pass(d time.Duration) {
	m.now += d
	m.sweep()
}

func (m *memory) sweep() {
	m.rows = slices.DeleteFunc(m.rows, func(r address.Row) bool { return !r.Permanent() && m.now >= r.Expires+m.late })
}

func (m *memory) View() (address.View, error) {
	m.sweep()
	v := address.View{At: m.now, Links: slices.Clone(m.links), Rows: slices.Clone(m.rows)}
	v.Sort()
	return v, m.broken
}

func (m *memory) Via(ip netip.Addr) (int, error) {
	return 0, fmt.Errorf("no network with %s: %w", ip, address.ErrNoDevice)
}

func (m *memory) Watch(context.Context) (<-chan struct{}, error) { return m.changes, nil }
func (m *memory) Close() error                                   { return nil }

var errInjected = errors.New("the kernel refuses")

func (m *memory) Take(steps []address.Step) error {
	m.call(m.before)
	defer m.call(m.after)
	m.sweep()
	m.batches++
	was := slices.Clone(m.rows)
	for i, s := range steps {
		if i == m.fail {
			m.rows, m.fail = was, -1
			return errInjected
		}
		if err := m.step(s); err != nil {
			m.rows = was
			return err
		}
	}
	return nil
}

func (m *memory) Clear(steps []address.Step) error {
	m.call(m.before)
	defer m.call(m.after)
	m.sweep()
	m.batches++
	var errs []error
	for _, s := range steps {
		errs = append(errs, m.step(s))
	}
	return errors.Join(errs...)
}

func (m *memory) call(f func()) {
	if f != nil {
		f()
	}
}

func (m *memory) step(s address.Step) error {
	a, ok := s.Thing.(address.Address)
	if !ok {
		m.others = append(m.others, s)
		return nil
	}
	if !slices.ContainsFunc(m.links, func(l address.Link) bool { return l.Index == a.Index }) {
		if s.Op == address.Remove {
			return nil
		}
		return address.ErrNoDevice
	}
	i := slices.IndexFunc(m.rows, func(r address.Row) bool { return r.Prefix == a.Prefix && r.Index == a.Index })
	if s.Op == address.Remove {
		if i >= 0 {
			m.rows = slices.Delete(m.rows, i, i+1)
		}
		return nil
	}
	m.stamp++
	r := address.Row{Prefix: a.Prefix, Index: a.Index, Proto: a.Mark, Made: m.stamp, Expires: address.Forever}
	if a.Lease > 0 {
		r.Expires = m.now + a.Lease
	}
	if i >= 0 {
		r.Made = m.rows[i].Made
		m.rows[i] = r
	} else {
		m.rows = append(m.rows, r)
		m.born[r.Made] = m.now
	}
	m.set[r.Made] = m.now
	return nil
}

// remove is what others do.
func (m *memory) remove(p string) {
	m.rows = slices.DeleteFunc(m.rows, func(r address.Row) bool { return r.Prefix == netip.MustParsePrefix(p) && r.Index != address.Loopback })
}

// has lists the rows that are of these prefixes.
func (m *memory) has(prefixes ...string) (n int) {
	m.sweep()
	for _, r := range m.rows {
		if r.Index != address.Loopback && slices.Contains(prefixes, r.Prefix.String()) {
			n++
		}
	}
	return n
}

// loud is an announcer that keeps what it was told.
type loud struct {
	mu   sync.Mutex
	said []string
}

func (l *loud) note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, fmt.Sprintf(format, args...))
}

func (l *loud) Took(g role.Group, at []address.Address) { l.note("took %s %d", g.Name, len(at)) }
func (l *loud) Again(group, why string)                 { l.note("again %s: %s", group, why) }
func (l *loud) Released(group string)                   { l.note("released %s", group) }
func (l *loud) Account(string) Account                  { return Account{} }
func (l *loud) Changed() <-chan struct{}                { return nil }

func (l *loud) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.said)
}

// host is the prefix of one address.
func host(ip string) netip.Prefix {
	a := netip.MustParseAddr(ip)
	return netip.PrefixFrom(a, a.BitLen())
}
