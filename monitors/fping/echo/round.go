package echo

import (
	"net/netip"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
)

// round is the state of one call: who was asked when, who is waited for and
// how long. It is told the time, as the span since the call began, and touches
// nothing outside.
//
// A request is known by its number: try*len(to)+host.
type round struct {
	to    []netip.Addr
	waits []time.Duration
	// sent is when each request was sent, by its number.
	sent []time.Duration
	// host is what is known of each host.
	host []state
	// asked is how many hosts were taken for their first request; they are
	// taken in order from start on, which is drawn by lot so that with too
	// little time it is not always the same hosts that are left out.
	asked, start int
	// again holds hosts that are to be asked once more, waiting those whose
	// reply to a given try is waited for, each in order of time.
	again   queue
	waiting []queue
	left    int // hosts whose outcome is not known
}

// state is what is known of one host.
type state struct {
	tries int // how many requests were sent
	over  bool
	Answer
}

func newRound(to []netip.Addr, waits []time.Duration, start int) *round {
	return &round{
		to: to, waits: waits, start: start, left: len(to),
		sent: make([]time.Duration, len(to)*len(waits)), host: make([]state, len(to)),
		waiting: make([]queue, len(waits)),
	}
}

// split is the host and the try of a request.
func (r *round) split(number int) (host, try int) { return number % len(r.to), number / len(r.to) }

// due is how many requests could be sent now; a few of the hosts may turn out
// to have answered.
func (r *round) due() int { return len(r.to) - r.asked + r.again.len() }

// take appends the numbers of up to n requests that are to be sent now. A
// host's first request goes before all second ones.
func (r *round) take(n int, numbers []int) []int {
	for ; n > 0 && r.asked < len(r.to); r.asked++ {
		numbers = append(numbers, (r.asked+r.start)%len(r.to))
		n--
	}
	for n > 0 && r.again.len() > 0 {
		if i := r.again.pop(); !r.host[i].over {
			numbers = append(numbers, r.host[i].tries*len(r.to)+i)
			n--
		}
	}
	return numbers
}

// went notes that requests are being sent.
func (r *round) went(numbers []int, now time.Duration) {
	for _, number := range numbers {
		host, try := r.split(number)
		r.sent[number] = now
		r.host[host].tries = try + 1
		r.waiting[try].push(host)
	}
}

// delay notes that requests are only being sent now.
func (r *round) delay(numbers []int, now time.Duration) {
	for _, number := range numbers {
		r.sent[number] = now
	}
}

// expire ends the waits that are over: the host is asked again, or is late.
func (r *round) expire(now time.Duration) {
	for try := range r.waiting {
		for q := &r.waiting[try]; q.len() > 0; {
			i := q.first()
			if !r.host[i].over && r.until(i, try) > now {
				break
			}
			q.pop()
			switch {
			case r.host[i].over:
			case try+1 < len(r.waits):
				r.again.push(i)
			default:
				r.end(i, now, monitor.Late(r.waited(i)))
			}
		}
	}
}

// until is when the wait for the reply to a try is over.
func (r *round) until(host, try int) time.Duration {
	return r.sent[try*len(r.to)+host] + r.waits[try]
}

// wake is when the next wait is over; false if nobody is waited for.
func (r *round) wake() (at time.Duration, ok bool) {
	for try := range r.waiting {
		q := &r.waiting[try]
		for q.len() > 0 && r.host[q.first()].over {
			q.pop()
		}
		if q.len() == 0 {
			continue
		}
		if t := r.until(q.first(), try); !ok || t < at {
			at, ok = t, true
		}
	}
	return at, ok
}

// known reports whether a number is that of a request which was sent to a.
func (r *round) known(number int, a netip.Addr) bool {
	if number < 0 || number >= len(r.sent) {
		return false
	}
	host, try := r.split(number)
	return try < r.host[host].tries && r.to[host].WithZone("") == a
}

// answered notes the reply to a known request.
func (r *round) answered(number int, now time.Duration) {
	host, _ := r.split(number)
	if s := &r.host[host]; !s.over {
		s.RTT = max(now-r.sent[number], time.Nanosecond)
		r.end(host, now, nil)
	}
}

// failed notes that a request came to nothing, which ends the wait for its
// host.
func (r *round) failed(number int, now time.Duration, err error) {
	if host, _ := r.split(number); !r.host[host].over {
		r.end(host, now, err)
	}
}

// abandon ends all waits. Who was not asked gets the first error, the others
// the second or, if that is nil, are late.
func (r *round) abandon(now time.Duration, notSent, err error) {
	for i := range r.host {
		switch {
		case r.host[i].over:
		case r.host[i].tries == 0:
			r.end(i, now, notSent)
		case err != nil:
			r.end(i, now, err)
		default:
			r.end(i, now, monitor.Late(r.waited(i)))
		}
	}
}

// end notes the outcome of a host.
func (r *round) end(i int, now time.Duration, err error) {
	s := &r.host[i]
	s.over, s.Err, s.Sent, s.Lost = true, err, s.tries, s.tries
	if err == nil {
		s.Lost--
	}
	if s.tries > 0 {
		s.Took = max(now-r.sent[i], s.RTT) // request number i is the first to host i
	}
	r.left--
}

// waited says what was waited for.
func (r *round) waited(i int) string {
	return "sent " + requests(r.host[i].tries) + " to " + r.to[i].String()
}

// queue holds indices of hosts, first in, first out.
type queue struct {
	items []int32
	head  int
}

func (q *queue) len() int   { return len(q.items) - q.head }
func (q *queue) first() int { return int(q.items[q.head]) }

func (q *queue) push(i int) { q.items = append(q.items, int32(i)) } //nolint:gosec // an index of a host

func (q *queue) pop() int {
	i := q.first()
	if q.head++; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return i
}
