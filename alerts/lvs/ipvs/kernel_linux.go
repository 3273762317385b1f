package ipvs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	moby "github.com/moby/ipvs"
	"github.com/sirupsen/logrus"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Kernel is the table of the kernel in one network namespace.
//
// Services and plain destinations are edited through moby/ipvs, fenced: it
// reports success where there is no IPVS, hangs when two goroutines share a
// handle, waits for ever for an answer that is lost, cuts weights to 16 bits,
// and damages destinations of another address family and encapsulated ones.
// So it is never reached before the kernel has named its IPVS family, one
// call runs at a time and a caller waits no longer than its ctx, every row is
// validated first, and what it gets wrong goes over netlink here.
type Kernel struct {
	turn    chan struct{} // holds one token: whose turn it is
	family  uint16
	handle  *moby.Handle // nil: it could not be trusted, all goes over sockets
	sockets map[int]*nl.SocketHandle
	space   namespace
}

var _ Timer = (*Kernel)(nil)

const familyName = "IPVS"

// OpenKernel opens the kernel's table; [ErrNoKernel] if it has none.
func OpenKernel() (*Kernel, error) {
	const op = "open the kernel's IPVS table"
	k, err := openIn(netns.None(), namespace{})
	if err != nil {
		return nil, wrap(op, Virtual{}, netip.AddrPort{}, err)
	}
	if k.handle, err = openMoby(); err != nil {
		k.closeSockets()
		return nil, wrap(op, Virtual{}, netip.AddrPort{}, err)
	}
	return k, nil
}

// openIn opens sockets in a network namespace, where all goes over them.
func openIn(ns netns.NsHandle, space namespace) (*Kernel, error) {
	id, err := lookup()
	if err != nil {
		return nil, err
	}
	k := &Kernel{turn: make(chan struct{}, 1), family: id, space: space}
	k.sockets, err = openSockets(ns)
	return k, err
}

// lookup asks the kernel for the number of its IPVS family.
func lookup() (uint16, error) {
	f, err := netlink.GenlFamilyGet(familyName)
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.EPROTONOSUPPORT):
		return 0, ErrNoKernel
	case err != nil:
		return 0, fmt.Errorf("ask for the family %s: %w", familyName, err)
	case f.ID == 0:
		return 0, ErrNoKernel
	}
	return f.ID, nil
}

func openSockets(ns netns.NsHandle) (map[int]*nl.SocketHandle, error) {
	s, err := nl.GetNetlinkSocketAt(ns, netns.None(), unix.NETLINK_GENERIC)
	if err != nil {
		return nil, err
	}
	limit := unix.Timeval{Sec: 3}
	if err := errors.Join(s.SetReceiveTimeout(&limit), s.SetSendTimeout(&limit)); err != nil {
		s.Close()
		return nil, err
	}
	return map[int]*nl.SocketHandle{unix.NETLINK_GENERIC: {Socket: s}}, nil
}

// openMoby opens a moby/ipvs handle, or none if it cannot be trusted: it
// looks up the family once in a process's life, which a module that was
// loaded anew has changed.
func openMoby() (*moby.Handle, error) {
	// It complains of its own modprobe on standard error through logrus, which
	// nothing else in mond uses; the family is there, so that says nothing.
	logrus.SetOutput(io.Discard)
	h, err := moby.New("")
	if err != nil {
		return nil, err
	}
	_, err = h.GetServices()
	if errors.Is(err, syscall.EPERM) {
		h.Close()
		return nil, ErrPermission
	}
	if err != nil {
		h.Close()
		return nil, nil
	}
	return h, nil
}

// closeWait is how long Close waits for the call that is under way.
const closeWait = 3 * time.Second

// Close implements [Table]. It waits for the call that is under way, and
// leaves the sockets open if that does not end.
func (k *Kernel) Close() error {
	select {
	case k.turn <- struct{}{}:
	case <-time.After(closeWait):
		return wrap("close the kernel's IPVS table", Virtual{}, netip.AddrPort{}, ErrTimeout)
	}
	if k.handle != nil {
		k.handle.Close()
	}
	k.closeSockets()
	return nil // the turn is kept: a closed table answers nobody
}

func (k *Kernel) closeSockets() {
	for _, s := range k.sockets {
		s.Close()
	}
}

// call runs f in k's turn. When ctx ends first the caller is released; the
// turn is given back only when f has ended.
func call[T any](ctx context.Context, k *Kernel, f func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	done := make(chan answer, 1)
	go func() {
		var v T
		err := k.space.there()
		if err == nil {
			v, err = f()
		}
		<-k.turn
		done <- answer{v, err}
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// edit runs one edit and says in this package's words what went wrong.
func (k *Kernel) edit(ctx context.Context, op string, v Virtual, real netip.AddrPort, missing error, f func() error) error {
	_, err := call(ctx, k, func() (struct{}, error) { return struct{}{}, k.explain(f(), missing) })
	return wrap(op, v, real, err)
}

// explain translates the kernel's errno; missing is what ENOENT means for the
// command. ENOENT is also what a family gives that is no more.
func (k *Kernel) explain(err, missing error) error {
	switch {
	case errors.Is(err, syscall.EEXIST):
		return ErrExists
	case errors.Is(err, syscall.ESRCH):
		return ErrNoService
	case errors.Is(err, syscall.EPERM):
		return ErrPermission
	case errors.Is(err, syscall.ERANGE), errors.Is(err, syscall.EINVAL):
		return fmt.Errorf("%w: the kernel says %w", ErrInvalid, err)
	case errors.Is(err, syscall.EAGAIN):
		return errors.Join(ErrTimeout, err)
	case errors.Is(err, syscall.ENOENT):
		if id, err := lookup(); err != nil || id != k.family {
			return fmt.Errorf("%w (the module was removed since, or loaded anew)", ErrNoKernel)
		}
		return missing
	}
	return err
}

// Services implements [Table].
func (k *Kernel) Services(ctx context.Context) ([]Service, error) {
	list, err := call(ctx, k, func() ([]Service, error) {
		list, err := k.rawServices()
		return list, k.explain(err, ErrNoService)
	})
	slices.SortFunc(list, func(a, b Service) int { return CompareVirtual(a.Virtual, b.Virtual) })
	return list, wrap("read the virtual services", Virtual{}, netip.AddrPort{}, err)
}

// Service implements [Table].
func (k *Kernel) Service(ctx context.Context, v Virtual) (Service, error) {
	s, err := call(ctx, k, func() (Service, error) {
		s, err := k.rawService(v)
		return s, k.explain(err, ErrNoService)
	})
	return s, wrap("read the virtual service", v, netip.AddrPort{}, err)
}

// Timeouts implements [Timer].
func (k *Kernel) Timeouts(ctx context.Context) (Timeouts, error) {
	t, err := call(ctx, k, func() (Timeouts, error) {
		t, err := k.rawTimeouts()
		return t, k.explain(err, ErrNoKernel)
	})
	return t, wrap("read the time limits", Virtual{}, netip.AddrPort{}, err)
}

// SetTimeouts implements [Timer].
func (k *Kernel) SetTimeouts(ctx context.Context, t Timeouts) error {
	const op = "set the time limits"
	if t == (Timeouts{}) {
		return nil
	}
	if max(t.TCP, t.TCPFin, t.UDP) > MaxTimeout {
		return wrap(op, Virtual{}, netip.AddrPort{}, invalid("%s: a time limit is %d s at most", t, MaxTimeout))
	}
	return k.edit(ctx, op, Virtual{}, netip.AddrPort{}, ErrNoKernel, func() error { return k.rawSetTimeouts(t) })
}

// Destinations implements [Table]. The kernel answers for a service that is
// missing as for an empty one, so that an empty list is asked about again.
func (k *Kernel) Destinations(ctx context.Context, v Virtual) ([]Destination, error) {
	list, err := call(ctx, k, func() ([]Destination, error) {
		list, err := k.rawDestinations(v)
		if err == nil && len(list) == 0 {
			_, err = k.rawService(v)
		}
		return list, k.explain(err, ErrNoService)
	})
	if err != nil {
		return nil, wrap("read the real servers of", v, netip.AddrPort{}, err)
	}
	slices.SortFunc(list, compareDestination)
	return list, nil
}

// AddService implements [Table].
func (k *Kernel) AddService(ctx context.Context, s Service) error {
	return k.editService(ctx, "add virtual service", cmdNewService, s)
}

// UpdateService implements [Table].
func (k *Kernel) UpdateService(ctx context.Context, s Service) error {
	return k.editService(ctx, "set virtual service", cmdSetService, s)
}

func (k *Kernel) editService(ctx context.Context, op string, cmd command, s Service) error {
	if err := s.Validate(); err != nil {
		return wrap(op, s.Virtual, netip.AddrPort{}, err)
	}
	return k.edit(ctx, op, s.Virtual, netip.AddrPort{}, unknownName(s), func() error {
		switch {
		case k.handle == nil:
			_, err := k.request(cmd, 0, serviceAll(s))
			return err
		case cmd == cmdNewService:
			return k.handle.NewService(mobyService(s))
		default:
			return k.handle.UpdateService(mobyService(s))
		}
	})
}

// DeleteService implements [Table].
func (k *Kernel) DeleteService(ctx context.Context, v Virtual) error {
	return k.edit(ctx, "delete virtual service", v, netip.AddrPort{}, ErrNoService, func() error {
		if k.handle == nil {
			_, err := k.request(cmdDelService, 0, serviceName(v))
			return err
		}
		return k.handle.DelService(mobyService(Service{Virtual: v}))
	})
}

// AddDestination implements [Table].
func (k *Kernel) AddDestination(ctx context.Context, v Virtual, d Destination) error {
	return k.editDestination(ctx, "add real server", cmdNewDest, v, d)
}

// UpdateDestination implements [Table].
func (k *Kernel) UpdateDestination(ctx context.Context, v Virtual, d Destination) error {
	return k.editDestination(ctx, "set real server", cmdSetDest, v, d)
}

func (k *Kernel) editDestination(ctx context.Context, op string, cmd command, v Virtual, d Destination) error {
	if err := errors.Join(v.Validate(), d.ValidateIn(v)); err != nil {
		return wrap(op, v, d.Addr, err)
	}
	return k.edit(ctx, op, v, d.Addr, ErrNoDestination, func() error {
		switch {
		case k.handle == nil || !d.plainIn(v):
			_, err := k.request(cmd, 0, serviceName(v), destAll(d))
			return err
		case cmd == cmdNewDest:
			return k.handle.NewDestination(mobyService(Service{Virtual: v}), mobyDestination(d))
		default:
			return k.handle.UpdateDestination(mobyService(Service{Virtual: v}), mobyDestination(d))
		}
	})
}

// DeleteDestination implements [Table].
func (k *Kernel) DeleteDestination(ctx context.Context, v Virtual, real netip.AddrPort) error {
	return k.edit(ctx, "delete real server", v, real, ErrNoDestination, func() error {
		d := Destination{Addr: real}
		if k.handle == nil || !d.plainIn(v) {
			_, err := k.request(cmdDelDest, 0, serviceName(v), destName(real))
			return err
		}
		return k.handle.DelDestination(mobyService(Service{Virtual: v}), mobyDestination(d))
	})
}

// plainIn reports whether moby/ipvs can edit d without damage.
func (d Destination) plainIn(v Virtual) bool {
	return d.Addr.Addr().Is6() == v.Is6() && d.Tunnel == (Encapsulation{})
}

func mobyService(s Service) *moby.Service {
	m := &moby.Service{
		FWMark:        s.Mark,
		Protocol:      uint16(s.Protocol),
		AddressFamily: family(s.Is6()),
		SchedName:     s.Scheduler,
		Flags:         s.kernelFlags(),
		Timeout:       s.Persist,
		Netmask:       s.kernelMask(),
		PEName:        s.Engine,
	}
	if s.Mark == 0 {
		m.Address, m.Port = net.IP(s.Addr.Addr().AsSlice()), s.Addr.Port()
	}
	return m
}

func mobyDestination(d Destination) *moby.Destination {
	return &moby.Destination{
		Address:         net.IP(d.Addr.Addr().AsSlice()),
		Port:            d.Addr.Port(),
		AddressFamily:   family(d.Addr.Addr().Is6()),
		Weight:          int(d.Weight),
		ConnectionFlags: uint32(d.Forward),
		UpperThreshold:  d.Upper,
		LowerThreshold:  d.Lower,
	}
}
