// Package job holds the two values that pass between a scheduler and a plugin
// host: a [Check] to run and its answer, [Done].
//
// It exists so that the engine (which owns the interface) and plugins/host
// (which satisfies it) need not import each other. It is not for authors of
// plugins: their contract is plugins/monitor.
package job

import (
	"time"

	"github.com/mondhq/mond/plugins/monitor"
)

// Check is one check that is due.
type Check struct {
	// ID is chosen by the scheduler, unique while it runs, never 0.
	ID uint64
	// Program is the monitor's name as mon.cf has it, such as "http.monitor".
	Program string
	// Timeout is the whole time the check may take from now, above 0.
	Timeout time.Duration
	Request monitor.Request
}

// Done answers a Check: exactly one comes back for each.
type Done struct {
	// ID is the Check's; 0 means that a watched service spoke unasked.
	ID             uint64
	Group, Service string
	// About, if not empty, is the service of group mond that an elector, which is
	// that of Group and Service, speaks of in the place of its own.
	About  string
	Result monitor.Result
}
