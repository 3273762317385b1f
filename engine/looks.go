package engine

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mondhq/mond/engine/virtual"
	"github.com/mondhq/mond/plugins/alert"
)

const (
	// lookLimit is how long a keeper may take to say how its table stands.
	lookLimit = 2 * time.Second
	// lookPause and lookPauseMost bound the wait before a keeper that could
	// not say is asked again.
	lookPause     = 20 * time.Millisecond
	lookPauseMost = 200 * time.Millisecond
	// lookMost is how many services are asked about at a time: an answer has
	// to fit in a message.
	lookMost = 200
)

// looker asks one keeper how its table stands. The loop says of which
// services, a worker asks, the loop takes the answer.
type looker struct {
	program  string
	standing func(ctx context.Context, program string, services []string) ([]alert.Standing, error)
	wake     chan struct{} // holds one
	answers  chan<- looked

	mu   sync.Mutex
	want map[string]bool // the services to ask about
	// again is set when the last answer was not enough: there is a pause
	// before the next question.
	again bool
}

// looked is how the table stands, for some services.
type looked struct {
	program  string
	services []string
	asked    time.Time
	rows     []alert.Standing
	err      error
}

// ask has a service asked about; again is set if the last answer was not
// enough.
func (k *looker) ask(service string, again bool) {
	k.mu.Lock()
	k.want[service] = true
	k.again = k.again || again
	k.mu.Unlock()
	signal(k.wake)
}

// take is what to ask about now, sorted.
func (k *looker) take() (services []string, again bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	services, again = slices.Sorted(maps.Keys(k.want)), k.again
	k.want, k.again = map[string]bool{}, false
	return services, again
}

// run asks until ctx ends.
func (k *looker) run(ctx context.Context) {
	pause := lookPause
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		}
		services, again := k.take()
		if !again {
			pause = lookPause
		} else if !sleep(ctx, pause, nil) {
			return
		} else {
			pause = min(2*pause, lookPauseMost)
		}
		for some := range slices.Chunk(services, lookMost) {
			k.look(ctx, some)
		}
	}
}

// look asks about some services.
func (k *looker) look(ctx context.Context, services []string) {
	a := looked{program: k.program, services: services, asked: time.Now()}
	limit, cancel := context.WithTimeout(ctx, lookLimit)
	a.rows, a.err = k.standing(limit, k.program, services)
	cancel()
	select {
	case k.answers <- a:
	case <-ctx.Done():
	}
}

// askTable asks how the rows of a pool stand; again is set if the last answer
// was not enough.
func (l *loop) askTable(p *pool, again bool) {
	if l.startLooker == nil {
		return // the loop has not begun; it asks then
	}
	program := p.cfg.Program
	if !l.isKeeper(program) {
		return
	}
	k := l.lookers[program]
	if k == nil {
		k = &looker{
			program: program, standing: l.opt.Sender.Standing, answers: l.looks,
			wake: make(chan struct{}, 1), want: map[string]bool{},
		}
		l.lookers[program] = k
		l.startLooker(k)
	}
	k.ask(p.cfg.Name, again)
}

// firstLooks asks for what pools wait for.
func (l *loop) firstLooks() {
	for _, p := range l.pools {
		if p.looks {
			l.askTable(p, false)
		}
	}
}

// lookAgain has every pool of a keeper looked at that lost its memory.
func (l *loop) lookAgain(program string, now time.Time) {
	for _, p := range l.pools {
		if p.cfg.Program == program {
			p.looks, p.lookEnds = true, now.Add(lookWait)
			l.askTable(p, false)
		}
	}
}

// handleLook takes an answer. What nobody could say stays as it was known.
func (l *loop) handleLook(a looked, now time.Time) {
	if a.err != nil {
		l.opt.Log.Debug("the table could not be looked at", "alert", a.program, "err", a.err)
	}
	rows := make(map[string]*alert.Standing, len(a.rows))
	for i := range a.rows {
		rows[a.rows[i].ID] = &a.rows[i]
	}
	asked := make(map[string]bool, len(a.services))
	for _, s := range a.services {
		asked[s] = true
	}
	for _, p := range l.pools {
		if p.cfg.Program == a.program && asked[p.cfg.Name] {
			l.stands(p, rows, a.asked)
			if p.looks = p.looks && now.Before(p.lookEnds); p.looks {
				l.askTable(p, true)
			}
		}
	}
}

// stands notes how the rows of p stand.
func (l *loop) stands(p *pool, rows map[string]*alert.Standing, asked time.Time) {
	whole := true
	for i := range p.members {
		whole = p.members[i].stands(rows, p.drains(p.members[i].name, asked)) && whole
	}
	for i := range p.left {
		p.left[i].stands(rows, true)
	}
	p.looks = p.looks && !whole
	l.touchPool(p)
}

// drains reports whether a member drained already when the table was looked
// at: only then do its connections say anything.
func (p *pool) drains(name string, asked time.Time) bool {
	m, ok := p.state.Member(name)
	return ok && m.Phase == virtual.Draining && !asked.Before(m.Began)
}

// stands puts together how the rows of a member stand: there if any is, and
// with the connections of all. It reports whether all could be read.
func (m *member) stands(rows map[string]*alert.Standing, counts bool) bool {
	table, conns := virtual.Row{Known: true}, virtual.Conns{Known: true}
	for i := range m.rows {
		s := rows[m.rows[i].id]
		if s == nil || !s.Known {
			return false
		}
		if !s.There {
			continue
		}
		table.There, table.Weight = true, max(table.Weight, s.Weight)
		conns.Active = plus(conns.Active, s.Active)
		conns.Inactive = plus(conns.Inactive, s.Inactive)
		conns.Persistent = plus(conns.Persistent, s.Persistent)
		conns.Known = conns.Known && s.Active >= 0
	}
	m.table = table
	if counts {
		m.conns = conns
	}
	return true
}

// plus adds counts of which one may not be known.
func plus(a, b int) int {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}
