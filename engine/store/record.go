package store

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
)

// The docs are the rows as they are read. They are apart from the types they
// become so that a field can be renamed there without losing what was saved; a
// test fails when a field is added there and not here.

type recordDoc struct {
	Status      string        `json:"status"`
	Last        string        `json:"last"`
	Good        int           `json:"good,omitempty"`
	Bad         int           `json:"bad,omitempty"`
	Failures    int           `json:"failures,omitempty"`
	Total       int           `json:"total,omitempty"`
	FirstFail   time.Time     `json:"first_fail,omitzero"`
	LastFail    time.Time     `json:"last_fail,omitzero"`
	FirstOK     time.Time     `json:"first_ok,omitzero"`
	LastOK      time.Time     `json:"last_ok,omitzero"`
	LastCheck   time.Time     `json:"last_check,omitzero"`
	LastTrap    time.Time     `json:"last_trap,omitzero"`
	Took        time.Duration `json:"took_ns,omitempty"`
	Exit        int           `json:"exit"`
	Summary     text          `json:"summary,omitempty"`
	Output      text          `json:"output,omitempty"`
	FailSummary text          `json:"fail_summary,omitempty"`
	FailOutput  text          `json:"fail_output,omitempty"`
	Ack         *noteDoc      `json:"ack,omitempty"`
	Blind       *blindDoc     `json:"blind,omitempty"`
	Tested      bool          `json:"tested,omitempty"`

	Periods      []periodDoc `json:"periods,omitempty"`
	Disabled     *noteDoc    `json:"disabled,omitempty"`
	Claims       []claimDoc  `json:"claims,omitempty"`
	DependOK     *bool       `json:"depend_ok,omitempty"`
	DependFailed time.Time   `json:"depend_failed,omitzero"`
	Held         text        `json:"held,omitempty"`
	TrapSince    time.Time   `json:"trap_since,omitzero"`
	TrapEnds     time.Time   `json:"trap_ends,omitzero"`
	Alerts       int         `json:"alerts,omitempty"`
}

type noteDoc struct {
	At   time.Time `json:"at,omitzero"`
	User text      `json:"user,omitempty"`
	Text text      `json:"text,omitempty"`
	// Where is the other director, if it was said there.
	Where text `json:"where,omitempty"`
}

type blindDoc struct {
	Cause  string    `json:"cause"`
	Reason text      `json:"reason,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Times  int       `json:"times,omitempty"`
}

type periodDoc struct {
	Name      text      `json:"name"`
	Sent      int       `json:"sent,omitempty"`
	Up        bool      `json:"up,omitempty"`
	LastAlert time.Time `json:"last_alert,omitzero"`
	FirstFail time.Time `json:"first_fail,omitzero"`
	FailCount int       `json:"fail_count,omitempty"`
}

type claimDoc struct {
	ID          text      `json:"id"`
	Group       text      `json:"group"`
	Service     text      `json:"service"`
	Reason      text      `json:"reason,omitempty"`
	Args        []text    `json:"args,omitempty"`
	Down        bool      `json:"down,omitempty"`
	Provisional bool      `json:"provisional,omitempty"`
	Withdrawn   bool      `json:"withdrawn,omitempty"`
	Since       time.Time `json:"since,omitzero"`
}

func encodeRecord(r Record) []byte {
	o := newObject(1024 + len(r.State.Output) + len(r.State.FailOutput))
	o.state(r.State)
	names := slices.Sorted(maps.Keys(r.Periods))
	o.list("periods", len(names), func(i int) { o.inner(func() { o.period(names[i], r.Periods[names[i]]) }) })
	o.note("disabled", r.Disabled)
	o.list("claims", len(r.Claims), func(i int) { o.inner(func() { o.claim(r.Claims[i]) }) })
	if r.DependOK != nil {
		o.name("depend_ok")
		o.b = strconv.AppendBool(o.b, *r.DependOK)
	}
	o.time("depend_failed", r.DependFailed)
	o.text("held", r.Held)
	o.time("trap_since", r.TrapSince)
	o.time("trap_ends", r.TrapEnds)
	o.number("alerts", int64(r.Alerts))
	return o.end()
}

func (o *object) state(s opstatus.State) {
	o.alwaysText("status", s.Status.String())
	o.alwaysText("last", s.Last.String())
	o.number("good", int64(s.Good))
	o.number("bad", int64(s.Bad))
	o.number("failures", int64(s.Failures))
	o.number("total", int64(s.Total))
	o.time("first_fail", s.FirstFail)
	o.time("last_fail", s.LastFail)
	o.time("first_ok", s.FirstOK)
	o.time("last_ok", s.LastOK)
	o.time("last_check", s.LastCheck)
	o.time("last_trap", s.LastTrap)
	o.number("took_ns", int64(s.Took))
	o.alwaysNumber("exit", int64(s.Exit))
	o.text("summary", s.Summary)
	o.text("output", s.Output)
	o.text("fail_summary", s.FailSummary)
	o.text("fail_output", s.FailOutput)
	o.note("ack", s.Ack)
	o.blind(s.Blind)
	o.flag("tested", s.Tested)
}

func (o *object) note(name string, n *opstatus.Note) {
	if n != nil {
		o.object(name, func() { o.noteFields(*n) })
	}
}

func (o *object) noteFields(n opstatus.Note) {
	o.time("at", n.At)
	o.text("user", n.User)
	o.text("text", n.Text)
	o.text("where", n.Where)
}

func (o *object) blind(b *opstatus.Blind) {
	if b == nil {
		return
	}
	o.object("blind", func() {
		o.alwaysText("cause", b.Cause.String())
		o.text("reason", b.Reason)
		o.time("since", b.Since)
		o.number("times", int64(b.Times))
	})
}

func (o *object) period(name string, p policy.State) {
	o.alwaysText("name", name)
	o.number("sent", int64(p.Sent))
	o.flag("up", p.Up)
	o.time("last_alert", p.LastAlert)
	o.time("first_fail", p.FirstFail)
	o.number("fail_count", int64(p.FailCount))
}

func (o *object) claim(c alert.Claim) {
	o.alwaysText("id", c.ID)
	o.alwaysText("group", c.Group)
	o.alwaysText("service", c.Service)
	o.text("reason", c.Reason)
	o.texts("args", c.Args)
	o.flag("down", c.Down)
	o.flag("provisional", c.Provisional)
	o.flag("withdrawn", c.Withdrawn)
	o.time("since", c.Since)
}

func decodeRecord(data []byte) (Record, error) {
	var d recordDoc
	if err := json.Unmarshal(data, &d); err != nil {
		return Record{}, err
	}
	return Record{
		State: opstatus.State{
			Status: statusOf(d.Status), Last: statusOf(d.Last), Good: d.Good, Bad: d.Bad,
			Failures: d.Failures, Total: d.Total, Exit: d.Exit, Took: d.Took, Tested: d.Tested,
			FirstFail: local(d.FirstFail), LastFail: local(d.LastFail), FirstOK: local(d.FirstOK),
			LastOK: local(d.LastOK), LastCheck: local(d.LastCheck), LastTrap: local(d.LastTrap),
			Summary: string(d.Summary), Output: string(d.Output),
			FailSummary: string(d.FailSummary), FailOutput: string(d.FailOutput),
			Ack: noteIn(d.Ack), Blind: blindIn(d.Blind),
		},
		Periods: periodsIn(d.Periods), Disabled: noteIn(d.Disabled), Claims: claimsIn(d.Claims),
		DependOK: d.DependOK, DependFailed: local(d.DependFailed),
		Held: string(d.Held), Alerts: d.Alerts,
		TrapSince: local(d.TrapSince), TrapEnds: local(d.TrapEnds),
	}, nil
}

// word finds the value of a byte-sized enum whose String is w; statuses and
// causes are saved as words, so that their order is free to change.
func word[T ~uint8](w string, text func(T) string, otherwise T) T {
	for v := range 256 {
		if text(T(v)) == w {
			return T(v)
		}
	}
	return otherwise
}

func statusOf(w string) opstatus.Status {
	if w == "" {
		return opstatus.Untested
	}
	return word(w, opstatus.Status.String, opstatus.Unknown)
}

func noteIn(d *noteDoc) *opstatus.Note {
	if d == nil {
		return nil
	}
	return &opstatus.Note{At: local(d.At), User: string(d.User), Text: string(d.Text), Where: string(d.Where)}
}

func blindIn(d *blindDoc) *opstatus.Blind {
	if d == nil {
		return nil
	}
	cause := word(d.Cause, monitor.Cause.String, monitor.NotRun)
	return &opstatus.Blind{Cause: cause, Reason: string(d.Reason), Since: local(d.Since), Times: d.Times}
}

func periodsIn(list []periodDoc) map[string]policy.State {
	if len(list) == 0 {
		return nil
	}
	m := make(map[string]policy.State, len(list))
	for _, p := range list {
		m[string(p.Name)] = policy.State{
			Sent: p.Sent, Up: p.Up, FailCount: p.FailCount,
			LastAlert: local(p.LastAlert), FirstFail: local(p.FirstFail),
		}
	}
	return m
}

func claimsIn(list []claimDoc) []alert.Claim {
	var out []alert.Claim
	for _, d := range list {
		out = append(out, alert.Claim{
			ID: string(d.ID), Group: string(d.Group), Service: string(d.Service), Reason: string(d.Reason),
			Args: stringsOf(d.Args), Down: d.Down, Provisional: d.Provisional, Withdrawn: d.Withdrawn,
			Since: local(d.Since),
		})
	}
	return out
}
