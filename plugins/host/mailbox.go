package host

import (
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
	results chan []job.Done // unbuffered: what is not taken is still merged
	again   chan string
	quit    chan struct{}
	ended   chan struct{}
	wake    chan struct{} // capacity 1
	dropped atomic.Uint64 // reports

	mu      sync.Mutex
	dones   []job.Done
	held    int // in the batch that is offered
	reports int
	begun   []string // each name once
}

func newMailbox() *mailbox {
	m := &mailbox{
		results: make(chan []job.Done), again: make(chan string),
		quit: make(chan struct{}), ended: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	go m.run() // ends with close
	return m
}

func (m *mailbox) put(dones ...job.Done) {
	if len(dones) == 0 {
		return
	}
	m.mu.Lock()
	for _, d := range dones {
		if d.ID == 0 {
			if m.reports >= maxReports {
				m.dropped.Add(1)
				continue
			}
			m.reports++
		}
		m.dones = append(m.dones, d)
	}
	m.mu.Unlock()
	m.notify()
}

// restarted tells that a keeper began and wants its full set.
func (m *mailbox) restarted(name string) {
	m.mu.Lock()
	known := false
	for _, n := range m.begun {
		known = known || n == name
	}
	if !known {
		m.begun = append(m.begun, name)
	}
	m.mu.Unlock()
	m.notify()
}

func (m *mailbox) notify() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// offer is what could be sent now.
func (m *mailbox) offer(batch []job.Done) ([]job.Done, string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if batch == nil {
		batch, m.dones = m.dones, nil
	} else {
		batch = append(batch, m.dones...)
		m.dones = m.dones[:0]
	}
	m.held = len(batch)
	name := ""
	if len(m.begun) > 0 {
		name = m.begun[0]
	}
	return batch, name
}

// told forgets a name that was passed on.
func (m *mailbox) told() {
	m.mu.Lock()
	m.begun = m.begun[1:]
	m.mu.Unlock()
}

// taken makes room for further reports.
func (m *mailbox) taken(batch []job.Done) {
	n := 0
	for i := range batch {
		if batch[i].ID == 0 {
			n++
		}
	}
	m.mu.Lock()
	m.reports -= n
	m.held = 0
	m.mu.Unlock()
}

func (m *mailbox) run() {
	defer close(m.ended)
	var batch []job.Done
	for {
		var name string
		batch, name = m.offer(batch)
		results, again := m.results, m.again
		if len(batch) == 0 {
			results = nil
		}
		if name == "" {
			again = nil
		}
		select {
		case results <- batch:
			m.taken(batch)
			batch = nil
		case again <- name:
			m.told()
		case <-m.wake:
		case <-m.quit:
			return
		}
	}
}

// lastCall is how long a reader may take for what is left at the end.
const lastCall = 100 * time.Millisecond

// close ends the mailbox when all was read, or nobody reads.
func (m *mailbox) close() {
	for end := time.Now().Add(lastCall); !m.empty() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	close(m.quit)
	<-m.ended
}

func (m *mailbox) empty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.dones) == 0 && m.held == 0
}
