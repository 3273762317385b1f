package policy

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/depend"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/period"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// world is one service and all that is remembered of it.
type world struct {
	service  *config.Service
	state    opstatus.State
	periods  []State
	claims   []alert.Claim
	keepers  []string
	disabled bool
	stopped  bool
	dependOK bool
	now      time.Time
}

func newWorld(s *config.Service) *world {
	if s.Key.Group == "" {
		s.Key = opstatus.Key{Group: "www1", Service: "http"}
	}
	return &world{service: s, state: opstatus.New(), periods: make([]State, len(s.Periods)), dependOK: true, now: noon}
}

// service has one period after another, each described by a few words:
// "alert mail.alert ops", "exit=2-9 alert x", "numalerts 2", "label NIGHT".
func service(t testing.TB, periods ...string) *config.Service {
	s := &config.Service{}
	for i, text := range periods {
		p := config.Period{Name: "p" + strconv.Itoa(i+1)}
		for line := range strings.SplitSeq(text, ";") {
			if words := strings.Fields(line); len(words) > 0 {
				directive(t, &p, words)
			}
		}
		s.Periods = append(s.Periods, p)
	}
	return s
}

func directive(t testing.TB, p *config.Period, words []string) {
	exits := config.ExitRange{}
	if rest, ok := strings.CutPrefix(words[0], "exit="); ok {
		exits, words = exitsOf(t, rest), words[1:]
	}
	switch words[0] {
	case "when":
		spec, err := period.Parse(strings.Join(words[1:], " "))
		if err != nil {
			t.Fatal(err)
		}
		p.When = spec
	case "numalerts":
		p.Limit = number(t, words[1])
	case "alertexitrange":
		p.Exit = exitsOf(t, words[1])
	case "no_comp_alerts":
		p.NoComp = true
	case "upalertafter":
		p.UpAfter = duration(t, words[1])
	case "alertevery":
		p.Every.For = duration(t, words[1])
		if len(words) > 2 {
			p.Every.Mode = map[string]config.EveryMode{"observe_detail": config.EveryDetail, "ignore_summary": config.EveryIgnoreSummary, "strict": config.EveryStrict}[words[2]]
		}
	case "alertafter":
		after(t, p, words[1:])
	default:
		p.Lines = append(p.Lines, line(t, words, exits))
	}
}

func after(t testing.TB, p *config.Period, words []string) {
	n, err := strconv.Atoi(words[0])
	switch {
	case err != nil:
		p.After.For = duration(t, words[0])
	case len(words) == 1:
		p.After.Count = n
	default:
		p.After.Times, p.After.Within = n, duration(t, words[1])
	}
}

func line(t testing.TB, words []string, exits config.ExitRange) config.Line {
	on, ok := map[string]alert.Kind{"alert": alert.Failure, "upalert": alert.Up, "startupalert": alert.Startup, "ackalert": alert.Ack, "disablealert": alert.Disable}[words[0]]
	if !ok || len(words) < 2 {
		t.Fatalf("no directive: %q", words)
	}
	return config.Line{On: on, Command: config.Command{Program: words[1], Args: words[2:], Exit: exits}}
}

func exitsOf(t testing.TB, s string) config.ExitRange {
	lo, hi, ok := strings.Cut(s, "-")
	if !ok {
		hi = lo
	}
	return config.ExitRange{Set: true, Min: number(t, lo), Max: number(t, hi)}
}

func number(t testing.TB, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func duration(t testing.TB, s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// run plays a script and gives the calls of each of its events. Events are ten
// seconds apart:
//
//	F F3 F:w1:refused  failure with exit 1; with exit 3; with summary, detail
//	O W B L            success, warning, blind result, time limit
//	T T3 TO            trap that fails; with exit 3; that is good
//	X E                traptimeout, trapduration over
//	S A D              startup, acknowledgement, disabling
//	+1h -1h            the clock is set before the next event
//	dep- dep+ dis- dis+ stop- stop+   the dependency fails, holds, and so on
//
// A call is one letter: f failure, u up, s startup, a ack, d disable, t trap,
// x traptimeout; an event without any is ".".
func (w *world) run(t testing.TB, script string) []string {
	var calls []string
	for word := range strings.FieldsSeq(script) {
		if w.turn(t, word) {
			continue
		}
		calls = append(calls, letters(w.event(t, eventOf(t, word)).Decisions))
		w.now = w.now.Add(10 * time.Second)
	}
	return calls
}

// turn obeys a word that is no event.
func (w *world) turn(t testing.TB, word string) bool {
	switch word {
	case "dep-", "dep+":
		w.dependOK = word == "dep+"
	case "dis-", "dis+":
		w.disabled = word == "dis+"
	case "stop-", "stop+":
		w.stopped = word == "stop+"
	default:
		if word[0] != '+' && word[0] != '-' {
			return false
		}
		w.now = w.now.Add(duration(t, word))
	}
	return true
}

func eventOf(t testing.TB, word string) opstatus.Event {
	switch word {
	case "O":
		return opstatus.Event{Kind: opstatus.Exit, Result: monitor.OK("")}
	case "W":
		return opstatus.Event{Kind: opstatus.Exit, Result: monitor.Result{Cause: monitor.Exited, Warn: true}}
	case "B":
		return opstatus.Event{Kind: opstatus.Exit, Result: monitor.Blinded(monitor.Killed, "killed")}
	case "L":
		return opstatus.Event{Kind: opstatus.Exit, Result: monitor.Result{Cause: monitor.TimedOut}}
	case "TO":
		return opstatus.Event{Kind: opstatus.Trap, Result: monitor.OK("")}
	case "X":
		return opstatus.Event{Kind: opstatus.TrapTimeout}
	case "E":
		return opstatus.Event{Kind: opstatus.TrapExpired}
	case "S":
		return opstatus.Event{Kind: opstatus.Startup}
	case "A":
		return opstatus.Event{Kind: opstatus.Ack, Note: opstatus.Note{At: noon, User: "alice", Text: "on it"}}
	case "D":
		return opstatus.Event{Kind: opstatus.Disable}
	}
	return failureOf(t, word)
}

func failureOf(t testing.TB, word string) opstatus.Event {
	parts := append(strings.Split(word, ":"), "", "")
	kind := map[byte]opstatus.EventKind{'F': opstatus.Exit, 'T': opstatus.Trap}[word[0]]
	if kind == opstatus.None {
		t.Fatalf("no event: %q", word)
	}
	r := monitor.Failed("h1", parts[2])
	if parts[1] != "" {
		r.Summary = strings.ReplaceAll(parts[1], "_", " ")
	}
	if parts[0] != word[:1] {
		r.Exit = number(t, parts[0][1:])
	}
	return opstatus.Event{Kind: kind, Result: r}
}

// event takes ev through Observe, Decide and Claims as the engine does, and
// makes sure that nothing given was changed.
func (w *world) event(t testing.TB, ev opstatus.Event) Outcome {
	is, change := opstatus.Observe(w.state, w.service.Settle, ev, w.now)
	in := Input{Service: w.service, Was: w.state, Is: is, Change: change, Periods: w.periods, Disabled: w.disabled, Stopped: w.stopped, DependOK: w.dependOK}
	periods := slices.Clone(w.periods)
	out := Decide(in, w.now)
	if d := cmp.Diff(periods, w.periods); d != "" {
		t.Fatalf("Decide changed its input:\n%s", d)
	}
	w.state, w.periods = out.Service, out.Periods
	w.keep(t, change, out.Decisions)
	return out
}

func (w *world) keep(t testing.TB, change opstatus.Transition, decisions []Decision) (changed []alert.Claim) {
	held := slices.Clone(w.claims)
	next, changed := Claims(ClaimInput{
		Service: w.service, Keepers: func(p string) bool { return slices.Contains(w.keepers, p) },
		Held: w.claims, Change: change, Decisions: decisions, Summary: w.state.FailSummary,
	}, w.now)
	if d := cmp.Diff(held, w.claims); d != "" {
		t.Fatalf("Claims changed its input:\n%s", d)
	}
	w.claims = next
	return changed
}

func letters(decisions []Decision) string {
	names := map[alert.Kind]string{alert.Failure: "f", alert.Up: "u", alert.Startup: "s", alert.Ack: "a", alert.Disable: "d", alert.Trap: "t", alert.TrapTimeout: "x"}
	calls := ""
	for _, d := range decisions {
		if d.Send {
			calls += names[d.Kind]
		}
	}
	if calls == "" {
		return "."
	}
	return calls
}

// behind makes s depend on another service.
func behind(t testing.TB, s *config.Service) *config.Service {
	e, err := depend.Parse("db:mysql", "www1")
	if err != nil {
		t.Fatal(err)
	}
	s.Depend.Alert = e
	return s
}
