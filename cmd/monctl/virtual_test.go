package main

import (
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/control"
)

// sample is a virtual service of which everything is known.
func sample() control.Virtual {
	at := func(d time.Duration) *time.Time { return new(noon.Add(-d)) }
	return control.Virtual{
		Name: "shop", Addresses: []string{"10.0.0.3:80", "10.0.0.4:80"}, Status: "warn", Summary: "ok: 2 of 3 good", Serving: "primary",
		Quorum: "up", Need: "2 members", Fault: "link eth1 has no carrier", Primaries: 3, Good: 2, In: 2,
		Reals: []control.Real{
			{Name: "www1", Address: "192.168.0.1:80", Tier: "primary", Phase: "in", In: true, Weight: 5, Configured: 5, Reason: "checks good",
				Since: at(3 * time.Hour), Active: new(12), Inactive: new(3), Why: []string{"192.168.0.1:80: in", "As many of its checks are good as must be."}},
			{Name: "www2", Address: "192.168.0.2:80", Tier: "primary", Phase: "draining", In: true, Configured: 5, Reason: "drained by order: ann: new disk",
				Since: at(time.Minute), Active: new(1), Inactive: new(0),
				Orders: []control.Order{{What: "drain", Target: "www2", Deadline: 600, Source: "command", By: "ann", At: at(time.Minute), Until: new(noon.Add(time.Hour)), Text: "new\ndisk"}}},
			{Name: "www3", Address: "192.168.0.3:80", Tier: "primary", Phase: "out", Configured: 5, Reason: "checks fail: www3:alive: \x1b[0m", Held: true},
			{Name: "192.168.0.9:80", Address: "192.168.0.9:80", Tier: "primary", Phase: "out", Left: true, Reason: "not configured any more"},
		},
	}
}

func TestPrintVirtual(t *testing.T) {
	var b strings.Builder
	printVirtual(&b, sample(), noon)
	golden(t, "virtual.txt", plain(b.String()))
}

func TestPrintVirtuals(t *testing.T) {
	var b strings.Builder
	printVirtuals(&b, control.Virtuals{
		Virtuals: []control.Virtual{sample(), {Name: "mail", Status: "untested", Serving: "primary", Quorum: "unknown"}},
		Orders: []control.Order{
			{What: "weight", Target: "shop/www1", Weight: new(0), Source: "command", By: "bob", At: new(noon)},
			{What: "maint", Target: "www9", Source: "command", Nobody: true},
		},
	})
	golden(t, "virtuals.txt", plain(b.String()))
}
