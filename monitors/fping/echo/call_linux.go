package echo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/monitors/tcp/origin"
	"github.com/mondhq/mond/plugins/monitor"
)

// call is one Ping on one socket. round is guarded by the socket's mu.
type call struct {
	engine *Engine
	socket *socket
	began  time.Time
	nonce  uint64
	base   uint16 // sequence number of request 0
	filler []byte // what follows the stamp
	each   time.Duration
	pace   pacer
	round  *round
	over   chan struct{} // has a value when all outcomes are known
	stuck  bool          // something could not be sent for want of room
	addrs  []netip.Addr  // this machine's, once asked for
}

// ping asks those hosts of to whose indices are in which, all of one family.
func (e *Engine) ping(ctx context.Context, s Settings, to []netip.Addr, which []int, answers []Answer) {
	c := &call{
		engine: e, began: time.Now(), nonce: rand.Uint64(), each: each(s.Pace),
		filler: make([]byte, s.Size-stampLen), over: make(chan struct{}, 1),
	}
	hosts := make([]netip.Addr, 0, len(which))
	places := make([]int, 0, len(which))
	zones := map[string]string{}
	for _, at := range which {
		if a, err := inFigures(&s.Origin, to[at], zones); err != nil {
			answers[at].Err = err
		} else {
			hosts, places = append(hosts, a), append(places, at)
		}
	}
	if len(hosts) == 0 {
		return
	}
	c.round = newRound(hosts, s.waits(), rand.IntN(len(hosts)))
	if err := c.run(ctx, socketKey{!hosts[0].Is4(), s.Dress, s.Version()}); err != nil {
		c.round.abandon(0, err, err)
	}
	for i, at := range places {
		answers[at] = c.round.host[i].Answer
	}
}

// inFigures is a with the number of its zone in the place of the name.
func inFigures(o *origin.Origin, a netip.Addr, known map[string]string) (netip.Addr, error) {
	zone := a.Zone()
	if zone == "" {
		return a, nil
	}
	if _, ok := known[zone]; !ok {
		known[zone] = "0"
		err := o.In(func() error {
			known[zone] = strconv.FormatUint(uint64(scope(zone)), 10)
			return nil
		})
		if err != nil {
			return a, err
		}
	}
	if known[zone] == "0" {
		return a, fault(fmt.Errorf("send an echo request to %v: there is no interface %s", a, zone))
	}
	return a.WithZone(known[zone]), nil
}

// run sends and waits until all outcomes are known. An error is for all hosts.
func (c *call) run(ctx context.Context, k socketKey) (err error) {
	if c.socket, err = c.engine.join(k, c); err != nil {
		return err
	}
	defer c.socket.leave(c)
	dropped := c.socket.drops()
	timer := time.NewTimer(0)
	defer timer.Stop()
	sent := false // since the reader was last told
	for ctx.Err() == nil {
		n, wait := c.look()
		switch {
		case n > 0:
			wait = c.turn(n)
		case wait > 0 && sent:
			c.socket.watch()
			sent = false
		}
		if wait > 0 && !c.sleep(ctx, timer, wait) {
			continue
		}
		if wait < 0 {
			break
		}
		if n > 0 {
			c.send(ctx, n)
			sent = true
		}
	}
	c.end(ctx, c.socket.drops()-dropped)
	return nil
}

// slack is how much longer than it must a call may sleep.
const slack = 5 * time.Millisecond

// look takes what came and says how many requests are to be sent, at most
// batch; with none, how long to wait; less than 0 when all outcomes are known.
func (c *call) look() (n int, wait time.Duration) {
	c.socket.mu.Lock()
	defer c.socket.mu.Unlock()
	c.socket.receive()
	r, now := c.round, time.Since(c.began)
	r.expire(now)
	if r.left == 0 {
		return 0, -1
	}
	if n = min(r.due(), batch); n > 0 {
		return n, 0
	}
	wake, _ := r.wake()
	// Requests of one time or nearly so are given up together.
	return 0, max(wake-now, 0) + min(slack, r.waits[0]/16) + time.Nanosecond
}

// turn waits for nothing but says how long to, until n requests may be sent.
func (c *call) turn(n int) time.Duration {
	now := time.Now()
	return max(c.engine.pace.reserve(now, n, min(c.each, each(Pace))), c.pace.reserve(now, n, c.each))
}

// sleep waits; false when the call is over or ctx has ended first.
func (c *call) sleep(ctx context.Context, timer *time.Timer, d time.Duration) bool {
	timer.Reset(d)
	select {
	case <-timer.C:
		return true
	case <-c.over:
	case <-ctx.Done():
	}
	return false
}

// tell wakes the call when all outcomes are known. The caller holds the
// socket's mu.
func (c *call) tell() {
	if c.round.left > 0 {
		return
	}
	select {
	case c.over <- struct{}{}:
	default:
	}
}

// end closes what is open when ctx has ended. Hosts that are late are not
// judged if this machine may be at fault.
func (c *call) end(ctx context.Context, dropped uint32) {
	s := c.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receive()
	r, now := c.round, time.Since(c.began)
	var err error
	if errors.Is(ctx.Err(), context.Canceled) {
		err = context.Canceled
	}
	r.abandon(now, monitor.ErrNotStarted, err)
	if err = c.excuse(dropped); err == nil {
		return
	}
	for i := range r.host {
		if monitor.IsLate(r.host[i].Err) {
			r.host[i].Err = fault(err)
		}
	}
}

// excuse is why this machine may be at fault when hosts are late: the answer
// it has dropped, or the request that waits in a queue, may be that of any. The
// caller holds the socket's mu.
func (c *call) excuse(dropped uint32) error {
	switch {
	case dropped > 0:
		return fmt.Errorf("this machine has dropped %d answers while it waited: raise the sysctl net.core.rmem_max, or lower the pace", dropped)
	case c.stuck:
		return fmt.Errorf("no answer, but this machine's own network is stuck: %w", unix.ENOBUFS)
	}
	return nil
}

// own reports whether a is an address of this machine.
func (c *call) own(a netip.Addr) bool {
	if c.addrs == nil {
		var list []net.Addr // without them nobody is known
		_ = c.socket.key.In(func() (err error) {
			list, err = net.InterfaceAddrs()
			return err
		})
		c.addrs = make([]netip.Addr, 0, len(list))
		for _, p := range list {
			if p, err := netip.ParsePrefix(p.String()); err == nil {
				c.addrs = append(c.addrs, p.Addr())
			}
		}
	}
	for _, o := range c.addrs {
		if o == a {
			return true
		}
	}
	return false
}

// send sends up to n requests that are due.
func (c *call) send(ctx context.Context, n int) {
	s := c.socket
	s.sending.Lock()
	defer s.sending.Unlock()
	var room [batch]int
	s.mu.Lock()
	numbers := c.round.take(n, room[:0])
	c.round.went(numbers, time.Since(c.began))
	s.mu.Unlock()
	fill := sum(0, c.filler)
	for i, number := range numbers {
		host, _ := c.round.split(number)
		head := s.out.put(i, c.round.to[host], c.filler)
		stamp{id: s.id, seq: c.base + uint16(number), nonce: c.nonce, number: uint32(number)}.put(head, s.key.six) //nolint:gosec // as RFC 792 wraps
		if s.raw && !s.key.six {
			sum := checksum(sum(fill, head))
			head[2], head[3] = byte(sum>>8), byte(sum)
		}
	}
	c.transmit(ctx, numbers)
}

// refused is the error of a request that the kernel did not send. That no
// neighbour answers is the host's fault (EHOSTUNREACH), all else is ours.
func (c *call) refused(number int, err error) error {
	host, _ := c.round.split(number)
	err = fmt.Errorf("send an echo request to %v: %w", c.round.to[host], err)
	if errors.Is(err, unix.EHOSTUNREACH) {
		return err
	}
	return fault(err)
}
