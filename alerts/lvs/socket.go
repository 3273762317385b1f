package lvs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/mondhq/mond/alerts/internal/shared"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/words"
	"github.com/mondhq/mond/plugins/alert"
)

// The owner's socket: a client sends one order as a line of JSON and gets one
// line, a verdict, back. Only root and the owner's own user are heard.

// verdict is the owner's answer to an order.
type verdict struct {
	OK        bool   `json:"ok"`
	Error     string `json:"error,omitempty"`
	Permanent bool   `json:"permanent,omitempty"`
}

const (
	maxOrder    = 64 << 10        // bytes of one order or verdict
	maxClients  = 16              // at once; others wait in the kernel's queue
	clientLimit = 2 * onceLimit   // of a client that does not set its own
	socketLimit = 5 * time.Second // of a client to send its order
)

// server listens for orders.
type server struct {
	listener *net.UnixListener
	unlock   func()
	cancel   context.CancelFunc
	clients  sync.WaitGroup
}

// serve listens for orders unless that is so already. The tables do not
// depend on it: what is wrong with it is logged once and tried again later.
func (d *desk) serve() {
	if d.server != nil || len(d.Sockets) == 0 {
		return
	}
	s, err := listen(d.Context, d.Sockets[0], d.work, d.Log)
	text := ""
	if err != nil {
		text = err.Error()
		if text != d.socket {
			d.Log.Warn("no socket for orders from other programs; they will edit the tables themselves", "err", err)
		}
	}
	d.server, d.socket = s, text
}

// listen listens on the socket path. A lock beside it says whether a socket
// that is there belongs to somebody alive.
func listen(ctx context.Context, path string, work shared.Work[desk], log *slog.Logger) (*server, error) {
	now, cancelNow := context.WithCancel(ctx)
	cancelNow() // try the lock once
	unlock, err := ipvs.Lock(now, path+".lock")
	if err != nil {
		return nil, fmt.Errorf("socket %s: is another lvs.alert resident? %w", path, err)
	}
	_ = os.Remove(path) // of one that died
	l, err := listenPrivate(path)
	if err != nil {
		unlock()
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &server{listener: l, unlock: unlock, cancel: cancel}
	s.clients.Go(func() { s.accept(ctx, work, log) })
	return s, nil
}

// listenPrivate makes the socket so that no other user can ever connect: the
// peer's credentials are asked as well.
func listenPrivate(path string) (*net.UnixListener, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// close ends all clients and removes the socket.
func (s *server) close() {
	s.cancel()
	_ = s.listener.Close()
	s.clients.Wait()
	s.unlock()
}

func (s *server) accept(ctx context.Context, work shared.Work[desk], log *slog.Logger) {
	turns := make(chan struct{}, maxClients)
	for ctx.Err() == nil {
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			return
		}
		c, err := s.listener.AcceptUnix()
		if err != nil {
			<-turns
			pause(ctx, err)
			continue
		}
		s.clients.Go(func() {
			defer func() { <-turns }()
			if err := converse(ctx, c, work); err != nil {
				log.Warn("an order from another program was not answered", "err", err)
			}
		})
	}
}

// pause keeps an accept that fails, for want of descriptors perhaps, from
// spinning.
func pause(ctx context.Context, err error) {
	if errors.Is(err, net.ErrClosed) {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(100 * time.Millisecond):
	}
}

// converse reads one order, has it carried out and answers.
func converse(ctx context.Context, c *net.UnixConn, work shared.Work[desk]) error {
	defer func() { _ = c.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	if err := c.SetDeadline(time.Now().Add(socketLimit)); err != nil {
		return err
	}
	if err := trusted(c); err != nil {
		return errors.Join(err, answer(c, err))
	}
	n, j, err := readOrder(c)
	if err != nil {
		return errors.Join(err, answer(c, alert.Permanent(err)))
	}
	ctx, cancel := context.WithTimeout(ctx, onceLimit)
	defer cancel()
	err = shared.Tell(ctx, work, func(d *desk) error { return d.order(j, n) })
	if e := c.SetDeadline(time.Now().Add(socketLimit)); e != nil {
		return e
	}
	return answer(c, err)
}

func readOrder(r io.Reader) (n order, j words.Job, err error) {
	text, err := bufio.NewReader(io.LimitReader(r, maxOrder)).ReadBytes('\n')
	if err != nil {
		return n, j, fmt.Errorf("read an order: %w", err)
	}
	if err := json.Unmarshal(text, &n); err != nil {
		return n, j, fmt.Errorf("read an order: %w", err)
	}
	j, err = words.Parse(n.Args)
	return n, j, err
}

func answer(w io.Writer, err error) error {
	v := verdict{OK: err == nil}
	if err != nil {
		v.Error, v.Permanent = err.Error(), alert.IsPermanent(err)
	}
	return json.NewEncoder(w).Encode(v)
}

// trusted reports whether the peer is root or our own user.
func trusted(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var cred *syscall.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		cred, failed = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err := errors.Join(err, failed); err != nil {
		return fmt.Errorf("ask who is there: %w", err)
	}
	return allowed(cred.Uid, uint32(os.Geteuid()))
}

func allowed(peer, own uint32) error {
	if peer == 0 || peer == own {
		return nil
	}
	return fmt.Errorf("user %d may not give orders: only root and user %d may", peer, own)
}

// deliver gives an order to the first resident owner that listens. found is
// false when none does.
func deliver(ctx context.Context, sockets []string, n order) (found bool, err error) {
	for _, path := range sockets {
		c, err := new(net.Dialer).DialContext(ctx, "unix", path)
		if err != nil {
			continue // nobody there, or nobody who would hear us
		}
		return true, send(ctx, c, path, n)
	}
	return false, nil
}

func send(ctx context.Context, c net.Conn, path string, n order) error {
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(ctx, clientLimit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	v, err := exchange(c, n)
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("the resident lvs.alert at %s did not answer: %w", path, ctx.Err())
	case err != nil:
		return fmt.Errorf("ask the resident lvs.alert at %s: %w", path, err)
	case v.OK:
		return nil
	case v.Permanent:
		return alert.Permanent(errors.New(v.Error))
	}
	return errors.New(v.Error)
}

func exchange(c net.Conn, n order) (v verdict, err error) {
	text, err := json.Marshal(n)
	if err != nil {
		return v, err
	}
	if _, err := c.Write(append(text, '\n')); err != nil {
		return v, err
	}
	err = json.NewDecoder(io.LimitReader(c, maxOrder)).Decode(&v)
	return v, err
}
