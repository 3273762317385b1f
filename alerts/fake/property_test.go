package fake

import (
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/alerts/fake/hold"
	"github.com/mondhq/mond/plugins/role"
)

// quiet is a log that nobody reads.
func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

var (
	prefixes = []string{"10.0.0.3/32", "10.0.0.4/24", "2001:db8::3/128"}
	webArgs  = []string{"--group", "web", "10.0.0.3/32/eth0", "10.0.0.4/24/eth0", "2001:db8::3/128/eth1"}
)

// errKilled ends the program in the middle of what it does.
var errKilled = errors.New("killed")

// world is a desk on a kernel in memory, with what is known of the tokens.
type world struct {
	*memory
	t       *rapid.T
	desk    *desk
	stands  []role.Stand
	dir     string
	epoch   uint64
	bound   time.Duration // the latest that a lease may end
	slept   time.Duration // by which the kernel's own end is later
	until   time.Duration // the latest Until of a token that said hold
	perm    bool          // a token permitted a permanent hold
	touched bool          // others removed something
	lo      bool          // 10.0.0.3 was on lo at first
}

func (w *world) start() {
	w.desk = newDesk(Options{
		Open: func() (Kernel, error) { return w.memory, nil }, Now: w.clock, Log: quiet(), Boot: "this", StateDir: "",
	}.withDefaults())
	w.desk.StateDir, w.desk.record.path = "", ""
	w.desk.begin(func(s role.Stand) { w.stands = append(w.stands, s) })
	w.do(func() {
		_ = w.desk.take(w.desk.session, role.Work{Full: true, Lines: []role.Line{{Group: "web", Args: webArgs}}})
		w.desk.settle()
	})
}

// do runs f, and starts again if it was killed.
func (w *world) do(f func()) {
	defer func() {
		if v := recover(); v != nil {
			if v != errKilled {
				panic(v)
			}
			w.before, w.after = nil, nil
			w.lo = false // what moved from there is forgotten without a record
			w.start()
		}
	}()
	f()
}

func (w *world) tell(t role.Token) {
	was, had := w.group().Token()
	life := w.desk
	w.do(func() {
		_ = w.desk.take(w.desk.session, role.Work{Tokens: []role.Token{t}})
		w.desk.settle()
	})
	if got, _ := w.group().Token(); life == w.desk && had && t.Epoch < was.Epoch && got != was {
		w.t.Fatalf("a token of an epoch that is over was taken")
	}
}

func (w *world) group() *managed { return w.desk.groups[lineKey("web")] }

func (w *world) token(rt *rapid.T) {
	w.epoch += uint64(rapid.SampledFrom([]int{0, 0, 0, 0, 1}).Draw(rt, "epoch"))
	t := role.Token{
		Group: "web", Epoch: w.epoch, Hold: rapid.IntRange(0, 5).Draw(rt, "hold") > 0,
		Until: w.now + time.Duration(rapid.IntRange(-500, 2500).Draw(rt, "until"))*time.Millisecond,
		Lease: time.Duration(rapid.SampledFrom([]int{3, 3, 3, 3, 1, 0}).Draw(rt, "lease")) * time.Second,
	}
	if rapid.IntRange(0, 9).Draw(rt, "old") == 0 && t.Epoch > 0 {
		t.Epoch--
	}
	if was, had := w.group().Token(); t.Hold && (!had || t.Epoch >= was.Epoch) {
		w.until = max(w.until, t.Until)
		w.perm = w.perm || t.Lease == 0
		if t.Lease > 0 {
			w.bound = max(w.bound, t.Until+t.Lease)
		}
	}
	w.tell(t)
}

// check is what must hold whenever the desk is at rest.
func (w *world) check(*rapid.T) {
	w.before, w.after = nil, nil
	w.do(func() { w.desk.noticed(true); w.desk.settle() })
	n := w.has(prefixes...)
	for _, r := range w.rows {
		if !slices.Contains(prefixes, r.Prefix.String()) || r.Index == address.Loopback {
			continue
		}
		if w.born[r.Made] >= w.until || r.Permanent() && w.set[r.Made] >= w.until {
			w.t.Fatalf("%v was added or made permanent %v after the end of all tokens", r.Prefix, w.set[r.Made]-w.until)
		}
		if r.Permanent() && !w.perm {
			w.t.Fatalf("%v is permanent, which no token permits", r.Prefix)
		}
		if !r.Permanent() && r.Expires > w.bound+w.slept+120*time.Millisecond {
			w.t.Fatalf("%v ends %v after what any token permits", r.Prefix, r.Expires-w.bound)
		}
		if !r.Permanent() && w.group().Held() && w.now >= w.bound+120*time.Millisecond {
			w.t.Fatalf("%v is here %v after what any token permits", r.Prefix, w.now-w.bound)
		}
	}
	t, told := w.group().Token()
	if told && !t.Hold && n > 0 {
		w.t.Fatalf("%d addresses are here after a release", n)
	}
	if n == 0 || n == len(prefixes) {
		w.touched = false
	}
	if !w.touched && n != 0 && n != len(prefixes) {
		w.t.Fatalf("%d of %d addresses are here: %v", n, len(prefixes), w.rows)
	}
	if s := w.desk.standing(w.group()); s.Held != n {
		w.t.Fatalf("it says %d are held of %d", s.Held, n)
	}
}

// The rules of package hold, whatever happens in whatever order: tokens of all
// kinds, stops of the program in the middle of what it does, its death there,
// refusals by the kernel, removals by others.
func TestProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{memory: newMemory(), t: rt}
		w.late = time.Duration(rapid.IntRange(0, 1250).Draw(rt, "kernel late")) * time.Millisecond
		if w.lo = rapid.Bool().Draw(rt, "lo"); w.lo {
			w.rows = append(w.rows, address.Row{Prefix: host("10.0.0.3"), Index: 1, Expires: address.Forever})
		}
		w.start()
		short := func(what string) time.Duration {
			return time.Duration(rapid.IntRange(0, 1500).Draw(rt, what)) * time.Millisecond
		}
		rt.Repeat(map[string]func(*rapid.T){
			"token": w.token,
			"pass":  func(*rapid.T) { w.pass(short("time")) },
			"sleep": func(*rapid.T) { w.sleep(10 * short("sleep")) },
			"token, stopped in the middle": func(r *rapid.T) {
				early, late := 2*short("before"), 2*short("after")
				once := true
				w.before = func() {
					if once {
						w.pass(early)
					}
				}
				w.after = func() {
					if once {
						w.pass(late)
					}
					once = false
				}
				w.token(r)
			},
			"token, killed": func(r *rapid.T) {
				kill := func() { panic(errKilled) }
				if rapid.Bool().Draw(r, "before the change") {
					w.before = kill
				} else {
					w.after = kill
				}
				w.token(r)
			},
			"kill":   func(*rapid.T) { w.do(func() { panic(errKilled) }) },
			"refuse": func(r *rapid.T) { w.fail = rapid.IntRange(0, 3).Draw(r, "step"); w.token(r); w.fail = -1 },
			"remove": func(r *rapid.T) {
				w.touched = true
				w.remove(rapid.SampledFrom(prefixes).Draw(r, "prefix"))
				w.do(func() { w.desk.noticed(true) })
			},
			"": w.check,
		})
		w.release()
	})
}

// sleep is what a machine does that is frozen: leases sleep too.
func (w *world) sleep(d time.Duration) {
	for i, r := range w.rows {
		if !r.Permanent() {
			w.rows[i].Expires += d
		}
	}
	w.slept += d
	w.now += d
}

// release always ends with nothing, but for what was on lo.
func (w *world) release() {
	w.tell(role.Token{Group: "web", Epoch: w.epoch + 1, Hold: false})
	for range 5 {
		w.pass(hold.Retry)
		w.do(w.desk.settle)
	}
	if n := w.has(prefixes...); n > 0 {
		w.t.Fatalf("%d addresses are here after a release: %v", n, w.rows)
	}
	onLo := slices.ContainsFunc(w.rows, func(r address.Row) bool { return r.Index == 1 })
	if w.lo && !onLo {
		w.t.Fatal("the address is not on lo again")
	}
	if s := w.stands[len(w.stands)-1]; s.Held != 0 || s.Epoch != w.epoch+1 || strings.Contains(s.Error, "still") {
		w.t.Fatalf("it says %+v", s)
	}
}

// What an earlier life left of a group that cannot be held whole now goes: all or
// none.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{memory: newMemory(), t: rt}
		for i, p := range prefixes[:2] {
			_ = w.step(address.Step{Op: address.Add, Thing: address.Address{Prefix: netip.MustParsePrefix(p), Index: 2, Mark: address.Mark, Lease: time.Duration(i) * time.Hour}})
		}
		w.start()
		if n := w.has(prefixes...); n != 2 {
			rt.Fatalf("%d of 2 are left before a token came", n)
		}
		w.fail = rapid.IntRange(0, 2).Draw(rt, "step")
		w.tell(role.Token{Group: "web", Epoch: 1, Hold: true, Until: w.now + time.Second})
		if n := w.has(prefixes...); n != 0 {
			rt.Fatalf("%d are left of a group that could not be taken", n)
		}
		w.pass(hold.Retry - time.Millisecond)
		w.desk.settle()
		if n := w.has(prefixes...); n != 0 {
			rt.Fatalf("%d are there before the next try", n)
		}
		w.tell(role.Token{Group: "web", Epoch: 1, Hold: true, Until: w.now + time.Second})
		w.pass(2 * time.Millisecond)
		w.desk.settle()
		if n := w.has(prefixes...); n != 3 {
			rt.Fatalf("%d are there of 3", n)
		}
	})
}
