package reconcile_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
)

var (
	drawnVirtuals = []string{"10.0.0.3:80", "10.0.0.4:80", "10.0.0.5:80"} // the last is not there at first
	drawnReals    = []string{"192.168.0.1:80", "192.168.0.2:80", "192.168.0.3:80"}
	forwards      = []ipvs.Forward{ipvs.NAT, ipvs.Tunnel, ipvs.Direct}
)

// drawRow draws a row of a real server; says are the parts that are said.
func drawRow(r *rapid.T, a string, says reconcile.Says) ipvs.Destination {
	d := row(a, rapid.Uint32Range(0, 3).Draw(r, "weight"), rapid.SampledFrom(forwards).Draw(r, "forward"))
	if says.Has(reconcile.SaysUpper) {
		d.Upper = rapid.Uint32Range(2, 4).Draw(r, "upper")
	}
	if says.Has(reconcile.SaysLower) {
		d.Lower = rapid.Uint32Range(0, 2).Draw(r, "lower")
	}
	if says.Has(reconcile.SaysTunnel) && d.Forward == ipvs.Tunnel {
		d.Tunnel = rapid.SampledFrom([]ipvs.Encapsulation{{}, {Type: ipvs.GUE, Port: 6080}, {Type: ipvs.GRE, Checksum: ipvs.WithChecksum}}).Draw(r, "tunnel")
	}
	return d
}

func drawService(r *rapid.T) ipvs.Service {
	return ipvs.Service{
		Scheduler: rapid.SampledFrom([]string{"rr", "wlc"}).Draw(r, "scheduler"),
		Persist:   rapid.Uint32Range(0, 2).Draw(r, "persist"),
	}
}

// drawPools draws what is wanted of every virtual service.
func drawPools(r *rapid.T) []reconcile.Pool {
	var out []reconcile.Pool
	for _, v := range drawnVirtuals {
		p := reconcile.Plan(virtual(v), drawClaims(r, v))
		if p.Service == nil {
			p.LeftService = rapid.IntRange(0, 3).Draw(r, "left") == 0
		}
		for _, a := range drawnReals {
			t := target(v, a)
			claimed := slices.ContainsFunc(p.Reals, func(w reconcile.Want) bool { return w.Target == t })
			if !claimed && rapid.IntRange(0, 3).Draw(r, "left") == 0 {
				p.Left = append(p.Left, t.Real)
			}
		}
		p.Standby = rapid.IntRange(0, 5).Draw(r, "standby") == 0
		out = append(out, p)
	}
	return out
}

func drawClaims(r *rapid.T, v string) (out []reconcile.Claim) {
	n := rapid.IntRange(0, 6).Draw(r, "claims")
	for i := range n {
		c := reconcile.Claim{
			ID:          string(rune('a' + i)),
			Down:        rapid.Bool().Draw(r, "down"),
			Provisional: rapid.IntRange(0, 4).Draw(r, "provisional") == 0,
			Since:       time.Unix(rapid.Int64Range(0, 3).Draw(r, "since"), 0),
		}
		if rapid.IntRange(0, 3).Draw(r, "of the service") == 0 {
			c.Target, c.Service = reconcile.Target{Virtual: virtual(v)}, drawService(r)
			c.Down = c.Down && rapid.Bool().Draw(r, "down")
		} else {
			a := rapid.SampledFrom(drawnReals).Draw(r, "real")
			c.Target, c.Says = target(v, a), reconcile.Says(rapid.IntRange(0, 7).Draw(r, "says"))
			c.Row = drawRow(r, a, c.Says)
			if c.Says.Has(reconcile.SaysLower) && !c.Says.Has(reconcile.SaysUpper) {
				c.Row.Lower = 0 // as the command line has it
			}
		}
		out = append(out, c)
	}
	return out
}

func drawTable(t *testing.T, r *rapid.T) *ipvs.Fake {
	table := ipvs.NewFake()
	for _, v := range drawnVirtuals[:2] {
		s := drawService(r)
		s.Virtual = virtual(v)
		err := table.AddService(t.Context(), s)
		for _, a := range drawnReals {
			if rapid.Bool().Draw(r, "there") {
				err = errors.Join(err, table.AddDestination(t.Context(), virtual(v), drawRow(r, a, reconcile.SaysAll)))
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
		out[s.Virtual], err = reconcile.Rows{Service: &s, Reals: rows}, errors.Join(err, e)
	}
	if err != nil {
		r.Fatal(err)
	}
	return out
}

func apply(t *testing.T, table ipvs.Table, o reconcile.Op) error {
	switch o.Kind {
	case reconcile.AddService:
		return table.AddService(t.Context(), o.Service)
	case reconcile.SetService:
		return table.UpdateService(t.Context(), o.Service)
	case reconcile.DeleteService:
		return table.DeleteService(t.Context(), o.Virtual)
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
// table then agrees, nothing is left to do, what nobody claims or what is held
// is as it was, and no pool is empty in between that was not and is not to be.
func TestDiffReachesDesire(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		pools, table := drawPools(r), drawTable(t, r)
		before := read(t, r, table)
		ops, _ := reconcile.Diff(pools, before)
		var between []reconcile.Actual
		for _, o := range ops {
			if err := apply(t, table, o); err != nil {
				r.Fatalf("%s: %v", o.Command(), err)
			}
			between = append(between, read(t, r, table))
		}
		after := read(t, r, table)
		if again, _ := reconcile.Diff(pools, after); len(again) != 0 {
			r.Fatalf("a second run has more to do: %+v", again)
		}
		for _, now := range between {
			for v, rows := range now {
				if len(rows.Reals) == 0 && len(before[v].Reals) > 0 && len(after[v].Reals) > 0 {
					r.Fatalf("%v was empty in between", v)
				}
			}
		}
		if d := cmp.Diff(untouched(before, pools), untouched(after, pools), compare); d != "" {
			r.Fatalf("rows of others (-before +after):\n%s", d)
		}
	})
}

// untouched is what of a must stay: all real servers but those that are in,
// out or left.
func untouched(a reconcile.Actual, pools []reconcile.Pool) map[ipvs.Virtual][]ipvs.Destination {
	out := map[ipvs.Virtual][]ipvs.Destination{}
	for _, p := range pools {
		rows := slices.DeleteFunc(slices.Clone(a[p.Virtual].Reals), func(d ipvs.Destination) bool {
			return slices.Contains(p.Left, d.Addr) || !p.Standby && slices.ContainsFunc(p.Reals, func(w reconcile.Want) bool {
				return w.Verdict != reconcile.Hold && w.Real == d.Addr
			})
		})
		if len(rows) > 0 {
			out[p.Virtual] = rows
		}
	}
	return out
}

func TestWords(t *testing.T) {
	for _, s := range []string{
		reconcile.Hold.String(), reconcile.In.String(), reconcile.Out.String(),
		reconcile.None.String(), reconcile.DeleteService.String(),
		reconcile.Agrees.String(), reconcile.Blocked.String(),
	} {
		if s == "unknown" {
			t.Error("a value has no word")
		}
	}
	if reconcile.Kind(99).String() != "unknown" || reconcile.State(99).String() != "unknown" {
		t.Error("no value has a word")
	}
}
