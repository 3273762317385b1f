package store

import (
	"encoding/json"
	"time"
)

type eventDoc struct {
	At      time.Time     `json:"at,omitzero"`
	Group   text          `json:"group,omitempty"`
	Service text          `json:"service,omitempty"`
	Kind    text          `json:"kind"`
	Text    text          `json:"text,omitempty"`
	What    text          `json:"what,omitempty"`
	From    text          `json:"from,omitempty"`
	To      text          `json:"to,omitempty"`
	Exit    int           `json:"exit,omitempty"`
	Summary text          `json:"summary,omitempty"`
	Outcome text          `json:"outcome,omitempty"`
	Reason  text          `json:"reason,omitempty"`
	Note    text          `json:"note,omitempty"`
	Period  text          `json:"period,omitempty"`
	Program text          `json:"program,omitempty"`
	Notice  text          `json:"notice,omitempty"`
	User    text          `json:"user,omitempty"`
	Took    time.Duration `json:"took_ns,omitempty"`
}

// encodeEvent leaves Number out: it is in the row's key. The kind comes before
// anything long, so that [kindOf] finds it.
func encodeEvent(e Event) []byte {
	o := newObject(192 + len(e.Text) + len(e.Summary))
	o.time("at", e.At)
	o.alwaysText("kind", e.Kind)
	o.text("group", e.Group)
	o.text("service", e.Service)
	o.text("what", e.What)
	o.text("from", e.From)
	o.text("to", e.To)
	o.number("exit", int64(e.Exit))
	o.text("text", e.Text)
	o.text("summary", e.Summary)
	o.text("outcome", e.Outcome)
	o.text("reason", e.Reason)
	o.text("note", e.Note)
	o.text("period", e.Period)
	o.text("program", e.Program)
	o.text("notice", e.Notice)
	o.text("user", e.User)
	o.number("took_ns", int64(e.Took))
	return o.end()
}

func decodeEvent(data []byte) (Event, error) {
	var d eventDoc
	err := json.Unmarshal(data, &d)
	return Event{
		At: local(d.At), Group: string(d.Group), Service: string(d.Service), Kind: string(d.Kind), Text: string(d.Text),
		What: string(d.What), From: string(d.From), To: string(d.To), Exit: d.Exit, Summary: string(d.Summary),
		Outcome: string(d.Outcome), Reason: string(d.Reason), Note: string(d.Note), Period: string(d.Period),
		Program: string(d.Program), Notice: string(d.Notice), User: string(d.User), Took: d.Took,
	}, err
}
