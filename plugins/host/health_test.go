package host

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestHealth: silence loses a plugin soon, unless it speaks of something else;
// one that works gets longer to come to it.
func TestHealth(t *testing.T) {
	for name, tt := range map[string]struct {
		looks string // a look each: . nothing, w worked, m a message
		lost  string
	}{
		"well":                     {"mmmmmm", ""},
		"one interval of silence":  {"m.m.m.", ""},
		"silence":                  {"...", "silent"},
		"silence after it spoke":   {"mm...", "silent"},
		"it works for long":        {strings.Repeat("w", 33), ""},
		"it works and then speaks": {strings.Repeat("w", 33) + "m" + strings.Repeat("w", 33), ""},
		"it works for too long":    {strings.Repeat("w", 34), "working"},
		"silence amid work":        {"w.w.w.", "silent"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &supervisor{interval: healthBusy}
			lost := ""
			for _, look := range tt.looks {
				s.listen(look == 'm', look == 'w')
				switch {
				case s.missed > 1 && s.silent >= healthLimit:
					lost = "silent"
				case s.working >= workLimit:
					lost = "working"
				}
			}
			if lost != tt.lost {
				t.Errorf("lost: %q, want %q", lost, tt.lost)
			}
		})
	}
}

func TestProcessorTime(t *testing.T) {
	began := time.Now()
	before := processorTime(os.Getpid())
	for processorTime(os.Getpid()) == before {
		if time.Since(began) > generous {
			t.Fatal("this process works, and its time does not grow")
		}
	}
	if d := processorTime(1 << 30); d != 0 {
		t.Errorf("a process that is not there has worked for %v", d)
	}
}
