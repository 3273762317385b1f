package host

import (
	"slices"

	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// A plugin says what capabilities it needs only when it runs, and can be given
// them only at its start. So the first start of a version of a program is
// without any; if the configuration grants something that its manifest names,
// it is started again with that, and later starts of the same version have it
// at once. The manifest is asked, rather than taking the grant at its word, so
// that a grant for a program that needs nothing gives nothing.

// permitted are the capabilities that this process may pass on.
func permitted() []cap.Value {
	var have []cap.Value
	set := cap.GetProc()
	for v := cap.Value(0); v < cap.MaxBits(); v++ {
		if ok, err := set.GetFlag(cap.Permitted, v); err == nil && ok {
			have = append(have, v)
		}
	}
	return have
}

// grantable are those capabilities that are named by both the configuration
// and the plugin, and that we have. missing are those named by both that we do
// not have.
func grantable(grants, wants []string, have []cap.Value) (caps []uintptr, missing []string) {
	for _, name := range wants {
		v, err := cap.FromName(name)
		if err != nil || !slices.Contains(grants, name) {
			continue
		}
		if !slices.Contains(have, v) {
			missing = append(missing, name)
			continue
		}
		caps = append(caps, uintptr(v))
	}
	slices.Sort(caps)
	return slices.Compact(caps), missing
}
