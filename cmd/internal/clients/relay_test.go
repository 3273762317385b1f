package clients

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// fresh is how long a connection to mon is kept for the next client: less than
// the cltimeout of all configurations here.
const fresh = 20 * time.Second

// quicken puts a relay in front of the real mon, which changes nothing of what
// is said: mon answers a new connection only at its next turn, up to a second
// later, and loses 40 ms with every reply to an acknowledgement that its
// client delays. With hundreds of commands that is minutes.
func quicken(t *testing.T, d *daemons.Daemon) {
	t.Helper()
	r := &relay{to: d.Address, ready: make(chan *net.TCPConn), ended: make(chan struct{})}
	tcp, udp := daemons.Listen(t)
	t.Cleanup(func() {
		close(r.ended)
		_, _ = tcp.Close(), udp.Close()
	})
	for range 4 {
		go r.connect()
	}
	go r.accept(tcp)
	go r.pass(udp)
	d.Address = tcp.Addr().String()
}

// relay passes on what clients and a daemon say to each other.
type relay struct {
	to string
	// ready has connections that the daemon has accepted.
	ready chan *net.TCPConn
	ended chan struct{}
}

// connect keeps one connection ready.
func (r *relay) connect() {
	for {
		conn, err := net.Dial("tcp", r.to)
		if err != nil {
			return // the daemon has ended
		}
		select {
		case r.ready <- conn.(*net.TCPConn):
		case <-time.After(fresh):
			_ = conn.Close()
		case <-r.ended:
			_ = conn.Close()
			return
		}
	}
}

// accept gives each client a connection.
func (r *relay) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		select {
		case server := <-r.ready:
			go forward(server, client)
			go backward(client, server)
		case <-time.After(3 * fresh):
			_ = client.Close()
		case <-r.ended:
			_ = client.Close()
			return
		}
	}
}

// forward passes on what the client says.
func forward(server *net.TCPConn, client net.Conn) {
	_, _ = server.ReadFrom(client)
	_ = server.CloseWrite()
}

// backward passes on what the daemon says, and acknowledges it at once.
func backward(client net.Conn, server *net.TCPConn) {
	defer client.Close()
	defer server.Close()
	raw, err := server.SyscallConn()
	buffer := make([]byte, 64<<10)
	for err == nil {
		_ = raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1) })
		n := 0
		if n, err = server.Read(buffer); n > 0 {
			_, _ = client.Write(buffer[:n])
		}
	}
}

// pass passes on traps.
func (r *relay) pass(from net.PacketConn) {
	to, err := net.Dial("udp", r.to)
	if err != nil {
		return
	}
	defer to.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, _, err := from.ReadFrom(buffer)
		if err != nil {
			return
		}
		_, _ = to.Write(buffer[:n])
	}
}
