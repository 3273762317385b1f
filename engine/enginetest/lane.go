package enginetest

import (
	"slices"
	"sync"
	"time"

	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/role"
)

// Given is one call of Hold.
type Given struct {
	At      time.Time
	Program string
	Work    role.Work
}

// Lane stands in for electors and holders: a test says what electors say, and
// reads what they and the holders were told.
type Lane struct {
	tokens chan []job.Token
	stands chan []job.Stand
	shared chan []job.Shared

	mu    sync.Mutex
	hold  func(program string, w role.Work)
	elect func(elections []job.Election)
	given []Given
	sets  [][]job.Election
}

// NewLane makes a Lane.
func NewLane() *Lane {
	return &Lane{tokens: make(chan []job.Token), stands: make(chan []job.Stand), shared: make(chan []job.Shared)}
}

// OnHold has f called for each Hold, by whoever calls that; OnElect likewise. nil
// is nobody.
func (n *Lane) OnHold(f func(program string, w role.Work)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hold = f
}

// OnElect is for sets of elections what [Lane.OnHold] is for work.
func (n *Lane) OnElect(f func(elections []job.Election)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.elect = f
}

// Elect records a set.
func (n *Lane) Elect(elections []job.Election) {
	n.mu.Lock()
	n.sets = append(n.sets, elections)
	f := n.elect
	n.mu.Unlock()
	if f != nil {
		f(elections)
	}
}

// Hold records work.
func (n *Lane) Hold(program string, w role.Work) {
	n.mu.Lock()
	n.given = append(n.given, Given{time.Now(), program, w})
	f := n.hold
	n.mu.Unlock()
	if f != nil {
		f(program, w)
	}
}

// Tokens and Stands are read by the engine.
func (n *Lane) Tokens() <-chan []job.Token { return n.tokens }

// Stands are what [Lane.Stand] says.
func (n *Lane) Stands() <-chan []job.Stand { return n.stands }

// Shared is what [Lane.Share] says.
func (n *Lane) Shared() <-chan []job.Shared { return n.shared }

// Share has the elector of a service say something of sharing.
func (n *Lane) Share(group, service string, s role.Shared) {
	n.shared <- []job.Shared{{Shared: s, Of: group, Service: service}}
}

// Say has the elector of a service say tokens; it returns when they were taken.
func (n *Lane) Say(group, service string, tokens ...role.Token) {
	batch := make([]job.Token, len(tokens))
	for i, t := range tokens {
		batch[i] = job.Token{Token: t, Of: group, Service: service}
	}
	n.tokens <- batch
}

// Leave has the elector of a service take its leave.
func (n *Lane) Leave(group, service string) {
	n.tokens <- []job.Token{{Of: group, Service: service, Left: true}}
}

// Stand has a holder say how groups stand.
func (n *Lane) Stand(program string, list ...role.Stand) {
	batch := make([]job.Stand, len(list))
	for i, s := range list {
		batch[i] = job.Stand{Stand: s, Program: program}
	}
	n.stands <- batch
}

// Given is every call of Hold so far.
func (n *Lane) Given() []Given {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.given)
}

// Passed are the tokens that holders were given so far, in their order.
func (n *Lane) Passed() []role.Token {
	var all []role.Token
	for _, g := range n.Given() {
		all = append(all, g.Work.Tokens...)
	}
	return all
}

// Sets are the sets of elections so far.
func (n *Lane) Sets() [][]job.Election {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.sets)
}

// Site is what the elector of a service was told last, nil for nothing.
func (n *Lane) Site(group, service string) *role.Site {
	sets := n.Sets()
	if len(sets) == 0 {
		return nil
	}
	for _, e := range sets[len(sets)-1] {
		if e.Request.Group == group && e.Request.Service == service {
			return &e.Site
		}
	}
	return nil
}
