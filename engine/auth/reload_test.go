package auth

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

func TestReload(t *testing.T) {
	r := set(t, "list: all\ntrap section\nhost.example * x\n", "", "userfile")
	answer := []netip.Addr{there, netip.MustParseAddr("2001:db8::1")}
	r.opt.Resolve = func(context.Context, string) ([]netip.Addr, error) {
		if answer == nil {
			return nil, errors.New("there is no name server")
		}
		return answer, nil
	}
	r.read(t)
	want(t, "named host", r.Trap(netip.MustParseAddr("::ffff:192.0.2.1"), "", ""), "")
	want(t, "its other address", r.Trap(netip.MustParseAddr("2001:db8::1"), "", ""), "")

	r.write(t, "auth.cf", "list all\n")
	want(t, "bad file", r.Reload(t.Context()), "auth.cf:1: no colon")
	check(t, os.Remove(r.path("auth.cf")))
	want(t, "no file", r.Reload(t.Context()), "no such file")
	if !r.May("", "list") || r.Trap(there, "", "") != nil {
		t.Error("what held before does not hold any more")
	}

	answer = nil
	r.write(t, "auth.cf", "get: all\ntrap section\nhost.example * x\nother.example * x\n")
	want(t, "good file", r.Reload(t.Context()), "")
	if r.May("", "list") || !r.May("", "get") {
		t.Error("the new rules do not hold")
	}
	want(t, "without a name server", r.Trap(there, "", ""), "")
	for _, text := range []string{"taken to be those of before", "other.example: there is no name server: it may not send traps until"} {
		if !strings.Contains(r.said.String(), text) {
			t.Errorf("not said: %s", text)
		}
	}
	answer = []netip.Addr{here}
	want(t, "again", r.Reload(t.Context()), "")
	want(t, "an address of before", r.Trap(there, "", ""), "may not send traps")
}

// TestResolverThatHangs starts in the time there is for names, whatever the
// resolver does.
func TestResolverThatHangs(t *testing.T) {
	r := set(t, "trap section\na.example * x\nb.example * x\n127.0.0.1 * x", "")
	hung := make(chan struct{})
	defer close(hung)
	r.opt.Resolve = func(_ context.Context, host string) ([]netip.Addr, error) {
		if host == "b.example" {
			return []netip.Addr{there}, nil
		}
		<-hung
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	a, err := New(ctx, r.opt)
	check(t, err)
	want(t, "an address", a.Trap(here, "", ""), "")
	want(t, "a name", a.Trap(there, "", ""), "")
	if !strings.Contains(r.said.String(), "look up a.example: no answer in 5s") {
		t.Errorf("said %s", &r.said)
	}
}

func TestManyAddresses(t *testing.T) {
	many := make([]netip.Addr, 100_000)
	for i := range many {
		many[i] = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
	}
	if n := len(usable(many)); n != mostAddresses {
		t.Errorf("%d addresses of one name are taken", n)
	}
}
