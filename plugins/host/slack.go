package host

import (
	"time"

	"golang.org/x/sys/unix"
)

// slack is by how much the kernel may be late when it wakes a resident plugin by
// time. Go's runtime, while its program has anything to do, sleeps 20 us at a time.
// On a virtual machine, where to set a timer takes longer than that, it never sleeps
// then, and keeps a processor from all others for milliseconds: on the way of a
// token, from one program to the next. Programs in real time have no slack.
const slack = time.Millisecond

// slackened calls start so that what it starts has the slack. It cannot do so
// itself: the thread in question is there before any of its own code.
func slackened(start func() error) error {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0) // it does without, and as well as before
	defer func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) }()
	return start()
}
