package neighbour

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Link is what the kernel says of an interface.
type Link struct {
	Index int
	Name  string
	// MAC is its hardware address.
	MAC MAC
	// Neighbours: it is an Ethernet on which addresses are asked for; lo and
	// tunnels are not.
	Neighbours bool
	// Up says that it was set up, Carrier that what it is connected to answers,
	// so that frames go out.
	Up, Carrier bool
	// Changes counts how often the carrier came and went, where the kernel says so.
	Changes uint32
	// Forwards: this machine is a router of IPv6 on it
	// (net.ipv6.conf.NAME.forwarding).
	Forwards bool
	// Gone is set by a [LinkWatch] for one that is no more.
	Gone bool
}

// netlinkLimit is how long the kernel may take to answer: it does at once unless
// it is busy making interfaces by the thousand.
const netlinkLimit = 2 * time.Second

// Links asks the kernel of interfaces, over a netlink socket of its own. It may
// be used from several goroutines.
type Links struct {
	mu     sync.Mutex
	fd     int
	serial uint32
	buffer []byte
}

// OpenLinks opens it. It needs no privilege.
func OpenLinks() (*Links, error) {
	fd, err := netlinkSocket(0)
	if err != nil {
		return nil, err
	}
	limit := unix.NsecToTimeval(int64(netlinkLimit))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("set the time limit of a netlink socket: %w", err)
	}
	// so that a dump is of one interface only; kernels before 4.20 know nothing of it
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1)
	return &Links{fd: fd, buffer: make([]byte, 64<<10)}, nil
}

func netlinkSocket(groups uint32) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return -1, fmt.Errorf("open a netlink socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("bind a netlink socket: %w", err)
	}
	return fd, nil
}

// Close ends it.
func (l *Links) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return unix.Close(l.fd)
}

// Named reads the interface of that name; fs.ErrNotExist if there is none.
func (l *Links) Named(name string) (Link, error) {
	if name == "" || len(name) >= unix.IFNAMSIZ {
		return Link{}, fmt.Errorf("interface %q: %w: its name has 1 to %d letters", name, fs.ErrNotExist, unix.IFNAMSIZ-1)
	}
	return l.one("interface "+name, linkRequest(0, name))
}

// Numbered reads the interface of that index; fs.ErrNotExist if there is none.
func (l *Links) Numbered(index int) (Link, error) {
	return l.one(fmt.Sprintf("interface number %d", index), linkRequest(index, ""))
}

func (l *Links) one(what string, body []byte) (Link, error) {
	var out Link
	found := false
	err := l.ask(unix.RTM_GETLINK, 0, body, func(m netlinkMessage) {
		if k, ok := parseLink(m); ok {
			out, found = k, true
		}
	})
	switch {
	case errors.Is(err, unix.ENODEV) || err == nil && !found:
		return out, fmt.Errorf("%s: %w", what, fs.ErrNotExist)
	case err != nil:
		return out, fmt.Errorf("read %s: %w", what, err)
	}
	return out, nil
}

// All reads all interfaces.
func (l *Links) All() ([]Link, error) {
	var out []Link
	begin := func() { out = nil }
	err := l.dump(unix.RTM_GETLINK, linkRequest(0, ""), begin, func(m netlinkMessage) {
		if k, ok := parseLink(m); ok {
			out = append(out, k)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read the interfaces: %w", err)
	}
	return out, nil
}

// errChanged says that what was read changed meanwhile, so that some may be
// missing.
var errChanged = errors.New("it changed again and again while it was read")

// dump reads all there is, anew if it changed meanwhile; begin is called before
// each attempt.
func (l *Links) dump(kind uint16, body []byte, begin func(), take func(netlinkMessage)) error {
	const attempts = 5
	for range attempts {
		begin()
		if err := l.ask(kind, unix.NLM_F_DUMP, body, take); !errors.Is(err, errChanged) {
			return err
		}
	}
	return errChanged
}

// Known is where the kernel believes a neighbour to be; ok is false when it does
// not know, or has found nobody.
func (l *Links) Known(index int, who netip.Addr) (mac MAC, ok bool) {
	_ = l.ask(unix.RTM_GETNEIGH, 0, neighbourRequest(index, who), func(m netlinkMessage) { // not to know is no error here
		if found, valid := parseNeighbour(m); valid {
			mac, ok = found, true
		}
	})
	return mac, ok
}

// ask sends a request and hands each message of the answer to take.
func (l *Links) ask(kind uint16, flags uint16, body []byte, take func(netlinkMessage)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serial++
	request := netlinkRequest(kind, flags, l.serial, body)
	if err := unix.Sendto(l.fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return os.NewSyscallError("sendto", err)
	}
	changed := false
	for {
		n, _, err := unix.Recvfrom(l.fd, l.buffer, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return os.NewSyscallError("recvfrom", err)
		}
		for rest := l.buffer[:n]; ; {
			var m netlinkMessage
			var ok bool
			if m, rest, ok = nextMessage(rest); !ok {
				break
			}
			if m.serial != l.serial { // an answer that came after its time limit
				continue
			}
			changed = changed || m.flags&unix.NLM_F_DUMP_INTR != 0
			if m.kind == unix.NLMSG_DONE && changed {
				return errChanged
			}
			if m.kind == unix.NLMSG_ERROR || m.kind == unix.NLMSG_DONE {
				return m.failure()
			}
			take(m)
			if flags&unix.NLM_F_DUMP == 0 {
				return nil
			}
		}
	}
}

// failure is what an error message says; nil for a mere acknowledgement.
func (m netlinkMessage) failure() error {
	if m.kind == unix.NLMSG_DONE || len(m.body) < 4 {
		return nil
	}
	if code := int32(binary.NativeEndian.Uint32(m.body)); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}
