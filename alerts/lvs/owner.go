package lvs

import "github.com/mondhq/mond/alerts/internal/shared"

// owner is what the alerts of one factory share. Its goroutine, started by the
// first Keep, owns all of desk; others send it work.
type owner struct {
	*shared.State[desk]

	given Options
}

func newOwner(o Options) *owner {
	return &owner{given: o, State: shared.New(func(work shared.Work[desk]) func() {
		d := newDesk(o.withDefaults())
		d.work = work
		return d.run
	})}
}
