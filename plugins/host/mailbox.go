package host

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mondhq/mond/plugins/job"
)

// maxReports bounds how many unasked results wait for a reader who does not
// read; answers to checks are bounded by the checks.
const maxReports = 1 << 16

// mailbox passes answers to the one reader, merging what comes while he is
// busy, and the names of keepers that began. put and restarted never wait.
type mailbox struct {
	// results holds at most the one batch that waits: put takes it out, adds
	// to it and puts it back, under mu, so that there is always room. A
	// goroutine in between would cost every batch two more switches.
	results chan []job.Done
	dropped atomic.Uint64 // reports

	mu      sync.Mutex
	reports int // in the batch that waits

	again chan string
	wake  chan struct{} // capacity 1
	names struct {
		sync.Mutex

		begun []string // each once
	}
	quit  chan struct{}
	ended chan struct{}
}

func newMailbox() *mailbox {
	m := &mailbox{
		results: make(chan []job.Done, 1), again: make(chan string), wake: make(chan struct{}, 1),
		quit: make(chan struct{}), ended: make(chan struct{}),
	}
	go m.run() // ends with close
	return m
}

// put adds to what the reader gets next. It keeps nothing of dones.
func (m *mailbox) put(dones ...job.Done) {
	if len(dones) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var batch []job.Done
	select {
	case batch = <-m.results:
	default:
		m.reports = 0
	}
	batch = slices.Grow(batch, len(dones))
	for _, d := range dones {
		if d.ID == 0 {
			if m.reports >= maxReports {
				m.dropped.Add(1)
				continue
			}
			m.reports++
		}
		batch = append(batch, d)
	}
	m.results <- batch // only put sends, and not at the same time as another
}

// restarted tells that a keeper began and wants its full set.
func (m *mailbox) restarted(name string) {
	m.names.Lock()
	if !slices.Contains(m.names.begun, name) {
		m.names.begun = append(m.names.begun, name)
	}
	m.names.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// first is the name to be told next, "" without one.
func (m *mailbox) first() string {
	m.names.Lock()
	defer m.names.Unlock()
	if len(m.names.begun) == 0 {
		return ""
	}
	return m.names.begun[0]
}

// told forgets the first name.
func (m *mailbox) told() {
	m.names.Lock()
	defer m.names.Unlock()
	m.names.begun = m.names.begun[1:]
}

// run tells names.
func (m *mailbox) run() {
	defer close(m.ended)
	for {
		name, again := m.first(), m.again
		if name == "" {
			again = nil
		}
		select {
		case again <- name:
			m.told()
		case <-m.wake:
		case <-m.quit:
			return
		}
	}
}

// lastCall is how long a reader may take for what is left at the end.
const lastCall = 300 * time.Millisecond

// close ends the mailbox when all was read, or nobody reads.
func (m *mailbox) close() {
	limit, cancel := context.WithTimeout(context.Background(), lastCall)
	defer cancel()
	for len(m.results) > 0 && limit.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	close(m.quit)
	<-m.ended
}
