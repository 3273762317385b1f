package heartbeat

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// relay is a third way between the directors, over the switch's machine, where
// a test does with packets as it likes.
type relay struct {
	lab  *lab
	conn [3]*net.UDPConn // by director
	peer [3]*net.UDPAddr
	work sync.WaitGroup
	// pass says what comes out for a packet of a director: none, it, or others.
	pass atomic.Pointer[func(from int, packet []byte) [][]byte]
}

func through(_ int, packet []byte) [][]byte { return [][]byte{packet} }

// newRelay makes it; it lasts as long as the test. Its options are those of
// [lab.over].
func (l *lab) newRelay() *relay {
	l.t.Helper()
	r := &relay{lab: l}
	r.does(through)
	for n := 1; n <= 2; n++ {
		net3 := fmt.Sprintf("10.9.%d.", 10+n)
		l.in(0, fmt.Sprintf("link add far%d type veth peer name far netns %s", n, l.space[n]), fmt.Sprintf("addr add %s254/24 dev far%d", net3, n), fmt.Sprintf("link set far%d up", n))
		l.in(n, fmt.Sprintf("addr add %s%d/24 dev far", net3, n), "link set far up")
		r.peer[n] = &net.UDPAddr{IP: net.ParseIP(fmt.Sprint(net3, n)), Port: 6694}
		r.conn[n] = l.listen(net3 + "254:6694")
	}
	for n := 1; n <= 2; n++ {
		r.work.Go(func() { r.carry(n) })
	}
	l.t.Cleanup(func() {
		_ = r.conn[1].Close()
		_ = r.conn[2].Close()
		r.work.Wait()
	})
	return r
}

// over is the option of a director for the relay.
func (l *lab) over(node int) []string {
	return []string{"--link", fmt.Sprintf("far=udp:10.9.%d.%d,10.9.%d.254", 10+node, node, 10+node)}
}

func (r *relay) does(pass func(from int, packet []byte) [][]byte) { r.pass.Store(&pass) }

func (r *relay) carry(from int) {
	buf := make([]byte, 2048)
	for {
		n, _, err := r.conn[from].ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // the director is gone for the moment
		}
		for _, p := range (*r.pass.Load())(from, append([]byte(nil), buf[:n]...)) {
			_, _ = r.conn[3-from].WriteToUDP(p, r.peer[3-from])
		}
	}
}

// listen opens a socket on the switch's machine that sends as the peer does.
func (l *lab) listen(at string) (c *net.UDPConn) {
	l.t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // it ends with the goroutine, in that namespace
		ns, err := netns.GetFromName(l.space[0])
		if err == nil {
			err = errors.Join(netns.Set(ns), ns.Close())
		}
		if err == nil {
			lc := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
				var failed error
				return errors.Join(raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, 255) }), failed)
			}}
			var p net.PacketConn
			if p, err = lc.ListenPacket(context.Background(), "udp4", at); err == nil {
				c = p.(*net.UDPConn)
			}
		}
		done <- err
	}()
	if err := <-done; err != nil {
		l.t.Fatal(err)
	}
	return c
}

// port makes what takes a director's port at the switch down, at once.
func (l *lab) port(node int) (down func()) {
	l.t.Helper()
	ns, err := netns.GetFromName(l.space[0])
	if err != nil {
		l.t.Fatal(err)
	}
	defer ns.Close()
	h, err := netlink.NewHandleAt(ns)
	if err != nil {
		l.t.Fatal(err)
	}
	p, err := h.LinkByName(fmt.Sprintf("p%d", node))
	if err != nil {
		l.t.Fatal(err)
	}
	return func() {
		defer h.Close()
		if err := h.LinkSetDown(p); err != nil {
			l.t.Fatal(err)
		}
	}
}
