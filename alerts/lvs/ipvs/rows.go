package ipvs

import (
	"maps"
	"net/netip"
	"slices"
)

// rows is a table in memory, with the kernel's idea of what an edit may do. It
// is what [File] reads and writes and what [Fake] is. Not safe for concurrent
// use.
type rows struct {
	timeouts Timeouts
	daemons  map[DaemonState]Sync
	services map[Virtual]*serviceRow
	// tail is what stood after the last row of a file, and the comments of
	// rows that are gone.
	tail []string
}

type serviceRow struct {
	Service
	text
	reals map[netip.AddrPort]*realRow
}

type realRow struct {
	Destination
	text
}

// text is what a file says of a row that has no meaning here.
type text struct {
	lead  []string // lines before it: comments, unknown commands
	extra []string // unknown options of its own line
}

func newRows() *rows {
	return &rows{services: map[Virtual]*serviceRow{}, daemons: map[DaemonState]Sync{}}
}

func (r *rows) list() []Service {
	out := make([]Service, 0, len(r.services))
	for _, v := range r.virtuals() {
		out = append(out, r.services[v].Service)
	}
	return out
}

func (r *rows) service(v Virtual) (Service, error) {
	s, ok := r.services[v]
	if !ok {
		return Service{}, ErrNoService
	}
	return s.Service, nil
}

func (r *rows) virtuals() []Virtual {
	return slices.SortedFunc(maps.Keys(r.services), CompareVirtual)
}

func (r *rows) destinations(v Virtual) ([]Destination, error) {
	s, ok := r.services[v]
	if !ok {
		return nil, ErrNoService
	}
	out := make([]Destination, 0, len(s.reals))
	for _, d := range s.reals {
		out = append(out, d.Destination)
	}
	slices.SortFunc(out, compareDestination)
	return out, nil
}

func (r *rows) addService(s Service) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if r.services[s.Virtual] != nil {
		return ErrExists
	}
	r.services[s.Virtual] = &serviceRow{Service: s, reals: map[netip.AddrPort]*realRow{}}
	return nil
}

func (r *rows) updateService(s Service) error {
	if err := s.Validate(); err != nil {
		return err
	}
	row, ok := r.services[s.Virtual]
	if !ok {
		return ErrNoService
	}
	row.Service = s
	return nil
}

func (r *rows) deleteService(v Virtual) error {
	s, ok := r.services[v]
	if !ok {
		return ErrNoService
	}
	r.tail = append(r.tail, s.lead...)
	for _, d := range s.reals {
		r.tail = append(r.tail, d.lead...)
	}
	delete(r.services, v)
	return nil
}

func (r *rows) addDestination(v Virtual, d Destination) error {
	if err := d.ValidateIn(v); err != nil {
		return err
	}
	s, ok := r.services[v]
	if !ok {
		return ErrNoService
	}
	if s.reals[d.Addr] != nil {
		return ErrExists
	}
	d.Counters = Counters{}
	s.reals[d.Addr] = &realRow{Destination: d}
	return nil
}

func (r *rows) updateDestination(v Virtual, d Destination) error {
	if err := d.ValidateIn(v); err != nil {
		return err
	}
	row, err := r.real(v, d.Addr)
	if err != nil {
		return err
	}
	d.Counters = row.Counters
	row.Destination = d
	return nil
}

func (r *rows) deleteDestination(v Virtual, real netip.AddrPort) error {
	row, err := r.real(v, real)
	if err != nil {
		return err
	}
	r.tail = append(r.tail, row.lead...)
	delete(r.services[v].reals, real)
	return nil
}

func (r *rows) real(v Virtual, real netip.AddrPort) (*realRow, error) {
	s, ok := r.services[v]
	if !ok {
		return nil, ErrNoService
	}
	row, ok := s.reals[real]
	if !ok {
		return nil, ErrNoDestination
	}
	return row, nil
}
