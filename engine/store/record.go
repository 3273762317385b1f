package store

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
)

// The docs are the rows as they lie on disk. They are apart from the types
// they come from so that a field can be renamed there without losing what was
// saved; a test fails when a field is added there and not here.

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
}

type noteDoc struct {
	At   time.Time `json:"at,omitzero"`
	User text      `json:"user,omitempty"`
	Text text      `json:"text,omitempty"`
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

func encodeRecord(r Record) ([]byte, error) {
	s := r.State
	return encode(recordDoc{
		Status: s.Status.String(), Last: s.Last.String(), Good: s.Good, Bad: s.Bad,
		Failures: s.Failures, Total: s.Total, Exit: s.Exit, Took: s.Took, Tested: s.Tested,
		FirstFail: stamp(s.FirstFail), LastFail: stamp(s.LastFail), FirstOK: stamp(s.FirstOK),
		LastOK: stamp(s.LastOK), LastCheck: stamp(s.LastCheck), LastTrap: stamp(s.LastTrap),
		Summary: text(s.Summary), Output: text(s.Output),
		FailSummary: text(s.FailSummary), FailOutput: text(s.FailOutput),
		Ack: noteOut(s.Ack), Blind: blindOut(s.Blind), Disabled: noteOut(r.Disabled),
		Periods: periodsOut(r.Periods), Claims: claimsOut(r.Claims),
		DependOK: r.DependOK, DependFailed: stamp(r.DependFailed),
	})
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

func noteOut(n *opstatus.Note) *noteDoc {
	if n == nil {
		return nil
	}
	return &noteDoc{At: stamp(n.At), User: text(n.User), Text: text(n.Text)}
}

func noteIn(d *noteDoc) *opstatus.Note {
	if d == nil {
		return nil
	}
	return &opstatus.Note{At: local(d.At), User: string(d.User), Text: string(d.Text)}
}

func blindOut(b *opstatus.Blind) *blindDoc {
	if b == nil {
		return nil
	}
	return &blindDoc{Cause: b.Cause.String(), Reason: text(b.Reason), Since: stamp(b.Since), Times: b.Times}
}

func blindIn(d *blindDoc) *opstatus.Blind {
	if d == nil {
		return nil
	}
	cause := word(d.Cause, monitor.Cause.String, monitor.NotRun)
	return &opstatus.Blind{Cause: cause, Reason: string(d.Reason), Since: local(d.Since), Times: d.Times}
}

func periodsOut(m map[string]policy.State) []periodDoc {
	var out []periodDoc
	for _, name := range slices.Sorted(maps.Keys(m)) {
		p := m[name]
		out = append(out, periodDoc{
			Name: text(name), Sent: p.Sent, Up: p.Up, FailCount: p.FailCount,
			LastAlert: stamp(p.LastAlert), FirstFail: stamp(p.FirstFail),
		})
	}
	return out
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

func claimsOut(list []alert.Claim) []claimDoc {
	var out []claimDoc
	for _, c := range list {
		out = append(out, claimDoc{
			ID: text(c.ID), Group: text(c.Group), Service: text(c.Service), Reason: text(c.Reason),
			Args: texts(c.Args), Down: c.Down, Provisional: c.Provisional, Withdrawn: c.Withdrawn,
			Since: stamp(c.Since),
		})
	}
	return out
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
