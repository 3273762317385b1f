package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/rpc"
)

// An election that ended is begun again after a while that doubles. It is short:
// what is held stays so for as long as the last token says, and no longer.
const (
	electAgain = 20 * time.Millisecond
	electLimit = 5 * time.Second
)

// candidate is a member of the set that is to elect.
type candidate struct {
	wanted

	site role.Site
}

// election is one that runs.
type election struct {
	candidate

	sites chan role.Site // capacity 1: the newest
	stop  context.CancelFunc
	ended chan struct{}

	mu sync.Mutex // held while sites is written to
	// known is the newest site, for an Elect that is begun again.
	known role.Site
}

// elections are those of one session, set by the goroutine that reads it.
type elections struct {
	ctx context.Context
	out *outbox
	log *slog.Logger

	mu      sync.Mutex
	running map[string]*election
}

// none reports whether nothing elects.
func (es *elections) none() bool {
	es.mu.Lock()
	defer es.mu.Unlock()
	return len(es.running) == 0
}

// leave tells all that mond leaves; what it returns is closed when they have.
func (es *elections) leave() (ended []<-chan struct{}) {
	es.mu.Lock()
	defer es.mu.Unlock()
	for _, e := range es.running {
		e.leave()
		ended = append(ended, e.ended)
	}
	return ended
}

// set makes want the whole set, as [watches.set] does; one that goes on is given
// its new site.
func (es *elections) set(want []candidate) {
	es.mu.Lock()
	defer es.mu.Unlock()
	next := make(map[string]candidate, len(want))
	for _, c := range want {
		next[c.key()] = c
	}
	for key, old := range es.running {
		c, ok := next[key]
		if ok && c.site.Share == nil { // as it was
			c.site.Share = old.share()
			next[key] = c
		}
		if ok && same(old.wanted, c.wanted) {
			old.know(c.site)
			delete(next, key)
			continue
		}
		old.stop()
		if !ok {
			delete(es.running, key)
		}
	}
	for key, c := range next {
		es.begin(key, c)
	}
}

// share is what it knows of sharing.
func (e *election) share() *role.Share {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.known.Share
}

// know gives an election a new site.
func (e *election) know(s role.Site) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.known = s
	e.offer()
}

// offer puts the newest site into sites, in the place of what is there. The
// caller holds mu.
func (e *election) offer() {
	select {
	case <-e.sites:
	default:
	}
	e.sites <- e.known
}

// leave gives it the site that it knows, as one that mond leaves.
func (e *election) leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.known.Leaving, e.known.Orphaned = true, true
	e.offer()
}

func (e *election) leaving() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.known.Leaving
}

func (es *elections) begin(key string, c candidate) {
	ctx, stop := context.WithCancel(es.ctx)
	now := &election{candidate: c, stop: stop, sites: make(chan role.Site, 1), ended: make(chan struct{})}
	now.know(c.site)
	before := es.running[key]
	es.running[key] = now
	go func() { // ends with ctx, as soon as the author's Elect does
		defer close(now.ended)
		if before != nil {
			<-before.ended
		}
		es.run(ctx, now)
	}()
}

// run elects until ctx ends, or the election ends because mond leaves.
func (es *elections) run(ctx context.Context, e *election) {
	subject, r, said := e.subject.number, e.subject.request, ""
	for pause := electAgain; ctx.Err() == nil; pause = min(2*pause, electLimit) {
		began := time.Now()
		err := es.once(ctx, e)
		leaving := e.leaving()
		if leaving {
			es.out.leave(subject)
		}
		if ctx.Err() != nil || leaving {
			return
		}
		res := ending(err)
		es.out.tell(subject, "", res)
		if res.Summary != said {
			said = res.Summary
			es.log.Error("election ended", "group", r.Group, "service", r.Service, "reason", said)
		}
		if time.Since(began) > electLimit {
			pause = electAgain
		}
		e.rest(ctx, pause)
	}
}

// rest waits before the next try, which is due at once when mond leaves: it has
// only to take its leave.
func (e *election) rest(ctx context.Context, pause time.Duration) {
	over := time.After(pause)
	for !e.leaving() {
		select {
		case <-e.sites: // the next try begins with the newest
		case <-over:
			return
		case <-ctx.Done():
			return
		}
	}
}

// panicError is the error of an author's code that panicked.
type panicError struct {
	value any
	stack string
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// guard turns a panic into err.
func guard(err *error) {
	if v := recover(); v != nil {
		*err = &panicError{v, string(debug.Stack())}
	}
}

// ending is what the end of an election means for its services.
func ending(err error) monitor.Result {
	p, bug := errors.AsType[*panicError](err)
	switch {
	case err == nil:
		return monitor.Blinded(monitor.NotRun, "the election ended by itself")
	case bug:
		res := monitor.Blinded(monitor.Panicked, p.Error())
		res.Detail = p.stack
		return res
	case monitor.Local(err):
		return monitor.Blinded(monitor.LocalFault, "the election ended: "+err.Error())
	}
	return monitor.Blinded(monitor.NotRun, "the election ended: "+err.Error())
}

// errNoElector is the error of a monitor that is to elect and cannot.
var errNoElector = errors.New("this monitor decides nothing about directors")

// once elects until the author's Elect returns.
func (es *elections) once(ctx context.Context, e *election) (err error) {
	defer guard(&err)
	if e.subject.err != nil {
		return e.subject.err
	}
	m, ok := e.subject.monitor.(monitor.Elector)
	if !ok {
		return errNoElector
	}
	r := e.subject.request
	r.Env = rpc.DecodeEnv(e.env)
	return m.Elect(ctx, r, e.feed(), es.voice(ctx, e))
}

// feed are the sites for one Elect, beginning with the newest.
func (e *election) feed() <-chan role.Site {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.offer()
	return e.sites
}

// voice is how one Elect speaks; what it says after its end is not heard.
func (es *elections) voice(ctx context.Context, e *election) monitor.Election {
	subject := e.subject.number
	return monitor.Election{
		Token: func(t role.Token) {
			if ctx.Err() == nil {
				es.out.token(subject, t)
			}
		},
		Report: func(service string, r monitor.Result) {
			if ctx.Err() == nil {
				es.out.tell(subject, service, r)
			}
		},
		Shared: func(s role.Shared) {
			if ctx.Err() == nil {
				es.out.share(subject, s)
			}
		},
	}
}
