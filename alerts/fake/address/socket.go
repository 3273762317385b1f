package address

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// answerLimit is how long the kernel may take for an answer: it has carried
	// out what it was sent when the send returns, so that it is there.
	answerLimit = 2 * time.Second
	// socketBuffer is the room for what is sent and received: some 5,000
	// addresses, or as many refusals.
	socketBuffer = 1 << 20
	// longest is that of one send; more is sent in parts.
	longest = 128 << 10
	// dumpTries is how often a list is read that changed while it was read.
	dumpTries = 5
)

// socket speaks with the kernel: a request, then its answers. One goroutine uses
// it.
type socket struct {
	fd   int
	port uint32
	seq  uint32
	in   []byte
}

func openSocket() (*socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	s := &socket{fd: fd, in: make([]byte, 64<<10)}
	if err := s.prepare(); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return s, nil
}

func (s *socket) prepare() error {
	if err := unix.Bind(s.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	name, err := unix.Getsockname(s.fd)
	if err != nil {
		return err
	}
	if n, ok := name.(*unix.SockaddrNetlink); ok {
		s.port = n.Pid
	}
	limit := unix.NsecToTimeval(answerLimit.Nanoseconds())
	if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		return err
	}
	widen(s.fd)
	// Both since 4.12: a refusal says why in words, and does not repeat the
	// request. Without them it is the number only.
	_ = unix.SetsockoptInt(s.fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1)
	_ = unix.SetsockoptInt(s.fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	return nil
}

// widen asks for room; without the capability there is what the machine allows.
func widen(fd int) {
	for _, o := range [][2]int{{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}} {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, o[0], socketBuffer) != nil {
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, o[1], socketBuffer)
		}
	}
}

func (s *socket) close() error { return unix.Close(s.fd) }

// append adds a request to b.
func (s *socket) append(b []byte, kind, flags uint16, body []byte) []byte {
	s.seq++
	b = binary.NativeEndian.AppendUint32(b, uint32(headerLength+len(body)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST|flags)
	b = binary.NativeEndian.AppendUint32(b, s.seq)
	b = binary.NativeEndian.AppendUint32(b, s.port)
	return append(b, body...)
}

func (s *socket) send(b []byte) error {
	for {
		err := unix.Sendto(s.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// receive waits for the next answers.
func (s *socket) receive() ([]byte, error) {
	for {
		n, _, err := unix.Recvfrom(s.fd, s.in, 0)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return nil, fmt.Errorf("the kernel gave no answer within %v", answerLimit)
		case err != nil:
			return nil, err
		default:
			return s.in[:n], nil
		}
	}
}

// refusal is an error of the kernel's with its own words, if it has any.
type refusal struct {
	errno unix.Errno
	words string
}

func (r refusal) Error() string {
	if r.words == "" {
		return r.errno.Error()
	}
	return fmt.Sprintf("%v (%s)", r.errno, r.words)
}

func (r refusal) Unwrap() error { return r.errno }

// readRefusal reads struct nlmsgerr; nil for a success.
func readRefusal(p packet) error {
	if len(p.body) < 4 {
		return errors.New("an answer of the kernel's is too short")
	}
	errno := -int32(binary.NativeEndian.Uint32(p.body))
	if errno == 0 {
		return nil
	}
	r := refusal{errno: unix.Errno(errno)}
	if p.flags&unix.NLM_F_ACK_TLVS != 0 && len(p.body) >= 4+headerLength {
		skip := 4 + headerLength
		if p.flags&unix.NLM_F_CAPPED == 0 {
			skip = 4 + (int(binary.NativeEndian.Uint32(p.body[4:]))+3)&^3
		}
		for kind, v := range attributes(p.body[min(max(skip, 0), len(p.body)):]) {
			if kind == unix.NLMSGERR_ATTR_MSG {
				r.words = cString(v)
			}
		}
	}
	return r
}

// carryOut sends the requests that add makes of the numbers below n, in as few
// messages as hold them, and returns what the kernel says of each. Only the last
// of a message asks for an answer, which comes after the refusals of those before.
func (s *socket) carryOut(n int, add func(b []byte, i int) []byte) ([]error, error) {
	results := make([]error, n)
	for from := 0; from < n; {
		var b []byte
		first, to, last := s.seq+1, from, 0
		for ; to < n && len(b) < longest; to++ {
			last = len(b)
			b = add(b, to)
		}
		flags := b[last+6:]
		binary.NativeEndian.PutUint16(flags, binary.NativeEndian.Uint16(flags)|unix.NLM_F_ACK)
		if err := s.send(b); err != nil {
			return results, err
		}
		if err := s.answers(first, results[from:to]); err != nil {
			return results, err
		}
		from = to
	}
	return results, nil
}

// answers reads the refusals of the requests from number first on, until the last
// has its answer.
func (s *socket) answers(first uint32, results []error) error {
	for {
		b, err := s.receive()
		if err != nil {
			return err
		}
		for p := range packets(b) {
			i := int(p.seq - first)
			if p.kind != unix.NLMSG_ERROR || i < 0 || i >= len(results) {
				continue // of an earlier request that was given up
			}
			results[i] = readRefusal(p)
			if i == len(results)-1 {
				return nil
			}
		}
	}
}

// errChanging means that a list changed each time it was read.
var errChanging = errors.New("the list changes faster than it can be read")

// dump reads a whole list.
func (s *socket) dump(kind uint16, body []byte, want uint16, row func([]byte)) error {
	for range dumpTries {
		if err := s.send(s.append(nil, kind, unix.NLM_F_DUMP, body)); err != nil {
			return err
		}
		var rows [][]byte
		whole, err := s.list(s.seq, want, &rows)
		if err != nil {
			return err
		}
		if whole {
			for _, r := range rows {
				row(r)
			}
			return nil
		}
	}
	return errChanging
}

// list reads the answers to one request for a list; whole is false if it changed
// meanwhile.
func (s *socket) list(seq uint32, want uint16, rows *[][]byte) (whole bool, err error) {
	whole = true
	for {
		b, err := s.receive()
		if err != nil {
			return false, err
		}
		b = append([]byte(nil), b...)
		for p := range packets(b) {
			if p.seq != seq {
				continue
			}
			if p.flags&unix.NLM_F_DUMP_INTR != 0 {
				whole = false
			}
			switch p.kind {
			case unix.NLMSG_DONE:
				return whole, nil
			case unix.NLMSG_ERROR:
				return false, readRefusal(p)
			case want:
				*rows = append(*rows, p.body)
			}
		}
	}
}
