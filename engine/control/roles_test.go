package control

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/role"
)

func TestRoleOf(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	got := roleOf(&view.Role{
		Group: "web", Elector: opstatus.Key{Group: "directors", Service: "role"}, Holder: "fake.alert",
		Args: []string{"--group", "web", "--tell", "10.9.9.9", "--priority", "100", "10.0.0.3/32/eth0", "2001:db8::3"},
		Told: true, Hold: true, Epoch: 5, Lease: 3 * time.Second, Until: at, Since: at, Reason: "alone", Passed: 7, Late: 1,
		Stood: true, Stand: role.Stand{Held: 1, Total: 2, Until: role.Forever, Error: "no"},
		Order: &view.RoleOrder{Verb: role.Hold, All: true, By: "ann", At: at},
	})
	want := Role{
		Group: "web", Addresses: []string{"10.0.0.3/32/eth0", "2001:db8::3/128"}, Elector: "directors:role", Holder: "fake.alert", State: "hold",
		Reason: "alone", Since: &at, Epoch: 5, Until: &at, Lease: 3, Held: new(1), Total: 2, Permanent: true, Error: "no",
		Order: &RoleOrder{Verb: "hold", All: true, By: "ann", At: &at}, Tokens: 7, TooLate: 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r := roleOf(&view.Role{}); r.State != "unknown" || r.Held != nil || r.Addresses == nil {
		t.Errorf("before anything was said: %+v", r)
	}
	if r := roleOf(&view.Role{Told: true}); r.State != "release" {
		t.Errorf("released: %+v", r)
	}
}
