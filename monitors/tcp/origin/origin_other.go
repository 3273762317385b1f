//go:build !linux

package origin

import "syscall"

// Around only runs f here.
func (o *Origin) Around(f func() error) error { return f() }

// Control refuses here what only Linux has.
func (o *Origin) Control(_ syscall.RawConn) error {
	if o.Given() {
		return fault("options --interface, --mark and --netns: they work on Linux only")
	}
	return nil
}
