package resolve_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

// zone is a resolver that takes a second for an answer.
type zone struct {
	asked atomic.Int64

	mu    sync.Mutex
	addrs string // separated by blanks
	err   error
}

// answers sets what is answered from now on.
func (z *zone) answers(addrs string, err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.addrs, z.err = addrs, err
}

func (z *zone) lookup(ctx context.Context, _ string) ([]netip.Addr, error) {
	z.asked.Add(1)
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	return parse(z.addrs), z.err
}

func parse(text string) (addrs []netip.Addr) {
	for _, f := range strings.Fields(text) {
		addrs = append(addrs, netip.MustParseAddr(f))
	}
	return addrs
}

// lookup is the answer in words and how long it took.
func lookup(ctx context.Context, r *resolve.Resolver, host string) (string, time.Duration) {
	started := time.Now()
	addrs, err := r.Lookup(ctx, host)
	took := time.Since(started)
	if err != nil {
		return err.Error(), took
	}
	return strings.Trim(fmt.Sprint(addrs), "[]"), took
}

// expect compares an answer and its duration.
func expect(t *testing.T, r *resolve.Resolver, host, want string, took time.Duration) {
	t.Helper()
	got, d := lookup(t.Context(), r, host)
	if got != want || d != took {
		t.Errorf("%s: got %q in %v, want %q in %v", host, got, d, want, took)
	}
}

func TestFiguresNeedNoResolver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{}
		r := &resolve.Resolver{Func: z.lookup}
		for _, host := range []string{"192.0.2.1", "2001:db8::1", "fe80::1%eth0"} {
			expect(t, r, host, host, 0)
		}
		expect(t, r, "::ffff:192.0.2.1", "192.0.2.1", 0)
		if n := z.asked.Load(); n != 0 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestOnlyTheFirstLookupIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{addrs: "2001:db8::1 192.0.2.2 192.0.2.1 ::ffff:192.0.2.1 192.0.2.2"}
		r := &resolve.Resolver{Func: z.lookup}
		expect(t, r, "web", "192.0.2.2 192.0.2.1 2001:db8::1", time.Second)

		z.answers("192.0.2.9", nil)
		time.Sleep(29 * time.Second)
		expect(t, r, "web", "192.0.2.2 192.0.2.1 2001:db8::1", 0)
		if n := z.asked.Load(); n != 1 {
			t.Errorf("a fresh answer was asked for again: %d", n)
		}
		time.Sleep(time.Second)
		expect(t, r, "web", "192.0.2.2 192.0.2.1 2001:db8::1", 0) // starts a refresh
		expect(t, r, "web", "192.0.2.2 192.0.2.1 2001:db8::1", 0) // joins it
		time.Sleep(2 * time.Second)
		expect(t, r, "web", "192.0.2.9", 0)
		if n := z.asked.Load(); n != 2 {
			t.Errorf("asked %d times, want 2", n)
		}
	})
}

func TestLastGoodAddressIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{addrs: "192.0.2.1"}
		r := &resolve.Resolver{Func: z.lookup}
		if _, ok := r.Age("web"); ok || r.LastError("web") != nil {
			t.Error("something is known before the first lookup")
		}
		expect(t, r, "web", "192.0.2.1", time.Second)

		z.answers("", errors.New("server misbehaving"))
		for range 100 {
			time.Sleep(30 * time.Second)
			expect(t, r, "web", "192.0.2.1", 0)
		}
		synctest.Wait()
		if age, ok := r.Age("web"); !ok || age != 50*time.Minute {
			t.Errorf("age %v, %v", age, ok)
		}
		if err := r.LastError("web"); err == nil || err.Error() != "server misbehaving" {
			t.Errorf("last error %v", err)
		}

		time.Sleep(2 * time.Second) // until the last lookup ended
		z.answers("192.0.2.2", nil)
		time.Sleep(5 * time.Second) // after an error it is asked for sooner
		expect(t, r, "web", "192.0.2.1", 0)
		time.Sleep(2 * time.Second)
		expect(t, r, "web", "192.0.2.2", 0)
		if err := r.LastError("web"); err != nil {
			t.Errorf("last error %v", err)
		}
	})
}

func TestANameThatNeverResolved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{err: errors.New("no such host")}
		r := &resolve.Resolver{Func: z.lookup}
		const want = "name web has no address: no such host"
		expect(t, r, "web", want, time.Second)
		expect(t, r, "web", want, 0) // the resolver is left in peace for a while
		time.Sleep(5 * time.Second)
		expect(t, r, "web", want, time.Second)
		_, err := r.Lookup(t.Context(), "web")
		if !monitor.Local(err) {
			t.Errorf("%v is not local", err)
		}

		z.answers("192.0.2.1", nil)
		time.Sleep(5 * time.Second)
		expect(t, r, "web", "192.0.2.1", time.Second)

		z.answers("", nil) // no error and no address
		expect(t, r, "empty", "name empty has no address: the answer has no address", time.Second)
	})
}

func TestOneLookupForManyChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{addrs: "192.0.2.1"}
		r := &resolve.Resolver{Func: z.lookup, AtOnce: 1}
		go r.Lookup(t.Context(), "other") // takes the only slot
		synctest.Wait()
		for range 100 {
			go expect(t, r, "web", "192.0.2.1", 2*time.Second)
		}
		time.Sleep(10 * time.Second)
		if n := z.asked.Load(); n != 2 {
			t.Errorf("asked %d times, want 2", n)
		}
	})
}

func TestTheCallersTimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{addrs: "192.0.2.1"}
		r := &resolve.Resolver{Func: z.lookup}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		got, took := lookup(ctx, r, "web")
		want := "name web has no address: the resolver has not answered yet: context deadline exceeded"
		if got != want || took != time.Second/2 {
			t.Errorf("got %q in %v", got, took)
		}
		expect(t, r, "web", "192.0.2.1", time.Second/2) // it went on meanwhile
	})
}

func TestALookupHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &resolve.Resolver{Limit: 3 * time.Second, Func: func(ctx context.Context, _ string) ([]netip.Addr, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		expect(t, r, "web", "name web has no address: context deadline exceeded", 3*time.Second)
	})
}

// A resolver that hangs and does not even honour its context must neither gather
// goroutines nor make checks of known names wait.
func TestAResolverThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inside atomic.Int64
		hang := make(chan struct{})
		r := &resolve.Resolver{AtOnce: 4, Func: func(context.Context, string) ([]netip.Addr, error) {
			if inside.Add(1) == 1 {
				return parse("192.0.2.1"), nil
			}
			<-hang
			return nil, errors.New("too late")
		}}
		expect(t, r, "known", "192.0.2.1", 0)
		time.Sleep(time.Minute)
		for i := range 1000 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if got, _ := lookup(ctx, r, fmt.Sprint("host", i)); !strings.Contains(got, "has no address") {
				t.Fatalf("got %q", got)
			}
			cancel()
			expect(t, r, "known", "192.0.2.1", 0)
		}
		if n := inside.Load(); n != 1+4 {
			t.Errorf("%d lookups were begun, want 5", n)
		}
		got, _ := lookup(expired(t), r, "another")
		if want := "name another has no address: 4 other lookups have not ended: context deadline exceeded"; got != want {
			t.Errorf("got %q", got)
		}
		close(hang)
		synctest.Wait()
	})
}

func expired(t *testing.T) context.Context {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	t.Cleanup(cancel)
	return ctx
}

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{addrs: "192.0.2.1"}
		r := &resolve.Resolver{Func: z.lookup, Size: 8}
		expect(t, r, "kept", "192.0.2.1", time.Second)
		for i := range 100 {
			expect(t, r, fmt.Sprint("host", i), "192.0.2.1", time.Second)
			expect(t, r, "kept", "192.0.2.1", 0) // in use, so it stays
		}
		known := 0
		for i := range 100 {
			if _, ok := r.Age(fmt.Sprint("host", i)); ok {
				known++
			}
		}
		if known != 7 {
			t.Errorf("%d names remembered beside the one in use, want 7", known)
		}
		time.Sleep(time.Minute)
	})
}

func TestAddr(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		byName := map[string]string{"both": "2001:db8::1 192.0.2.1", "four": "192.0.2.4", "six": "2001:db8::6"}
		r := &resolve.Resolver{Func: func(_ context.Context, host string) ([]netip.Addr, error) {
			if a := byName[host]; a != "" {
				return parse(a), nil
			}
			return nil, errors.New("no such host")
		}}
		for _, tt := range []struct {
			host   string
			family resolve.Family
			want   string
		}{
			{"192.0.2.9", resolve.Any, "192.0.2.9"},
			{"192.0.2.9", resolve.IPv4, "192.0.2.9"},
			{"::ffff:192.0.2.9", resolve.IPv4, "192.0.2.9"},
			{"192.0.2.9", resolve.IPv6, "name 192.0.2.9 has no address: it is no IPv6 address"},
			{"2001:db8::9", resolve.Any, "2001:db8::9"},
			{"2001:db8::9", resolve.IPv6, "2001:db8::9"},
			{"2001:db8::9", resolve.IPv4, "name 2001:db8::9 has no address: it is no IPv4 address"},
			{"both", resolve.Any, "192.0.2.1"},
			{"both", resolve.IPv4, "192.0.2.1"},
			{"both", resolve.IPv6, "2001:db8::1"},
			{"four", resolve.IPv6, "name four has no address: none of its addresses is IPv6"},
			{"six", resolve.Any, "2001:db8::6"},
			{"six", resolve.IPv4, "name six has no address: none of its addresses is IPv4"},
			{"none", resolve.Any, "name none has no address: no such host"},
		} {
			a, err := r.Addr(t.Context(), tt.host, tt.family)
			got := a.String()
			if err != nil {
				got = err.Error()
				if !monitor.Local(err) {
					t.Errorf("%v is not local", err)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("%s, %v: %s", tt.host, tt.family, d)
			}
		}
	})
}

func TestSystemResolver(t *testing.T) {
	addrs, err := new(resolve.Resolver).Lookup(t.Context(), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	if len(addrs) == 0 || !addrs[0].IsLoopback() {
		t.Errorf("localhost is %v", addrs)
	}
}

func BenchmarkAddr(b *testing.B) {
	r := &resolve.Resolver{Func: func(context.Context, string) ([]netip.Addr, error) { return parse("192.0.2.1"), nil }}
	for _, host := range []string{"192.0.2.1", "web1"} {
		b.Run(host, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Addr(b.Context(), host, resolve.Any); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
