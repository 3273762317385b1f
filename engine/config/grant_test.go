package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGrantNone(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       map[string][]string
	}{
		{"named, given nothing", "grant = lvs.alert none\n", map[string][]string{"lvs.alert": {}}},
		{"takes back what was given", "grant = a cap_net_raw\ngrant = a NONE\n", map[string][]string{"a": {}}},
		{"is added to", "grant = a none\ngrant = a cap_net_raw\n", map[string][]string{"a": {"cap_net_raw"}}},
	} {
		c := good(t, tt.text, bare())
		if diff := cmp.Diff(tt.want, c.Globals.Grants); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
