package reconcile_test

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
)

var compare = cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })

func virtual(s string) ipvs.Virtual {
	return ipvs.Virtual{Protocol: ipvs.TCP, Addr: netip.MustParseAddrPort(s)}
}

func target(v, real string) reconcile.Target {
	return reconcile.Target{Virtual: virtual(v), Real: netip.MustParseAddrPort(real)}
}

func row(real string, weight uint32, f ipvs.Forward) ipvs.Destination {
	return ipvs.Destination{Addr: netip.MustParseAddrPort(real), Weight: weight, Forward: f}
}

const (
	shop = "10.0.0.3:80"
	real = "192.168.0.1:80"
)

// claim is a claim that real of shop is in with weight 5 by direct routing,
// changed by change.
func claim(id string, change func(*reconcile.Claim)) reconcile.Claim {
	c := reconcile.Claim{ID: id, Target: target(shop, real), Weight: 5, Forward: ipvs.Direct, Since: time.Unix(100, 0)}
	if change != nil {
		change(&c)
	}
	return c
}

func down(c *reconcile.Claim)        { c.Down = true }
func provisional(c *reconcile.Claim) { c.Provisional = true }

func newer(c *reconcile.Claim) { c.Since = time.Unix(200, 0); c.Weight = 9 }

func TestDesire(t *testing.T) {
	both := func(c *reconcile.Claim) { down(c); provisional(c) }
	heavier := func(c *reconcile.Claim) { c.Weight = 7 }
	for name, c := range map[string]struct {
		claims []reconcile.Claim
		want   reconcile.Verdict
		weight uint32
		by     string
	}{
		"in":                            {[]reconcile.Claim{claim("a", nil)}, reconcile.In, 5, "a"},
		"out":                           {[]reconcile.Claim{claim("a", down)}, reconcile.Out, 0, "a"},
		"any down is out":               {[]reconcile.Claim{claim("a", newer), claim("b", down), claim("c", nil)}, reconcile.Out, 0, "b"},
		"provisional holds":             {[]reconcile.Claim{claim("a", provisional)}, reconcile.Hold, 0, "a"},
		"provisional down holds":        {[]reconcile.Claim{claim("a", both)}, reconcile.Hold, 0, "a"},
		"provisional down beside an in": {[]reconcile.Claim{claim("a", both), claim("b", nil)}, reconcile.Hold, 0, "a"},
		"down beside a provisional":     {[]reconcile.Claim{claim("a", provisional), claim("b", down)}, reconcile.Out, 0, "b"},
		"the newest weight":             {[]reconcile.Claim{claim("a", nil), claim("b", newer)}, reconcile.In, 9, "b"},
		"equally new: by name":          {[]reconcile.Claim{claim("b", nil), claim("a", heavier)}, reconcile.In, 7, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			slices.Reverse(c.claims) // their order is of no account
			got := reconcile.Desire(c.claims)
			if len(got) != 1 || got[0].Verdict != c.want || got[0].Weight != c.weight || got[0].Claims[0].ID != c.by {
				t.Errorf("got %+v, want %v with weight %d by %s", got, c.want, c.weight, c.by)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	thresholds := row(real, 1, ipvs.Direct)
	thresholds.Upper = 100
	corrected := thresholds
	corrected.Weight = 5
	gue := row(real, 1, ipvs.Tunnel)
	gue.Tunnel.Type = ipvs.GUE
	local := row(real, 5, ipvs.Local)
	with := func(rows ...ipvs.Destination) reconcile.Actual {
		return reconcile.Actual{virtual(shop): rows}
	}
	op := func(k reconcile.Kind, d ipvs.Destination) []reconcile.Op {
		return []reconcile.Op{{Kind: k, Virtual: virtual(shop), Destination: d, Reason: "a"}}
	}
	for name, c := range map[string]struct {
		change  func(*reconcile.Claim)
		actual  reconcile.Actual
		want    []reconcile.Op
		pending int
	}{
		"add":                        {nil, with(), op(reconcile.Add, row(real, 5, ipvs.Direct)), 0},
		"agrees":                     {nil, with(row(real, 5, ipvs.Direct)), nil, 0},
		"weight":                     {nil, with(row(real, 1, ipvs.Direct)), op(reconcile.Set, row(real, 5, ipvs.Direct)), 0},
		"forwarding":                 {nil, with(row(real, 5, ipvs.NAT)), op(reconcile.Set, row(real, 5, ipvs.Direct)), 0},
		"thresholds stay":            {nil, with(thresholds), op(reconcile.Set, corrected), 0},
		"another forwarding unwraps": {nil, with(gue), op(reconcile.Set, row(real, 5, ipvs.Direct)), 0},
		"local is as good":           {nil, with(local), nil, 0},
		"pending":                    {nil, reconcile.Actual{}, nil, 1},
		"delete":                     {down, with(row(real, 5, ipvs.Direct)), op(reconcile.Delete, ipvs.Destination{Addr: netip.MustParseAddrPort(real)}), 0},
		"gone already":               {down, with(), nil, 0},
		"out of a missing service":   {down, reconcile.Actual{}, nil, 0},
		"held":                       {provisional, with(row(real, 1, ipvs.NAT)), nil, 0},
		"held out":                   {provisional, with(), nil, 0},
		"foreign rows":               {nil, with(row("192.168.0.9:80", 1, ipvs.NAT), row(real, 5, ipvs.Direct)), nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			ops, pending := reconcile.Diff(reconcile.Desire([]reconcile.Claim{claim("a", c.change)}), c.actual)
			if d := cmp.Diff(c.want, ops, compare); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if len(pending) != c.pending {
				t.Errorf("%d pending, want %d", len(pending), c.pending)
			}
		})
	}
}

// A pool that is exchanged is never empty: what comes, comes first.
func TestAddsComeFirst(t *testing.T) {
	old := claim("a", down)
	next := claim("b", func(c *reconcile.Claim) { c.Real = netip.MustParseAddrPort("192.168.0.2:80") })
	ops, _ := reconcile.Diff(reconcile.Desire([]reconcile.Claim{old, next}),
		reconcile.Actual{virtual(shop): {row(real, 5, ipvs.Direct)}})
	if len(ops) != 2 || ops[0].Kind != reconcile.Add || ops[1].Kind != reconcile.Delete {
		t.Errorf("got %+v, want add, then delete", ops)
	}
}

var (
	drawnVirtuals = []string{"10.0.0.3:80", "10.0.0.4:80", "10.0.0.5:80"} // the last is never there
	drawnReals    = []string{"192.168.0.1:80", "192.168.0.2:80", "192.168.0.3:80"}
	forwards      = []ipvs.Forward{ipvs.NAT, ipvs.Tunnel, ipvs.Direct}
)

func drawClaims(r *rapid.T) []reconcile.Claim {
	n := 0
	return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) reconcile.Claim {
		n++
		return reconcile.Claim{
			ID:          string(rune('a'+n%26)) + string(rune('a'+n/26%26)),
			Target:      target(rapid.SampledFrom(drawnVirtuals).Draw(r, "virtual"), rapid.SampledFrom(drawnReals).Draw(r, "real")),
			Weight:      rapid.Uint32Range(0, 3).Draw(r, "weight"),
			Forward:     rapid.SampledFrom(forwards).Draw(r, "forward"),
			Down:        rapid.Bool().Draw(r, "down"),
			Provisional: rapid.IntRange(0, 4).Draw(r, "provisional") == 0,
			Since:       time.Unix(rapid.Int64Range(0, 3).Draw(r, "since"), 0),
		}
	}), 0, 12).Draw(r, "claims")
}

func drawTable(t *testing.T, r *rapid.T) *ipvs.Fake {
	table := ipvs.NewFake()
	for _, v := range drawnVirtuals[:2] {
		err := table.AddService(t.Context(), ipvs.Service{Virtual: virtual(v), Scheduler: "rr"})
		for _, a := range drawnReals {
			if rapid.Bool().Draw(r, "there") {
				err = errors.Join(err, table.AddDestination(t.Context(), virtual(v), row(a,
					rapid.Uint32Range(0, 3).Draw(r, "weight"), rapid.SampledFrom(forwards).Draw(r, "forward"))))
			}
		}
		if err != nil {
			r.Fatal(err)
		}
	}
	return table
}

func read(t *testing.T, r *rapid.T, table ipvs.Table) reconcile.Actual {
	out := reconcile.Actual{}
	services, err := table.Services(t.Context())
	for _, s := range services {
		rows, e := table.Destinations(t.Context(), s.Virtual)
		out[s.Virtual], err = rows, errors.Join(err, e)
	}
	if err != nil {
		r.Fatal(err)
	}
	return out
}

func apply(t *testing.T, table ipvs.Table, o reconcile.Op) error {
	switch o.Kind {
	case reconcile.Add:
		return table.AddDestination(t.Context(), o.Virtual, o.Destination)
	case reconcile.Set:
		return table.UpdateDestination(t.Context(), o.Virtual, o.Destination)
	case reconcile.Delete:
		return table.DeleteDestination(t.Context(), o.Virtual, o.Destination.Addr)
	case reconcile.None:
	}
	return errors.New("an op without a kind")
}

// Whatever is claimed and whatever the table holds: the edits succeed, the
// table then agrees, nothing is left to do, and what nobody claims, or what is
// held, is as it was.
func TestDiffReachesDesire(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		claims, table := drawClaims(r), drawTable(t, r)
		wants := reconcile.Desire(claims)
		before := read(t, r, table)
		ops, _ := reconcile.Diff(wants, before)
		for _, o := range ops {
			if err := apply(t, table, o); err != nil {
				r.Fatal(err)
			}
		}
		after := read(t, r, table)
		if again, _ := reconcile.Diff(wants, after); len(again) != 0 {
			r.Fatalf("a second run has more to do: %+v", again)
		}
		for _, w := range wants {
			if s, _ := reconcile.Compare(w, after); s == reconcile.Differs {
				r.Fatalf("%v differs still", w.Target)
			}
		}
		if d := cmp.Diff(untouched(before, wants), untouched(after, wants), compare); d != "" {
			r.Fatalf("rows of others (-before +after):\n%s", d)
		}
	})
}

// untouched is what of a must stay: all but the targets that are in or out.
func untouched(a reconcile.Actual, wants []reconcile.Want) reconcile.Actual {
	out := reconcile.Actual{}
	for v, rows := range a {
		out[v] = slices.DeleteFunc(slices.Clone(rows), func(d ipvs.Destination) bool {
			return slices.ContainsFunc(wants, func(w reconcile.Want) bool {
				return w.Verdict != reconcile.Hold && w.Target == reconcile.Target{Virtual: v, Real: d.Addr}
			})
		})
	}
	return out
}

func TestWords(t *testing.T) {
	for _, s := range []string{
		reconcile.Hold.String(), reconcile.In.String(), reconcile.Out.String(),
		reconcile.None.String(), reconcile.Add.String(), reconcile.Set.String(), reconcile.Delete.String(),
		reconcile.Agrees.String(), reconcile.Held.String(), reconcile.Differs.String(), reconcile.Pending.String(),
	} {
		if s == "unknown" {
			t.Error("a value has no word")
		}
	}
}
