package serve

import (
	"context"
	"errors"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/plugins/role"
)

const (
	// farewell is how long electors and holders may take to leave in order when
	// mond has died.
	farewell = time.Second
	// lifelineLag is how much later the end of the lifeline may be seen than that
	// of the stream: both are ends of mond. On a machine that has far too much to
	// do 50 ms were not enough, and without a farewell the peer waits for the lease.
	lifelineLag = 300 * time.Millisecond
)

// outlive keeps the kernel from ending this process in the moment in which mond
// dies: an elector has to say goodbye then, and the lifeline ends it. The death
// signal is one of the thread that the program began with, on which [Main] stays;
// elsewhere the signal stays too, and the other director waits for the lease.
//
// What it logs then is written to nobody: SIGPIPE must not end it either.
func outlive(log *slog.Logger) {
	signal.Ignore(syscall.SIGPIPE)
	if unix.Gettid() != unix.Getpid() {
		log.Warn("not on the program's first thread: it will not say goodbye when mond dies")
		return
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0); err != nil {
		log.Warn("it will not say goodbye when mond dies", "err", err)
	}
}

// endRoles ends what the session began of roles. If mond itself is gone, they
// have a moment to leave in order: electors are told that it leaves, holders end
// by [role.ErrOrphaned].
func (ss *session) endRoles() {
	defer ss.stopRoles(nil)
	ss.mu.Lock()
	holding := ss.holding
	ss.mu.Unlock()
	if holding == nil && ss.electing.none() || !ss.orphaned() {
		return
	}
	limit, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	wait := func(ended <-chan struct{}) {
		select {
		case <-ended:
		case <-limit.Done():
		}
	}
	for _, ended := range ss.electing.leave() {
		wait(ended)
	}
	if holding != nil {
		ss.stopRoles(role.ErrOrphaned)
		wait(holding.ended)
	}
}

// orphaned reports whether the session ended because mond is gone.
func (ss *session) orphaned() bool {
	select {
	case <-ss.service.ctx.Done():
		return errors.Is(context.Cause(ss.service.ctx), errHostGone)
	case <-time.After(lifelineLag):
		return false // another session takes the place of this one
	}
}
