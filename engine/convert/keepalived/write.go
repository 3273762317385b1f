package keepalived

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
)

// writer makes mond's configuration of the pools.
type writer struct {
	*reader
	pools []*pool
	// folders are those of programs that are run by name, programs where each
	// of these is.
	folders  []string
	programs map[string]string
	// names are the checks of each host so far: what they say by their name, and
	// their name by their base and what they say.
	names map[string]map[string]string
	// probes are those of each pool.
	probes map[*pool][]*probe
}

func (r *reader) write(pools []*pool) {
	w := &writer{reader: r, pools: pools, programs: map[string]string{}, names: map[string]map[string]string{}, probes: map[*pool][]*probe{}}
	for _, p := range pools {
		w.probes[p] = w.all(p)
	}
	w.head()
	for _, p := range pools {
		w.virtual(p)
	}
}

// head writes what stands above the virtual services.
func (w *writer) head() {
	for _, text := range []string{
		"Made from " + w.pos.File + ", a configuration of keepalived. Where a line comes from stands behind it;",
		"defaults of keepalived 2.2.7 are written out. What differs everywhere: keepalived waits delay_loop from",
		"the end of a check, mond counts interval from its start; connect_timeout was for each step of a check,",
		"-t is for all of it; and at the start one failure was enough, where here fall counts from the first.",
	} {
		w.w.Comment(w.pos, text)
	}
	w.w.Blank(w.pos)
	if len(w.pools) == 0 {
		w.w.Warnf(w.pos, "what is VRRP's stays with keepalived -P", "no virtual_server: there is nothing to carry over")
		return
	}
	w.w.Global(w.pos, "prefer", "resident")
	w.w.Note("mond's own plugins, where programs of mon have the same names")
	if len(w.folders) > 0 {
		w.w.Global(w.pos, "mondir", strings.Join(append([]string{"/usr/local/lib/mon/mon.d", "mon.d"}, w.folders...), ":"))
		w.w.Note("the last are those of MISC_CHECK")
	}
	w.grants()
	w.w.Timeouts(w.limits.pos, w.limits.v)
	w.w.Sync(w.sync.pos, w.sync.v)
	w.w.Blank(w.pos)
}

// grants lets the monitors that set a mark do so.
func (w *writer) grants() {
	var marked []string
	for _, p := range w.pools {
		for _, pr := range w.probes[p] {
			if pr.marked && !slices.Contains(marked, pr.monitor) && pr.monitor != "fping.monitor" {
				marked = append(marked, pr.monitor)
			}
		}
	}
	slices.Sort(marked)
	for _, m := range marked {
		w.w.Global(w.pos, "grant", m+" cap_net_raw")
		w.w.Note("for fwmark; before Linux 5.17 it wants cap_net_admin")
	}
}

// line says where a setting comes from.
func (r *reader) line(pos config.Pos) string {
	if pos.File == r.pos.File || pos.File == "" {
		return fmt.Sprintf("line %d", pos.Line)
	}
	return fmt.Sprintf("%s:%d", filepath.Base(pos.File), pos.Line)
}

// from is the same, or that it is a default.
func from[T any](r *reader, o opt[T]) string {
	if !o.set {
		return "keepalived's default"
	}
	return r.line(o.pos)
}

// set writes a directive of a virtual service whose value comes from o.
func set[T any](w *writer, p *pool, o opt[T], name, text string) {
	pos := o.pos
	if !o.set {
		pos = p.node.Pos
	}
	w.w.Directive(pos, name, text)
	w.w.Note(from(w.reader, o))
}

// virtual writes one.
func (w *writer) virtual(p *pool) {
	w.w.Comment(p.node.Pos, w.line(p.node.Pos)+": "+shown(p.node))
	w.w.Virtual(p.node.Pos, p.name)
	for _, a := range p.all {
		w.w.Directive(a.pos, "address", p.address(a))
		if p.group != "" {
			w.w.Note(w.line(a.pos))
		}
	}
	w.service(p)
	for i := range p.servers {
		w.real(p, &p.servers[i])
	}
	if s := p.sorry; s != nil {
		w.w.Directive(s.pos, "fallback", p.endpoint(s)+p.forward(s))
		w.w.Note(w.line(s.pos))
	}
	w.policy(p)
	w.told(p)
	for _, pr := range w.probes[p] {
		w.check(p, pr)
	}
	w.w.Blank(p.node.End)
}

// address is a as mond writes it.
func (p *pool) address(a where) string {
	if a.mark >= 0 {
		six := p.six
		if a.family != 0 {
			six = a.family == 6
		}
		if six {
			return "fwmark6 " + itoa(a.mark)
		}
		return "fwmark " + itoa(a.mark)
	}
	text := a.first.String()
	switch {
	case a.bits > 0:
		text += "/" + itoa(a.bits)
	case a.first != a.last:
		text += "-" + a.last.String()
	}
	if a.first.Is6() {
		text = "[" + text + "]"
	}
	return p.proto + " " + text + ":" + itoa(a.port)
}

// service writes what the rows of the virtual service are.
func (w *writer) service(p *pool) {
	sched := p.sched.v
	for _, f := range p.flags {
		sched += " " + f.v
	}
	set(w, p, p.sched, "scheduler", sched)
	set(w, p, p.method, "forward", p.defaultMethod().String())
	if p.persists > 0 {
		text := persistence(p)
		set(w, p, p.persist, "persistent", text)
	}
	if p.ops.v {
		set(w, p, p.ops, "one_packet", "")
	}
	if w.netns.set {
		set(w, p, w.netns, "netns", w.netns.v)
	}
}

// persistence is time, mask and engine.
func persistence(p *pool) string {
	text := seconds(time.Duration(p.persists) * time.Second)
	switch mask := p.granularity.v; {
	case mask == "" || mask == "255.255.255.255":
	case strings.Contains(mask, "."):
		text += " " + mask
	default:
		text += " /" + mask
	}
	if p.engine.set {
		text += " " + p.engine.v
	}
	return text
}

// seconds is a time of mon.cf: in seconds, or less than one in milliseconds.
func seconds(d time.Duration) string {
	if d%time.Second == 0 {
		return itoa(int(d/time.Second)) + "s"
	}
	return itoa(int((d+time.Millisecond-1)/time.Millisecond)) + "ms"
}

// String is m as mond writes it.
func (m method) String() string {
	text := m.name
	if m.tunnel != "" {
		text += " " + m.tunnel
	}
	if m.port > 0 {
		text += " " + itoa(m.port)
	}
	if m.sum != "" && m.tunnel != "" && m.tunnel != "ipip" {
		text += " " + m.sum
	}
	return text
}

// endpoint is the address of s. Without NAT its port is that of the virtual
// service, and not said.
func (p *pool) endpoint(s *server) string {
	text := s.addr.String()
	if s.method.name != "nat" || s.row == 0 {
		return text
	}
	if s.addr.Is6() {
		text = "[" + text + "]"
	}
	return text + ":" + itoa(s.row)
}

// forward is the method of s if it is not that of the virtual service.
func (p *pool) forward(s *server) string {
	if s.method == p.defaultMethod() {
		return ""
	}
	return " forward " + s.method.String()
}

func (w *writer) real(p *pool, s *server) {
	text := p.endpoint(s) + " weight " + itoa(s.weight) + p.forward(s)
	if s.upper.v > 0 {
		text += " upper " + itoa(s.upper.v)
	}
	switch {
	case s.lower.v > 0 && s.upper.v >= s.lower.v:
		text += " lower " + itoa(s.lower.v)
	case s.lower.v > 0:
		w.lose(s.lower.pos, "lthreshold "+itoa(s.lower.v), "without a uthreshold that is no less the real server is never full")
	}
	if s.quiet != p.inhibit.v {
		text += " on_fail " + onFail(s.quiet)
	}
	w.w.Directive(s.pos, "real", text)
	w.w.Note(w.line(s.pos))
}

func onFail(quiet bool) string {
	if quiet {
		return "quiesce"
	}
	return "remove"
}

// policy writes how it is decided which rows there are.
func (w *writer) policy(p *pool) {
	w.start(p)
	if p.quorum > 0 {
		text := itoa(p.quorum) + " weight"
		if p.hysteresis > 0 {
			text += " hysteresis " + itoa(p.hysteresis)
		}
		set(w, p, p.virtual.quorum, "quorum", text)
	}
	set(w, p, p.inhibit, "on_fail", onFail(p.inhibit.v))
	if p.sorry != nil && p.virtual.sorry.inhibit.set && p.persists == 0 {
		set(w, p, p.virtual.sorry.inhibit, "drain", "forever")
	}
	if most := w.most(p); most > 0 {
		w.w.Directive(p.node.Pos, "weight_limits", "max "+itoa(most)+"%")
		w.w.Note("as far as its checks may ask, as with keepalived")
	}
}

// start writes what holds before the first verdict: mond has it for the whole
// pool.
func (w *writer) start(p *pool) {
	out, in := 0, 0
	for _, s := range p.servers {
		switch {
		case s.pessimistic:
			out++
		case len(s.checks) > 0:
			in++
		}
	}
	policy := "optimistic"
	if out > 0 && in == 0 {
		policy = "pessimistic"
	}
	set(w, p, p.alpha, "start", policy)
	if out == 0 || in == 0 {
		return
	}
	for _, s := range p.servers {
		if s.pessimistic {
			w.lose(s.pos, "alpha of "+s.addr.String(), "mond has one start policy for all reals of a virtual service: this one is in until its checks fail; start pessimistic would have all out until they are good")
		}
	}
}
