//go:build !linux

package echo

import (
	"context"
	"errors"
	"net/netip"
)

// socket has no counterpart here.
type socket struct{}

// Close has nothing to give back here.
func (e *Engine) Close() {}

// ping needs sendmmsg and the error queue of Linux.
func (e *Engine) ping(_ context.Context, _ Settings, _ []netip.Addr, which []int, answers []Answer) {
	for _, i := range which {
		answers[i].Err = fault(errors.New("many hosts at once can be pinged on Linux only"))
	}
}
