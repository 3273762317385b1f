package store

import (
	"strconv"

	"github.com/mondhq/mond/engine/opstatus"
)

// RoleOrder is what an operator ordered of a group of addresses; see
// steer.Failover.
type RoleOrder struct {
	// Group is empty for all. Verb is a word of role.Verb.
	Group, Verb string
	// Serial tells one order from another.
	Serial uint64
	// Note says who, when and why.
	Note opstatus.Note
}

type roleOrderDoc struct {
	Group  text   `json:"group,omitempty"`
	Verb   text   `json:"verb"`
	Serial uint64 `json:"serial,string,omitempty"`
	noteDoc
}

func (o *object) roles(list []RoleOrder) {
	o.list("roles", len(list), func(i int) {
		o.inner(func() {
			r := &list[i]
			o.text("group", r.Group)
			o.alwaysText("verb", r.Verb)
			o.text("serial", strconv.FormatUint(r.Serial, 10))
			o.noteFields(r.Note)
		})
	})
}

func rolesIn(list []roleOrderDoc) []RoleOrder {
	var out []RoleOrder
	for i := range list {
		d := &list[i]
		out = append(out, RoleOrder{Group: string(d.Group), Verb: string(d.Verb), Serial: d.Serial, Note: *noteIn(&d.noteDoc)})
	}
	return out
}
