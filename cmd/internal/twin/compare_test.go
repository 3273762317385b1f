package twin

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/difference"
)

// firstSuccess is the row that concerns every scenario.
const firstSuccess = "MON_FIRST_SUCCESS"

// forgiven counts what each row of engine/difference forgave.
type forgiven map[string]int

// comparison compares two traces of a scenario. Only what the scenario's
// changes name may differ, and each of them must.
type comparison struct {
	s        *scenario
	start    int64
	forgiven forgiven
	used     map[change]bool
	wrong    []string
}

// compare is what mond did otherwise than mon, in lines for people; none if all
// is well.
func compare(s *scenario, mon, mond []record, f forgiven) []string {
	c := comparison{s: s, start: mon[0].at, forgiven: f, used: map[change]bool{}}
	events, ours := split(mon), split(mond)
	for label, want := range events {
		if want.happened == nil {
			continue
		}
		got := ours[label]
		c.began(label, want.began, got.began)
		c.calls(label, want, got.calls)
	}
	for _, ch := range s.changes {
		if _, ok := difference.Find(ch.row); !ok {
			c.say("no row of engine/difference is called %q", ch.row)
		} else if !c.used[ch] {
			c.say("%s: %+v changed nothing", ch.row, ch)
		}
	}
	slices.Sort(c.wrong)
	return c.wrong
}

// happening is an event with what it led to, and how the run that it is the
// result of was started.
type happening struct {
	happened *record
	began    *record
	calls    []record
}

func split(trace []record) map[string]happening {
	all := map[string]happening{}
	for _, r := range trace {
		label := r.label()
		h := all[label]
		switch r.kind {
		case "began":
			h.began = &r
		case "alert":
			continue
		default:
			h.happened = &r
		}
		all[label] = h
	}
	label := ""
	for _, r := range trace {
		switch r.kind {
		case "began":
		case "alert":
			h := all[label]
			h.calls = append(h.calls, r)
			all[label] = h
		default:
			label = r.label()
		}
	}
	return all
}

func (c *comparison) say(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// began compares how a check was started.
func (c *comparison) began(label string, want, got *record) {
	if want == nil {
		return
	}
	if got == nil {
		c.say("%s: not checked", label)
		return
	}
	for _, ch := range c.s.changes {
		if ch.event == label && ch.what == "words" && !slices.Equal(want.args, strings.Fields(ch.rest)) {
			want.args = strings.Fields(ch.rest)
			c.forgive(ch)
		}
	}
	c.same(label+" check", *want, *got)
}

// calls compares who was called.
func (c *comparison) calls(label string, want happening, got []record) {
	expected := c.changed(label, want.calls)
	got = c.sorted(got)
	expected = c.sorted(expected)
	for i := range max(len(expected), len(got)) {
		switch {
		case i >= len(got):
			c.say("%s: not called: %s", label, c.text(expected[i]))
		case i >= len(expected):
			c.say("%s: called, but not by mon: %s", label, c.text(got[i]))
		case expected[i].env == nil: // of a change
			if was := got[i].text + words(lineWords(got[i])); was != expected[i].text+words(expected[i].args) {
				c.say("%s: called %q, want %q", label, was, expected[i].text+words(expected[i].args))
			}
		default:
			c.same(label+" "+expected[i].text, expected[i], got[i])
		}
	}
}

func words(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return " " + strings.Join(args, " ")
}

// changed is what is expected after the scenario's changes.
func (c *comparison) changed(label string, calls []record) (all []record) {
	all = slices.Clone(calls)
	for _, ch := range c.s.changes {
		if ch.event != label {
			continue
		}
		before := len(all)
		switch sign, kind := ch.what[0], ch.what[1:]; sign {
		case '+':
			program, args, _ := strings.Cut(ch.rest, " ")
			all = append(all, record{kind: "alert", text: program, args: strings.Fields(args)})
		case '-':
			all = slices.DeleteFunc(all, func(r record) bool { return r.env["MON_ALERTTYPE"] == kind })
		}
		if len(all) != before {
			c.forgive(ch)
		}
	}
	return all
}

func (c *comparison) forgive(ch change) {
	c.used[ch] = true
	c.forgiven[ch.row]++
}

// sorted brings the calls of several periods, which mon asks in any order, into
// one: their lines carry the period's name as first word.
func (c *comparison) sorted(calls []record) []record {
	calls = slices.Clone(calls)
	if c.s.periods() > 1 {
		slices.SortStableFunc(calls, func(a, b record) int { return strings.Compare(lineWord(a), lineWord(b)) })
	}
	return calls
}

// lineWord is the first word of the line that was called.
func lineWord(r record) string {
	if args := lineWords(r); len(args) > 0 {
		return args[0]
	}
	return ""
}

// lineWords are the words of a call less the daemon's own, -s -g -h -t and the
// flag of the kind.
func lineWords(r record) []string {
	if r.env == nil { // of a change
		return r.args
	}
	own := 8
	if slices.Contains([]string{"up", "ack", "disable", "trap", "traptimeout"}, r.env["MON_ALERTTYPE"]) {
		own++
	}
	return r.args[min(own, len(r.args)):]
}

// same compares the words, the variables and the input of a program.
func (c *comparison) same(what string, want, got record) {
	want, got = want.relativeTo(c.start), got.relativeTo(c.start)
	if want.text != got.text {
		c.say("%s: called %s", what, got.text)
	}
	if !slices.Equal(want.args, got.args) {
		c.say("%s: words %q, want %q", what, got.args, want.args)
	}
	if want.stdin != got.stdin && !c.newline(want.stdin, got.stdin) {
		c.say("%s: input %q, want %q", what, got.stdin, want.stdin)
	}
	names := map[string]bool{}
	for name := range want.env {
		names[name] = true
	}
	for name := range got.env {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		w, g := value(want.env, name), value(got.env, name)
		if w != g && !c.mayDiffer(name) && !c.newline(want.env[name], got.env[name]) {
			c.say("%s: %s is %s, want %s", what, name, g, w)
		}
	}
}

func value(env map[string]string, name string) string {
	v, ok := env[name]
	if !ok {
		return "not set"
	}
	return fmt.Sprintf("%q", v)
}

// mayDiffer forgives a variable.
func (c *comparison) mayDiffer(name string) bool {
	if name == firstSuccess {
		c.forgiven[firstSuccess]++
		return true
	}
	for _, ch := range c.s.changes {
		if ch.event == "env" && ch.what == name {
			c.forgive(ch)
			return true
		}
	}
	return false
}

// newline forgives a last newline.
func (c *comparison) newline(want, got string) bool {
	for _, ch := range c.s.changes {
		if ch.event == "text" && strings.TrimSuffix(want, "\n") == strings.TrimSuffix(got, "\n") {
			c.forgive(ch)
			return true
		}
	}
	return false
}

func (c *comparison) text(r record) string {
	r = r.relativeTo(c.start)
	return r.env["MON_ALERTTYPE"] + " " + r.text + words(r.args)
}
