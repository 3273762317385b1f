package announce

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mondhq/mond/plugins/neighbour"
)

var (
	start   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	four    = netip.MustParseAddr("10.0.0.3")
	six     = netip.MustParseAddr("2001:db8::3")
	gateway = netip.MustParseAddr("10.0.0.254")
	rival   = neighbour.MAC{2, 0, 0, 0, 0, 9}
	third   = neighbour.MAC{2, 0, 0, 0, 0, 8}
)

func one(name string, refresh time.Duration, addrs ...netip.Addr) Group {
	g := Group{Name: name, Refresh: refresh}
	for _, a := range addrs {
		g.Addresses = append(g.Addresses, Address{Addr: a, Device: "eth0"})
	}
	return g
}

func always(string) bool { return true }

// sends runs the plan for a time and says what it sends: "0.1 request".
func sends(p *Plan, from, until time.Duration) (out []string) {
	for now := start.Add(from); now.Before(start.Add(until)); {
		if f, ok := p.Next(now, always); ok {
			p.Done(now, f, nil)
			out = append(out, fmt.Sprintf("%g %s", now.Sub(start).Seconds(), f.Form))
			continue
		}
		wake := p.Wake(now)
		if wake.IsZero() {
			break
		}
		now = wake
	}
	return out
}

func pairs(one, two string, at ...float64) (out []string) {
	for _, t := range at {
		out = append(out, fmt.Sprintf("%g %s", t, one), fmt.Sprintf("%g %s", t, two))
	}
	return out
}

func wantSends(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("sent %q\nwant %q", got, want)
	}
}

func TestSchedule(t *testing.T) {
	burst := []float64{0, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60}
	p := NewPlan(Limits{})
	p.Took(start, one("web", time.Minute, four))
	wantSends(t, sends(p, 0, 200*time.Second), pairs("request", "reply", append(burst, 120, 180)...))

	p = NewPlan(Limits{})
	p.Took(start, one("web", 0, four))
	wantSends(t, sends(p, 0, time.Hour), pairs("request", "reply", burst...))
	if a := p.Account(start.Add(time.Hour), "web"); a.Sent != 20 || !a.Next.IsZero() || a.Error != "" || a.Failed != 0 {
		t.Errorf("%+v", a)
	}

	p = NewPlan(Limits{})
	p.Took(start, one("web", time.Minute, six))
	wantSends(t, sends(p, 0, 130*time.Second), pairs("nodes", "routers", 0, 1, 2, 62, 122))

	p = NewPlan(Limits{})
	g := one("web", 0, six, four)
	g.Tell = []netip.Addr{gateway}
	p.Took(start, g)
	wantSends(t, sends(p, 0, 50*time.Millisecond), []string{"0 nodes", "0 request", "0 routers", "0 reply", "0 tell"})
}

// A program that stood still goes on with one step, not with all it missed.
func TestLate(t *testing.T) {
	p := NewPlan(Limits{})
	p.Took(start, one("web", time.Minute, four))
	sends(p, 0, 50*time.Millisecond)
	wantSends(t, sends(p, time.Hour, time.Hour+61*time.Second), pairs("request", "reply", 3600, 3660))
}

func TestAgain(t *testing.T) {
	p := NewPlan(Limits{})
	p.Took(start, one("web", 0, six))
	p.Took(start, one("other", 0, netip.MustParseAddr("2001:db8::4")))
	sends(p, 0, 10*time.Second)
	p.Again(start.Add(10*time.Second), "web")
	wantSends(t, sends(p, 10*time.Second, 10100*time.Millisecond), pairs("nodes", "routers", 10))
	p.Again(start.Add(10100*time.Millisecond), "web") // too soon: later
	wantSends(t, sends(p, 10100*time.Millisecond, time.Minute), pairs("nodes", "routers", 11, 12, 13))
	if n := p.AgainOn(start.Add(time.Minute), "eth0"); n != 2 {
		t.Error(n)
	}
	if n := p.AgainOn(start.Add(time.Minute), "eth1"); n != 0 {
		t.Error(n)
	}
	if got := sends(p, time.Minute, time.Hour); len(got) != 12 {
		t.Errorf("%q", got)
	}
	p.Again(start, "nix")
}

// What is held already goes on; what is new begins; what is gone ends.
func TestTookAnew(t *testing.T) {
	p := NewPlan(Limits{})
	p.Took(start, one("web", 0, four, six))
	sends(p, 0, 3*time.Second)
	p.Took(start.Add(3*time.Second), one("web", 0, four, netip.MustParseAddr("2001:db8::4")))
	wantSends(t, sends(p, 3*time.Second, 5500*time.Millisecond), []string{
		"3 nodes", "3 routers", "4 nodes", "4 routers", "5 nodes", "5 routers", "5 request", "5 reply",
	})
	p.Released("web")
	if got := sends(p, 6*time.Second, time.Hour); len(got) > 0 || !p.Wake(start.Add(6*time.Second)).IsZero() || len(p.Heard()) > 0 || p.Uses("eth0") {
		t.Errorf("%q", got)
	}
	if a := p.Account(start, "web"); a != (Account{}) {
		t.Errorf("%+v", a)
	}
	if _, ok := p.Done(start, Frame{Group: "web"}, nil); ok {
		t.Error("something to tell of a frame of a group that is gone")
	}
}

// A stranger is told of, counted, and answered once in 10 s; the last word is ours.
func TestRival(t *testing.T) {
	p := NewPlan(Limits{})
	p.Took(start, one("web", 0, four))
	sends(p, 0, 2*time.Minute)
	at := func(seconds float64, by neighbour.MAC) []Event {
		return p.Claimed(start.Add(time.Duration(seconds*float64(time.Second))), "eth0", neighbour.Claim{Addr: four, MAC: by})
	}
	e := at(120, rival)
	if len(e) != 1 || e[0].Group != "web" || e[0].MAC != rival || e[0].Count != 1 || e[0].Kind != Rival {
		t.Errorf("%+v", e)
	}
	wantSends(t, sends(p, 120*time.Second, 121*time.Second), pairs("request", "reply", 120))
	for s := 121.0; s < 125; s++ {
		if e := at(s, rival); len(e) > 0 {
			t.Errorf("%+v", e)
		}
	}
	wantSends(t, sends(p, 125*time.Second, 140*time.Second), pairs("request", "reply", 130))
	if e := at(125, third); len(e) != 1 || e[0].Count != 5 {
		t.Errorf("%+v", e)
	}
	if a := p.Account(start.Add(126*time.Second), "web"); a.Error != "10.0.0.3 is claimed by 02:00:00:00:00:08, too, on eth0" {
		t.Errorf("%+v", a)
	}
	if a := p.Account(start.Add(time.Hour), "web"); a.Error != "" {
		t.Errorf("%+v", a)
	}
	if r := p.Rows(start.Add(time.Hour)); len(r) != 1 || r[0].Rivals != 6 || r[0].Rival != third {
		t.Errorf("%+v", r)
	}
	if e := p.Claimed(start, "eth1", neighbour.Claim{Addr: four, MAC: rival}); len(e) > 0 {
		t.Errorf("of another interface: %+v", e)
	}
}

func TestStations(t *testing.T) {
	p := NewPlan(Limits{})
	g := one("web", 0, four)
	g.Tell = []netip.Addr{gateway, netip.MustParseAddr("2001:db8::fe")}
	p.Took(start, g)
	told := func(after time.Duration) (out []Frame) {
		now := start.Add(after)
		for f, ok := p.Next(now, always); ok; f, ok = p.Next(now, always) {
			p.Done(now, f, nil)
			if f.Form == Tell {
				out = append(out, f)
			}
		}
		return out
	}
	if f := told(0); len(f) != 1 || f[0].Station != gateway || !f[0].At.IsZero() || f[0].All {
		t.Errorf("%+v", f)
	}
	p.Claimed(start.Add(time.Millisecond), "eth0", neighbour.Claim{Addr: gateway, MAC: third, Kind: neighbour.Announced})
	if s := p.Stations(); s[0].Silent != start || len(p.Unknown("eth0")) != 2 || len(p.Unknown("eth1")) != 0 {
		t.Errorf("an announcement is no answer: %+v", s)
	}
	p.Claimed(start.Add(time.Millisecond), "eth0", neighbour.Claim{Addr: gateway, MAC: third, Kind: neighbour.Answered})
	if s := p.Stations(); s[0].At != third || !s[0].Silent.IsZero() || len(p.Unknown("eth0")) != 1 {
		t.Errorf("%+v", s)
	}
	if f := told(100 * time.Millisecond); len(f) != 1 || f[0].At != third || f[0].All {
		t.Errorf("%+v", f)
	}
	if f := told(5 * time.Second); len(f) != 1 || !f[0].At.IsZero() || !f[0].All {
		t.Errorf("it was silent: %+v", f)
	}
}

// What fails is told of once, and that it works again.
func TestFailure(t *testing.T) {
	p := NewPlan(Limits{})
	p.Took(start, one("web", 0, four))
	var told []string
	for i, err := range []error{errors.New("broken"), errors.New("broken"), errors.New("worse"), nil, nil} {
		now := start.Add(time.Duration(i) * time.Minute)
		p.Again(now, "web")
		f, ok := p.Next(now, always)
		if !ok {
			t.Fatal("nothing to send")
		}
		if e, ok := p.Done(now, f, err); ok {
			told = append(told, e.String())
		}
		if a := p.Account(now, "web"); (a.Error == "") != (err == nil) {
			t.Errorf("%+v", a)
		}
	}
	want := []string{"10.0.0.3 cannot be announced on eth0: broken", "10.0.0.3 cannot be announced on eth0: worse", "10.0.0.3 is announced again on eth0"}
	if !slices.Equal(told, want) {
		t.Errorf("%q", told)
	}
	if a := p.Account(start, "web"); a.Sent != 2 || a.Failed != 3 {
		t.Errorf("%+v", a)
	}
}

func many(name, device string, n int) Group {
	g := Group{Name: name}
	a := netip.MustParseAddr("10.1.0.0")
	for range n {
		a = a.Next()
		g.Addresses = append(g.Addresses, Address{Addr: a, Device: device})
	}
	return g
}

// A group of one does not wait for one of hundreds.
func TestFair(t *testing.T) {
	p := NewPlan(Limits{Rate: 100, Burst: 1})
	p.Took(start, many("large", "eth0", 300))
	p.Took(start, one("small", 0, four))
	var order []string
	for now := start; len(order) < 4; now = now.Add(10 * time.Millisecond) {
		f, _ := p.Next(now, always)
		order = append(order, f.Group)
	}
	if !slices.Equal(order, []string{"large", "small", "large", "large"}) {
		t.Errorf("%q", order)
	}
}

// Whatever happens: never faster than the rate, only what is held and ready,
// every address announced, and no second frame of one before the first of another.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{Rate: rapid.IntRange(1, 2000).Draw(t, "rate"), Burst: rapid.IntRange(1, 50).Draw(t, "burst")}
		r := &run{t: t, plan: NewPlan(limits), limits: limits, now: start, sent: map[string][]time.Time{}, held: map[string]Group{}}
		names := []string{"a", "b", "c"}
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			name := rapid.SampledFrom(names).Draw(t, "group")
			switch rapid.IntRange(0, 4).Draw(t, "event") {
			case 0, 1:
				g := many(name, rapid.SampledFrom([]string{"eth0", "eth1"}).Draw(t, "device"), rapid.IntRange(1, 15).Draw(t, "addresses"))
				g.Refresh = time.Duration(rapid.IntRange(0, 90).Draw(t, "refresh")) * time.Second
				r.plan.Took(r.now, g)
				r.held[name] = g
			case 2:
				r.plan.Released(name)
				delete(r.held, name)
			case 3:
				r.plan.Again(r.now, name)
			case 4:
				r.plan.Claimed(r.now, "eth0", neighbour.Claim{Addr: netip.MustParseAddr("10.1.0.1"), MAC: rival})
			}
			r.until(r.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond))
		}
		r.until(r.now.Add(2 * time.Minute))
		for name, g := range r.held {
			for _, row := range r.plan.Rows(r.now) {
				if row.Group == name && row.Sent < 2 { // at a frame a second there is no time for more
					t.Fatalf("%v of %v was announced %d times", row.Addr, g.Name, row.Sent)
				}
			}
		}
	})
}

// run drives a plan and looks at all it sends.
type run struct {
	t      *rapid.T
	plan   *Plan
	limits Limits
	now    time.Time
	sent   map[string][]time.Time // by device
	held   map[string]Group
}

func (r *run) until(end time.Time) {
	for {
		if f, ok := r.plan.Next(r.now, always); ok {
			r.sees(f)
			continue
		}
		if len(r.plan.Due(r.now)) > 0 {
			r.t.Fatal("due, and nothing to send")
		}
		wake := r.plan.Wake(r.now)
		if wake.IsZero() || wake.After(end) {
			r.now = end
			return
		}
		if !wake.After(r.now) {
			r.t.Fatalf("at %v wakes at %v for nothing", r.now, wake)
		}
		r.now = wake
	}
}

func (r *run) sees(f Frame) {
	g, ok := r.held[f.Group]
	if !ok || !slices.Contains(g.Addresses, f.Address) {
		r.t.Fatalf("sent %+v, which is not held", f)
	}
	_, it := r.plan.find(f)
	for _, other := range r.plan.groups {
		for _, o := range other.items {
			if o.Device == f.Device && o.sent == 0 && it.sent > 1 && len(o.forms) > 0 {
				r.t.Fatalf("%v has frame %d before %v has one", f.Addr, it.sent, o.Addr)
			}
		}
	}
	past := append(r.sent[f.Device], r.now)
	r.sent[f.Device] = past
	for i := 1; i < len(past) && i < 100; i++ { // in each window: at most the burst and the rate
		window := r.now.Sub(past[len(past)-1-i])
		if most := r.limits.Burst + int(window/r.limits.interval()); i+1 > most {
			r.t.Fatalf("%d frames within %v, %d are allowed", i+1, window, most)
		}
	}
	r.plan.Done(r.now, f, nil)
}

func TestWords(t *testing.T) {
	for _, e := range []Event{
		{Kind: Rival, Addr: four, MAC: rival, Device: "eth0", Count: 3}, {Kind: Moved, Device: "eth0", Text: "it has a carrier again"}, {Kind: Deaf, Text: "x"},
	} {
		if e.String() == "" {
			t.Error(e)
		}
	}
}

// BenchmarkNext is the cost of one frame among 300 addresses.
func BenchmarkNext(b *testing.B) {
	p := NewPlan(Limits{Rate: maxRate, Burst: 1})
	p.Took(start, many("large", "eth0", 300))
	now := start
	for b.Loop() {
		now = now.Add(time.Second / maxRate)
		if f, ok := p.Next(now, always); ok {
			p.Done(now, f, nil)
		} else {
			p.Again(now, "large")
			now = now.Add(time.Second)
		}
	}
}
