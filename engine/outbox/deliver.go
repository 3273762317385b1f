package outbox

import (
	"context"
	"time"

	"github.com/mondhq/mond/plugins/alert"
)

// serve works off one queue, which begins with it, and ends when it is empty,
// or with Stop.
func (b *Outbox) serve(q *queue, it *item) {
	for ; it != nil; it = b.next(q) {
		if !b.deliver(it) {
			return
		}
	}
}

// next drops the first item of q, which is over, and gives the one behind it;
// with the last one q itself is dropped.
func (b *Outbox) next(q *queue) *item {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.items, q.items[0].notice.Seq)
	q.items[0] = nil
	if q.items = q.items[1:]; len(q.items) == 0 {
		delete(b.queues, q.key)
		return nil
	}
	return q.items[0]
}

// deliver tries it until it is over; false means that Stop came first.
func (b *Outbox) deliver(it *item) bool {
	request, ok := b.await(it)
	if !ok {
		return false
	}
	for attempt := 1; ; attempt++ {
		err, ok := b.try(it, request, attempt)
		if !ok {
			return false
		}
		pause := b.opt.pause(attempt)
		verdict := b.opt.judge(err, attempt, time.Since(it.notice.Queued)+pause)
		b.note(it, err, attempt, verdict, pause)
		if verdict != again {
			b.opt.Finished(it.notice, err, attempt, verdict == gaveUp)
			return true
		}
		if !wait(pause, nil, b.stop) {
			return false
		}
	}
}

// await waits until it is on disk, or has waited long enough.
func (b *Outbox) await(it *item) (alert.Request, bool) {
	request := it.notice.Request
	patience := max(0, b.opt.LateAfter-time.Since(it.added))
	if !wait(patience, it.ready, b.stop) {
		return request, false
	}
	select {
	case <-it.ready:
	default:
		request.Late = true
	}
	return request, true
}

// try runs the alert once, when its program has a slot free; false means that
// Stop came first, or cut it short.
func (b *Outbox) try(it *item, r alert.Request, attempt int) (error, bool) {
	slot := b.slot(it.notice.Program)
	select {
	case <-b.stop:
		return nil, false
	default:
	}
	select {
	case slot <- struct{}{}:
	case <-b.stop:
		return nil, false
	}
	defer func() { <-slot }()
	if attempt == 1 {
		b.opt.Started(it.notice)
	}
	b.mark(it, attempt)
	ctx, cancel := context.WithTimeout(b.ctx, time.Duration(b.timeout.Load()))
	defer cancel()
	err := b.opt.Send(ctx, it.notice.Program, r)
	return err, err == nil || b.ctx.Err() == nil
}

func (b *Outbox) slot(program string) chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	slot := b.slots[program]
	if slot == nil {
		slot = make(chan struct{}, b.opt.PerProgram)
		b.slots[program] = slot
	}
	return slot
}

func (b *Outbox) mark(it *item, attempt int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	it.running, it.attempts, it.next = true, attempt, time.Time{}
}

// note keeps and logs what came of a try.
func (b *Outbox) note(it *item, err error, attempt int, v verdict, pause time.Duration) {
	b.mu.Lock()
	it.running, it.err = false, err
	if v == again {
		it.next = time.Now().Add(pause)
	}
	b.mu.Unlock()
	if err == nil {
		return
	}
	r := it.notice.Request
	b.opt.Log.Warn("alert not delivered", "alert", it.notice.Program, "group", r.Group, "service", r.Service,
		"kind", r.Kind.String(), "attempt", attempt, "then", v.String(), "err", err)
}

// verdict is what follows a try.
type verdict uint8

const (
	told    verdict = iota
	again           // after a pause
	refused         // for good
	gaveUp          // it could have been tried again, but long enough is enough
)

// String says v in the words of the log.
func (v verdict) String() string {
	switch v {
	case told:
		return "told"
	case again:
		return "try again"
	case refused:
		return "refused for good"
	case gaveUp:
		return "gave up"
	}
	return "unknown"
}

// judge says what follows the attempt-th try, which ended with err; age is how
// old the notice will be at the next.
func (o Options) judge(err error, attempt int, age time.Duration) verdict {
	switch {
	case err == nil:
		return told
	case alert.IsPermanent(err):
		return refused
	case o.MaxAttempts > 0 && attempt >= o.MaxAttempts, age > o.MaxAge:
		return gaveUp
	}
	return again
}

// pause is how long to wait after the attempt-th try.
func (o Options) pause(attempt int) time.Duration {
	d := o.RetryMin
	for range attempt - 1 {
		if d *= 2; d >= o.RetryMax {
			break
		}
	}
	return min(d, o.RetryMax)
}

// wait waits for d or until early; false means that ended came first.
func wait(d time.Duration, early, ended <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-early:
	case <-ended:
		return false
	}
	return true
}
