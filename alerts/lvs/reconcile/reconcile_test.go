package reconcile_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	c := reconcile.Claim{ID: id, Target: target(shop, real), Row: ipvs.Destination{Weight: 5, Forward: ipvs.Direct}, Since: time.Unix(100, 0)}
	if change != nil {
		change(&c)
	}
	return c
}

func down(c *reconcile.Claim)        { c.Down = true }
func provisional(c *reconcile.Claim) { c.Provisional = true }

func newer(c *reconcile.Claim) { c.Since = time.Unix(200, 0); c.Row.Weight = 9 }

func TestPlan(t *testing.T) {
	both := func(c *reconcile.Claim) { down(c); provisional(c) }
	heavier := func(c *reconcile.Claim) { c.Row.Weight = 7 }
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
			got := reconcile.Plan(virtual(shop), c.claims).Reals
			if len(got) != 1 || got[0].Verdict != c.want || got[0].Row.Weight != c.weight || got[0].Claims[0].ID != c.by {
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
		return reconcile.Actual{virtual(shop): {Reals: rows}}
	}
	op := func(k reconcile.Kind, d ipvs.Destination) []reconcile.Op {
		return []reconcile.Op{{Kind: k, Virtual: virtual(shop), Destination: d, Claim: "a", Reason: "a"}}
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
			ops, pending := reconcile.Diff([]reconcile.Pool{reconcile.Plan(virtual(shop), []reconcile.Claim{claim("a", c.change)})}, c.actual)
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
	ops, _ := reconcile.Diff([]reconcile.Pool{reconcile.Plan(virtual(shop), []reconcile.Claim{old, next})},
		reconcile.Actual{virtual(shop): {Reals: []ipvs.Destination{row(real, 5, ipvs.Direct)}}})
	if len(ops) != 2 || ops[0].Kind != reconcile.Add || ops[1].Kind != reconcile.Delete {
		t.Errorf("got %+v, want add, then delete", ops)
	}
}
