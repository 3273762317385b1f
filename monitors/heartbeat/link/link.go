// Package link carries packets to the other director and back: over UDP
// (unicast, multicast, broadcast; IPv4 and IPv6) and over serial lines. A
// [Link] is one way; a pair has several and uses all at once.
//
// It knows nothing of what a packet says: monitors/heartbeat/wire seals and
// opens them, and decides what is believed. A packet that comes is a claim.
//
// A Link never ends by itself. What cannot be opened, or breaks (an interface
// that goes, a line that hangs up), is tried again, and State says why. Sending
// never waits: what does not fit into the kernel's buffer is dropped and
// counted, since the next beat says everything.
//
// Packets over UDP are sent with DSCP CS6 and a TTL of 255. Where the other end
// is on the same network, packets that come with less are refused: they were
// forwarded by a router, so not sent by the peer (GTSM, RFC 5082).
package link

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/plugins/role/boottime"
)

// MaxPacket is the largest packet that a link carries.
const MaxPacket = 512

const (
	// tryAgain is after how long what could not be opened is tried again; it
	// doubles up to tryLimit.
	tryAgain = 50 * time.Millisecond
	tryLimit = 200 * time.Millisecond
	// patience is for how long sending may fail before the link is opened anew.
	patience = 200 * time.Millisecond
)

// medium is an open way. send never waits; receive does, until close.
type medium interface {
	send(packet []byte) error
	// receive reads the next packet into buf. One that is refused is an empty
	// packet.
	receive(buf []byte) (packet []byte, at time.Duration, err error)
	// ready reports whether a packet of that size can be on its way at once.
	ready(size int) bool
	// carrier reports whether the interface or line is connected; true where
	// nobody can tell.
	carrier() bool
	counts() (overrun, refused uint64)
	close()
}

// errFull says that a packet found no room: it is dropped.
var errFull = errors.New("no room in the kernel's buffer")

// State is how a link stands.
type State struct {
	// Open: it could be opened. Carrier: its interface or line is connected.
	Open, Carrier bool
	// Err says why it is not open, or why the last packet could not be sent; nil
	// for neither.
	Err error
	// Sent and Received are packets; Dropped found no room to be sent; Failed
	// could not be sent; Overrun came and were lost in this machine; Refused came
	// from afar (RFC 5082), or were damaged on a serial line.
	Sent, Received, Dropped, Failed, Overrun, Refused uint64
	// Opened counts how often it was opened.
	Opened uint64
}

// Link is one way to the peer. Send and Ready are for one goroutine, State for
// any; Run is called once.
type Link struct {
	spec Spec
	open func(Spec) (medium, error)
	way  atomic.Pointer[way]

	sent, received, dropped, failed, opened atomic.Uint64
	overrun, refused                        atomic.Uint64 // of ways that are closed

	// trouble is what kind of error is noted: one of the way itself, that sending
	// mends, or one that a packet from the peer does.
	trouble atomic.Int32
	mu      sync.Mutex
	err     error // why it is not open, or why the last packet was not sent
}

// The kinds of trouble.
const (
	noTrouble = iota
	mendedBySending
	mendedByHearing
)

// way is an open medium. failing is since when sending fails, 0 for not; it is
// the sender's alone.
type way struct {
	medium
	failing time.Duration
}

// New makes a link that is not open yet.
func New(s Spec) *Link { return &Link{spec: s, open: open} }

// open opens what the kind of the link asks for.
func open(s Spec) (medium, error) {
	if s.Kind == Serial {
		return openSerial(s)
	}
	return openUDP(s)
}

// Spec is what the link was made of.
func (l *Link) Spec() Spec { return l.spec }

// Run keeps the link open until ctx ends, and hands every packet to take, with
// the CLOCK_BOOTTIME at which the kernel got it. The packet is take's until it
// returns.
func (l *Link) Run(ctx context.Context, take func(packet []byte, at time.Duration)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for pause := tryAgain; ; pause = min(2*pause, tryLimit) {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if l.once(ctx, take) {
			pause = tryAgain
		}
		timer.Reset(pause)
	}
}

// once opens the link and receives until it breaks. It reports whether it could
// be opened.
func (l *Link) once(ctx context.Context, take func([]byte, time.Duration)) bool {
	m, err := l.open(l.spec)
	if err != nil {
		l.note(err)
		return false
	}
	l.note(nil)
	l.opened.Add(1)
	l.way.Store(&way{medium: m})
	stop := context.AfterFunc(ctx, m.close)
	if err := l.receive(m, take); !errors.Is(err, os.ErrClosed) && !errors.Is(err, net.ErrClosed) {
		l.note(err) // else it was closed for a reason that is noted
	}
	stop()
	l.way.Store(nil)
	m.close()
	overrun, refused := m.counts()
	l.overrun.Add(overrun)
	l.refused.Add(refused)
	return true
}

func (l *Link) receive(m medium, take func([]byte, time.Duration)) error {
	buf := make([]byte, 2*MaxPacket)
	for {
		packet, at, err := m.receive(buf)
		switch {
		case err == nil && len(packet) > 0:
			l.received.Add(1)
			l.mended(mendedByHearing)
			take(packet, at)
		case err == nil:
		case passing(err):
			l.note(err)
		default:
			return err
		}
	}
}

// note keeps what is wrong, nil for nothing.
func (l *Link) note(err error) {
	kind := int32(noTrouble)
	switch {
	case errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.EHOSTUNREACH):
		kind = mendedByHearing // what is sent meanwhile is on its way to the same answer
	case err != nil:
		kind = mendedBySending
	}
	l.mu.Lock()
	l.err = err
	l.mu.Unlock()
	l.trouble.Store(kind)
}

// mended forgets trouble of that kind.
func (l *Link) mended(kind int32) {
	if l.trouble.Load() == kind {
		l.note(nil)
	}
}

// passing are errors that say that the network or a packet filter is not as it
// should be, and nothing of the socket.
func passing(err error) bool {
	for _, e := range []unix.Errno{unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.EPERM, unix.EACCES, unix.EMSGSIZE, unix.ENOBUFS, unix.ENOMEM, unix.EAGAIN, unix.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Ready reports whether a packet of that size would be on its way at once: a
// slow line takes no more than it can carry, so that beats never wait in it.
func (l *Link) Ready(size int) bool {
	w := l.way.Load()
	return w == nil || w.ready(size)
}

// Send gives a packet to the kernel, or drops it. It reports whether the kernel
// took it.
func (l *Link) Send(packet []byte) bool {
	w := l.way.Load()
	if w == nil {
		l.failed.Add(1)
		return false
	}
	err := w.send(packet)
	switch {
	case err == nil:
		l.sent.Add(1)
		w.failing = 0
		l.mended(mendedBySending)
		return true
	case errors.Is(err, errFull):
		l.dropped.Add(1)
	default:
		l.failed.Add(1)
		l.failure(w, err)
	}
	return false
}

// failure opens the link anew when sending failed for long in a way that a new
// socket may mend.
func (l *Link) failure(w *way, err error) {
	now := boottime.Now()
	if w.failing == 0 {
		w.failing = now
	}
	l.note(err)
	if !passing(err) && now-w.failing >= patience {
		w.close() // receive ends, and Run opens it again
	}
}

// State is how the link stands now.
func (l *Link) State() State {
	s := State{
		Sent: l.sent.Load(), Received: l.received.Load(), Dropped: l.dropped.Load(), Failed: l.failed.Load(),
		Overrun: l.overrun.Load(), Refused: l.refused.Load(), Opened: l.opened.Load(),
	}
	if w := l.way.Load(); w != nil {
		s.Open, s.Carrier = true, w.carrier()
		overrun, refused := w.counts()
		s.Overrun += overrun
		s.Refused += refused
	}
	l.mu.Lock()
	s.Err = l.err
	l.mu.Unlock()
	return s
}
