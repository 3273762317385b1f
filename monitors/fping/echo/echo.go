// Package echo asks many hosts at once whether they are alive: it sends ICMP
// echo requests (RFC 792, RFC 4443) over one paced socket an address family and
// tells for each host when its reply came, or why none did.
//
// All checks of a process share an [Engine], and with it its sockets and its
// pace, so that many checks at a time do not overrun the receive buffer and
// take each other's hosts down. It resolves no names and judges nothing but
// "answered or not"; monitors/fping does. A host that is to be measured with
// many requests is the matter of monitors/ping.
package echo

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/mondhq/mond/monitors/tcp/origin"
	"github.com/mondhq/mond/plugins/monitor"
)

const (
	// MinSize is the least payload: what tells replies of ours from others.
	MinSize = stampLen
	// MaxSize is the largest payload of an IPv4 packet.
	MaxSize = 65535 - 20 - headerLen
	// MaxTries is how many requests one host can be sent.
	MaxTries = 100
	// Pace is how many requests a second all checks of a process send together.
	Pace = 20000
	// batch is how many packets go through one system call.
	batch = 64
)

// Settings say how hosts are asked.
type Settings struct {
	// Tries is how many requests a host is sent at most, 1 to [MaxTries].
	Tries int
	// Wait is how long the reply to the first request is waited for before the
	// next one is sent; each further wait is Backoff (1 or more) times as long.
	// A reply to any of the requests counts until the last wait is over.
	Wait    time.Duration
	Backoff float64
	// Size is how many bytes a request carries, [MinSize] to [MaxSize].
	Size int
	// Pace is how many requests a second these hosts are sent at most, 1 or
	// more. Above [Pace] it also hastens the other checks of the process.
	Pace int
	Dress
}

// Dress is what the socket is made for: calls of the same dress share one.
type Dress struct {
	// Origin is where requests come from.
	origin.Origin
	// TTL is the time to live (hop limit), TOS the type of service (traffic
	// class); 0 leaves each to the kernel.
	TTL, TOS uint8
}

// Limit is how long a host that never answers is waited for.
func (s Settings) Limit() time.Duration {
	var sum time.Duration
	for _, w := range s.waits() {
		sum += w
	}
	return sum
}

// longest is more than any wait: beyond it a Backoff would overflow.
const longest = 24 * time.Hour

// waits is how long each try is waited for.
func (s Settings) waits() []time.Duration {
	list := make([]time.Duration, s.Tries)
	wait := float64(s.Wait)
	for i := range list {
		list[i] = time.Duration(min(wait, float64(longest)))
		wait *= s.Backoff
	}
	return list
}

// Answer is what became of one host.
type Answer struct {
	// Err is nil if the host answered. It is a [monitor.Late] if it did not,
	// an [*Unreachable] if somebody said so, and [monitor.Local] if it could not
	// be asked.
	Err error
	// RTT is the round trip of the request that was answered, Took the time
	// from the first request to the outcome.
	RTT, Took time.Duration
	// Sent is how many requests were sent, Lost how many of them had no answer
	// when the outcome was known.
	Sent, Lost int
}

// Engine holds what all calls share. The zero value is ready for use.
type Engine struct {
	pace    pacer
	mu      sync.Mutex
	sockets map[socketKey]*socket
	// unprivileged makes it do without raw sockets, for tests.
	unprivileged bool
}

// socketKey tells sockets apart.
type socketKey struct {
	six bool
	Dress
	version origin.Version
}

// Ping asks the hosts of all these addresses and waits until it knows the
// outcome of each, which is in the order of to. It ends soon after ctx.
func (e *Engine) Ping(ctx context.Context, s Settings, to []netip.Addr) []Answer {
	answers := make([]Answer, len(to))
	var four, six []int
	for i, a := range to {
		answers[i].Err = monitor.ErrNotStarted // until something is known
		switch err := unfit(a, s.Source.Addr); {
		case err != nil:
			answers[i].Err = err
		case a.Is4():
			four = append(four, i)
		default:
			six = append(six, i)
		}
	}
	var wg sync.WaitGroup
	for _, which := range [][]int{four, six} {
		if len(which) > 0 {
			wg.Go(func() { e.ping(ctx, s, to, which, answers) })
		}
	}
	wg.Wait()
	return answers
}

// unfit says why an address cannot be pinged from source.
func unfit(a, source netip.Addr) error {
	switch {
	case !a.IsValid() || a.IsUnspecified() || a.IsMulticast():
		return fault(fmt.Errorf("%v is no address of a host", a))
	case source.IsValid() && source.Is4() != a.Is4():
		return fault(fmt.Errorf("%v cannot be reached from the source address %v, which is of another family", a, source))
	}
	return nil
}
