package site

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGrants(t *testing.T) {
	type grants = map[string][]string
	for _, tt := range []struct {
		name  string
		named grants
		may   bool
		want  grants
	}{
		{"default", nil, true, grants{"lvs.alert": {"cap_net_admin"}}},
		{"mond has none to give", nil, false, grants{}},
		{"others named", grants{"a.monitor": {"cap_net_raw"}}, true, grants{"a.monitor": {"cap_net_raw"}, "lvs.alert": {"cap_net_admin"}}},
		{"named, whether mond has it or not", grants{"lvs.alert": {"cap_net_admin"}}, false, grants{"lvs.alert": {"cap_net_admin"}}},
		{"named with another", grants{"lvs.alert": {"cap_net_raw"}}, true, grants{"lvs.alert": {"cap_net_raw"}}},
		{"named with none", grants{"lvs.alert": {}}, true, grants{"lvs.alert": {}}},
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
