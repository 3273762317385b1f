package numbers

import "testing"

func TestSet(t *testing.T) {
	s := New(1, 255, "75,100-102")
	for n, want := range map[int]bool{74: false, 75: true, 76: false, 99: false, 100: true, 102: true, 103: false} {
		if s.Has(n) != want {
			t.Errorf("%d is %v", n, !want)
		}
	}
	if s.String() != "75,100-102" {
		t.Error(s.String())
	}
	if none := New(1, 255, "none"); none.Has(75) {
		t.Error("none has 75")
	}
	for _, bad := range []string{"", ",", "0", "256", "5-3", "a", "1-", "-1", "1-2-3", "1,,2", " 1"} {
		if err := s.Set(bad); err == nil {
			t.Errorf("%q is a list", bad)
		}
	}
}

func FuzzSet(f *testing.F) {
	f.Add("75,100-102")
	f.Fuzz(func(t *testing.T, text string) {
		s := Set{Min: 1, Max: 9}
		if s.Set(text) == nil && (s.Has(0) || s.Has(10)) {
			t.Errorf("%q holds what may not be in it", text)
		}
	})
}
