// Package faults watches what of this machine may be at fault - a link, an
// address, a gateway - so that a director that has lost its own network does
// not take it for the death of all its real servers. It says what began and
// ended to be at fault, in a sentence; what follows is decided by the engine.
package faults

import "github.com/mondhq/mond/engine/config"

// Change is a fault that began, ended or became another.
type Change struct {
	Fault config.LocalFault
	// Text says what is at fault; empty if nothing is any more.
	Text string
}
