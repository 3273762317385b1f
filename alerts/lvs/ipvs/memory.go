package ipvs

import (
	"context"
	"net/netip"
	"sync"
)

// memory is rows as a Table that knows whether anything was changed. Not safe
// for concurrent use.
type memory struct {
	rows    *rows
	changed bool
}

var _ Table = (*memory)(nil)

func (m *memory) done(op string, v Virtual, real netip.AddrPort, err error) error {
	if err == nil {
		m.changed = true
	}
	return wrap(op, v, real, err)
}

func (m *memory) Close() error { return nil }

func (m *memory) Services(context.Context) ([]Service, error) { return m.rows.list(), nil }

func (m *memory) Service(_ context.Context, v Virtual) (Service, error) {
	s, err := m.rows.service(v)
	return s, wrap("read the virtual service", v, netip.AddrPort{}, err)
}

func (m *memory) Destinations(_ context.Context, v Virtual) ([]Destination, error) {
	d, err := m.rows.destinations(v)
	return d, wrap("read the real servers of", v, netip.AddrPort{}, err)
}

func (m *memory) AddService(_ context.Context, s Service) error {
	return m.done("add virtual service", s.Virtual, netip.AddrPort{}, m.rows.addService(s))
}

func (m *memory) UpdateService(_ context.Context, s Service) error {
	return m.done("set virtual service", s.Virtual, netip.AddrPort{}, m.rows.updateService(s))
}

func (m *memory) DeleteService(_ context.Context, v Virtual) error {
	return m.done("delete virtual service", v, netip.AddrPort{}, m.rows.deleteService(v))
}

func (m *memory) AddDestination(_ context.Context, v Virtual, d Destination) error {
	return m.done("add real server", v, d.Addr, m.rows.addDestination(v, d))
}

func (m *memory) UpdateDestination(_ context.Context, v Virtual, d Destination) error {
	return m.done("set real server", v, d.Addr, m.rows.updateDestination(v, d))
}

func (m *memory) DeleteDestination(_ context.Context, v Virtual, real netip.AddrPort) error {
	return m.done("delete real server", v, real, m.rows.deleteDestination(v, real))
}

// Fake is a Table in memory for tests: it behaves as the kernel's, counts its
// calls and fails on demand. Use [NewFake].
type Fake struct {
	mu     sync.Mutex
	m      memory
	calls  map[string]int
	fail   func(method string, v Virtual, real netip.AddrPort) error
	closed bool
}

var (
	_ Timer  = (*Fake)(nil)
	_ Syncer = (*Fake)(nil)
)

// NewFake makes a Fake with these virtual services, without real servers.
func NewFake(services ...Service) *Fake {
	f := &Fake{m: memory{rows: newRows()}, calls: map[string]int{}}
	for _, s := range services {
		if err := f.m.rows.addService(s); err != nil {
			panic(err) // a bug in the test
		}
	}
	return f
}

// Fail makes later calls ask fail first: an error of it is the call's, and
// nothing is changed. Nil ends that.
func (f *Fake) Fail(fail func(method string, v Virtual, real netip.AddrPort) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

// Calls is how often method was called, such as "AddDestination".
func (f *Fake) Calls(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[method]
}

// Writes is how many edits were tried.
func (f *Fake) Writes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for method, calls := range f.calls {
		switch method {
		case "Services", "Service", "Destinations", "Timeouts", "Daemons":
		default:
			n += calls
		}
	}
	return n
}

// Text is the table in the format of `ipvsadm-save -n`.
func (f *Fake) Text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(f.m.rows.bytes())
}

// Closed reports whether Close was called.
func (f *Fake) Closed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed
}

// Close implements [Table].
func (f *Fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

// call counts one call and runs it unless it is to fail.
func (f *Fake) call(ctx context.Context, method string, v Virtual, real netip.AddrPort, run func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[method]++
	if err := ctx.Err(); err != nil {
		return wrap(method, v, real, err)
	}
	if f.fail != nil {
		if err := f.fail(method, v, real); err != nil {
			return wrap(method, v, real, err)
		}
	}
	return run()
}

// Services implements [Table].
func (f *Fake) Services(ctx context.Context) (out []Service, err error) {
	err = f.call(ctx, "Services", Virtual{}, netip.AddrPort{}, func() error {
		out, err = f.m.Services(ctx)
		return err
	})
	return out, err
}

// Service implements [Table].
func (f *Fake) Service(ctx context.Context, v Virtual) (out Service, err error) {
	err = f.call(ctx, "Service", v, netip.AddrPort{}, func() error {
		out, err = f.m.Service(ctx, v)
		return err
	})
	return out, err
}

// Timeouts implements [Timer].
func (f *Fake) Timeouts(ctx context.Context) (out Timeouts, err error) {
	err = f.call(ctx, "Timeouts", Virtual{}, netip.AddrPort{}, func() error {
		out = f.m.rows.timeouts
		return nil
	})
	return out, err
}

// SetTimeouts implements [Timer].
func (f *Fake) SetTimeouts(ctx context.Context, t Timeouts) error {
	return f.call(ctx, "SetTimeouts", Virtual{}, netip.AddrPort{}, func() error {
		f.m.rows.timeouts = t.Over(f.m.rows.timeouts)
		return nil
	})
}

// Count sets what a destination has counted, as traffic would.
func (f *Fake) Count(v Virtual, real netip.AddrPort, c Counters) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	row, err := f.m.rows.real(v, real)
	if err == nil {
		row.Counters = c
	}
	return err
}

// Destinations implements [Table].
func (f *Fake) Destinations(ctx context.Context, v Virtual) (out []Destination, err error) {
	err = f.call(ctx, "Destinations", v, netip.AddrPort{}, func() error {
		out, err = f.m.Destinations(ctx, v)
		return err
	})
	return out, err
}

// AddService implements [Table].
func (f *Fake) AddService(ctx context.Context, s Service) error {
	return f.call(ctx, "AddService", s.Virtual, netip.AddrPort{}, func() error { return f.m.AddService(ctx, s) })
}

// UpdateService implements [Table].
func (f *Fake) UpdateService(ctx context.Context, s Service) error {
	return f.call(ctx, "UpdateService", s.Virtual, netip.AddrPort{}, func() error { return f.m.UpdateService(ctx, s) })
}

// DeleteService implements [Table].
func (f *Fake) DeleteService(ctx context.Context, v Virtual) error {
	return f.call(ctx, "DeleteService", v, netip.AddrPort{}, func() error { return f.m.DeleteService(ctx, v) })
}

// AddDestination implements [Table].
func (f *Fake) AddDestination(ctx context.Context, v Virtual, d Destination) error {
	return f.call(ctx, "AddDestination", v, d.Addr, func() error { return f.m.AddDestination(ctx, v, d) })
}

// UpdateDestination implements [Table].
func (f *Fake) UpdateDestination(ctx context.Context, v Virtual, d Destination) error {
	return f.call(ctx, "UpdateDestination", v, d.Addr, func() error { return f.m.UpdateDestination(ctx, v, d) })
}

// DeleteDestination implements [Table].
func (f *Fake) DeleteDestination(ctx context.Context, v Virtual, real netip.AddrPort) error {
	return f.call(ctx, "DeleteDestination", v, real, func() error { return f.m.DeleteDestination(ctx, v, real) })
}
