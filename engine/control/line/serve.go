package line

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Serve answers clients on l until ctx ends, which closes l and all clients
// that came from it.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for pause := time.Duration(0); ; {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.admit(ctx, &clients, conn)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("serve mon's clients on %s: %w", l.Addr(), err)
		default:
			// Mostly no file descriptor is free. Clients that end free some.
			pause = min(max(2*pause, 10*time.Millisecond), time.Second)
			s.opt.Log.Warn("no client could be accepted", "on", l.Addr().String(), "err", err, "again", pause)
			sleep(ctx, pause)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// admit begins a session with a client that may have one. It never waits for
// the client.
func (s *Server) admit(ctx context.Context, clients *sync.WaitGroup, conn net.Conn) {
	from := addrOf(conn.RemoteAddr())
	set := s.opt.Settings()
	if !set.allows(nameOf(conn.RemoteAddr(), from)) {
		s.opt.Log.Info("client turned away: its address matches no pattern of clientallow", "address", conn.RemoteAddr().String())
		_ = conn.Close()
		return
	}
	if !s.enter(from) {
		s.opt.Log.Warn("client turned away: too many clients", "address", conn.RemoteAddr().String())
		s.refuse(conn)
		return
	}
	clients.Go(func() {
		defer s.leave(from)
		s.session(ctx, conn, from, set).run()
	})
}

// refuse tells a client that there are too many. What fits into the buffer of
// a new connection is sent without waiting. With TLS there would be a handshake
// first, and that client has to guess.
func (s *Server) refuse(conn net.Conn) {
	if _, tls := conn.(interface{ NetConn() net.Conn }); !tls {
		_ = conn.SetWriteDeadline(time.Now().Add(s.lim.farewell))
		_, _ = conn.Write([]byte("520 too many clients\n"))
	}
	_ = conn.Close()
}

// enter counts a client in, if there may be one more.
func (s *Server) enter(from netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.total >= s.lim.clients || s.from[from] >= s.lim.each {
		return false
	}
	s.total++
	s.from[from]++
	return true
}

func (s *Server) leave(from netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.from[from]--; s.from[from] == 0 {
		delete(s.from, from)
	}
}

// addrOf is the address of a client; the zero Addr if it has none, as in tests
// on pipes. IPv4 in IPv6 is IPv4.
func addrOf(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr().Unmap()
}

// nameOf is what patterns of clientallow are matched with: an address without
// its zone, which names a link of this machine.
func nameOf(a net.Addr, from netip.Addr) string {
	if !from.IsValid() {
		return a.String()
	}
	return from.WithZone("").String()
}
