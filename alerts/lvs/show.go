package lvs

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
	"github.com/mondhq/mond/alerts/lvs/report"
	"github.com/mondhq/mond/alerts/lvs/words"
)

// The topics of Show.
const (
	topicTable    = "table"
	topicStanding = "standing"
	topicIpvsadm  = "ipvsadm"
	topicDiff     = "diff"
	topicCopying  = "copying"
)

const knownTopics = "table [after N] [VIRTUAL...], standing SERVICE..., ipvsadm [VIRTUAL...], diff [VIRTUAL...], copying"

// answers answers one topic; idle is the answer of an owner that has not
// begun.
func answers(topic string) (show func(*desk) (string, error), idle string, err error) {
	asked := strings.Fields(topic)
	if len(asked) == 0 {
		asked = []string{topicTable}
	}
	rest := asked[1:]
	switch asked[0] {
	case topicTable:
		skip, names, err := after(rest)
		return func(d *desk) (string, error) { return d.report(skip, names) }, idleReport, err
	case topicStanding:
		return func(d *desk) (string, error) { return d.standing(rest) }, "[]\n", nil
	case topicIpvsadm:
		return func(d *desk) (string, error) { return d.commands(rest, (*desk).saved) }, "", nil
	case topicCopying:
		return (*desk).copying, "[]\n", nil
	case topicDiff:
		return func(d *desk) (string, error) { return d.commands(rest, (*desk).due) }, "", nil
	}
	return nil, "", fmt.Errorf("%s knows no topic %q: it knows %s", Name, topic, knownTopics)
}

// after reads "after N" in front of names.
func after(rest []string) (skip int, names []string, err error) {
	if len(rest) == 0 || rest[0] != "after" {
		return 0, rest, nil
	}
	if len(rest) > 1 {
		skip, err = strconv.Atoi(rest[1])
	}
	if len(rest) == 1 || err != nil || skip < 0 {
		return 0, nil, fmt.Errorf("topic %s after N: N is the number that the last answer gave as more", topicTable)
	}
	return skip, rest[2:], nil
}

// idleReport is the report of an owner that has not begun.
const idleReport = `{"ready":false,"tables":[]}` + "\n"

// listed are the pools that names name, all of them without any, sorted.
func (d *desk) listed(names []string) []*pool {
	var out []*pool
	for _, p := range d.pools {
		if len(names) == 0 || slices.ContainsFunc(names, p.isCalled) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *pool) int { return a.compare(b.place) })
	return out
}

func (p *pool) isCalled(word string) bool { return report.Called(word, p.virtual.String(), p.name()) }

// name is the pool's in the configuration: the service of the claim on its own
// row.
func (p *pool) name() string {
	if p.want.Service == nil {
		return ""
	}
	if h := p.claims[p.want.Service.Claim()]; h != nil {
		return h.Claim.Service
	}
	return ""
}

// Sizes of a report: how many pools are read at once, and how many bytes, as
// they are without indentation, are enough. A host takes 512 KiB.
const (
	reportChunk = 32
	reportSize  = 128 << 10
)

// report reads the tables and tells how they stand; it leaves out the first
// skip pools.
func (d *desk) report(skip int, names []string) (string, error) {
	pools := d.listed(names)
	skip = min(skip, len(pools))
	r := report.Report{Ready: d.full, Tables: []report.Table{}}
	if skip == 0 {
		d.emptyTables(&r, names)
	}
	size, done := 0, skip
	for chunk := range slices.Chunk(pools[skip:], reportChunk) {
		size += d.reportChunk(&r, chunk)
		if done += len(chunk); size > reportSize && done < len(pools) {
			r.More = strconv.Itoa(done)
			break
		}
	}
	text, err := json.MarshalIndent(r, "", "  ")
	return string(text) + "\n", err
}

// emptyTables puts in the tables that have no pools to show.
func (d *desk) emptyTables(r *report.Report, names []string) {
	if len(names) > 0 {
		return
	}
	for _, at := range d.sortedTables() {
		d.tableReport(r, at)
	}
}

// tableReport finds or makes the report of a table.
func (d *desk) tableReport(r *report.Report, at words.Place) *report.Table {
	for i := range r.Tables {
		if r.Tables[i].Table == at.String() {
			return &r.Tables[i]
		}
	}
	m := d.table(at)
	r.Tables = append(r.Tables, report.Table{
		Table: at.String(), NetNS: at.NetNS, Trouble: cmp.Or(m.trouble, m.limits.trouble),
		Rows: []report.Row{}, Counts: m.counts, Timeouts: m.limits.report(),
		Sync: m.sync.report(d.now()),
	})
	return &r.Tables[len(r.Tables)-1]
}

func (l limits) report() *report.Timeouts {
	if l.want == (ipvs.Timeouts{}) {
		return nil
	}
	out := &report.Timeouts{TCP: l.want.TCP, TCPFin: l.want.TCPFin, UDP: l.want.UDP, State: "agrees"}
	if l.trouble != "" {
		out.State = "differs"
	}
	return out
}

// reportChunk adds pools to the report, and gives the size of what it added.
func (d *desk) reportChunk(r *report.Report, pools []*pool) (size int) {
	for len(pools) > 0 {
		n := slices.IndexFunc(pools, func(p *pool) bool { return p.table != pools[0].table })
		if n < 0 {
			n = len(pools)
		}
		t := d.tableReport(r, pools[0].table)
		part := d.poolReports(t, pools[:n])
		text, _ := json.Marshal(part) // strings and numbers
		size += len(text)
		t.Services, t.Rows = append(t.Services, part.Services...), append(t.Rows, part.Rows...)
		pools = pools[n:]
	}
	return size
}

// look reads the rows of pools of one table.
func (d *desk) look(pools []*pool) (reconcile.Actual, error) {
	m := d.table(pools[0].table)
	ctx, cancel := context.WithTimeout(d.Context, limit(pools))
	defer cancel()
	if err := m.open(d.Open); err != nil {
		return nil, err
	}
	p := pass{all: true, actual: reconcile.Actual{}}
	err := p.read(ctx, m.table, pools)
	if err != nil {
		return nil, err
	}
	return p.actual, nil
}

func (d *desk) poolReports(t *report.Table, pools []*pool) report.Table {
	actual, err := d.look(pools)
	if err != nil {
		t.Trouble = err.Error()
	}
	var out report.Table
	for _, p := range pools {
		if s, ok := p.serviceReport(actual); ok {
			out.Services = append(out.Services, s)
		}
		for _, w := range p.want.Reals {
			out.Rows = append(out.Rows, p.rowReport(w, actual))
		}
		out.Rows = append(out.Rows, p.unclaimed(actual, d.record)...)
	}
	return out
}

// rowReport tells of one target that is claimed; a nil actual is not known.
func (p *pool) rowReport(w reconcile.Want, actual reconcile.Actual) report.Row {
	out := report.Row{Virtual: w.Virtual.String(), Real: w.Real.String(), Want: w.Verdict.String(), State: stateUnknown, Why: whys(w)}
	if actual != nil {
		state, _ := p.want.Compare(w, actual)
		out.State = state.String()
	}
	if w.Verdict == reconcile.In {
		out.Desired = realOf(w.Row)
	}
	for _, row := range actual[w.Virtual].Reals {
		if row.Addr == w.Real {
			out.Actual = realOf(row)
		}
	}
	return out
}

func whys(w reconcile.Want) (out []report.Why) {
	for _, c := range w.Claims {
		out = append(out, report.Why{Claim: c.ID, Down: c.Down, Provisional: c.Provisional, Reason: c.Reason, Since: c.Since})
	}
	return out
}

func realOf(d ipvs.Destination) *report.Real {
	c := d.Counters
	r := &report.Real{
		Weight: d.Weight, Forward: d.Forward.String(), Upper: d.Upper, Lower: d.Lower,
		Active: c.Active, Inactive: c.Inactive, Persistent: c.Persistent,
		Connections: c.Connections, PacketsIn: c.PacketsIn, PacketsOut: c.PacketsOut, BytesIn: c.BytesIn, BytesOut: c.BytesOut,
	}
	if d.Forward == ipvs.Tunnel && d.Tunnel != (ipvs.Encapsulation{}) {
		r.Tunnel = d.Tunnel.Type.String()
		if d.Tunnel.Port != 0 {
			r.Tunnel += ":" + strconv.Itoa(int(d.Tunnel.Port))
		}
		if d.Tunnel.Checksum != ipvs.NoChecksum {
			r.Tunnel += " " + d.Tunnel.Checksum.String()
		}
	}
	return r
}

// The states that are not reconcile's.
const (
	stateLeft    = "left"
	stateForeign = "foreign"
	stateUnknown = "unknown"
	stateMissing = "missing"
	stateLeaving = "leaving"
)

// unclaimed tells of the rows that nobody claims.
func (p *pool) unclaimed(actual reconcile.Actual, r *record) []report.Row {
	var out []report.Row
	for _, row := range actual[p.virtual].Reals {
		if p.claimed(row.Addr) {
			continue
		}
		state := stateForeign
		if _, ours := r.owned[p.place][row.Addr]; ours {
			state = stateLeft
		}
		if slices.Contains(p.want.Left, row.Addr) {
			state = stateLeaving
		}
		out = append(out, report.Row{Virtual: p.virtual.String(), Real: row.Addr.String(), State: state, Actual: realOf(row)})
	}
	return out
}

// serviceReport tells of the virtual service's own row; ok is false for one
// that is neither declared nor there nor left.
func (p *pool) serviceReport(actual reconcile.Actual) (s report.Service, ok bool) {
	rows, there := actual[p.virtual]
	s = report.Service{Virtual: p.virtual.String(), Name: p.name(), Trouble: p.trouble, Role: p.roleWord()}
	s.State = p.serviceState(actual, there)
	if w := p.want.Service; w != nil {
		s.Want, s.Why = w.Verdict.String(), whys(*w)
		if w.Verdict == reconcile.In {
			s.Desired = describe(&s, w.Service)
		}
	}
	if rows.Service != nil {
		s.Actual = describe(&s, *rows.Service)
	}
	return s, s.Want != "" || s.Role != "" || there || p.want.LeftService
}

func (p *pool) serviceState(actual reconcile.Actual, there bool) string {
	state, op := p.want.CompareService(actual)
	switch {
	case actual == nil:
		return stateUnknown
	case p.want.LeftService && op.Kind != reconcile.None:
		return stateLeaving
	case p.want.Service != nil || p.want.LeftService:
		return state.String()
	case !there:
		return stateMissing
	}
	return stateForeign
}

// describe puts the scheduler and the flags of a row into s, and gives the row
// as ipvsadm's options.
func describe(s *report.Service, row ipvs.Service) string {
	s.Scheduler, s.Flags = row.Scheduler, nil
	if row.Persist != 0 {
		s.Flags = append(s.Flags, fmt.Sprintf("persistent %d", row.Persist))
	}
	if row.Mask != 0 {
		s.Flags = append(s.Flags, fmt.Sprintf("mask /%d", row.Mask))
	}
	if row.Engine != "" {
		s.Flags = append(s.Flags, "engine "+row.Engine)
	}
	if row.OnePacket {
		s.Flags = append(s.Flags, "one-packet")
	}
	if f := ipvs.FlagWords(row.Scheduler, row.SchedFlags); f != "" {
		s.Flags = append(s.Flags, strings.Split(f, ",")...)
	}
	return row.Options()
}

// roleWord is the part of a pool that follows a role.
func (p *pool) roleWord() string {
	switch {
	case !p.byRole() && p.part == acts:
		return ""
	case p.part == acts:
		return "active"
	case p.part == standby:
		return "standby"
	}
	return "unknown"
}
