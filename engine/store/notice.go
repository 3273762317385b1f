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
	Env  []text `json:"env,omitempty"`
	Test bool   `json:"test,omitempty"`
}

// encodeNotice leaves Seq out: it is the row's key.
func encodeNotice(n Notice) []byte {
	r := n.Request
	o := newObject(1024 + len(r.Output))
	o.alwaysText("program", n.Program)
	o.time("queued", n.Queued)
	o.text("id", r.ID)
	o.alwaysText("group", r.Group)
	o.alwaysText("service", r.Service)
	o.alwaysText("kind", r.Kind.String())
	o.flag("repeated", r.Repeated)
	o.flag("late", r.Late)
	o.texts("hosts", r.Hosts)
	o.texts("args", r.Args)
	o.text("summary", r.Summary)
	o.text("output", r.Output)
	o.time("at", r.At)
	o.alwaysNumber("exit", int64(r.Exit))
	o.alwaysNumber("status", int64(r.Status))
	o.texts("env", environ(r.Env))
	o.flag("test", n.Test)
	return o.end()
}

func decodeNotice(seq uint64, data []byte) (Notice, error) {
	var d noticeDoc
	if err := json.Unmarshal(data, &d); err != nil {
		return Notice{}, err
	}
	return Notice{
		Seq: seq, Program: string(d.Program), Queued: local(d.Queued), Test: d.Test,
		Request: alert.Request{
			ID: string(d.ID), Group: string(d.Group), Service: string(d.Service),
			Kind:     word(d.Kind, alert.Kind.String, alert.Unset),
			Repeated: d.Repeated, Late: d.Late, Hosts: stringsOf(d.Hosts), Args: stringsOf(d.Args),
			Summary: string(d.Summary), Output: string(d.Output), At: local(d.At),
			Exit: d.Exit, Status: d.Status, Env: envIn(d.Env),
		},
	}, nil
}

func environ(env map[string]string) []string {
	list := make([]string, 0, len(env))
	for k, v := range env {
		list = append(list, k+"="+v)
	}
	slices.Sort(list)
	return list
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

type globalsDoc struct {
	Stopped *noteDoc   `json:"stopped,omitempty"`
	Watches []namedDoc `json:"watches,omitempty"`
	Hosts   []namedDoc `json:"hosts,omitempty"`
	// Excluded is the global exclude_period.
	Excluded bool           `json:"excluded,omitempty"`
	Orders   []orderDoc     `json:"orders,omitempty"`
	Marks    []marksDoc     `json:"marks,omitempty"`
	Roles    []roleOrderDoc `json:"roles,omitempty"`
	Shared   []sharedDoc    `json:"shared,omitempty"`
}

type namedDoc struct {
	Name text `json:"name"`
	noteDoc
}

func encodeGlobals(g Globals) []byte {
	o := newObject(256)
	o.note("stopped", g.Stopped)
	o.notes("watches", g.Watches)
	o.notes("hosts", g.Hosts)
	o.flag("excluded", g.Excluded)
	o.orders(g.Orders)
	o.marks(g.Marks)
	o.roles(g.Roles)
	o.shared(g.Shared)
	return o.end()
}

func (o *object) notes(name string, m map[string]opstatus.Note) {
	names := slices.Sorted(maps.Keys(m))
	o.list(name, len(names), func(i int) {
		o.inner(func() {
			o.alwaysText("name", names[i])
			o.noteFields(m[names[i]])
		})
	})
}

func decodeGlobals(data []byte) (Globals, error) {
	var d globalsDoc
	err := json.Unmarshal(data, &d)
	return Globals{Stopped: noteIn(d.Stopped), Watches: namedIn(d.Watches), Hosts: namedIn(d.Hosts), Excluded: d.Excluded,
		Orders: ordersIn(d.Orders), Marks: marksIn(d.Marks), Roles: rolesIn(d.Roles), Shared: sharedIn(d.Shared)}, err
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
