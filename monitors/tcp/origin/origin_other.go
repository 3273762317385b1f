//go:build !linux

package origin

import "syscall"

// Around only runs f here.
func (o *Origin) Around(f func() error) error { return f() }

// Settled refuses here what only Linux has.
func (o *Origin) Settled() (Origin, error) {
	if o.Source.Toward.IsValid() {
		return *o, fault("option --source with to: works on Linux only")
	}
	return *o, nil
}

// Control refuses here what only Linux has.
func (o *Origin) Control(_ syscall.RawConn) error {
	if o.Given() {
		return fault("options --interface, --mark and --netns: they work on Linux only")
	}
	return nil
}
