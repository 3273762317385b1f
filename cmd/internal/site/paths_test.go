package site

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
)

// Defaults are those of whom they were taken for, however the environment
// looks later; what was named is left alone.
func TestPlacesAreKept(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", "/first/state")
	t.Setenv("RUNTIME_DIRECTORY", "/first/run")
	first := Here()
	t.Setenv("STATE_DIRECTORY", "/second/state")
	t.Setenv("RUNTIME_DIRECTORY", "/second/run")
	absent := config.Globals{StateDir: "/no/such/state", LogDir: "/no/such/log"}
	named := absent
	named.ControlSocket = "/chosen/sock"
	named.Set = map[string]config.Pos{"statedir": {}, "logdir": {}, "controlsocket": {}}
	for _, tt := range []struct {
		name   string
		places Places
		g      config.Globals
		want   []string
	}{
		{"kept", first, absent, []string{"/first/state", "/first/state", "/first/run/control.sock"}},
		{"looked up now", Places{}, absent, []string{"/second/state", "/second/state", "/second/run/control.sock"}},
		{"named", first, named, []string{"/no/such/state", "/no/such/log", "/chosen/sock"}},
	} {
		g := tt.g
		tt.places.Settle(&g)
		if diff := cmp.Diff(tt.want, []string{g.StateDir, g.LogDir, g.ControlSocket}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
