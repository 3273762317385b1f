package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/alert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a Sender that answers by script and writes down all it sees, with
// the seconds since the start.
type world struct {
	start time.Time
	mu    sync.Mutex
	log   []string
	// answer gives the error of a try and how long it takes; nil is a success
	// at once. It is cut short by the context.
	answer func(program string, r alert.Request, try int) (time.Duration, error)
	tries  map[string]int
	now    map[string]int // running, by program
	most   map[string]int
}

func newWorld() *world {
	return &world{start: time.Now(), tries: map[string]int{}, now: map[string]int{}, most: map[string]int{}}
}

func (w *world) write(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, fmt.Sprintf("%g ", time.Since(w.start).Seconds())+fmt.Sprintf(format, args...))
}

func (w *world) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.log)
}

func (w *world) begin(program, id string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tries[id]++
	w.now[program]++
	w.most[program] = max(w.most[program], w.now[program])
	return w.tries[id]
}

func (w *world) send(ctx context.Context, program string, r alert.Request) error {
	try := w.begin(program, r.ID)
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.now[program]--
	}()
	mark := ""
	if r.Late {
		mark = " late"
	}
	w.write("%s %s%s", program, r.ID, mark)
	if w.answer == nil {
		return nil
	}
	took, err := w.answer(program, r, try)
	select {
	case <-time.After(took):
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *world) options() Options {
	return Options{Send: w.send, Finished: func(n store.Notice, err error, attempts int, gaveUp bool) {
		if err != nil {
			w.write("over %d after %d: %v %v", n.Seq, attempts, err, gaveUp)
		}
	}}
}

func notice(seq uint64, service, program string) store.Notice {
	return store.Notice{Seq: seq, Program: program, Queued: time.Now(), Request: alert.Request{
		ID: fmt.Sprint("n", seq), Group: "g", Service: service, Kind: alert.Failure,
	}}
}

// inBubble runs f with an Outbox in a synctest bubble and stops it at the end.
func inBubble(t *testing.T, change func(w *world, o *Options), f func(t *testing.T, w *world, b *Outbox)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		o := w.options()
		if change != nil {
			change(w, &o)
		}
		b := New(o)
		f(t, w, b)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := b.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

func expect(t *testing.T, w *world, want ...string) {
	t.Helper()
	synctest.Wait()
	if d := cmp.Diff(want, w.lines()); d != "" {
		t.Error(d)
	}
}

func TestAnUpalertWaitsForItsAlert(t *testing.T) {
	inBubble(t, func(w *world, _ *Options) {
		w.answer = func(_ string, r alert.Request, try int) (time.Duration, error) {
			if r.ID == "n1" && try < 4 {
				return 2 * time.Second, errors.New("connection refused")
			}
			return time.Second, nil
		}
	}, func(t *testing.T, w *world, b *Outbox) {
		b.Restore([]store.Notice{notice(1, "a", "mail"), notice(2, "a", "mail")})
		time.Sleep(3500 * time.Millisecond)
		if list := b.List(); len(list) != 2 || list[0].Attempts != 2 || list[0].Err == nil || list[1].Attempts != 0 {
			t.Errorf("list %+v", list)
		}
		time.Sleep(time.Minute)
		expect(t, w, "0 mail n1", "3 mail n1", "7 mail n1", "13 mail n1", "14 mail n2")
		if b.Len() != 0 || !b.Oldest().IsZero() {
			t.Errorf("%d left since %v", b.Len(), b.Oldest())
		}
	})
}

func TestAStuckProgramDelaysOnlyItsOwnQueue(t *testing.T) {
	inBubble(t, func(w *world, o *Options) {
		o.Timeout = 10 * time.Second
		o.MaxAttempts = 1
		w.answer = func(program string, r alert.Request, _ int) (time.Duration, error) {
			if program == "pager" && r.Service == "a" {
				return time.Hour, nil
			}
			return 0, nil
		}
	}, func(t *testing.T, w *world, b *Outbox) {
		b.Restore([]store.Notice{notice(1, "a", "pager"), notice(2, "a", "pager")})
		synctest.Wait()
		b.Restore([]store.Notice{notice(3, "a", "mail")})
		synctest.Wait()
		b.Restore([]store.Notice{notice(4, "b", "pager")})
		time.Sleep(time.Minute)
		expect(t, w,
			"0 pager n1", "0 mail n3", "0 pager n4",
			"10 over 1 after 1: context deadline exceeded true",
			"10 pager n2",
			"20 over 2 after 1: context deadline exceeded true")
	})
}

func TestANoticeStartsWhenItIsOnDisk(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world, b *Outbox) {
		b.Add(notice(1, "a", "mail"))
		b.Add(notice(2, "b", "mail")) // never committed
		time.Sleep(time.Second)
		b.Committed(1, 77)
		b.Committed(1)
		time.Sleep(time.Second)
		b.Add(notice(3, "c", "mail"))
		b.Committed(3)
		time.Sleep(10 * time.Second)
		expect(t, w, "1 mail n1", "2 mail n3", "5 mail n2 late")
	})
}

func TestALateNoticeCountsFromWhenItWasQueued(t *testing.T) {
	inBubble(t, func(w *world, _ *Options) {
		w.answer = func(string, alert.Request, int) (time.Duration, error) { return 7 * time.Second, nil }
	}, func(t *testing.T, w *world, b *Outbox) {
		b.Add(notice(1, "a", "mail"))
		b.Committed(1)
		b.Add(notice(2, "a", "mail"))
		b.Add(notice(3, "a", "mail"))
		time.Sleep(6 * time.Second)
		b.Committed(3)
		time.Sleep(time.Minute)
		expect(t, w, "0 mail n1", "7 mail n2 late", "14 mail n3")
	})
}

func TestRetries(t *testing.T) {
	fail := errors.New("refused")
	rows := []struct {
		name   string
		change func(*Options)
		err    error
		want   []string
	}{
		{"permanent", nil, alert.Permanent(fail), []string{"0 mail n1", "0 over 1 after 1: refused false"}},
		{"so often", func(o *Options) { o.MaxAttempts = 3 }, fail, []string{
			"0 mail n1", "1 mail n1", "3 mail n1", "3 over 1 after 3: refused true",
		}},
		{"so long", func(o *Options) { o.MaxAge = 10 * time.Second }, fail, []string{
			"0 mail n1", "1 mail n1", "3 mail n1", "7 mail n1", "7 over 1 after 4: refused true",
		}},
		{"with a bound to the pause", func(o *Options) { o.RetryMax, o.MaxAttempts = 3*time.Second, 5 }, fail, []string{
			"0 mail n1", "1 mail n1", "3 mail n1", "6 mail n1", "9 mail n1", "9 over 1 after 5: refused true",
		}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			inBubble(t, func(w *world, o *Options) {
				w.answer = func(string, alert.Request, int) (time.Duration, error) { return 0, r.err }
				if r.change != nil {
					r.change(o)
				}
			}, func(t *testing.T, w *world, b *Outbox) {
				b.Restore([]store.Notice{notice(1, "a", "mail")})
				time.Sleep(48 * time.Hour)
				expect(t, w, r.want...)
			})
		})
	}
}

func TestADayOfTriesByDefault(t *testing.T) {
	inBubble(t, func(w *world, _ *Options) {
		w.answer = func(string, alert.Request, int) (time.Duration, error) { return 0, errors.New("x") }
	}, func(t *testing.T, w *world, b *Outbox) {
		old := notice(2, "b", "mail")
		old.Queued = old.Queued.Add(-72 * time.Hour) // restored after a long stop
		b.Restore([]store.Notice{notice(1, "a", "mail"), old})
		time.Sleep(23 * time.Hour)
		if b.Len() != 1 {
			t.Errorf("%d left after 23 hours", b.Len())
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if b.Len() != 0 || w.tries["n1"] < 250 || w.tries["n1"] > 320 || w.tries["n2"] != 1 {
			t.Errorf("%d left after 25 hours, tries %v", b.Len(), w.tries)
		}
	})
}

func TestManyServicesShareAProgram(t *testing.T) {
	inBubble(t, func(w *world, o *Options) {
		o.PerProgram = 16
		w.answer = func(string, alert.Request, int) (time.Duration, error) { return time.Second, nil }
	}, func(t *testing.T, w *world, b *Outbox) {
		for i := range uint64(1000) {
			b.Add(notice(i, fmt.Sprint("s", i/2), []string{"mail", "pager"}[i%2]))
			b.Committed(i)
		}
		time.Sleep(500/16*time.Second + 2*time.Second)
		synctest.Wait()
		if b.Len() != 0 || w.most["mail"] != 16 || w.most["pager"] != 16 || len(w.lines()) != 1000 {
			t.Errorf("%d left, at once %v, %d tries", b.Len(), w.most, len(w.lines()))
		}
	})
}

func TestStartedAndFinishedInOrder(t *testing.T) {
	inBubble(t, func(w *world, o *Options) {
		o.Started = func(n store.Notice) { w.write("start %d", n.Seq) }
		o.Finished = func(n store.Notice, err error, attempts int, _ bool) { w.write("end %d %v %d", n.Seq, err, attempts) }
		w.answer = func(_ string, _ alert.Request, try int) (time.Duration, error) {
			if try == 1 {
				return 0, errors.New("once")
			}
			return 0, nil
		}
	}, func(t *testing.T, w *world, b *Outbox) {
		b.Restore([]store.Notice{notice(1, "a", "mail"), notice(2, "a", "mail")})
		time.Sleep(time.Minute)
		expect(t, w, "0 start 1", "0 mail n1", "1 mail n1", "1 end 1 <nil> 2", "1 start 2", "1 mail n2", "2 mail n2", "2 end 2 <nil> 2")
	})
}

func TestOldest(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, _ *world, b *Outbox) {
		first := time.Now()
		for i := range uint64(3) {
			b.Add(notice(i, "a", "mail"))
			b.Add(notice(i, "a", "mail")) // a Seq is queued once
			b.Add(notice(10+i, fmt.Sprint(i), "mail"))
			time.Sleep(time.Second)
		}
		if b.Len() != 6 || !b.Oldest().Equal(first) {
			t.Errorf("%d left since %v", b.Len(), b.Oldest())
		}
	})
}

func TestStopLeavesTheRest(t *testing.T) {
	inBubble(t, func(w *world, o *Options) {
		o.PerProgram = 1
		w.answer = func(string, alert.Request, int) (time.Duration, error) { return 10 * time.Second, nil }
	}, func(t *testing.T, w *world, b *Outbox) {
		b.Restore([]store.Notice{notice(1, "a", "mail"), notice(2, "a", "mail")})
		synctest.Wait()
		b.Restore([]store.Notice{notice(3, "b", "mail")}) // waits for the slot
		b.Add(notice(4, "c", "mail"))                     // waits for the disk
		time.Sleep(time.Second)
		if err := b.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		b.Add(notice(5, "d", "mail"))
		expect(t, w, "0 mail n1")
		if time.Since(w.start) != 10*time.Second || b.Len() != 3 {
			t.Errorf("stopped after %v, %d left", time.Since(w.start), b.Len())
		}
	})
}

func TestStopIsBounded(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		t.Run(fmt.Sprint("deaf=", deaf), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.answer = func(string, alert.Request, int) (time.Duration, error) { return time.Hour, nil }
				o := w.options()
				o.Timeout = 3 * time.Hour
				if deaf {
					o.Send = func(context.Context, string, alert.Request) error {
						time.Sleep(time.Hour)
						return nil
					}
				}
				b := New(o)
				b.Restore([]store.Notice{notice(1, "a", "mail")})
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				if err := b.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("stop: %v", err)
				}
				if took := time.Since(w.start); took > 6*time.Second {
					t.Errorf("stop took %v", took)
				}
				if !deaf {
					expect(t, w, "0 mail n1") // cut short is not over
				}
				time.Sleep(time.Hour) // let the deaf one end
			})
		})
	}
}

func TestTimeoutCanBeChanged(t *testing.T) {
	inBubble(t, func(w *world, o *Options) {
		o.MaxAttempts = 2
		w.answer = func(string, alert.Request, int) (time.Duration, error) { return time.Hour, nil }
	}, func(t *testing.T, w *world, b *Outbox) {
		b.Restore([]store.Notice{notice(1, "a", "mail")})
		synctest.Wait()
		b.SetTimeout(5 * time.Second)
		time.Sleep(5 * time.Minute)
		expect(t, w, "0 mail n1", "61 mail n1", "66 over 1 after 2: context deadline exceeded true")
	})
}
