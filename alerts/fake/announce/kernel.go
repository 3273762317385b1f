package announce

import (
	"context"
	"errors"
	"net/netip"

	"github.com/mondhq/mond/plugins/neighbour"
)

// Kernel is the real [Network].
type Kernel struct {
	// Inside runs a function on a thread that is in the network namespace to
	// work in. Default: this process's.
	Inside func(func() error) error
}

func (k Kernel) inside(f func() error) error {
	if k.Inside == nil {
		return f()
	}
	return k.Inside(f)
}

// Open opens an interface.
func (k Kernel) Open(device string) (Port, error) {
	var s *neighbour.Station
	err := k.inside(func() (err error) { s, err = neighbour.OpenStation(device); return err })
	if err != nil {
		return nil, err
	}
	l, err := s.Listen(nil)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return port{s, l}, nil
}

// port is a Station that listens.
type port struct {
	*neighbour.Station
	listener *neighbour.Listener
}

func (p port) Only(addrs []netip.Addr) error  { return p.listener.Only(addrs) }
func (p port) Claims() <-chan neighbour.Claim { return p.listener.Claims }

// Watch says what interfaces are like.
func (k Kernel) Watch(ctx context.Context, say func([]neighbour.Link)) error {
	var links *neighbour.Links
	var watch *neighbour.LinkWatch
	err := k.inside(func() (err error) {
		if links, err = neighbour.OpenLinks(); err == nil {
			watch, err = neighbour.WatchLinks()
		}
		return err
	})
	if links != nil {
		defer links.Close()
	}
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = watch.Close() })
	defer stop()
	defer watch.Close()
	for missed := true; ; {
		var changed []neighbour.Link
		if missed {
			changed, err = links.All()
			missed = false
		} else {
			changed, missed, err = watch.Receive()
		}
		if err != nil {
			return err
		}
		if !missed {
			say(changed)
		}
	}
}
