package engine_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
)

// failing is a record of a service that fails and is out since an hour.
func failing(at time.Time) store.Record {
	return store.Record{State: opstatus.State{
		Status: opstatus.Fail, Tested: true, Failures: 3, Exit: 1,
		FirstFail: at.Add(-time.Hour), LastCheck: at, FailSummary: "h1", Summary: "h1",
	}}
}

// What -S forgets stays forgotten, whatever happens before the first check.
func TestForgottenStateIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.options.Forget = true
		r.store = enginetest.NewStore(store.Saved{Clean: true, NextSeq: 7, Records: map[opstatus.Key]store.Record{
			web: failing(time.Now()), {Group: "old", Service: "s"}: failing(time.Now()),
		}})
		r.start()
		held := r.store.Snapshot()
		if got := held.Records[web].State; got.Status != opstatus.Untested {
			t.Errorf("a crash now brings back %v", got.Status)
		}
		r.must(r.end())
		if len(held.Records) != 1 {
			t.Errorf("%d records: %+v", len(held.Records), held.Records)
		}
	})
}

// What is on disk of services that are not in the file any more is not kept
// for the day they return.
func TestRecordsOfServicesThatLeftAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		gone := opstatus.Key{Group: "old", Service: "s"}
		r.store = enginetest.NewStore(store.Saved{Clean: true, Records: map[opstatus.Key]store.Record{gone: failing(time.Now())}})
		r.start()
		if _, ok := r.store.Snapshot().Records[gone]; ok {
			t.Error("still on disk")
		}
		r.must(r.end())
	})
}

// Two notices never share an ID, also when the state directory is lost
// between them: whoever drops repetitions by ID would drop the second.
func TestNoticesOfTwoLivesDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := map[string]bool{}
		for range 2 {
			r := newRig(t, guide)
			r.down("www1.example")
			r.start()
			r.pass(11 * time.Second)
			r.wantTold("failure mail.alert")
			ids[r.sender.Sent()[0].Request.ID] = true
			r.must(r.end())
		}
		if len(ids) != 2 {
			t.Errorf("IDs %v", ids)
		}
	})
}

// A good service is good since its first success, not since its last check.
func TestSinceSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.start()
		r.pass(time.Minute)
		since := r.engine.Board().Service(web).Since
		r.must(r.end())
		again := crash(t, r.store.Snapshot())
		again.start()
		if got := again.engine.Board().Service(web).Since; !got.Equal(since) {
			t.Errorf("good since %v, before the restart since %v", got, since)
		}
		again.must(again.end())
	})
}

// The hosts that failed last are left out by who depends on them, after a
// restart too.
func TestHostDependencySurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := "hostgroup g h1 h2\n\nwatch g\n    service ping\n        interval 1h\n        monitor http.monitor\n        period wd {Sun-Sat}\n            alert mail.alert x\n" +
			"    service web\n        interval 10s\n        monitor http.monitor\n        hostdepend g:ping\n        period wd {Sun-Sat}\n            alert mail.alert x\n"
		r := newRig(t, text)
		r.store = enginetest.NewStore(store.Saved{Clean: true, Records: map[opstatus.Key]store.Record{{Group: "g", Service: "ping"}: failing(time.Now())}})
		r.start()
		r.pass(11 * time.Second)
		ran := r.runner.Ran()
		if len(ran) == 0 || strings.Join(ran[0].Request.Hosts, " ") != "h2" {
			t.Errorf("checked %+v", ran)
		}
		r.must(r.end())
	})
}

// An hour's interval does not mean that nothing is looked at for an hour after
// `start`.
func TestStartedSchedulerCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, strings.Replace(guide, "interval 10s", "interval 1h", 1))
		r.start()
		r.pass(30 * time.Minute)
		r.must(r.engine.StopScheduler(t.Context(), "ann", ""))
		r.pass(time.Hour)
		r.must(r.engine.StartScheduler(t.Context(), "ann"))
		r.pass(11 * time.Second)
		if n := len(r.runner.Ran()); n != 1 {
			t.Errorf("%d checks within 11 s of the start, want what fell due", n)
		}
		if s := selfStatus(r, "lateness"); s != opstatus.OK {
			t.Errorf("mond:lateness is %v", s)
		}
		r.must(r.end())
	})
}

// A configuration that does not load leaves the state as it was found: neither
// open, nor clean.
func TestFirstLoadFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, guide)
		r.store = enginetest.NewStore(store.Saved{Records: map[opstatus.Key]store.Record{web: failing(time.Now())}})
		r.loads = errors.New("mon.cf:1:1: error: unknown word")
		r.start()
		if err := r.end(); !errors.Is(err, r.loads) {
			t.Errorf("ended with %v", err)
		}
		if held := r.store.Snapshot(); held.Clean || len(held.Records) != 1 || !r.store.Closed() {
			t.Errorf("left %+v, closed %v", held, r.store.Closed())
		}
		if err := r.engine.Ack(t.Context(), web, "ann", ""); !errors.Is(err, engine.ErrStopped) {
			t.Errorf("a call afterwards: %v", err)
		}
	})
}
