// Package classic is mon's contract with programs, in both directions: the
// words, variables, standard input and exit status by which a daemon runs a
// monitor ([RunMonitor]) or an alert ([RunAlert]), and by which a program that
// was started so reads what it is asked and answers ([MonitorRequest],
// [WriteMonitor], [ParseAlert]). Programs in any language that were written
// for mon run unmodified; programs of ours run under the real mon.
//
// It is not for resident plugins (plugins/rpc), holds no state between runs,
// decides nothing about them, and bounds neither how many run at once nor how
// often. It imports the standard library and plugins/procgroup only.
//
// Where it departs from mon, on purpose: a run has a time limit, ends as a
// whole process group and may print without bound; death by a signal is not
// success; an environment that the kernel would refuse is cut until it fits.
package classic

import (
	"context"
	"time"

	"github.com/mondhq/mond/plugins/procgroup"
)

// What the zero fields of an Exec mean.
const (
	defaultGrace     = 2 * time.Second
	defaultMaxOutput = 64 << 10
)

// Exec is a program and what surrounds its runs.
type Exec struct {
	// Spawner starts it.
	Spawner *procgroup.Spawner
	// Path is its file, with a slash in it.
	Path string
	// Env is the daemon's own environment, which programs inherit as under
	// mon; nil is none at all.
	Env []string
	// StateDir, LogDir and CfBaseDir are told to it as MON_STATEDIR,
	// MON_LOGDIR and MON_CFBASEDIR.
	StateDir, LogDir, CfBaseDir string
	// Dir is its working directory; empty means the daemon's, as under mon.
	Dir string
	// Caps are numbers of Linux capabilities that it gets.
	Caps []uintptr
	// Around, when not nil, is what its start happens in: see [procgroup.Spec].
	Around func(start func() error) error
	// Limit is the time that a check or a notice may take, named in the summary
	// of a monitor that exceeds it; 0 leaves the limit to ctx.
	Limit time.Duration
	// Grace is the time from SIGTERM to SIGKILL; 0 means 2 s.
	Grace time.Duration
	// MaxOutput is how many bytes of its output are kept; 0 means 64 KiB.
	MaxOutput int
	// Aside keeps what it prints on its standard error out of its output, unless
	// that is blank. mon reads both as one.
	Aside bool
	// Said, when not nil, is called with what an alert printed, if anything,
	// however it ended. mon leaves that on the daemon's own output.
	Said func(output string)
	// Started, when not nil, is called with the number of the process once it
	// runs.
	Started func(pid int)
}

// bounded is ctx with e's own limit.
func (e Exec) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.Limit > 0 {
		return context.WithTimeout(ctx, e.Limit)
	}
	return context.WithCancel(ctx)
}

func (e Exec) grace() time.Duration {
	if e.Grace > 0 {
		return e.Grace
	}
	return defaultGrace
}

func (e Exec) maxOutput() int {
	if e.MaxOutput > 0 {
		return e.MaxOutput
	}
	return defaultMaxOutput
}

// dirs are the variables that every program gets.
func (e Exec) dirs() map[string]string {
	return map[string]string{
		"MON_STATEDIR":  e.StateDir,
		"MON_LOGDIR":    e.LogDir,
		"MON_CFBASEDIR": e.CfBaseDir,
	}
}
