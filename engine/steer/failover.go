package steer

import (
	"fmt"
	"slices"

	"github.com/mondhq/mond/plugins/role"
)

// Failover is what an operator orders of groups of addresses.
type Failover struct {
	Verb role.Verb
	// Group is empty for all.
	Group string
	// User and Text say who orders it, and why.
	User, Text string
}

// Validate says what is wrong with the order by itself.
func (o Failover) Validate() error {
	switch {
	case !slices.Contains(role.Verbs(), o.Verb):
		return fmt.Errorf("failover %q: want one of %v", o.Verb, role.Verbs())
	case len(o.Group) > 512 || len(o.Text) > 4096:
		return fmt.Errorf("failover %s: the name or the note is too long", o.Verb)
	}
	return nil
}
