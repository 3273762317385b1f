package twin

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// raw is one line that a program of a scenario took down.
type raw struct {
	what           string
	at             float64 // seconds since 1970
	group, service string
	fields         []string
}

// readRaw reads all whole lines.
func readRaw(t *testing.T, text string) (all []raw) {
	t.Helper()
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if !strings.HasSuffix(line, "\n") {
			break
		}
		if len(f) < 4 {
			t.Fatalf("what was taken down: %q", line)
		}
		at, err := strconv.ParseFloat(f[1], 64)
		if err != nil {
			t.Fatalf("what was taken down: %q: %v", line, err)
		}
		group, service, _ := strings.Cut(f[2], " ")
		r := raw{what: f[0], at: at, group: group, service: service, fields: f[3:]}
		for i := range r.fields {
			r.fields[i] = unquote(r.fields[i])
		}
		all = append(all, r)
	}
	return all
}

// record is one thing that happened, or was called, in a scenario.
type record struct {
	// at is when, in seconds; of a result and a command when the daemon saw it.
	at int64
	// kind is start, began, result, command or alert. An alert follows the
	// event that it tells of.
	kind, service string
	// n is which run or command of the service it is.
	n int
	// text is the program of an alert, the words of a command.
	text string
	args []string
	env  map[string]string
	// stdin is that of an alert.
	stdin string

	order float64 // no later than it happened, to tell what came first
}

// label names an event: "s3" is the third result of service s, "sc1" its first
// command.
func (r record) label() string {
	switch r.kind {
	case "command":
		return fmt.Sprintf("%sc%d", r.service, r.n)
	case "start":
		return "start"
	}
	return r.service + strconv.Itoa(r.n)
}

// sent is a command as it was carried out.
type sent struct {
	group, service, text string
	n                    int
	at                   float64 // before it was sent
	seen                 int64   // when the daemon saw it, if that is known
}

// gather makes what was taken down into one list of records a scenario, in the
// order of events.
func gather(t *testing.T, scenarios []*scenario, rows []raw, commands []sent, dir string) map[string]trace {
	t.Helper()
	traces := map[string]trace{}
	for _, s := range scenarios {
		g := gathering{t: t, s: s, dir: dir}
		for _, r := range rows {
			if r.group == s.name {
				g.rows = append(g.rows, r)
			}
		}
		for _, c := range commands {
			if c.group == s.name {
				g.commands = append(g.commands, c)
			}
		}
		records := g.trace()
		traces[s.name] = trace{s.hash(), records, g.late}
	}
	return traces
}

// gathering puts the trace of one scenario together.
type gathering struct {
	t        *testing.T
	s        *scenario
	dir      string
	rows     []raw
	commands []sent
	ended    map[string]float64 // by service and run
	alerts   []record
	events   []record
	late     bool // the clock ticked between an event and a call
}

func (g *gathering) trace() []record {
	g.t.Helper()
	g.ended = map[string]float64{}
	for _, r := range g.rows {
		switch r.what {
		case "ended":
			g.ended[r.service+r.fields[0]] = r.at
		case "alert":
			g.alert(r)
		case "began":
			g.began(r)
		}
	}
	for _, c := range g.commands {
		at := max(c.seen, int64(c.at))
		g.events = append(g.events, record{at: at, kind: "command", service: c.service, n: c.n, text: c.text, order: max(c.at, float64(c.seen))})
	}
	slices.SortStableFunc(g.events, func(a, b record) int { return cmp.Compare(a.order, b.order) })
	return g.attach()
}

// began is the begin of a run, by which the run before it is known to the
// daemon; its variables say when that was.
func (g *gathering) began(r raw) {
	g.t.Helper()
	n, _ := strconv.Atoi(r.fields[0])
	b := g.record(r, "began", r.fields[1:])
	b.n = n
	g.events = append(g.events, b)
	if n == 1 {
		return
	}
	at := max(number(b.env["MON_LAST_FAILURE"]), number(b.env["MON_LAST_SUCCESS"]))
	ended, ok := g.ended[r.service+strconv.Itoa(n-1)]
	if !ok {
		g.t.Fatalf("%s: run %d of %s began without an end of the one before it", g.s.name, n, r.service)
	}
	order := ended
	if at >= int64(ended) { // not if the daemon did not count it
		order = max(order, float64(at))
	} else {
		at = int64(ended)
	}
	g.events = append(g.events, record{at: at, kind: "result", service: r.service, n: n - 1, order: order})
}

func (g *gathering) alert(r raw) {
	a := g.record(r, "alert", r.fields[2:])
	a.text = r.fields[0]
	a.order, _ = strconv.ParseFloat(r.fields[1], 64)
	if i := slices.Index(a.args, "-t"); i >= 0 && i+1 < len(a.args) {
		a.at = number(a.args[i+1])
	}
	g.alerts = append(g.alerts, a)
}

// record is r with its words and variables; names of the folder are DIR.
func (g *gathering) record(r raw, kind string, fields []string) record {
	rec := record{at: int64(r.at), kind: kind, service: r.service, env: map[string]string{}, order: r.at}
	for _, f := range fields {
		f = strings.ReplaceAll(f, g.dir, "DIR")
		switch f[0] {
		case 'a':
			rec.args = append(rec.args, f[1:])
		case 'i':
			rec.stdin = f[1:]
		case 'e':
			name, value, _ := strings.Cut(f[1:], "=")
			rec.env[name] = value
		}
	}
	return rec
}

// attach puts each alert behind its event: that of its service, kind and
// second.
func (g *gathering) attach() []record {
	g.t.Helper()
	slices.SortStableFunc(g.alerts, func(a, b record) int { return cmp.Compare(a.order, b.order) })
	began := record{at: g.events[0].at - 1, kind: "start"} // if nobody was called
	for _, a := range g.alerts {
		if a.env["MON_ALERTTYPE"] == "startup" {
			began.at = a.at
		}
	}
	events := append([]record{began}, g.events...)
	of := make([][]record, len(events))
	for _, a := range g.alerts {
		i := g.event(a, events)
		if i < 0 {
			g.t.Errorf("%s: no event for the call of %s at %d: %v %v", g.s.name, a.text, a.at, a.args, a.env)
			continue
		}
		a.n = events[i].n
		of[i] = append(of[i], a)
	}
	var trace []record
	for i, e := range events {
		trace = append(append(trace, e), of[i]...)
	}
	return trace
}

// event is the place in events of the one that a tells of, or -1: the last
// before its call that fits. The clock may have ticked between the two: then
// its time is made that of the event, and the trace is noted to be late.
func (g *gathering) event(a record, events []record) int {
	at := a.at
	if kind := a.env["MON_ALERTTYPE"]; kind == "failure" || kind == "trap" {
		at = number(a.env["MON_LAST_FAILURE"])
	}
	for i, e := range slices.Backward(events) {
		if !g.tellsOf(a, e) || e.kind != "start" && e.at > at {
			continue
		}
		if e.kind == "command" && strings.HasPrefix(e.text, "disable") {
			events[i].at = a.at // the second is known of other commands only
			return i
		}
		if t := slices.Index(a.args, "-t"); a.at != e.at {
			a.args[t+1] = strconv.FormatInt(e.at, 10)
			g.late = g.late || e.kind != "start"
		}
		return i
	}
	return -1
}

// tellsOf reports whether e is the event that a tells of.
func (g *gathering) tellsOf(a, e record) bool {
	kind := a.env["MON_ALERTTYPE"]
	if e.kind == "start" {
		return kind == "startup"
	}
	if a.service != e.service {
		return false
	}
	switch e.kind {
	case "result":
		st := g.s.service(e.service).steps[e.n-1]
		return kind == "failure" && st.exit != 0 || kind == "up" && st.exit == 0
	case "command":
		word, rest, _ := strings.Cut(e.text, " ")
		switch word {
		case "ack", "disable":
			return kind == word
		case "trap":
			ok := strings.HasPrefix(rest, "0")
			return kind == "trap" && !ok || kind == "up" && ok
		}
	}
	return false
}

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// constants are the variables that are the same in all records of a scenario.
func constants(group string) map[string]string {
	return map[string]string{"MON_GROUP": group, "MON_STATEDIR": "DIR/state", "MON_LOGDIR": "DIR/log", "MON_CFBASEDIR": "DIR"}
}

// withConstants is r with them.
func (r record) withConstants(group string) map[string]string {
	env := maps.Clone(r.env)
	maps.Copy(env, constants(group))
	env["MON_SERVICE"] = r.service
	return env
}
