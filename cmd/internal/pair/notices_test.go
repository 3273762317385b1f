package pair

import (
	"os"
	"strings"
	"testing"
)

// switched is a service that fails while there is a 1 in the file "down", and
// alerts that append to the file "told".
const switched = `
hostgroup web1 127.0.0.1

watch web1
    service http
        interval 1s
        monitor file.monitor --file DIR/down --down-if-nonzero
        period wd {Sun-Sat}
            alert file.alert DIR/told
`

// turn writes the file on both directors.
func (s *scene) turn(t *testing.T, word string) {
	t.Helper()
	for _, d := range []*director{s.a, s.b} {
		must(t, os.WriteFile(d.path("down"), []byte(word+"\n"), 0o644))
	}
}

// told is what a director's alerts have written.
func (d *director) told() string {
	text, _ := os.ReadFile(d.path("told"))
	return string(text)
}

// Both directors see the service fail, and the one that serves tells; the other
// tells what it kept when that one dies.
func TestNotices(t *testing.T) {
	s := newStage(t, words{watches: switched})
	s.turn(t, "0")
	s.a.start(t)
	s.b.start(t)
	s.serves(t, "a")
	s.steady(t, "a")
	for _, d := range []*director{s.a, s.b} {
		until(t, d.name+" sees it well", func() bool { return d.row(t).Status == "ok" })
	}
	until(t, "b knows who serves", func() bool {
		row, err := s.b.client.Service(t.Context(), "mond", "role-web")
		return err == nil && row.Status == "ok" && strings.Contains(row.Summary, "holds it")
	})
	s.turn(t, "1")
	until(t, "a tells", func() bool { return s.a.told() != "" })
	until(t, "b sees it fail", func() bool { return s.b.row(t).Status == "fail" })
	if text := s.b.monctl(t, "why", "web1:http"); !strings.Contains(text, "stands by") {
		t.Errorf("monctl why on b:\n%s", text)
	}
	if text := s.b.told(); text != "" {
		t.Errorf("b tells, too: %s", text)
	}
	s.off(t)
	until(t, "b tells what it kept", func() bool { return strings.Contains(s.b.told(), "web1") })
}
