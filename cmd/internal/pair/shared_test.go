package pair

import (
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/control"
)

// broken is a service that fails on both directors: nobody listens there.
const broken = `
hostgroup web1 127.0.0.1

watch web1
    service http
        interval 1s
        monitor tcp.monitor -p 1
        period wd {Sun-Sat}
`

// row is a service on a director.
func (d *director) row(t *testing.T) (r control.Service) {
	t.Helper()
	if row, err := d.client.Service(t.Context(), "web1", "http"); err == nil {
		r = row
	}
	return r
}

// What operators said on a director that dies holds on the other one; what was
// ended meanwhile ends on the first when it is back. Of maintenance, which needs a
// table, engine's TestShared... say the same: it takes the same way.
func TestOperatorsKnowledge(t *testing.T) {
	s := newStage(t, words{elector: "--interval 50ms", watches: broken})
	s.a.start(t)
	s.b.start(t)
	s.serves(t, "a")
	for _, d := range []*director{s.a, s.b} {
		until(t, d.name+" sees it fail", func() bool { return d.row(t).Status == "fail" })
	}
	s.a.monctl(t, "ack", "web1:http", "the disk")
	s.a.monctl(t, "disable", "web1:http", "--note", "noise")
	s.a.monctl(t, "disable", "host", "other")
	until(t, "b knows", func() bool {
		r := s.b.row(t)
		return r.Ack != nil && r.Ack.Where == "node 1" && r.Disabled != nil && r.Disabled.Where == "node 1"
	})
	s.off(t)
	s.serves(t, "b")
	if r := s.b.row(t); r.Ack == nil || r.Ack.Text != "the disk" || r.Disabled == nil {
		t.Errorf("on b, when a is dead: ack %+v, disabled %+v", r.Ack, r.Disabled)
	}
	if text := s.b.monctl(t, "status"); !strings.Contains(text, "host other is disabled") || !strings.Contains(text, "@node 1") {
		t.Errorf("monctl status on b:\n%s", text)
	}
	s.b.monctl(t, "enable", "web1:http")
	s.on(t)
	s.a.start(t)
	until(t, "a is back and knows the end", func() bool {
		r := s.a.row(t)
		return r.Status == "fail" && r.Disabled == nil && r.Ack != nil
	})
	s.stays(t, "b", 0)
}
