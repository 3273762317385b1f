// Package boottime reads CLOCK_BOOTTIME (clock_gettime(2)): the time since the
// machine started, sleep included. All programs of a machine see the same.
package boottime

import (
	"time"

	"golang.org/x/sys/unix"
)

// Now is the time since the machine started. It never goes back and cannot fail
// on a kernel that mond runs on (2.6.39 and later).
func Now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic("clock_gettime(CLOCK_BOOTTIME): " + err.Error())
	}
	return time.Duration(t.Nano())
}
