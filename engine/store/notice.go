package store

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/plugins/alert"
)

type noticeDoc struct {
	Program  text      `json:"program"`
	Queued   time.Time `json:"queued,omitzero"`
	ID       text      `json:"id,omitempty"`
	Group    text      `json:"group"`
	Service  text      `json:"service"`
	Kind     string    `json:"kind"`
	Repeated bool      `json:"repeated,omitempty"`
	Late     bool      `json:"late,omitempty"`
	Hosts    []text    `json:"hosts,omitempty"`
	Args     []text    `json:"args,omitempty"`
	Summary  text      `json:"summary,omitempty"`
	Output   text      `json:"output,omitempty"`
	At       time.Time `json:"at,omitzero"`
	Exit     int       `json:"exit"`
	Status   int       `json:"status"`
	// Env holds NAME=value, sorted.
	Env []text `json:"env,omitempty"`
}

// encodeNotice leaves Seq out: it is the row's key.
func encodeNotice(n Notice) ([]byte, error) {
	r := n.Request
	return encode(noticeDoc{
		Program: text(n.Program), Queued: stamp(n.Queued),
		ID: text(r.ID), Group: text(r.Group), Service: text(r.Service), Kind: r.Kind.String(),
		Repeated: r.Repeated, Late: r.Late, Hosts: texts(r.Hosts), Args: texts(r.Args),
		Summary: text(r.Summary), Output: text(r.Output), At: stamp(r.At),
		Exit: r.Exit, Status: r.Status, Env: envOut(r.Env),
	})
}

func decodeNotice(seq uint64, data []byte) (Notice, error) {
	var d noticeDoc
	if err := json.Unmarshal(data, &d); err != nil {
		return Notice{}, err
	}
	return Notice{
		Seq: seq, Program: string(d.Program), Queued: local(d.Queued),
		Request: alert.Request{
			ID: string(d.ID), Group: string(d.Group), Service: string(d.Service),
			Kind:     word(d.Kind, alert.Kind.String, alert.Unset),
			Repeated: d.Repeated, Late: d.Late, Hosts: stringsOf(d.Hosts), Args: stringsOf(d.Args),
			Summary: string(d.Summary), Output: string(d.Output), At: local(d.At),
			Exit: d.Exit, Status: d.Status, Env: envIn(d.Env),
		},
	}, nil
}

func envOut(env map[string]string) []text {
	var out []text
	for _, k := range slices.Sorted(maps.Keys(env)) {
		out = append(out, text(k+"="+env[k]))
	}
	return out
}

func envIn(list []text) map[string]string {
	if len(list) == 0 {
		return nil
	}
	env := make(map[string]string, len(list))
	for _, kv := range list {
		k, v, _ := strings.Cut(string(kv), "=")
		env[k] = v
	}
	return env
}

type eventDoc struct {
	At      time.Time `json:"at,omitzero"`
	Group   text      `json:"group,omitempty"`
	Service text      `json:"service,omitempty"`
	Kind    string    `json:"kind"`
	Text    text      `json:"text,omitempty"`
}

func encodeEvent(e Event) ([]byte, error) {
	return encode(eventDoc{stamp(e.At), text(e.Group), text(e.Service), e.Kind, text(e.Text)})
}

func decodeEvent(data []byte) (Event, error) {
	var d eventDoc
	err := json.Unmarshal(data, &d)
	return Event{local(d.At), string(d.Group), string(d.Service), d.Kind, string(d.Text)}, err
}

type globalsDoc struct {
	Stopped *noteDoc   `json:"stopped,omitempty"`
	Watches []namedDoc `json:"watches,omitempty"`
	Hosts   []namedDoc `json:"hosts,omitempty"`
}

type namedDoc struct {
	Name text `json:"name"`
	noteDoc
}

func encodeGlobals(g Globals) ([]byte, error) {
	return encode(globalsDoc{noteOut(g.Stopped), namedOut(g.Watches), namedOut(g.Hosts)})
}

func decodeGlobals(data []byte) (Globals, error) {
	var d globalsDoc
	err := json.Unmarshal(data, &d)
	return Globals{Stopped: noteIn(d.Stopped), Watches: namedIn(d.Watches), Hosts: namedIn(d.Hosts)}, err
}

func namedOut(m map[string]opstatus.Note) []namedDoc {
	var out []namedDoc
	for _, name := range slices.Sorted(maps.Keys(m)) {
		note := m[name]
		out = append(out, namedDoc{text(name), *noteOut(&note)})
	}
	return out
}

func namedIn(list []namedDoc) map[string]opstatus.Note {
	if len(list) == 0 {
		return nil
	}
	m := make(map[string]opstatus.Note, len(list))
	for _, d := range list {
		m[string(d.Name)] = *noteIn(&d.noteDoc)
	}
	return m
}
