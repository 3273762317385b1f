package fake

import (
	"strings"
	"time"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/alerts/fake/hold"
	"github.com/mondhq/mond/plugins/role"
)

// stand tells how a group stands, if that is news or a second has passed.
func (d *desk) stand(m *managed) {
	if d.say == nil || !m.byLine {
		return
	}
	s := d.standing(m)
	now := d.Now()
	like := s
	like.Until = m.said.Until
	if !m.tell && like == m.said && (s.Held == 0 || now < m.saidAt+standEvery) {
		return
	}
	m.said, m.saidAt, m.tell = s, now, false
	d.say(s)
}

// standing is how a group stands: what the kernel has counts, whoever added it.
func (d *desk) standing(m *managed) role.Stand {
	t, _ := m.Token()
	s := role.Stand{Group: m.name, Epoch: t.Epoch, Total: len(m.Line.Addresses), Error: d.wrong(m), Detail: m.detail}
	s.Held, s.Until = held(d.view, m)
	return s
}

// held counts the addresses in the kernel and says when the first of them goes.
func held(v address.View, m *managed) (n int, until time.Duration) {
	for _, at := range hold.Present(v, m.Line, m.Taken()) {
		r, ok := v.Row(at.Prefix, at.Index)
		if !ok {
			continue
		}
		n++
		if n == 1 || until == address.Forever || !r.Permanent() && r.Expires < until {
			until = r.Expires
		}
	}
	return n, until
}

// wrong is all that is wrong with a group.
func (d *desk) wrong(m *managed) string {
	var all []string
	for _, text := range []string{d.trouble, m.bad, m.clash, m.Error(), d.Announcer.Account(m.name).Error} {
		if text != "" {
			all = append(all, text)
		}
	}
	return strings.Join(all, "; ")
}
