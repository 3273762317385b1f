package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
)

// What the loop has to do with the copying of connections between directors: the
// keeper does it, and is asked each second how it goes. The service mond:sync
// fails while it does not, and an elector is told when the copy here is complete,
// for which a failback waits.

const (
	// copyName is the service of group mond.
	copyName = "sync"
	// copyTime is how long copies must have been taken in before they count as
	// all there are, where the kernel does not tell each connection anew after a
	// time of its own: only what sends packets is ever told again.
	copyTime = 10 * time.Second
	// copyMargin is what a round of telling all anew may take longer.
	copyMargin = 2 * time.Second
	// copyUnknown is how long a keeper may be unable to say how it goes before
	// that is a failure: it may just be starting.
	copyUnknown = 10 * time.Second
)

// copies are what the loop knows of the copying.
type copies struct {
	asker *copier
	last  copied
	// unknown is since when nobody says how it goes; zero while somebody does.
	unknown time.Time
	// missed is when the other director was last found dead: what it did from
	// then on is not known here.
	missed time.Time
	synced bool // as last told
}

// copier asks a keeper how the copying goes. The loop wakes, a worker asks, the
// loop takes the answer.
type copier struct {
	copying func(ctx context.Context, program string) ([]alert.Copying, error)
	wake    chan string // holds one: the program
	answers chan copied
}

// copied is an answer.
type copied struct {
	rows []alert.Copying
	err  error
}

func newCopier(s Sender) *copier {
	return &copier{copying: s.Copying, wake: make(chan string, 1), answers: make(chan copied)}
}

// run asks until ctx ends.
func (c *copier) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case program := <-c.wake:
			limit, cancel := context.WithTimeout(ctx, lookLimit)
			rows, err := c.copying(limit, program)
			cancel()
			select {
			case c.answers <- copied{rows, err}:
			case <-ctx.Done():
				return
			}
		}
	}
}

// copyNames are the services of group mond that a configuration which copies
// connections has.
func copyNames(c *config.Config) []string {
	if c.Globals.IPVSSync == (config.IPVSSync{}) || len(c.Virtuals) == 0 {
		return nil
	}
	return []string{copyName}
}

// tickCopies has the keeper asked.
func (l *loop) tickCopies(now time.Time) {
	if copyNames(l.loaded.Config) == nil {
		l.copies.last, l.copies.unknown = copied{}, time.Time{}
		return
	}
	if t, ok := l.roles.told["peer"]; ok && t.result.Failing() {
		l.copies.missed = now
	}
	select {
	case l.copies.asker.wake <- l.loaded.Config.Virtuals[0].Program:
	default: // it is still busy with the last question
	}
	l.judgeCopies(now)
}

// handleCopies takes an answer.
func (l *loop) handleCopies(c copied, now time.Time) {
	if c.err == nil && len(c.rows) == 0 {
		c.err = errors.New("it has no claims yet")
	}
	l.copies.last = c
	switch {
	case c.err == nil:
		l.copies.unknown = time.Time{}
	case l.copies.unknown.IsZero():
		l.copies.unknown = now
	}
	l.judgeCopies(now)
}

// judgeCopies tells how the copying goes.
func (l *loop) judgeCopies(now time.Time) {
	r, known := l.copyResult(now)
	if known {
		l.self.push(l, copyName, r, now)
	}
	if left := l.copyLeft(now); (left == 0) != l.copies.synced {
		l.copies.synced = left == 0
		l.roles.site.dirty = true
	}
}

// copyResult fails while connections are not copied; known is false while that
// cannot be said yet.
func (l *loop) copyResult(now time.Time) (r monitor.Result, known bool) {
	c := &l.copies
	switch {
	case c.last.err != nil && now.Sub(c.unknown) >= copyUnknown:
		return monitor.Failed("nobody says whether connections are copied", c.last.err.Error()+"\n"), true
	case c.last.err != nil || len(c.last.rows) == 0:
		return r, false
	}
	var bad, detail []string
	for i := range c.last.rows {
		row := &c.last.rows[i]
		if row.Trouble != "" {
			bad = append(bad, row.Trouble)
		}
		for _, text := range []string{row.Detail, row.Warning} {
			if text != "" {
				detail = append(detail, row.Table+": "+text+"\n")
			}
		}
	}
	if len(bad) > 0 {
		return monitor.Failed(strings.Join(bad, "; "), strings.Join(detail, "")), true
	}
	r = monitor.OK("connections are copied")
	if left := l.copyLeft(now); left > 0 {
		r.Summary = fmt.Sprintf("connections are copied; those of the other director are all known here in %v", left.Round(time.Second))
	}
	r.Detail = strings.Join(detail, "")
	return r, true
}

// copyNever is the time that is left while nothing is taken in.
const copyNever = time.Hour

// copyLeft is how long it takes until the copy of the other director's
// connections is complete; 0 if it is, or none is kept. The kernel hands nothing
// over as a whole: it tells of a connection when it is new, changes, or has sent
// so many packets or for so long. So the copy is complete when copies have been
// taken in, from a director that was there, for the time in which it tells each
// connection that has traffic again.
//
// Only a failback waits for it, which takes the addresses from a director that
// lives and serves: never a takeover from a dead one.
func (l *loop) copyLeft(now time.Time) (left time.Duration) {
	if copyNames(l.loaded.Config) == nil {
		return 0
	}
	if l.copies.last.err != nil || len(l.copies.last.rows) == 0 {
		return copyNever
	}
	for i := range l.copies.last.rows {
		row := &l.copies.last.rows[i]
		switch {
		case row.Trouble != "":
			return copyNever
		case row.Since.IsZero(): // by-role, and the role is to send
			continue
		}
		since := row.Since
		if l.copies.missed.After(since) {
			since = l.copies.missed
		}
		wait := copyTime
		if row.Refresh > 0 {
			wait = time.Duration(row.Refresh)*time.Second + copyMargin
		}
		left = max(left, since.Add(wait).Sub(now))
	}
	return left
}
