package declared

import (
	"net/netip"
	"os"
	"strings"
	"testing"
)

func TestDeclared(t *testing.T) {
	a, b := netip.MustParseAddr("192.0.2.77"), netip.MustParseAddr("2001:db8::77")
	var n Names
	t.Cleanup(n.Close)
	if By(a) != 0 || By(b) != 0 {
		t.Fatal("it is declared before it is")
	}
	if err := n.Declare([]netip.Addr{a, b}); err != nil {
		t.Fatal(err)
	}
	for range 300 { // more than fit in the queue of a socket
		By(b)
	}
	could := os.Getuid() == 0
	if got := By(a) == os.Getpid(); got != could {
		t.Errorf("it counts: %v, want %v", got, could)
	}
	var other Names
	if err := other.Declare([]netip.Addr{a}); err == nil || !strings.Contains(err.Error(), "192.0.2.77") {
		t.Errorf("declared twice: %v", err)
	}
	if err := n.Declare([]netip.Addr{b}); err != nil || By(a) != 0 {
		t.Errorf("%v, it is still declared by %d", err, By(a))
	}
	n.Close()
	if By(b) != 0 {
		t.Error("it is still declared")
	}
}
