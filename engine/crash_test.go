package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/alert"
)

// crash is a rig that begins with what a store held at some moment, as after
// a kill -9 then.
func crash(t *testing.T, held store.Saved) *rig {
	r := newRig(t, guide)
	r.store = enginetest.NewStore(held)
	return r
}

// kill -9 after the commit and before the run: the alert is told once, and
// says that it may be a repetition.
func TestKilledBetweenCommitAndRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		block := make(chan struct{})
		r.sender.OnSend = func(ctx context.Context, _ string, _ alert.Request) error {
			select {
			case <-block:
			case <-ctx.Done():
			}
			return errors.New("never told")
		}
		r.start()
		r.down("www1.example")
		r.pass(11 * time.Second)
		held := r.store.Snapshot()
		close(block)
		r.must(r.end())
		if len(held.Outbox) != 1 {
			t.Fatalf("%d notices on disk, want 1", len(held.Outbox))
		}

		again := crash(t, held)
		again.down("www1.example")
		again.start()
		again.pass(time.Second)
		again.wantTold("failure mail.alert")
		if s := again.sender.Sent()[0].Request; !s.Repeated || s.ID != held.Outbox[0].Request.ID {
			t.Errorf("told as %+v, want the ID %s", s, held.Outbox[0].Request.ID)
		}
		again.must(again.end())
	})
}

// kill -9 after the run and before its end is on disk: the alert is told
// again, under the same ID.
func TestKilledBetweenRunAndDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		var held store.Saved
		r.sender.OnSend = func(context.Context, string, alert.Request) error {
			held = r.store.Snapshot() // as it is while the alert runs
			return nil
		}
		r.start()
		r.down("www1.example")
		r.pass(11 * time.Second)
		r.wantTold("failure mail.alert")
		first := r.sender.Sent()[0].Request
		r.must(r.end())

		again := crash(t, held)
		again.down("www1.example")
		again.start()
		again.pass(time.Second)
		again.wantTold("failure mail.alert")
		if s := again.sender.Sent()[0].Request; !s.Repeated || s.ID != first.ID {
			t.Errorf("told as %+v, first as %+v", s, first)
		}
		again.must(again.end())
	})
}

// A disk that hangs: checks and claims go on, alerts go out after 5 s, marked,
// and mond:store can fail.
func TestDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.store.Delay = time.Hour
		r.start()
		r.down("www1.example")
		r.pass(11 * time.Second)
		r.wantOut(true)
		r.wantTold()
		r.pass(5 * time.Second)
		r.wantTold("failure mail.alert")
		if !r.sender.Sent()[0].Request.Late {
			t.Error("not marked as told before it was on disk")
		}
		r.pass(5 * time.Second)
		if n := len(r.runner.Ran()); n < 2 {
			t.Errorf("%d checks while the disk hangs", n)
		}
		r.must(r.end())
	})
}

// What was told is not told again after a clean restart.
func TestNothingIsToldTwiceAfterACleanStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.down("www1.example")
		r.pass(11 * time.Second)
		r.wantTold("failure mail.alert")
		r.must(r.end())

		again := crash(t, r.store.Snapshot())
		again.up()
		again.start()
		again.pass(time.Second)
		again.wantTold()
		again.must(again.end())
	})
}
