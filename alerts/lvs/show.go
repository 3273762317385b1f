package lvs

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
)

// Report is what Show prints as JSON: what the owner wants, what the tables
// hold, and why.
type Report struct {
	// Ready is true after the first full set of claims.
	Ready  bool          `json:"ready"`
	Tables []TableReport `json:"tables"`
}

// TableReport is one table.
type TableReport struct {
	// Table is "kernel" or a file.
	Table string `json:"table"`
	// Trouble is why it could not be read or written the last time.
	Trouble string      `json:"trouble,omitempty"`
	Rows    []RowReport `json:"rows"`
	counts
}

// RowReport is one target: one that is claimed, or a row of a virtual service
// that has claimed ones.
type RowReport struct {
	Virtual string `json:"virtual"`
	Real    string `json:"real"`
	// Want is in, out or hold; "" when nobody claims it.
	Want string `json:"want,omitempty"`
	// State is agrees, held, differs or pending; for what nobody claims left
	// (owned under an earlier config) or foreign.
	State   string `json:"state"`
	Desired *Row   `json:"desired,omitempty"`
	Actual  *Row   `json:"actual,omitempty"`
	// Why are the claims, the deciding one first.
	Why []Why `json:"why,omitempty"`
}

// Row is a row of a table.
type Row struct {
	Weight   uint32 `json:"weight"`
	Forward  string `json:"forward"`
	Active   uint32 `json:"active"`   // connections
	Inactive uint32 `json:"inactive"` // connections
}

// Why is one claim on a target.
type Why struct {
	Claim       string    `json:"claim"`
	Down        bool      `json:"down"`
	Provisional bool      `json:"provisional,omitempty"`
	Reason      string    `json:"reason,omitempty"`
	Since       time.Time `json:"since,omitzero"`
}

// The states of rows that nobody claims.
const (
	stateLeft    = "left"
	stateForeign = "foreign"
)

// idleReport is the report of an owner that has not begun.
const idleReport = `{"ready":false,"tables":[]}` + "\n"

// report reads the tables and tells how they stand.
func (d *desk) report() (string, error) {
	ctx, cancel := context.WithTimeout(d.Context, tableLimit)
	defer cancel()
	r := Report{Ready: d.full, Tables: []TableReport{}}
	wants := d.wants(scope{everything: true})
	for _, name := range slices.Sorted(maps.Keys(wants)) {
		r.Tables = append(r.Tables, d.table(name).report(ctx, wants[name], d.record))
	}
	text, err := json.MarshalIndent(r, "", "  ")
	return string(text) + "\n", err
}

func (m *managed) report(ctx context.Context, wants []reconcile.Want, r *record) TableReport {
	t := TableReport{Table: m.title(), Trouble: m.trouble, counts: m.counts, Rows: []RowReport{}}
	var actual reconcile.Actual
	if m.table != nil {
		var err error
		if actual, err = read(ctx, m.table, wants, r.virtuals(m.name)); err != nil {
			t.Trouble = err.Error()
		}
	}
	claimed := map[reconcile.Target]bool{}
	for _, w := range wants {
		claimed[w.Target] = true
		t.Rows = append(t.Rows, rowReport(w, actual, t.Trouble == "" && actual != nil))
	}
	t.Rows = append(t.Rows, unclaimed(m.name, actual, claimed, r)...)
	return t
}

// rowReport tells of one target; seen says that actual is what the table
// holds.
func rowReport(w reconcile.Want, actual reconcile.Actual, seen bool) RowReport {
	out := RowReport{Virtual: w.Virtual.String(), Real: w.Real.String(), Want: w.Verdict.String(), State: "unknown"}
	if seen {
		state, _ := reconcile.Compare(w, actual)
		out.State = state.String()
	}
	if w.Verdict == reconcile.In {
		out.Desired = &Row{Weight: w.Weight, Forward: w.Forward.String()}
	}
	for _, row := range actual[w.Virtual] {
		if row.Addr == w.Real {
			out.Actual = rowOf(row)
		}
	}
	for _, c := range w.Claims {
		out.Why = append(out.Why, Why{c.ID, c.Down, c.Provisional, c.Reason, c.Since})
	}
	return out
}

func rowOf(d ipvs.Destination) *Row {
	return &Row{Weight: d.Weight, Forward: d.Forward.String(), Active: d.Counters.Active, Inactive: d.Counters.Inactive}
}

// unclaimed tells of the rows that nobody claims.
func unclaimed(table string, actual reconcile.Actual, claimed map[reconcile.Target]bool, r *record) []RowReport {
	var out []RowReport
	for _, v := range slices.SortedFunc(maps.Keys(actual), ipvs.CompareVirtual) {
		for _, row := range actual[v] {
			t := reconcile.Target{Virtual: v, Real: row.Addr}
			if claimed[t] {
				continue
			}
			state := stateForeign
			if _, ours := r.owned[key{table, t}]; ours {
				state = stateLeft
			}
			out = append(out, RowReport{Virtual: v.String(), Real: row.Addr.String(), State: state, Actual: rowOf(row)})
		}
	}
	return out
}
