package opstatus

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mondhq/mond/plugins/monitor"
)

func TestParseStatus(t *testing.T) {
	for s := range statuses {
		for _, text := range []string{s.String(), string(rune('0' + s.Number()))} {
			if got, ok := ParseStatus(text); !ok || got != s {
				t.Errorf("%q: %v %v", text, got, ok)
			}
		}
	}
	for _, text := range []string{"", "OK", "10", "-1", "01", " 1", "fine"} {
		if got, ok := ParseStatus(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// Whatever was assigned, the state is one that events could have led to, and
// verdicts go on from there.
func TestAssignIsConsistent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, now := New(), time.Unix(1_000_000, 0)
		for range rapid.IntRange(0, 20).Draw(t, "steps") {
			now = now.Add(time.Minute)
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				s, _ = Observe(s, Settings{Rise: 1, Fall: 1}, Event{Kind: Exit, Result: monitor.Failed("web1", "x")}, now)
			case 1:
				s, _ = Observe(s, Settings{Rise: 1, Fall: 1}, Event{Kind: Exit, Result: monitor.OK("fine")}, now)
			case 2:
				s, _ = Observe(s, Settings{Rise: 1, Fall: 1}, Event{Kind: Ack, Note: Note{At: now, User: "ann"}}, now)
			default:
				was := s
				s = Assign(was, Status(rapid.IntRange(0, int(statuses)-1).Draw(t, "status")), now)
				if s.Last != was.Status || s.Total != was.Total || s.LastCheck != was.LastCheck || s.Exit != was.Exit {
					t.Fatalf("%+v made %+v", was, s)
				}
			}
			if s.Status.Failing() == s.FirstFail.IsZero() {
				t.Fatalf("%v since %v", s.Status, s.FirstFail)
			}
			if !s.Status.Failing() && (s.FailSummary != "" || s.FailOutput != "" || s.Failures != 0) {
				t.Fatalf("%+v", s)
			}
		}
	})
}
