package control

import (
	"context"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
)

// Mon is what mon's clients may do beyond what every operator may. The engine
// is one. As everywhere, a name that does not exist is fs.ErrNotExist, and
// asking about it creates nothing.
type Mon interface {
	Controller
	// ClearTimers makes the alerts of a service begin anew, as if its failure
	// had just begun: consecutive failures, and in each period the count and
	// the clock of alertafter and the time of the last alert. Its next check
	// is a whole interval away, and its trap timers begin anew.
	ClearTimers(ctx context.Context, key opstatus.Key, user string) error
	// Variable is a variable of a service, under mon's internal name for it:
	// a directive ("interval", in seconds) or a state ("_op_status",
	// "_consec_failures"). One that is not set is empty.
	Variable(ctx context.Context, key opstatus.Key, name string) (string, error)
	// SetVariable changes one until the next reset. A value that the variable
	// cannot have is refused with a [steer.ValueError]. A name that nobody
	// knows is a note that is kept until then.
	SetVariable(ctx context.Context, key opstatus.Key, name, value, user string) error
	// SetKeep changes how many alerts and failures are remembered; Keep is
	// how many that are.
	SetKeep(ctx context.Context, n int, user string) error
	Keep() int
	// SaveState writes mon's state files, LoadState takes them up: a file
	// that is not there changes nothing, a line that is not understood is
	// logged and skipped.
	SaveState(ctx context.Context, what steer.MonState, user string) error
	LoadState(ctx context.Context, what steer.MonState, user string) error
	// Reset reads the configuration again, like Reload; without KeepState the
	// services begin anew, untested. What is disabled by host or watch stays.
	Reset(ctx context.Context, how steer.ResetHow, user string) error
	// CheckConfig reads the configuration and changes nothing; the error says
	// what is wrong with it.
	CheckConfig(ctx context.Context) error
}
