// Package trap receives mon's traps: UDP datagrams by which programs elsewhere
// report the status of a service. It reads them off the socket fast enough that
// a burst arrives whole, judges who sent them and what they say, and hands what
// may be taken on to the engine, many at a time.
//
// It does not know the services (the engine does), nor who may send (Auth
// does), nor the format (plugins/trap does). A trap is never answered: whoever
// guesses passwords learns nothing.
package trap

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	"github.com/mondhq/mond/plugins/trap"
)

// Auth judges who sends.
type Auth interface {
	// Trap answers nil if user may send traps from there with that password.
	// The error goes to the log: it must not hold the password.
	Trap(from netip.Addr, user, password string) error
}

// Arrival is a trap that may be taken, and where it came from. Its password is
// taken off.
type Arrival struct {
	Trap trap.Trap
	From netip.Addr
}

// Options are what a Receiver is made of. Auth and Take are required.
type Options struct {
	Auth Auth
	// Take gets traps in the order in which they came and answers an error
	// for each, nil for those that it took. It may block: what arrives
	// meanwhile waits.
	Take func(ctx context.Context, traps []Arrival) []error
	Log  *slog.Logger // default: discards
	// Queue is how many bytes of datagrams may wait; default 64 MiB. What
	// comes beyond that is dropped, counted and logged.
	Queue int
}

// defaultQueue is some 100,000 traps of the usual length.
const defaultQueue = 64 << 20

// Receiver receives traps.
type Receiver struct{ opt Options }

// New makes a Receiver; nothing is read before [Receiver.Serve].
func New(o Options) *Receiver {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Queue == 0 {
		o.Queue = defaultQueue
	}
	return &Receiver{o}
}

// Serve receives until ctx ends, and closes conn. Other errors are those of a
// socket that is of no use any more.
func (r *Receiver) Serve(ctx context.Context, conn *net.UDPConn) error {
	defer func() { _ = conn.Close() }()
	r.opt.Log.Debug("listening for traps", "address", conn.LocalAddr().String(), "receive_buffer", bufferOf(conn))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // wakes the reader
	s := &session{Receiver: r, queue: newQueue(r.opt.Queue)}
	var workers sync.WaitGroup
	workers.Go(func() { s.judgeAll(ctx) })
	workers.Go(func() { s.tellAll(ctx) })
	err := s.read(ctx, conn)
	cancel()
	workers.Wait()
	if err != nil {
		return fmt.Errorf("receive traps at UDP %s: %w", conn.LocalAddr(), err)
	}
	return nil
}

// session is one socket that is served.
type session struct {
	*Receiver
	queue  *queue
	counts counts
}
