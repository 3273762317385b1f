package host

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
)

// errStopped is returned when the host has been stopped, or no longer has the
// program.
var errStopped = errors.New("the plugin host has been stopped")

// What a stop waits for.
const (
	// drainShare is how much earlier than its limit a stop ends to wait: the
	// rest is for killing.
	drainShare = 1500 * time.Millisecond
	// drainMost is the most that it waits for checks: nobody will act on them.
	drainMost = 2 * time.Second
)

// stop ends the plugin: those checks that are out may answer until ctx ends,
// less what killing takes. It returns when the goroutine has ended.
func (s *supervisor) stop(ctx context.Context) {
	s.once.Do(func() {
		s.mu.Lock()
		s.limit = ctx
		s.mu.Unlock()
		close(s.quit)
	})
	<-s.done
}

// finish is the end of the goroutine.
func (s *supervisor) finish() {
	before := s.state
	s.state = stopping
	s.answerCalls(reply{err: errStopped})
	s.mail.put(s.flights.close(stopped(), time.Now())...)
	if before == starting {
		s.abandon()
	}
	if s.proc != nil {
		s.drain()
	}
	dones, _ := s.flights.lose(stopped(), time.Now())
	s.mail.put(dones...)
}

func stopped() monitor.Result {
	return monitor.Blinded(monitor.NotRun, "mond has ended this plugin")
}

// abandon ends a start that is under way.
func (s *supervisor) abandon() {
	s.cancel()
	if o := <-s.started; o.err == nil {
		o.proc.kill()
	}
}

// drain lets checks and calls that are out be answered, then ends the process.
func (s *supervisor) drain() {
	l, p := s.link.Load(), s.proc
	l.order(func(o *orders) { o.drain = true })
	s.await(l.drained, min(drainMost, s.remains()))
	s.await(s.users.idle(), s.remains())
	s.link.Store(nil)
	gone := make(chan struct{})
	go func() { defer close(gone); p.end() }() // ends with the process
	select {
	case <-gone:
	case <-s.limit.Done():
		go p.kill() // the kernel holds the process: not our time
	}
	s.log.Info("plugin ended", "pid", p.pid())
}

// remains is how long a stop may wait for the plugin.
func (s *supervisor) remains() time.Duration {
	end, ok := s.limit.Deadline()
	if !ok {
		return drainMost
	}
	return max(time.Until(end)-drainShare, drainTime)
}

// await waits for what, as long as the process lives and limit allows.
func (s *supervisor) await(what <-chan struct{}, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case e := <-s.ended:
			if e.proc == s.proc {
				return
			}
		case <-what:
			return
		case <-timer.C:
			return
		case <-s.limit.Done():
			return
		}
	}
}

// users counts the calls that are under way.
type users struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n is 0; nil when nobody waits for that
}

func (u *users) enter() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.n++
}

func (u *users) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n--; u.n == 0 && u.none != nil {
		close(u.none)
		u.none = nil
	}
}

// idle is closed when no call is under way.
func (u *users) idle() <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n == 0 {
		done := make(chan struct{})
		close(done)
		return done
	}
	if u.none == nil {
		u.none = make(chan struct{})
	}
	return u.none
}
