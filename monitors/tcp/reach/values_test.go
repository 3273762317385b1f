package reach_test

import (
	"math"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/tcp/reach"
)

func TestSeconds(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"10": 10 * time.Second, "0.5": 500 * time.Millisecond, "500ms": 500 * time.Millisecond,
		"2s": 2 * time.Second, "1m30s": 90 * time.Second, "86400": 24 * time.Hour,
	} {
		var s reach.Seconds
		if err := s.Set(in); err != nil || time.Duration(s) != want {
			t.Errorf("%s: %v, %v", in, time.Duration(s), err)
		}
	}
	for _, in := range []string{"", "0", "0s", "-1", "86401", "25h", "ten", "10 s", "NaN", "Inf", "1e3", "99999999999999999999"} {
		var s reach.Seconds
		if s.Set(in) == nil {
			t.Errorf("%q is taken for %v", in, time.Duration(s))
		}
	}
}

func TestAddress(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::1%eth0"} {
		var a reach.Address
		if err := a.Set(in); err != nil || a.String() != want {
			t.Errorf("%s: %v, %v", in, &a, err)
		}
	}
	var a reach.Address
	if a.String() != "" || a.Set("") == nil || a.Set("web") == nil || a.Set("192.0.2.0/24") == nil {
		t.Error("what is no address is taken for one")
	}
}

func FuzzValues(f *testing.F) {
	for _, seed := range []string{"80", "65535", "65536", "0", "10", "0.5", "500ms", "1h", "-1", "::1", "192.0.2.1", "1_0", "+1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var p, q reach.Port
		if p.Set(in) == nil {
			if err := q.Set(p.String()); err != nil || p != q || p == 0 || int(p) > math.MaxUint16 {
				t.Errorf("port %q: %d, %d, %v", in, p, q, err)
			}
		}
		var s, r reach.Seconds
		if s.Set(in) == nil {
			if err := r.Set(s.String()); err != nil || s != r || s <= 0 {
				t.Errorf("seconds %q: %d, %d, %v", in, s, r, err)
			}
		}
		var a, b reach.Address
		if a.Set(in) == nil {
			if err := b.Set(a.String()); err != nil || a != b {
				t.Errorf("address %q: %v, %v, %v", in, &a, &b, err)
			}
		}
	})
}

func FuzzDays(f *testing.F) {
	for _, seed := range []string{"0", "30", "3650", "3651", "-1", "+1", "7d", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var d, e reach.Days
		if d.Set(in) != nil {
			return
		}
		if err := e.Set(d.String()); err != nil || d != e {
			t.Errorf("days %q: %v, %v, %v", in, &d, &e, err)
		}
	})
}
