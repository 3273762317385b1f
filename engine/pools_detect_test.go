package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
)

// How soon a real server that died is claimed out: after fall checks, the
// suspect interval apart, and no interval more.
func TestPoolDetection(t *testing.T) {
	const fast = 200 * time.Millisecond
	for _, tt := range []struct {
		name  string
		lines string        // of the check, for its interval
		takes time.Duration // a check
		first time.Duration // the first failing check comes within this of the death
		exact time.Duration // the claim comes so long after that check was due
		skew  time.Duration // or so much sooner or later
	}{
		{"each 200 ms", "interval 200ms\n        fall 3", 0, fast, 2 * fast, 0},
		{"200 ms once in doubt", "interval 5s\n        suspect_interval 200ms\n        fall 3", 0, 5 * time.Second, 2 * fast, 0},
		{"checks that take 50 ms", "interval 5s\n        suspect_interval 200ms\n        fall 3", 50 * time.Millisecond, 5 * time.Second, 2*fast + 50*time.Millisecond, 0},
		{"with jitter", "interval 200ms\n        randskew 50ms\n        fall 3", 0, fast + 50*time.Millisecond, 2 * fast, 100 * time.Millisecond},
		{"the first is enough", "interval 200ms", 0, fast, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPools(t, 2, nil)
				p.config = strings.ReplaceAll(p.config, "interval 1s", tt.lines)
				p.start()
				p.pass(11 * time.Second)
				p.want("0=5 1=5")
				p.answers(1, enginetest.Answer{Result: monitor.Failed("refused", ""), After: tt.takes})
				died, before := time.Now(), len(p.probes(1))
				p.pass(7 * time.Second)
				p.want("0=5 1=-")

				out, probes := p.out(1, died), p.probes(1)[before:]
				if wait := probes[0].Sub(died); wait > tt.first {
					t.Errorf("first looked at %v after its death, want %v at most", wait, tt.first)
				}
				took := out.Sub(probes[0])
				if took < tt.exact-tt.skew || took > tt.exact+tt.skew {
					t.Errorf("out %v after the first failing check, want %v, %v more or less", took, tt.exact, tt.skew)
				}
				if n, want := through(probes, out), strings.Count(tt.lines, "fall")*2+1; n != want {
					t.Errorf("looked at %d times until it was out, want %d", n, want)
				}
				p.must(p.end())
			})
		})
	}
}

// answers makes the checks of real i answer so.
func (p *pools) answers(i int, a enginetest.Answer) {
	p.runner.Script(func(c job.Check) enginetest.Answer {
		if c.Request.Group == real(i).Group {
			return a
		}
		return enginetest.Answer{Result: monitor.OK("")}
	})
}

// probes are the times of the checks of real i.
func (p *pools) probes(i int) (at []time.Time) {
	times := p.runner.Times()
	for n, c := range p.runner.Ran() {
		if c.Request.Group == real(i).Group {
			at = append(at, times[n])
		}
	}
	return at
}

// out is when the keeper was told, since then, that real i of shop is out.
func (p *pools) out(i int, since time.Time) time.Time {
	for _, k := range p.sender.Kept() {
		for _, c := range k.Claims {
			if c.ID == id(i) && c.Down && !k.At.Before(since) {
				return k.At
			}
		}
	}
	return time.Time{}
}

// through is how many of the times are not after end.
func through(times []time.Time, end time.Time) (n int) {
	for _, t := range times {
		if !t.After(end) {
			n++
		}
	}
	return n
}
