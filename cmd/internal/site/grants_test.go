package site

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A director of systemd's unit, which has no more than these to pass on, can do
// all but beat faster than every 50 ms.
func TestGrantsOfTheUnit(t *testing.T) {
	got := Grants(nil, func(c string) bool { return c == "cap_net_admin" || c == "cap_net_raw" || c == "cap_net_bind_service" })
	want := map[string][]string{
		"lvs.alert": {"cap_net_admin"}, "fping.monitor": {"cap_net_raw"}, "ping.monitor": {"cap_net_raw"},
		"fake.alert": {"cap_net_admin", "cap_net_raw"}, "heartbeat.monitor": {"cap_net_raw"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGrants(t *testing.T) {
	type grants = map[string][]string
	// with are the default grants and these, which replace those of their name.
	with := func(named grants) grants {
		all := grants{
			"lvs.alert": {"cap_net_admin"}, "fping.monitor": {"cap_net_raw"}, "ping.monitor": {"cap_net_raw"},
			"fake.alert": {"cap_net_admin", "cap_net_raw"}, "heartbeat.monitor": {"cap_net_raw", "cap_sys_nice", "cap_ipc_lock"},
		}
		maps.Copy(all, named)
		return all
	}
	for _, tt := range []struct {
		name  string
		named grants
		may   bool
		want  grants
	}{
		{"default", nil, true, with(nil)},
		{"mond has none to give", nil, false, grants{}},
		{"others named", grants{"a.monitor": {"cap_net_raw"}}, true, with(grants{"a.monitor": {"cap_net_raw"}})},
		{"named, whether mond has it or not", grants{"lvs.alert": {"cap_net_admin"}}, false, grants{"lvs.alert": {"cap_net_admin"}}},
		{"named with another", grants{"lvs.alert": {"cap_net_raw"}}, true, with(grants{"lvs.alert": {"cap_net_raw"}})},
		{"named with none", grants{"lvs.alert": {}}, true, with(grants{"lvs.alert": {}})},
		{"a monitor named with none", grants{"ping.monitor": {}}, true, with(grants{"ping.monitor": {}})},
	} {
		before := len(tt.named)
		got := Grants(tt.named, func(string) bool { return tt.may })
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if len(tt.named) != before {
			t.Errorf("%s: the configuration's own grants were changed", tt.name)
		}
	}
}
