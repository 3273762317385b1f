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

// socket is a socket that calls share. It stays open, and a goroutine reads it
// while there are calls.
type socket struct {
	key  socketKey
	raw  bool
	id   uint16
	file *os.File
	conn syscall.RawConn

	// life serializes the coming and going of calls.
	life   sync.Mutex
	reader chan struct{} // closed when the reader has ended; nil without one

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
	if s.reader == nil {
		_ = s.file.SetReadDeadline(time.Time{})
		s.reader = make(chan struct{})
		go s.read(s.reader) // until the last call leaves
	}
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
	if !last {
		return
	}
	_ = s.file.SetReadDeadline(time.Unix(1, 0))
	<-s.reader
	s.reader = nil
}

// socket finds or makes the socket of a key. It is never closed as long as the
// engine is in use: what comes for nobody is read and thrown away later.
func (e *Engine) socket(k socketKey) (*socket, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.sockets[k]; s != nil {
		return s, nil
	}
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

// read hands out packets until the read deadline is set.
func (s *socket) read(done chan<- struct{}) {
	defer close(done)
	_ = s.conn.Read(func(uintptr) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.receive()
		return false // wait for more
	})
}

// receive hands out all packets and errors that are there. The caller holds mu.
func (s *socket) receive() {
	_ = s.conn.Control(func(fd uintptr) {
		s.gather(int(fd), unix.MSG_ERRQUEUE, s.refusal)
		s.gather(int(fd), 0, s.reply)
	})
}

// rounds is how often one receive reads, so that a flood does not keep it from
// ending; the poller, which reports edges, is then not waited for. It is more
// than the receive buffer holds.
const rounds = 1024

// gather reads packets of one kind until there are none.
func (s *socket) gather(fd, flags int, take func(i int, now, wall time.Time)) {
	for range rounds {
		n, errno := s.in.receive(fd, flags)
		if errno == unix.EAGAIN {
			return
		}
		// Any other error is that of an ICMP error, which is in the queue too.
		now := time.Now()
		for i := range n {
			take(i, now, now.Round(0))
		}
		if errno == 0 && n < batch {
			return
		}
	}
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
