package host

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
)

var t0 = time.Now()

func noLoss() time.Duration { return 0 }

func check(id uint64, timeout time.Duration) job.Check {
	return job.Check{ID: id, Program: "x.monitor", Timeout: timeout, Request: monitor.Request{Group: "g", Service: "s"}}
}

func causes(dones []job.Done) (out []monitor.Cause) {
	for _, d := range dones {
		out = append(out, d.Result.Cause)
	}
	return out
}

var stuck = monitor.Blinded(monitor.PluginLost, "starting")

// A check may be TimedOut only when a pong that was asked for after its time
// has come.
func TestTimedOutNeedsProof(t *testing.T) {
	for _, tt := range []struct {
		name  string
		pong  uint64
		after time.Duration
		want  []monitor.Cause
	}{
		{"no pong, within grace", 0, time.Second + overdue + 50*time.Millisecond, nil},
		{"an older pong", 6, 2 * time.Second, nil},
		{"the pong", 7, time.Second + overdue + 50*time.Millisecond, []monitor.Cause{monitor.TimedOut}},
		{"a newer pong", 9, time.Second + overdue + 50*time.Millisecond, []monitor.Cause{monitor.TimedOut}},
		{"no pong at grace", 0, time.Second + Grace, []monitor.Cause{monitor.PluginLost}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fs := newFlights(10, noLoss)
			fs.add([]job.Check{check(1, time.Second)}, t0)
			if out, _ := fs.take(nil, 10, t0); len(out) != 1 {
				t.Fatal("not taken")
			}
			if s := fs.sweep(t0.Add(time.Second+overdue-1), 7, 6, stuck); s.ask || len(s.dones) > 0 {
				t.Fatalf("too early: %+v", s)
			}
			if s := fs.sweep(t0.Add(time.Second+overdue), 7, 6, stuck); !s.ask || len(s.dones) > 0 {
				t.Fatalf("the plugin was not asked: %+v", s)
			}
			s := fs.sweep(t0.Add(tt.after), 8, tt.pong, stuck)
			if !slices.Equal(causes(s.dones), tt.want) {
				t.Errorf("got %v, want %v", causes(s.dones), tt.want)
			}
			if len(s.dones) > 0 && len(s.cancel) != 1 {
				t.Error("the check is not cancelled")
			}
		})
	}
}

func TestTimeLostByTheHostIsNoVerdict(t *testing.T) {
	var lost time.Duration
	fs := newFlights(10, func() time.Duration { return lost })
	fs.add([]job.Check{check(1, time.Second)}, t0)
	fs.take(nil, 10, t0)
	lost = 400 * time.Millisecond
	fs.sweep(t0.Add(2*time.Second), 1, 0, stuck)
	if s := fs.sweep(t0.Add(2*time.Second), 2, 1, stuck); !slices.Equal(causes(s.dones), []monitor.Cause{monitor.Overloaded}) {
		t.Errorf("got %v", causes(s.dones))
	}
}

func TestQueuedPastItsTimeIsOverloaded(t *testing.T) {
	fs := newFlights(1, noLoss)
	fs.add([]job.Check{check(1, time.Second), check(2, time.Second)}, t0)
	fs.take(nil, 10, t0)
	if s := fs.sweep(t0.Add(time.Second), 1, 0, tooLate(1)); !slices.Equal(causes(s.dones), []monitor.Cause{monitor.Overloaded}) || s.dones[0].ID != 2 {
		t.Errorf("by sweep: %+v", s.dones)
	}
	fs.add([]job.Check{check(3, time.Second)}, t0)
	fs.lose(stuck, t0)
	if out, late := fs.take(nil, 10, t0.Add(time.Second)); len(out) != 0 || !slices.Equal(causes(late), []monitor.Cause{monitor.Overloaded}) {
		t.Errorf("by take: %v", causes(late))
	}
}

func TestStrayAnswersAreCounted(t *testing.T) {
	fs := newFlights(10, noLoss)
	fs.add([]job.Check{check(1, time.Second), check(2, time.Second)}, t0)
	out, _ := fs.take(nil, 10, t0)
	a, b := out[0].wire, out[1].wire
	if _, ok := fs.answer(a, monitor.OK(""), t0); !ok {
		t.Fatal("first answer refused")
	}
	if _, ok := fs.answer(a, monitor.OK(""), t0); ok {
		t.Error("second answer taken")
	}
	fs.sweep(t0.Add(2*time.Second), 1, 0, stuck)
	fs.sweep(t0.Add(2*time.Second), 2, 1, stuck)
	if _, ok := fs.answer(b, monitor.OK(""), t0); ok {
		t.Error("late answer taken")
	}
	fs.answer(999, monitor.OK(""), t0)
	if got, _ := fs.strays(); got != (counts{late: 1, unknown: 2}) {
		t.Errorf("got %+v", got)
	}
}

func TestClosedFlightsAnswerAtOnce(t *testing.T) {
	fs := newFlights(1, noLoss)
	fs.add([]job.Check{check(1, time.Second)}, t0)
	if dones := fs.close(stopped(), t0); len(dones) != 1 || dones[0].ID != 1 {
		t.Errorf("queued: %+v", dones)
	}
	if _, dones := fs.add([]job.Check{check(2, time.Second)}, t0); len(dones) != 1 || dones[0].Result.Cause != monitor.NotRun {
		t.Errorf("added later: %+v", dones)
	}
	if w, o := fs.busy(); w+o != 0 {
		t.Errorf("%d wait, %d are out", w, o)
	}
}

func TestCancel(t *testing.T) {
	fs := newFlights(1, noLoss)
	fs.add([]job.Check{check(1, time.Minute), check(2, time.Minute), check(3, time.Minute)}, t0)
	out, _ := fs.take(nil, 10, t0)
	wires, dones := fs.cancel(map[uint64]bool{1: true, 3: true, 77: true}, t0)
	if !slices.Equal(wires, []uint64{out[0].wire}) || len(dones) != 1 || dones[0].ID != 3 {
		t.Fatalf("wires %v, dones %+v", wires, dones)
	}
	// What it answers after that is no verdict.
	d, ok := fs.answer(out[0].wire, monitor.Failed("h", ""), t0)
	if !ok || d.Result.Cause != monitor.NotRun {
		t.Errorf("got %+v", d)
	}
	if w, o := fs.busy(); w != 1 || o != 0 {
		t.Errorf("%d wait, %d are out", w, o)
	}
	fs.take(nil, 10, t0)
	fs.cancel(map[uint64]bool{2: true}, t0)
	if s := fs.sweep(t0.Add(Grace), 1, 0, stuck); !slices.Equal(causes(s.dones), []monitor.Cause{monitor.NotRun}) {
		t.Errorf("a cancelled check that never answers: %+v", s)
	}
}

// Whatever happens in whatever order, every check that was added is answered
// exactly once, at the latest Grace after its time if somebody sweeps.
func TestEveryCheckLeavesOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fs := newFlights(rapid.IntRange(1, 8).Draw(t, "limit"), noLoss)
		now, pong, id := t0, uint64(0), uint64(0)
		pending := map[uint64]time.Time{}
		var wires []uint64
		leave := func(dones []job.Done) {
			for _, d := range dones {
				if _, ok := pending[d.ID]; !ok {
					t.Fatalf("check %d was answered twice", d.ID)
				}
				delete(pending, d.ID)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				id++
				timeout := time.Duration(rapid.IntRange(1, 3000).Draw(t, "timeout")) * time.Millisecond
				fs.add([]job.Check{check(id, timeout)}, now)
				pending[id] = now.Add(timeout + Grace)
			},
			"take": func(t *rapid.T) {
				out, late := fs.take(nil, rapid.IntRange(1, 5).Draw(t, "most"), now)
				for _, f := range out {
					wires = append(wires, f.wire)
				}
				leave(late)
			},
			"answer": func(t *rapid.T) {
				wire := rapid.Uint64Range(0, id+2).Draw(t, "wire")
				if d, ok := fs.answer(wire, monitor.OK(""), now); ok {
					leave([]job.Done{d})
				}
			},
			"cancel": func(t *rapid.T) {
				_, dones := fs.cancel(map[uint64]bool{rapid.Uint64Range(0, id).Draw(t, "id"): true}, now)
				leave(dones)
			},
			"lose": func(*rapid.T) {
				dones, _ := fs.lose(stuck, now)
				leave(dones)
			},
			"pong": func(*rapid.T) { pong++ },
			"wait": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond)
				leave(fs.sweep(now, pong+1, pong, stuck).dones)
			},
			"": func(t *rapid.T) {
				leave(fs.sweep(now, pong+1, pong, stuck).dones)
				leave(fs.sweep(now, pong+1, pong, stuck).dones) // the first asks, the second gives up
				for id, latest := range pending {
					if now.After(latest) {
						t.Fatalf("check %d is %v past its grace", id, now.Sub(latest))
					}
				}
				if w, o := fs.busy(); w+o != len(pending) {
					t.Fatalf("%d wait and %d are out, but %d are pending", w, o, len(pending))
				}
			},
		})
	})
}

// The link of a process that was lost may still run for a moment: it must not
// take checks, which would be answered by nobody and seem to have timed out.
func TestLinkOfALostProcessTakesNothing(t *testing.T) {
	now := time.Now()
	fs := newFlights(10, func() time.Duration { return 0 })
	old := newLink(nil, fs, func(...job.Done) {})
	fs.lose(monitor.Blinded(monitor.PluginLost, "killed"), now)
	fs.add([]job.Check{{ID: 1, Timeout: time.Second}}, now)
	if took, _ := fs.takeFor(old, nil, 10, now); len(took) != 0 {
		t.Error("the old link took a check")
	}
	if took, _ := fs.takeFor(newLink(nil, fs, func(...job.Done) {}), nil, 10, now); len(took) != 1 {
		t.Error("the new link did not take it")
	}
}

// take is takeFor for whoever is the owner.
func (fs *flights) take(into []*flight, most int, now time.Time) ([]*flight, []job.Done) {
	return fs.takeFor(fs.owner, into, most, now)
}
