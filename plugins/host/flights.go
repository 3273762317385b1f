package host

import (
	"fmt"
	"sync"
	"time"

	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc/pulse"
)

// Grace is how long after its Timeout a check is answered at the latest.
const Grace = 2 * time.Second

// overdue is how long after its time a check that is out gets to answer by
// itself, before its plugin is asked whether it lives.
const overdue = 250 * time.Millisecond

// flight is one check on its way.
type flight struct {
	check     job.Check
	wire      uint64 // its number on the wire, never used twice
	arrived   time.Time
	deadline  time.Time
	ends      time.Time     // the deadline when it was sent, which a cancellation does not move
	mark      time.Duration // what the host had not run when it was sent
	proof     uint64        // the ping whose answer proves that it was running; 0: none yet
	cancelled bool
}

func (f *flight) done(r monitor.Result, now time.Time) job.Done {
	if r.Started.IsZero() {
		r.Started, r.Took = f.arrived, now.Sub(f.arrived)
	}
	return job.Done{ID: f.check.ID, Group: f.check.Request.Group, Service: f.check.Request.Service, Result: r}
}

func (f *flight) key() string { return f.check.Request.Group + "\x00" + f.check.Request.Service }

// counts are the answers that belong to no check.
type counts struct {
	late    uint64 // to a check that had been answered for
	unknown uint64 // to no check, or to one that was answered before
}

// flights are the checks of one plugin: a queue of those to be sent, and those
// that are out. Every check that is added leaves exactly once, as a job.Done
// of one of the methods. It starts nothing and sends nothing; all methods may
// be called concurrently.
type flights struct {
	lost func() time.Duration // how long the host has not run, see pulse

	mu        sync.Mutex
	limit     int
	queue     []*flight // from head on
	head      int
	out       map[uint64]*flight
	abandoned map[uint64]struct{} // answered for, and perhaps still running in the plugin
	last      uint64              // the last wire number
	due       time.Time           // nothing is overdue before; zero: nothing is there
	counts    counts
	shut      *monitor.Result // the answer to all that is added from now on
	owner     *link           // of the process that lives; another's link takes nothing any more
}

func newFlights(limit int, lost func() time.Duration) *flights {
	return &flights{lost: lost, limit: limit, out: map[uint64]*flight{}, abandoned: map[uint64]struct{}{}}
}

// add queues checks; it reports whether there was nothing before. After close
// it answers them.
func (fs *flights) add(checks []job.Check, now time.Time) (first bool, dones []job.Done) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.shut != nil {
		for _, c := range checks {
			f := flight{check: c, arrived: now}
			dones = append(dones, f.done(*fs.shut, now))
		}
		return false, dones
	}
	first = fs.waiting()+len(fs.out) == 0
	for _, c := range checks {
		fs.last++
		f := &flight{check: c, wire: fs.last, arrived: now, deadline: now.Add(c.Timeout)}
		fs.queue = append(fs.queue, f)
		fs.dueBy(f.deadline)
	}
	return first, nil
}

// close makes r the answer to all that is queued or added later.
func (fs *flights) close(r monitor.Result, now time.Time) (dones []job.Done) {
	fs.mu.Lock()
	fs.shut = &r
	fs.mu.Unlock()
	return fs.flush(r, now)
}

func (fs *flights) waiting() int { return len(fs.queue) - fs.head }

func (fs *flights) dueBy(t time.Time) {
	if fs.due.IsZero() || t.Before(fs.due) {
		fs.due = t
	}
}

// setLimit says how many checks may be out at once.
func (fs *flights) setLimit(n int) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.limit = n
}

// own makes l the link that takes checks, until lose.
func (fs *flights) own(l *link) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.owner = l
}

// takeFor moves up to most checks from the queue to those that are out, appending
// them to into; nothing if the link is not the owner: what the link of a lost
// process took would be nobody's, and seem to have timed out. A check whose time
// is over before it could be sent is Overloaded.
func (fs *flights) takeFor(l *link, into []*flight, most int, now time.Time) ([]*flight, []job.Done) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.owner != l {
		return into, nil
	}
	return fs.move(into, most, now)
}

// move is takeFor with fs.mu held, for the owner.
func (fs *flights) move(into []*flight, most int, now time.Time) ([]*flight, []job.Done) {
	var late []job.Done
	mark := fs.lost()
	for len(into) < most && fs.waiting() > 0 && len(fs.out) < fs.limit {
		f := fs.pop()
		if !now.Before(f.deadline) {
			late = append(late, f.done(tooLate(fs.limit), now))
			continue
		}
		f.mark, f.ends = mark, f.deadline
		fs.out[f.wire] = f
		into = append(into, f)
	}
	return into, late
}

func (fs *flights) pop() *flight {
	f := fs.queue[fs.head]
	fs.queue[fs.head] = nil
	fs.head++
	switch {
	case fs.head == len(fs.queue):
		fs.queue, fs.head = fs.queue[:0], 0
	case fs.head >= 1024 && fs.head*2 > len(fs.queue):
		n := copy(fs.queue, fs.queue[fs.head:])
		clear(fs.queue[n:])
		fs.queue, fs.head = fs.queue[:n], 0
	}
	return f
}

func tooLate(limit int) monitor.Result {
	return monitor.Blinded(monitor.Overloaded, fmt.Sprintf("its time was over before it could run: %d checks of its plugin were out, as many as it takes", limit))
}

// busy reports how many checks wait and how many are out.
func (fs *flights) busy() (waiting, out int) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.waiting(), len(fs.out)
}

// ready reports whether a check could be sent.
func (fs *flights) ready() bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.waiting() > 0 && len(fs.out) < fs.limit
}

// answer is what the plugin said of the check with this wire number; ok is
// false when nobody waits for it.
func (fs *flights) answer(wire uint64, r monitor.Result, now time.Time) (done job.Done, ok bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.out[wire]
	if f == nil {
		fs.stray(wire)
		return job.Done{}, false
	}
	delete(fs.out, wire)
	if f.cancelled { // it may have failed for that reason only
		r = monitor.Blinded(monitor.NotRun, "cancelled")
	}
	return f.done(r, now), true
}

// stray counts an answer that nobody waits for.
func (fs *flights) stray(wire uint64) {
	if _, late := fs.abandoned[wire]; late {
		delete(fs.abandoned, wire)
		fs.counts.late++
		return
	}
	fs.counts.unknown++
}

// strays are how many answers nobody waited for, and how many checks the
// plugin never came back from.
func (fs *flights) strays() (counts, int) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.counts, len(fs.abandoned)
}

// drop answers one check for its plugin.
func (fs *flights) drop(wire uint64, r monitor.Result, now time.Time) (done job.Done, ok bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.out[wire]
	if f == nil {
		return job.Done{}, false
	}
	delete(fs.out, wire)
	return f.done(r, now), true
}

// lose answers all that are out with r: their plugin is gone, and its link
// takes no more. It also returns who they were.
func (fs *flights) lose(r monitor.Result, now time.Time) (dones []job.Done, keys []string) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.owner = nil
	for wire, f := range fs.out {
		delete(fs.out, wire)
		if f.cancelled {
			dones = append(dones, f.done(monitor.Blinded(monitor.NotRun, "cancelled"), now))
			continue
		}
		dones = append(dones, f.done(r, now))
		keys = append(keys, f.key())
	}
	clear(fs.abandoned) // they went with the process
	return dones, keys
}

// flush answers all that are queued with r.
func (fs *flights) flush(r monitor.Result, now time.Time) (dones []job.Done) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for fs.waiting() > 0 {
		dones = append(dones, fs.pop().done(r, now))
	}
	return dones
}

// cancel withdraws checks by their job.Check's ID: those queued are answered
// at once, those out are to be cancelled by the wire numbers returned and are
// answered when the plugin does, within Grace.
func (fs *flights) cancel(ids map[uint64]bool, now time.Time) (wires []uint64, dones []job.Done) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for n := fs.waiting(); n > 0; n-- {
		f := fs.pop()
		if ids[f.check.ID] {
			dones = append(dones, f.done(monitor.Blinded(monitor.NotRun, "cancelled"), now))
			continue
		}
		fs.queue = append(fs.queue, f)
	}
	for wire, f := range fs.out {
		if ids[f.check.ID] && !f.cancelled {
			f.cancelled = true
			wires = append(wires, wire)
			f.deadline = now.Add(min(Grace, f.deadline.Add(Grace).Sub(now)))
			fs.dueBy(f.deadline)
		}
	}
	return wires, dones
}

// sweep is what a look at the clock brings.
type sweep struct {
	dones  []job.Done
	cancel []uint64 // wire numbers of checks that were answered for
	ask    bool     // some check waits for the answer to the ping that was offered
}

// sweep answers for checks whose time is over: queued ones with stuck, those
// out when a pong proves that they were running, or at Grace without such
// proof. ping is the number that the next ping would have, pong the last that
// was answered.
func (fs *flights) sweep(now time.Time, ping, pong uint64, stuck monitor.Result) (s sweep) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.due.IsZero() || now.Before(fs.due) {
		return s
	}
	fs.due = time.Time{}
	fs.sweepQueue(now, stuck, &s)
	for wire, f := range fs.out {
		if r, over := fs.verdict(f, now, ping, pong, &s.ask); over {
			delete(fs.out, wire)
			fs.abandoned[wire] = struct{}{}
			s.dones = append(s.dones, f.done(r, now))
			if !f.cancelled {
				s.cancel = append(s.cancel, wire)
			}
		}
	}
	return s
}

func (fs *flights) sweepQueue(now time.Time, stuck monitor.Result, s *sweep) {
	for n := fs.waiting(); n > 0; n-- {
		f := fs.pop()
		if !now.Before(f.deadline) {
			s.dones = append(s.dones, f.done(stuck, now))
			continue
		}
		fs.queue = append(fs.queue, f)
		fs.dueBy(f.deadline)
	}
}

// verdict is the answer for a check that is out, if it has to be answered for
// now. TimedOut takes a server out of service: it is given only when the
// plugin showed after the check's time that it had begun it and runs.
func (fs *flights) verdict(f *flight, now time.Time, ping, pong uint64, ask *bool) (r monitor.Result, over bool) {
	past := now.Sub(f.deadline)
	switch {
	case f.cancelled && past >= 0:
		return monitor.Blinded(monitor.NotRun, "cancelled"), true
	case past < 0:
		fs.dueBy(f.deadline)
	case past < overdue:
		fs.dueBy(f.deadline.Add(overdue))
	case f.proof == 0:
		f.proof, *ask = ping, true
		fs.dueBy(now)
	case f.proof <= pong:
		return fs.timedOut(f), true
	case past >= Grace:
		return monitor.Blinded(monitor.PluginLost, "its plugin does not say whether it still runs"), true
	default:
		fs.dueBy(now)
	}
	return monitor.Result{}, false
}

func (fs *flights) timedOut(f *flight) monitor.Result {
	if lost := fs.lost() - f.mark; pulse.Spoils(lost, f.check.Timeout) {
		return monitor.Blinded(monitor.Overloaded, fmt.Sprintf("mond itself did not run for %v of this check's %v", lost.Round(time.Millisecond), f.check.Timeout))
	}
	return monitor.Result{Cause: monitor.TimedOut, Summary: fmt.Sprintf("no answer within %v", f.check.Timeout)}
}
