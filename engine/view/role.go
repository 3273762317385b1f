package view

import (
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/role"
)

// Role is how a group of addresses stands as readers see it. It is immutable
// once published.
type Role struct {
	Group string
	// Elector is the service whose monitor decides, Holder the program that
	// holds, Args its words.
	Elector opstatus.Key
	Holder  string
	Args    []string
	// Told is set once a token came. Hold, Epoch, Lease and Reason are those of
	// the last one, Until is when it ends to permit anything, and Since when it
	// was first told so.
	Told   bool
	Hold   bool
	Epoch  uint64
	Lease  time.Duration
	Until  time.Time
	Since  time.Time
	Reason string
	// Passed counts the tokens that were passed on, Late those that came too
	// late to be.
	Passed, Late uint64
	// Stood is set once the holder said how it stands: Stand. Expires is when
	// the kernel removes the first address; zero for none, and for never.
	Stood   bool
	Stand   role.Stand
	Expires time.Time
	// Order is what an operator ordered and stands; nil for nothing.
	Order *RoleOrder
}

// RoleOrder is an order of an operator.
type RoleOrder struct {
	Verb role.Verb
	// All is set if it is for all groups.
	All  bool
	By   string
	At   time.Time
	Text string
}

// SetRoles publishes how groups of addresses stand, in the order of the file.
// Only the loop calls it.
func (b *Board) SetRoles(rows []Role) { b.roles.Store(&rows) }

// Roles are the groups of addresses in the order of the file.
func (b *Board) Roles() []Role {
	if rows := b.roles.Load(); rows != nil {
		return *rows
	}
	return nil
}
