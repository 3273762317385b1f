package pair

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// soaks reports whether there is time for everything: MOND_SOAK=1.
func soaks() bool { return os.Getenv("MOND_SOAK") != "" }

// seldom skips what others cover most of, or what takes long.
func seldom(t *testing.T) {
	t.Helper()
	if !soaks() {
		t.Skip("takes time: scripts/soak runs it, with MOND_SOAK=1")
	}
}

// length is for how long the directors are loaded: what a soak takes, or what
// MOND_SOAK_FOR says.
func length(t *testing.T, whole time.Duration) time.Duration {
	t.Helper()
	seldom(t)
	text := os.Getenv("MOND_SOAK_FOR")
	if text == "" {
		return whole
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("MOND_SOAK_FOR=%s: want a time such as 90s", text)
	}
	return d
}

// flaps counts how the services of group mond change on a director.
type flaps struct {
	d      *director
	status map[string]string
	text   []string
}

// newFlaps begins with how they stand now.
func newFlaps(t *testing.T, d *director) *flaps {
	t.Helper()
	f := &flaps{d: d, status: map[string]string{}}
	f.look(t, time.Now())
	f.text = nil
	return f
}

// look looks at peer, links and roles.
func (f *flaps) look(t *testing.T, since time.Time) {
	t.Helper()
	for _, service := range []string{"peer", "link-one", "link-two", "role-web"} {
		row, err := f.d.client.Service(t.Context(), "mond", service)
		if err != nil {
			continue // a reload is on
		}
		if is := string(row.Status); is != f.status[service] {
			f.status[service] = is
			f.text = append(f.text, fmt.Sprintf("%s %s %s at %v (%s)", f.d.name, service, is, time.Since(since).Round(100*time.Millisecond), row.Summary))
		}
	}
}

// endures fails the test if any role changes within that time, or a link is told
// to be worse that is not one of those; how often those change is logged.
func (s *scene) endures(t *testing.T, long time.Duration, lossy ...string) {
	t.Helper()
	since := time.Now()
	both := []*flaps{newFlaps(t, s.a), newFlaps(t, s.b)}
	for next := since; time.Since(since) < long; next = next.Add(time.Second) {
		s.stays(t, "a", max(time.Until(next.Add(time.Second)), 0))
		for _, f := range both {
			f.look(t, since)
		}
	}
	gap, _, _ := s.ask.gap(since)
	t.Logf("%v; the longest time without an answer was %v", long, gap.Round(time.Millisecond))
	for _, f := range both {
		for _, text := range f.text {
			t.Log(text)
			if !mentions(text, lossy) {
				t.Errorf("told without a reason: %s", text)
			}
		}
	}
}
