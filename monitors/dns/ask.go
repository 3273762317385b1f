package dnsmon

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
)

const (
	// atOnce is how many questions one server is asked side by side.
	atOnce = 16
	// room is how many bytes of a UDP answer are read at least: some servers
	// send more than they were told could come.
	room = 4096
	// maxForeign is how many messages that are no answer are read from one
	// connection: nobody else can write into it.
	maxForeign = 16
	// maxBroken is how many messages over UDP with the right id are taken apart.
	// Somebody may guess ids.
	maxBroken = 100
)

// party is a server that is asked.
type party struct {
	host string
	to   netip.AddrPort
	by   *reach.Options
}

// port is the port to ask at.
func (m *server) port() uint16 {
	switch {
	case m.Port != 0:
		return uint16(m.Port)
	case m.tls.On:
		return 853
	}
	return 53
}

// askAll asks one server several questions; findings are in their order.
func (m *server) askAll(ctx context.Context, deadline time.Time, p party, questions []*question) []finding {
	found := make([]finding, len(questions))
	if len(found) == 1 {
		found[0] = m.find(ctx, deadline, p, questions[0])
		return found
	}
	monitor.InParallel(ctx, len(found), atOnce, func(ctx context.Context, i int) {
		found[i] = m.find(ctx, deadline, p, questions[i])
	})
	return found
}

// exchange asks one question: over UDP, then over TCP if the answer was
// truncated, unless the options say how.
func (m *server) exchange(ctx context.Context, deadline time.Time, p party, q *question) (*answer, error) {
	l := &listener{question: q, id: dns.Id()}
	if m.tcp || m.tls.On {
		return m.overTCP(ctx, deadline, p, l)
	}
	a, err := m.overUDP(ctx, deadline, p, l)
	if err != nil || !a.tc {
		return a, err
	}
	if a, err = m.overTCP(ctx, deadline, p, l); err != nil {
		return nil, fmt.Errorf("the answer over UDP is truncated, and over TCP: %w", err)
	}
	return a, nil
}

// overUDP asks over UDP.
func (m *server) overUDP(ctx context.Context, deadline time.Time, p party, l *listener) (*answer, error) {
	pause := time.Duration(m.retransmit)
	if pause == 0 {
		pause = min(5*time.Second, time.Until(deadline)/3)
	}
	d := reach.Datagram{Send: l.message(nil), Tries: int(m.retry), Pause: pause, Room: max(room, int(m.edns))}
	answered, err := p.by.Ask(ctx, deadline, p.to, d, l.take)
	switch {
	case err != nil:
		return nil, err
	case !answered:
		return nil, l.silence(p.to)
	}
	return l.answer, nil
}

// overTCP asks over a connection of its own.
func (m *server) overTCP(ctx context.Context, deadline time.Time, p party, l *listener) (*answer, error) {
	c, err := p.by.Dial(ctx, deadline, p.to)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if !m.tls.On {
		return l.converse(c, p.to)
	}
	secured, err := m.tls.Handshake(c, p.host)
	if err != nil {
		return nil, err
	}
	defer secured.Close()
	warning, err := m.tls.Expiry(secured.ConnectionState(), time.Now())
	if err != nil {
		return nil, err
	}
	a, err := l.converse(secured, p.to)
	if err == nil {
		a.warning = warning
	}
	return a, err
}

// listener waits for the answer to one question.
type listener struct {
	question *question
	id       uint16

	answer  *answer
	foreign int   // messages that answer something else
	broken  int   // answers that make no sense
	fault   error // of the last of them
}

// converse asks over a connection.
func (l *listener) converse(c net.Conn, to netip.AddrPort) (*answer, error) {
	if _, err := c.Write(l.message(make([]byte, 2))); err != nil {
		return nil, reach.Failure("send the question to "+to.String(), err)
	}
	return l.read(c, to)
}

// message is what is sent, after a prefix that holds its length (RFC 1035,
// section 4.2.2) or after none.
func (l *listener) message(prefix []byte) []byte {
	begin := len(prefix)
	b := append(prefix, l.question.wire...)
	if begin > 0 {
		binary.BigEndian.PutUint16(b, uint16(len(l.question.wire)))
	}
	binary.BigEndian.PutUint16(b[begin:], l.id)
	return b
}

// take reports whether b is the answer. What is not is passed over: who guesses
// is not to be able to end the wait.
func (l *listener) take(b []byte) bool {
	if len(b) < header || binary.BigEndian.Uint16(b) != l.id || l.broken == maxBroken {
		l.foreign++
		return false
	}
	a, err := decode(b, l.question)
	switch {
	case errors.Is(err, errForeign):
		l.foreign++
		return false
	case err != nil:
		l.broken++
		l.fault = err
		return false
	}
	l.answer = a
	return true
}

// silence is the error of a server that gave no answer in its time.
func (l *listener) silence(to netip.AddrPort) error {
	switch {
	case l.fault != nil:
		return fmt.Errorf("the answer of %s makes no sense: %w", to, l.fault)
	case l.foreign > 0:
		return monitor.Late(fmt.Sprintf("wait for an answer of %s to %s (%d came to other questions)", to, l.question, l.foreign))
	}
	return monitor.Late(fmt.Sprintf("wait for an answer of %s to %s", to, l.question))
}

// read reads from a connection until the answer.
func (l *listener) read(c io.Reader, to netip.AddrPort) (*answer, error) {
	buf := make([]byte, 512)
	for range maxForeign {
		n, err := message(c, &buf)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("%s hung up without an answer to %s", to, l.question)
		}
		if err != nil {
			return nil, reach.Failure(fmt.Sprintf("wait for an answer of %s to %s", to, l.question), err)
		}
		if l.take(buf[:n]) && l.answer.tc {
			return nil, fmt.Errorf("the answer of %s is truncated over TCP", to)
		} else if l.answer != nil && !l.answer.tc {
			return l.answer, nil
		}
		if l.fault != nil {
			return nil, l.silence(to)
		}
	}
	return nil, fmt.Errorf("%s sends answers to other questions than %s", to, l.question)
}

// message reads one message with its length before it.
func message(c io.Reader, buf *[]byte) (n int, err error) {
	var length [2]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		return 0, err
	}
	n = int(binary.BigEndian.Uint16(length[:]))
	if n > len(*buf) {
		*buf = make([]byte, n)
	}
	return io.ReadFull(c, (*buf)[:n])
}
