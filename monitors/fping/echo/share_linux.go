package echo

import (
	"fmt"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How long the goroutine that reads a socket sleeps between two looks: the
// less the more lately something was sent or came. When it came is known from
// the kernel, so that round trips do not suffer; but woken by the runtime's
// poller for every packet, the process would take half as much CPU time again
// (measured: 114 instead of 74 us a host, where fping -i0 took 73). In the
// longest nap no more comes at full pace than the receive buffer holds that
// the kernel gives to anybody.
const (
	leastNap = 250 * time.Microsecond
	mostNap  = 20 * time.Millisecond
)

// socket is a socket that calls share. It stays open. Calls read it whenever
// they are awake, and while all of them wait a goroutine does.
type socket struct {
	key  socketKey
	raw  bool
	id   uint16
	file *os.File
	conn syscall.RawConn

	// life serializes the coming and going of calls.
	life   sync.Mutex
	reader *reader // nil without one

	mu    sync.Mutex
	calls map[uint64]*call // by nonce
	next  uint16           // sequence number
	in    *inbox

	sending sync.Mutex
	out     outbox
}

// join finds or makes the socket of a key and adds a call to it.
func (e *Engine) join(k socketKey, c *call) (*socket, error) {
	s, err := e.socket(k)
	if err != nil {
		return nil, err
	}
	s.life.Lock()
	defer s.life.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receive()                                               // what came for nobody
	c.base, s.next = s.next, s.next+uint16(len(c.round.sent)) //nolint:gosec // it may wrap
	s.calls[c.nonce] = c
	return s, nil
}

// leave takes a call away and, with the last one, the reader.
func (s *socket) leave(c *call) {
	s.life.Lock()
	defer s.life.Unlock()
	s.mu.Lock()
	delete(s.calls, c.nonce)
	last := len(s.calls) == 0
	s.mu.Unlock()
	if last && s.reader != nil {
		close(s.reader.stop)
		<-s.reader.done
		s.reader = nil
	}
}

// reader is what there is to say to the goroutine that reads, and to hear of it.
type reader struct {
	awake      chan struct{} // has a value when something was sent
	stop, done chan struct{}
}

// watch has the socket read from now on, until the last call leaves.
func (s *socket) watch() {
	s.life.Lock()
	defer s.life.Unlock()
	if s.reader == nil {
		s.reader = &reader{make(chan struct{}, 1), make(chan struct{}), make(chan struct{})}
		go s.read(s.reader)
		return
	}
	select {
	case s.reader.awake <- struct{}{}:
	default:
	}
}

// read hands out packets until it is stopped.
func (s *socket) read(r *reader) {
	defer close(r.done)
	nap := leastNap
	timer := time.NewTimer(nap)
	defer timer.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-r.awake:
			nap = leastNap
		case <-timer.C:
			s.mu.Lock()
			came := s.receive()
			s.mu.Unlock()
			if nap = min(nap+nap/4, mostNap); came > 0 {
				nap = leastNap
			}
		}
		timer.Reset(nap)
	}
}

// Close gives back the sockets of an engine that no call is under way on. It may
// be used again.
func (e *Engine) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.sockets {
		_ = s.file.Close()
	}
	clear(e.sockets)
}

// socket finds or makes the socket of a key. It stays open until the
// engine is closed: what comes for nobody is read and thrown away later.
func (e *Engine) socket(k socketKey) (*socket, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.sockets[k]; s != nil {
		return s, nil
	}
	e.forget(k)
	fd, raw, id, err := k.open(!e.unprivileged)
	if err != nil {
		return nil, fault(err)
	}
	s := &socket{
		key: k, raw: raw, id: id, calls: map[uint64]*call{}, in: newInbox(),
		file: os.NewFile(uintptr(fd), "icmp"),
	}
	if s.conn, err = s.file.SyscallConn(); err != nil {
		return nil, fault(fmt.Errorf("open an ICMP socket: %w", err))
	}
	if e.sockets == nil {
		e.sockets = map[socketKey]*socket{}
	}
	e.sockets[k] = s
	return s, nil
}

// forget gives back sockets that were made for what has had the names of a key's
// namespace and interface. One with a call under way stays until the next time.
// The caller holds mu.
func (e *Engine) forget(k socketKey) {
	for old, s := range e.sockets {
		same := old
		same.version = k.version
		if same != k || s.busy() {
			continue
		}
		_ = s.file.Close() // a call that is about to begin is told so
		delete(e.sockets, old)
	}
}

// busy reports whether a call is under way.
func (s *socket) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls) > 0
}

// receive hands out all packets and errors that are there, and says how many
// there were. The caller holds mu.
func (s *socket) receive() (n int) {
	_ = s.conn.Control(func(fd uintptr) {
		n = s.gather(int(fd), unix.MSG_ERRQUEUE, s.refusal) + s.gather(int(fd), 0, s.reply)
	})
	return n
}

// rounds is how often one receive reads, so that a flood does not keep it from
// ending. It is more than the receive buffer holds.
const rounds = 1024

// gather reads packets of one kind until there are none.
func (s *socket) gather(fd, flags int, take func(i int, now, wall time.Time)) (came int) {
	for range rounds {
		n, errno := s.in.receive(fd, flags)
		if errno == unix.EAGAIN {
			return came
		}
		// Any other error is that of an ICMP error, which is in the queue too.
		now := time.Now()
		for i := range n {
			take(i, now, now.Round(0))
		}
		if came += n; errno == 0 && n < batch {
			return came
		}
	}
	return came
}

// reply takes the i-th packet for an echo reply.
func (s *socket) reply(i int, now, wall time.Time) {
	st, ok := readReply(s.in.packet(i), s.key.six, s.raw)
	if !ok || s.raw && st.id != s.id {
		return
	}
	c := s.calls[st.nonce]
	if c == nil || !c.round.known(int(st.number), s.in.name(i)) {
		return
	}
	n := readControl(s.in.control(i))
	at := now
	if !n.at.IsZero() {
		// The wall clock may have been set meanwhile.
		at = now.Add(-max(0, min(wall.Sub(n.at), time.Second)))
	}
	c.round.answered(int(st.number), at.Sub(c.began))
	c.tell()
}

// refusal takes the i-th packet of the error queue.
func (s *socket) refusal(i int, now, _ time.Time) {
	n := readControl(s.in.control(i))
	st, ok := readQuote(s.in.packet(i), s.key.six)
	if !n.icmp || !ok || s.raw && st.id != s.id {
		return
	}
	u := &Unreachable{From: n.from, Type: n.kind, Code: n.code}
	if !u.final() {
		return
	}
	if c, number := s.about(st, s.in.name(i)); c != nil {
		u.Own = c.own(u.From)
		c.round.failed(number, now.Sub(c.began), u.verdict())
		c.tell()
	}
}

// about finds the request that an ICMP error quotes, which was sent to a. The
// least that a router quotes ends before the nonce: then the sequence number
// and the address must do.
func (s *socket) about(st stamp, a netip.Addr) (*call, int) {
	if !st.short {
		c := s.calls[st.nonce]
		if c == nil || !c.round.known(int(st.number), a) {
			return nil, 0
		}
		return c, int(st.number)
	}
	for _, c := range s.calls {
		for number := int(st.seq - c.base); number < len(c.round.sent); number += 1 << 16 {
			if c.round.known(number, a) {
				return c, number
			}
		}
	}
	return nil, 0
}

// drops is how many packets the socket has lost.
func (s *socket) drops() (n uint32) {
	_ = s.conn.Control(func(fd uintptr) { n = drops(int(fd)) })
	return n
}
