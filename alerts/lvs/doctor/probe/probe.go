// Package probe asks the network what cannot be read: who answers for the
// virtual addresses, of which only the active director may, and how large a
// packet reaches the real servers by tun. It sends a few packets and changes
// nothing: ARP is asked without an address of its own (RFC 5227), so that
// nobody learns anything from the question. How stations are asked is
// plugins/neighbour's.
//
// It judges nothing; alerts/lvs/doctor does.
package probe

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/alerts/lvs/doctor"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// wait is how long answers are waited for: a network answers within
// milliseconds, and what was lost is asked again half way.
const wait = time.Second

// Ask asks on the calling thread's network. What could not be asked it adds to
// the facts' Unread; the error is ctx's.
func Ask(ctx context.Context, s doctor.Site, f *doctor.Facts) (*doctor.Probes, error) {
	p := &doctor.Probes{Asked: map[netip.Addr]string{}, PathMTU: map[netip.Addr]int{}}
	for _, q := range questions(s, f) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		answers, err := q.ask(ctx)
		if err != nil {
			f.Unread = append(f.Unread, doctor.Unread{What: "who answers for virtual addresses on " + q.link.Name, Err: explain(err)})
			continue
		}
		for _, a := range q.addrs {
			p.Asked[a] = q.link.Name
		}
		p.Answers = append(p.Answers, answers...)
	}
	for _, six := range []bool{false, true} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		reals := tunnelled(s, f, six)
		if len(reals) == 0 {
			continue
		}
		if err := pathMTU(ctx, p, f, reals, six); err != nil {
			f.Unread = append(f.Unread, doctor.Unread{What: "the MTU of the path to real servers", Err: explain(err)})
		}
	}
	return p, nil
}

func explain(err error) string {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return "not permitted: probes need CAP_NET_RAW (run as root)"
	}
	return err.Error()
}

// tunnelled are the reals by tun that are reached by that family.
func tunnelled(s doctor.Site, f *doctor.Facts, six bool) []netip.Addr {
	var out []netip.Addr
	seen := map[netip.Addr]bool{}
	for _, v := range s.Virtuals {
		for _, r := range v.Reals {
			a := r.Addr.Addr()
			if route := f.Routes[a]; r.Forward == ipvs.Tunnel && a.Is6() == six && !seen[a] && !route.Local && !route.None {
				seen[a] = true
				out = append(out, a)
			}
		}
	}
	return out
}

// converse sends all twice, half the wait apart, and hands what comes meanwhile
// to take.
func converse(ctx context.Context, socket int, send func() error, take func(packet []byte, from unix.Sockaddr)) error {
	buffer := make([]byte, 64<<10)
	for range 2 {
		if err := send(); err != nil {
			return err
		}
		for until := time.Now().Add(wait / 2); time.Now().Before(until); {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, from, err := unix.Recvfrom(socket, buffer, 0)
			switch {
			case err == nil:
				take(buffer[:n], from)
			case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) && !passing(err):
				return err
			}
		}
	}
	return nil
}

// passing are errors that a socket hands over from the network.
func passing(err error) bool {
	for _, e := range []error{unix.EHOSTUNREACH, unix.ENETUNREACH, unix.ECONNREFUSED, unix.EMSGSIZE, unix.ENOBUFS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// open opens a socket that waits for a packet no longer than a tenth of the
// wait.
func open(family, kind, protocol int) (int, error) {
	s, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return -1, err
	}
	limit := unix.NsecToTimeval(int64(wait / 10))
	if err := unix.SetsockoptTimeval(s, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		unix.Close(s)
		return -1, err
	}
	return s, nil
}
