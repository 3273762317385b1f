package echo

import "testing"

// FuzzControl reads control messages. They come from the kernel, but what they
// carry is in parts a router's.
func FuzzControl(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{48, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 113, 0, 0, 0, 2, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{32, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 35, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := readControl(b); n.icmp && len(b) < 16 {
			t.Errorf("%x is read as %+v", b, n)
		}
	})
}
