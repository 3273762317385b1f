package virtual

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// pool makes a pool of members such as "a", "s@1" (first standby tier), "f@f"
// (fallback) and "a*5" (weight 5, else 10), each with the checks x and y if
// its name ends in 2, else one check. The pool trusts whom it does not know.
func pool(members string, change ...func(*Pool)) *Pool {
	p := &Pool{Name: "shop", Start: Optimistic}
	for word := range strings.FieldsSeq(members) {
		word, weight, heavy := strings.Cut(word, "*")
		name, tier, _ := strings.Cut(word, "@")
		m := Member{Name: name, Weight: 10, Checks: []string{"x"}}
		if strings.HasSuffix(name, "2") {
			m.Checks = []string{"x", "y"}
		}
		if heavy {
			m.Weight, _ = strconv.Atoi(weight)
		}
		switch k, err := strconv.Atoi(tier); {
		case tier == "f":
			m.Tier = Fallback
		case err == nil:
			m.Tier = Standby(k)
		}
		p.Members = append(p.Members, m)
	}
	for _, f := range change {
		f(p)
	}
	return p
}

// world is a pool in the course of time.
type world struct {
	p   *Pool
	st  State
	in  Input
	now time.Time
	out Outcome
	// told are all changes, for a person.
	told []string
	// log is all that happened.
	log []string
}

func newWorld(p *Pool) *world {
	w := &world{p: p, now: t0, in: Input{Members: make([]Seen, len(p.Members))}}
	for i := range p.Members {
		w.in.Members[i].Checks = make([]Verdict, len(p.Members[i].Checks))
	}
	return w
}

func (w *world) decide() {
	w.out = Decide(w.p, w.st, w.in, w.now)
	w.st = w.out.State
	w.log = append(w.log, "-> "+w.String()+"\n")
	for _, c := range w.out.Changes {
		w.told = append(w.told, c.String())
	}
}

// wait lets time pass, deciding when it was asked for.
func (w *world) wait(d time.Duration) {
	w.log = append(w.log, d.String())
	until := w.now.Add(d)
	for !w.out.Wake.IsZero() && !w.out.Wake.After(until) {
		w.now = w.out.Wake
		w.decide()
	}
	w.now = until
}

// play plays steps, each of some words, and decides after each; it gives how
// things are after each.
func (w *world) play(tb testing.TB, script string) []string {
	tb.Helper()
	var all []string
	for step := range strings.SplitSeq(script, ";") {
		for word := range strings.FieldsSeq(step) {
			w.word(tb, word)
		}
		w.decide()
		all = append(all, w.String())
	}
	return all
}

// word is one thing that happens: "+10s" passes time, "-10s" sets the clock
// back, "fault=TEXT", "standby=1" or "NAME:WHAT", where * is every name.
func (w *world) word(tb testing.TB, word string) {
	tb.Helper()
	w.log = append(w.log, word)
	if d, err := time.ParseDuration(word); err == nil && strings.ContainsAny(word[:1], "+-") {
		if d > 0 {
			w.wait(d)
		} else {
			w.now = w.now.Add(d)
		}
		return
	}
	if text, ok := strings.CutPrefix(word, "fault="); ok {
		w.in.Fault = text
		return
	}
	if text, ok := strings.CutPrefix(word, "standby="); ok {
		w.in.Standby = text == "1"
		return
	}
	if word == "crash" {
		w.st = w.st.Provisional()
		return
	}
	name, what, ok := strings.Cut(word, ":")
	if !ok {
		tb.Fatalf("%q?", word)
	}
	if what == "gone" {
		w.remove(name)
		return
	}
	found := false
	for i := range w.p.Members {
		if n := w.p.Members[i].Name; n == name || name == "*" {
			found = true
			w.in.Members[i].set(tb, what, w.now)
		}
	}
	for i := range w.in.Left {
		if l := &w.in.Left[i]; l.Name == name {
			found = true
			s := Seen{Table: l.Table, Conns: l.Conns}
			s.set(tb, what, w.now)
			l.Table, l.Conns = s.Table, s.Conns
		}
	}
	if !found {
		tb.Fatalf("%q: no such member", word)
	}
}

// remove takes a member out of the configuration.
func (w *world) remove(name string) {
	p := *w.p
	i := slices.IndexFunc(p.Members, func(m Member) bool { return m.Name == name })
	p.Members = slices.Delete(slices.Clone(p.Members), i, i+1)
	w.in.Left = append(w.in.Left, SeenLeft{Name: name, Table: w.in.Members[i].Table, Conns: w.in.Members[i].Conns})
	w.in.Members = slices.Delete(slices.Clone(w.in.Members), i, i+1)
	w.p = &p
}

// set is something seen of a member.
func (s *Seen) set(tb testing.TB, what string, now time.Time) {
	tb.Helper()
	key, value, _ := strings.Cut(what, "=")
	n, _ := strconv.Atoi(value)
	if orders := map[string]OrderKind{"maint": Maintenance, "drain": DrainOut, "insist": Insist, "free": NoOrder}; what != "" {
		if k, ok := orders[key]; ok {
			s.Order = Order{Kind: k}
			s.Order.Deadline, _ = time.ParseDuration(value)
			return
		}
	}
	switch key {
	case "weight":
		s.Order.Weighted, s.Order.Weight = true, n
	case "table":
		s.Table = Row{Known: true, There: value != "-", Weight: n}
	case "conns":
		s.Conns = Conns{Known: true}
		_, err := fmt.Sscanf(value+"/0/0", "%d/%d/%d", &s.Conns.Active, &s.Conns.Inactive, &s.Conns.Persistent)
		if err != nil {
			tb.Fatal(err)
		}
	case "ask":
		s.Ask = Ask{Kind: AskWeight, N: n}
	case "percent":
		s.Ask = Ask{Kind: AskPercent, N: n}
	case "delta":
		s.Ask = Ask{Kind: AskDelta, N: n}
	case "load":
		load, err := strconv.ParseFloat(value, 64)
		if err != nil {
			tb.Fatal(err)
		}
		s.Ask = Ask{Kind: AskLoad, Load: load, At: now}
	case "hold":
		s.Ask = Ask{Kind: AskHold}
	case "mute":
		s.Ask = Ask{}
	default:
		s.verdict(tb, what)
	}
}

// verdict is "ok", "fail", "warn", "untested", "blind", "seeing" or, of the
// checks x and y, such as "ok,fail".
func (s *Seen) verdict(tb testing.TB, what string) {
	tb.Helper()
	words := strings.Split(what, ",")
	for i := range s.Checks {
		word := words[min(i, len(words)-1)]
		v := &s.Checks[i]
		switch word {
		case "blind":
			v.Blind = true
			continue
		case "seeing":
			v.Blind = false
			continue
		}
		status, ok := map[string]opstatus.Status{"ok": opstatus.OK, "fail": opstatus.Fail, "warn": opstatus.Warn,
			"timeout": opstatus.Timeout, "untested": opstatus.Untested, "dependency": opstatus.Dependency}[word]
		if !ok {
			tb.Fatalf("%q?", what)
		}
		*v = Verdict{Status: status}
	}
}

// String is the pool in a line: of each member its weight, with r while it
// ramps and ? while it is held; d while it drains, q while it is quiet and -
// while it is out.
func (w *world) String() string {
	var words []string
	for d := range w.out.Members() {
		s := d.Name + "="
		switch d.Phase {
		case Out:
			s += "-"
		case Draining:
			s += "d"
		case Quiet:
			s += "q"
		case Rising:
			s += strconv.Itoa(d.Weight) + "r"
		case Serving:
			s += strconv.Itoa(d.Weight)
		}
		if d.Held {
			s += "?"
		}
		words = append(words, s)
	}
	return strings.Join(words, " ")
}

// reason is why a member is as it is.
func (w *world) reason(name string) Reason {
	m, _ := w.st.Member(name)
	return m.Reason
}
