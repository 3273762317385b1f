package address

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/plugins/role/boottime"
)

// Kernel is rtnetlink of the network namespace it was opened in. One goroutine
// uses it.
type Kernel struct {
	socket *socket
	clock  clock
	// wrote is what the last batch gave a lease to, between these instants:
	// the clock learns of it.
	wrote         []Address
	before, after time.Duration
}

// Open opens rtnetlink.
func Open() (*Kernel, error) {
	s, err := openSocket()
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket to the kernel: %w", err)
	}
	return &Kernel{socket: s}, nil
}

// Close closes the socket. What was added stays.
func (k *Kernel) Close() error { return k.socket.close() }

// View reads all interfaces and addresses.
func (k *Kernel) View() (View, error) {
	v := View{At: boottime.Now()}
	link := make([]byte, 16)
	link = number(link, unix.IFLA_EXT_MASK, skipStats)
	err := k.socket.dump(unix.RTM_GETLINK, link, unix.RTM_NEWLINK, func(b []byte) {
		if l, ok := decodeLink(b); ok {
			v.Links = append(v.Links, l)
		}
	})
	if err != nil {
		return v, fmt.Errorf("read the interfaces of this machine: %w", err)
	}
	err = k.socket.dump(unix.RTM_GETADDR, make([]byte, 8), unix.RTM_NEWADDR, func(b []byte) {
		if r, ok := decodeRow(b); ok {
			v.Rows = append(v.Rows, r)
		}
	})
	if err != nil {
		return v, fmt.Errorf("read the addresses of this machine: %w", err)
	}
	now := boottime.Now()
	v.Sort()
	k.learn(v)
	k.clock.read(v.Rows, v.At, now)
	return v, nil
}

// Via is the interface whose network ip is in, as the routes say.
func (k *Kernel) Via(ip netip.Addr) (index int, err error) {
	const matched = 0x2000 // RTM_F_FIB_MATCH
	body := append([]byte{family(ip), byte(ip.BitLen())}, make([]byte, 6)...)
	body = binary.NativeEndian.AppendUint32(body, matched)
	body = attribute(body, unix.RTA_DST, ip.AsSlice())
	if err := k.socket.send(k.socket.append(nil, unix.RTM_GETROUTE, 0, body)); err != nil {
		return 0, fmt.Errorf("ask the kernel for the route to %s: %w", ip, err)
	}
	for {
		b, err := k.socket.receive()
		if err != nil {
			return 0, fmt.Errorf("ask the kernel for the route to %s: %w", ip, err)
		}
		for p := range packets(b) {
			if p.seq != k.socket.seq {
				continue
			}
			if p.kind == unix.RTM_NEWROUTE {
				if index, ok := decodeRoute(p.body); ok {
					return index, nil
				}
			}
			return 0, fmt.Errorf("no interface has a network with %s: name the interface, as %s/%d/eth0: %w", ip, ip, ip.BitLen(), ErrNoDevice)
		}
	}
}

// Do carries out steps in their order in one message to the kernel and says what
// came of each. What is there already when it is added, or gone when it is
// removed, is an error that is [fs.ErrExist] or [fs.ErrNotExist]. The second error
// means that nobody knows how many of them were done.
func (k *Kernel) Do(steps []Step) ([]error, error) {
	if len(steps) == 0 {
		return nil, nil
	}
	k.before = boottime.Now()
	results, err := k.socket.carryOut(len(steps), func(b []byte, i int) []byte {
		kind, flags, body := steps[i].Thing.message(steps[i].Op)
		return k.socket.append(b, kind, flags, body)
	})
	k.after = boottime.Now()
	k.note(steps)
	for i, e := range results {
		results[i] = explain(steps[i], e)
	}
	if err != nil {
		err = fmt.Errorf("change the addresses of this machine: %w", err)
	}
	return results, err
}

// Take carries out steps, all or none: if one fails, those that were done are
// undone, but for renewals. An address that is there already on this very
// interface is renewed; a route or a rule that is there is well.
func (k *Kernel) Take(steps []Step) error {
	results, err := k.Do(steps)
	if err == nil {
		err = k.settle(steps, results)
	}
	if err == nil {
		err = errors.Join(results...)
	}
	if err == nil {
		return nil
	}
	if undone := k.undo(steps, results); undone != nil {
		err = errors.Join(err, fmt.Errorf("and it could not be undone: %w", undone))
	}
	return err
}

// settle deals with what was there already, and with what was to go and is gone.
func (k *Kernel) settle(steps []Step, results []error) error {
	var again []Step
	var at []int
	for i, s := range steps {
		_, isAddress := s.Thing.(Address)
		switch {
		case s.Op == Remove && errors.Is(results[i], fs.ErrNotExist):
			results[i] = nil
		case s.Op == Add && errors.Is(results[i], fs.ErrExist) && isAddress:
			again, at = append(again, Step{Renew, s.Thing}), append(at, i)
		}
	}
	renewed, err := k.Do(again)
	for i, e := range renewed {
		results[at[i]] = e
	}
	return err
}

// undo takes back, the last first, what has no error in results.
func (k *Kernel) undo(steps []Step, results []error) error {
	var back []Step
	for i, s := range steps {
		if results[i] != nil {
			continue
		}
		switch s.Op {
		case Add:
			back = append(back, Step{Remove, s.Thing})
		case Remove:
			if _, ok := s.Thing.(Address); ok {
				back = append(back, Step{Add, s.Thing})
			}
		case Renew:
		}
	}
	slices.Reverse(back)
	return k.Clear(back)
}

// Clear carries out steps, each whatever became of the others. What is to go and
// is gone is well, and so is what is to be there and is there.
func (k *Kernel) Clear(steps []Step) error {
	results, err := k.Do(steps)
	errs := []error{err}
	for i, e := range results {
		switch op := steps[i].Op; {
		case op == Remove && errors.Is(e, fs.ErrNotExist), op == Add && errors.Is(e, fs.ErrExist):
		default:
			errs = append(errs, e)
		}
	}
	return errors.Join(errs...)
}

// learn sets the clock by a row that the last batch wrote: its stamp lies between
// the instants around that.
func (k *Kernel) learn(v View) {
	for _, a := range k.wrote {
		if r, ok := v.Row(a.Prefix, a.Index); ok && !r.Permanent() {
			k.clock.learn(r.Changed, k.before, k.after)
			break
		}
	}
	k.wrote = nil
}

// note keeps one address that steps gave a lease to.
func (k *Kernel) note(steps []Step) {
	for _, s := range steps {
		if a, ok := s.Thing.(Address); ok && s.Op != Remove && a.Lease > 0 {
			k.wrote = []Address{a}
			return
		}
	}
}

// Watch tells of changes by others until ctx ends; see [Watch].
func (k *Kernel) Watch(ctx context.Context) (<-chan struct{}, error) {
	return Watch(ctx, k.socket.port)
}
