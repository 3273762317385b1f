package echo

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// stubborn is how often a packet is tried: the error of a call may be that
	// of an earlier packet, which an ICMP error came for.
	stubborn = 8
	// full is how long room for packets is waited for, pause how long at a time.
	full  = 500 * time.Millisecond
	pause = 2 * time.Millisecond
)

// transmit sends the requests that were put into the first places of the
// outbox. The caller holds sending.
func (c *call) transmit(ctx context.Context, numbers []int) {
	s := c.socket
	var waited time.Duration
	for i := 0; i < len(numbers); {
		n, errno := s.push(i, len(numbers))
		i += n
		switch {
		case errno == 0:
		case crowded(errno) && waited < full && ctx.Err() == nil:
			time.Sleep(pause)
			waited += pause
			s.mu.Lock()
			c.round.delay(numbers[i:], time.Since(c.began))
			s.mu.Unlock()
		default:
			s.mu.Lock()
			c.stuck = c.stuck || crowded(errno)
			c.round.failed(numbers[i], time.Since(c.began), c.refused(numbers[i], errno))
			s.mu.Unlock()
			i++
		}
	}
}

// crowded reports whether the queue of the socket or of the interface is full.
func crowded(errno unix.Errno) bool { return errno == unix.EAGAIN || errno == unix.ENOBUFS }

// push sends packets and says how many went; the error is that of the next one.
func (s *socket) push(from, to int) (gone int, errno unix.Errno) {
	for failures := 0; from+gone < to && failures < stubborn; failures++ {
		var n int
		err := s.conn.Control(func(fd uintptr) { n, errno = s.out.send(int(fd), from+gone, to) })
		if err != nil {
			return gone, unix.EBADF
		}
		if n > 0 {
			failures = -1
		}
		if gone += n; crowded(errno) {
			break
		}
	}
	return gone, errno
}
