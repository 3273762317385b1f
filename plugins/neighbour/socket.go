package neighbour

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Socket is a packet socket (packet(7)) on one interface for one family: it
// sends whole frames and receives the claims of addresses. It may be used from
// several goroutines, Receive from one.
type Socket struct {
	family Family
	to     unix.SockaddrLinklayer
	file   *os.File
	raw    syscall.RawConn
	buffer []byte

	mu     sync.Mutex
	hears  bool
	filter []netip.Addr // sorted; what the kernel lets pass
}

// Open opens a socket on the interface of that index; it receives nothing until
// [Socket.Only] says what. It takes no time: the kernel translates no filter for
// a socket that only sends.
func Open(index int, family Family) (*Socket, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, permitted("open a packet socket", err)
	}
	s := &Socket{
		family: family, to: unix.SockaddrLinklayer{Protocol: htons(family.ether()), Ifindex: index},
		file: os.NewFile(uintptr(fd), "packet socket"), buffer: make([]byte, longest),
	}
	if s.raw, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
		return nil, err
	}
	return s, nil
}

func permitted(what string, err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return fmt.Errorf("%s: %w (it needs CAP_NET_RAW: grant net_raw to the plugin, or run it as root)", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// htons is a number in the network's order.
func htons(n uint16) uint16 { return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, n)) }

func attach(fd int, program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
}

// Only says whose claims are received from now on; those of the other family
// are passed over. None: nothing is.
func (s *Socket) Only(addrs []netip.Addr) error {
	mine := slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool { return FamilyOf(a) != s.family })
	slices.SortFunc(mine, netip.Addr.Compare)
	mine = slices.Compact(mine)
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Equal(mine, s.filter) {
		return nil
	}
	var failed error
	err := s.raw.Control(func(fd uintptr) { failed = s.hearLocked(int(fd), mine) })
	return errors.Join(err, failed)
}

// hearLocked sets the filter. The socket gets its protocol only after the first,
// and with it begins to receive: so nothing has to leave it that came before.
func (s *Socket) hearLocked(fd int, mine []netip.Addr) error {
	if err := attach(fd, filter(s.family, mine)); err != nil {
		return fmt.Errorf("set the filter of a packet socket: %w", err)
	}
	s.filter = mine
	if s.hears {
		return nil
	}
	if err := unix.Bind(fd, &s.to); err != nil {
		return fmt.Errorf("bind a packet socket to interface %d: %w", s.to.Ifindex, err)
	}
	s.hears = true
	return nil
}

// Send sends a frame. It never waits: with no room in the queue it fails.
func (s *Socket) Send(frame []byte) error {
	var failed error
	err := s.raw.Write(func(fd uintptr) bool {
		to := s.to // the library writes into it
		failed = unix.Sendto(int(fd), frame, unix.MSG_DONTWAIT, &to)
		return true
	})
	return errors.Join(err, failed)
}

// Receive waits for a claim. It returns [os.ErrClosed] when the socket was closed;
// that the interface went down it passes over: it may come up again.
func (s *Socket) Receive() (Claim, error) {
	for {
		n, err := s.file.Read(s.buffer)
		if err != nil {
			if passing(err) {
				continue
			}
			return Claim{}, err
		}
		if c, ok := Read(s.buffer[:n]); ok {
			return c, nil
		}
	}
}

// passing are errors that the kernel hands over once and goes on after.
func passing(err error) bool {
	return errors.Is(err, unix.ENETDOWN) || errors.Is(err, unix.EINTR) || errors.Is(err, unix.ENOBUFS)
}

// Close ends it, a Receive that waits too.
func (s *Socket) Close() error { return s.file.Close() }
