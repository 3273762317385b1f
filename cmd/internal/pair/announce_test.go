package pair

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listener counts the announcements of the virtual address that the client sees.
type listener struct {
	mu   sync.Mutex
	seen []announcement
	fd   int
	wait sync.WaitGroup
	from map[[6]byte]string
}

type announcement struct {
	at   time.Time
	from string
}

// newListener begins to listen.
func newListener(t testing.TB, w *world) *listener {
	t.Helper()
	l := &listener{from: map[[6]byte]string{}}
	for _, n := range []string{"a", "b"} {
		must(t, w.enter(n, func() error {
			lan, err := net.InterfaceByName("eth0")
			if err == nil {
				l.from[[6]byte(lan.HardwareAddr)] = n
			}
			return err
		}))
	}
	must(t, w.enter("c", func() (err error) {
		l.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0x0608) // ETH_P_ARP on the wire
		if err != nil {
			return err
		}
		return unix.SetsockoptTimeval(l.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000})
	}))
	ended := make(chan struct{})
	l.wait.Go(func() { l.listen(ended) })
	t.Cleanup(func() {
		close(ended)
		l.wait.Wait()
		_ = unix.Close(l.fd)
	})
	return l
}

func (l *listener) listen(ended <-chan struct{}) {
	frame := make([]byte, 256)
	for {
		select {
		case <-ended:
			return
		default:
		}
		n, err := unix.Read(l.fd, frame)
		if err != nil || n < 42 || binary.BigEndian.Uint16(frame[12:]) != unix.ETH_P_ARP {
			continue // nothing within a tenth of a second
		}
		// RFC 826: the sender's and the target's address, which are the same in an
		// announcement (RFC 5227).
		mac, sender, target := [6]byte(frame[22:28]), netip.AddrFrom4([4]byte(frame[28:32])), netip.AddrFrom4([4]byte(frame[38:42]))
		if sender.String() != vip || target != sender {
			continue
		}
		l.mu.Lock()
		l.seen = append(l.seen, announcement{time.Now(), l.from[mac]})
		l.mu.Unlock()
	}
}

// count is how many a director has sent since then.
func (l *listener) count(name string, since time.Time) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range l.seen {
		if x.from == name && x.at.After(since) {
			n++
		}
	}
	return n
}
