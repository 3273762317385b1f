package serve

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/role"
)

// A Hold that ended is begun again after a while that doubles.
const (
	holdAgain = 20 * time.Millisecond
	holdLimit = 2 * time.Second
)

// holding gives a holder its work, for one session. Work that comes while the
// holder is busy is put together: it never grows beyond a token a group.
type holding struct {
	ss   *session
	wake chan struct{} // capacity 1
	// ended is closed when the author's Hold has ended for good.
	ended chan struct{}

	mu   sync.Mutex
	have role.Work // all of it, for a Hold that is begun again
	next role.Work // what the holder was not given yet
}

func newHolding(ss *session) *holding {
	h := &holding{ss: ss, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go func() { // ends with the session, as soon as the author's Hold does
		defer close(h.ended)
		h.run(ss.roleCtx)
	}()
	return h
}

// put adds to what is to be done.
func (h *holding) put(w role.Work) {
	h.mu.Lock()
	h.have, h.next = h.have.Then(w), h.next.Then(w)
	h.mu.Unlock()
	h.notify()
}

func (h *holding) notify() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// take is what to give next.
func (h *holding) take() role.Work {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.next
	h.next = role.Work{}
	return w
}

// anew makes all there is the next work.
func (h *holding) anew() {
	h.mu.Lock()
	h.next = h.have
	h.mu.Unlock()
	h.notify()
}

// run holds until ctx ends.
func (h *holding) run(ctx context.Context) {
	for pause := holdAgain; ; pause = min(2*pause, holdLimit) {
		began := time.Now()
		err := h.once(ctx)
		if ctx.Err() != nil {
			return
		}
		h.failed(err)
		if time.Since(began) > holdLimit {
			pause = holdAgain
		}
		select {
		case <-time.After(pause):
			h.anew()
		case <-ctx.Done():
			return
		}
	}
}

// failed tells of every group that nobody holds it at present.
func (h *holding) failed(err error) {
	if err == nil {
		err = errors.New("it ended by itself")
	}
	h.ss.service.log.Error("holding addresses ended", "reason", err.Error())
	h.mu.Lock()
	lines := h.have.Lines
	h.mu.Unlock()
	for _, l := range lines {
		h.ss.out.stand(role.Stand{Group: l.Group, Error: "the holder ended and is begun again: " + err.Error()})
	}
}

// once holds until the author's Hold returns.
func (h *holding) once(ctx context.Context) (err error) {
	defer guard(&err)
	in := h.ss.service.instances.get(nil)
	if in.err != nil {
		return in.err
	}
	holder, ok := in.thing.(alert.Holder)
	if !ok {
		return fmt.Errorf("%s holds nothing: it takes notices only", h.ss.service.plugin.name)
	}
	ctx, stop := context.WithCancel(ctx)
	work, fed := make(chan role.Work), make(chan struct{})
	go func() { defer close(fed); h.feed(ctx, work) }() // ends with ctx
	defer func() { stop(); <-fed }()
	return holder.Hold(ctx, work, func(s role.Stand) {
		if ctx.Err() == nil {
			h.ss.out.stand(s)
		}
	})
}

// feed offers what there is to do, put together with what comes meanwhile.
func (h *holding) feed(ctx context.Context, work chan<- role.Work) {
	var w role.Work
	for {
		offer := work
		if w = w.Then(h.take()); w.None() {
			offer = nil
		}
		select {
		case offer <- w:
			w = role.Work{}
		case <-h.wake:
		case <-ctx.Done():
			return
		}
	}
}
