package keepalived

import (
	netmail "net/mail"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

const always = "wd {Sun-Sat}"

// told writes who is told when the quorum is lost and back.
func (w *writer) told(p *pool) {
	lines := w.alerts(p.node.Pos, p.down, p.up, w.mails(p.smtp, false))
	for _, l := range lines {
		if l.period {
			w.w.Period(l.pos, l.name, l.text)
		} else {
			w.w.Service(l.pos, l.name, l.text)
		}
		if l.note != "" {
			w.w.Note(l.note)
		}
	}
}

// told1 adds who is told when a real is lost and back to one of its checks.
func (w *writer) told1(_ *pool, s *server, pr *probe) {
	pr.lines = append(pr.lines, w.alerts(pr.pos, s.down, s.up, w.mails(s.smtp, true))...)
}

// alerts is a period with those lines, or nothing if there are none. Each is
// called once for an outage and once when it is over, as keepalived does.
func (w *writer) alerts(pos config.Pos, down, up *script, mails []string) []line {
	var out []line
	add := func(pos config.Pos, name, text string, from bool) {
		note := ""
		if from {
			note = w.line(pos)
		}
		out = append(out, line{pos: pos, name: name, text: text, note: note, period: true})
	}
	if down != nil {
		add(down.pos, "alert", runs(down), true)
	}
	if up != nil {
		add(up.pos, "upalert", runs(up), true)
	}
	if mails != nil {
		add(pos, "alert", convert.Words(mails...), false)
		add(pos, "upalert", convert.Words(mails...), false)
	}
	if out == nil {
		return nil
	}
	if down == nil && mails == nil {
		add(pos, "no_comp_alerts", "", false)
	} else {
		add(pos, "numalerts", "1", false)
	}
	return append([]line{{pos: pos, name: "period", text: always}}, out...)
}

// runs is the line of an alert that runs a script.
func runs(s *script) string {
	return convert.Words(append([]string{"exec.alert", "--"}, s.words...)...)
}

// mails is the line of an alert that mails, or nil. Without a word about it
// keepalived mails about real servers, and not about virtual servers.
func (w *writer) mails(own opt[bool], unsaid bool) []string {
	m := &w.mail
	want := own.or(m.checker, m.all, opt[bool]{v: unsaid})
	if !want.v {
		return nil
	}
	if len(m.to) == 0 {
		if own.set {
			w.lose(own.pos, "smtp_alert", "there is no notification_email: keepalived sends nothing either")
		}
		return nil
	}
	words := []string{"mail.alert"}
	if m.from.set {
		words = append(words, "-f", plainAddress(m.from.v))
	}
	words = append(words, "--server", m.server.or(opt[string]{v: "localhost:25"}).v)
	if m.helo.set {
		words = append(words, "--helo", m.helo.v)
	}
	for _, to := range m.to {
		words = append(words, plainAddress(to))
	}
	return words
}

// plainAddress is an address without the name of its owner.
func plainAddress(text string) string {
	if a, err := netmail.ParseAddress(text); err == nil {
		return a.Address
	}
	return text
}
