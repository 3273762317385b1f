package reach_test

import (
	"testing"

	"github.com/mondhq/mond/monitors/tcp/reach"
)

func TestSize(t *testing.T) {
	for in, want := range map[string]reach.Size{
		"1": 1, "4096": 4096, "64K": 64 << 10, "64k": 64 << 10, "1M": 1 << 20, "256M": 256 << 20, "268435456": 256 << 20,
	} {
		var s, again reach.Size
		if err := s.Set(in); err != nil || s != want || again.Set(s.String()) != nil || again != s {
			t.Errorf("%s: %d, %d, %v", in, s, again, err)
		}
	}
	for _, in := range []string{"", "0", "-1", "K", "257M", "268435457", "4294967295M", "1G", "1 K", "0x10", "1.5M"} {
		var s reach.Size
		if s.Set(in) == nil {
			t.Errorf("%q is taken for %d", in, s)
		}
	}
}
