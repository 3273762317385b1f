package store

import (
	"strconv"
	"time"

	"github.com/mondhq/mond/engine/share"
)

// sharedDoc is an entry of what directors share; see share.Entry.
type sharedDoc struct {
	Kind    text      `json:"kind"`
	Name    text      `json:"name"`
	State   uint8     `json:"state"`
	Value   text      `json:"value,omitempty"`
	Until   time.Time `json:"until,omitzero"`
	Who     text      `json:"who,omitempty"`
	Where   text      `json:"where,omitempty"`
	Why     text      `json:"why,omitempty"`
	At      time.Time `json:"at,omitzero"`
	Version uint64    `json:"version,string,omitempty"`
	Node    uint8     `json:"node"`
}

func (o *object) shared(list []share.Entry) {
	o.list("shared", len(list), func(i int) {
		o.inner(func() {
			e := &list[i]
			o.alwaysText("kind", e.Kind)
			o.alwaysText("name", e.Name)
			o.number("state", int64(e.State))
			o.text("value", e.Value)
			o.time("until", e.Until)
			o.text("who", e.Who)
			o.text("where", e.Where)
			o.text("why", e.Why)
			o.time("at", e.At)
			o.text("version", strconv.FormatUint(e.Version, 10))
			o.number("node", int64(e.Node))
		})
	})
}

func sharedIn(list []sharedDoc) []share.Entry {
	var out []share.Entry
	for i := range list {
		d := &list[i]
		out = append(out, share.Entry{
			Key: share.Key{Kind: string(d.Kind), Name: string(d.Name)}, State: share.State(d.State), Value: string(d.Value), Until: local(d.Until),
			Who: string(d.Who), Where: string(d.Where), Why: string(d.Why), At: local(d.At), Version: d.Version, Node: d.Node,
		})
	}
	return out
}
