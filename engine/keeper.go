package engine

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/plugins/alert"
)

const (
	// keepLimit is how long one Keep may take before it is tried again, and
	// keepEach how much longer for each claim: a kernel takes some 20 µs a row,
	// the rest is for a machine that is busy with something else.
	keepLimit = 10 * time.Second
	keepEach  = 5 * time.Millisecond
	// keepRetryFirst and keepRetryMost bound the wait between tries.
	keepRetryFirst = 50 * time.Millisecond
	keepRetryMost  = 2 * time.Second
)

// leaveTries is how often a keeper that left the configuration is told so, if
// it cannot be reached.
const leaveTries = 5

// keeper hands claims to one keeping program. The loop sets, a worker sends:
// nothing queues, the newest set wins, and a set that was not delivered whole
// is delivered as a full set next.
type keeper struct {
	program string
	send    func(ctx context.Context, program string, full bool, claims []alert.Claim) error
	log     *slog.Logger
	wake    chan struct{} // holds one: "look again"
	back    chan struct{} // holds one: "it is there again, do not wait"

	mu      sync.Mutex
	all     map[string]alert.Claim // by ID
	changed map[string]alert.Claim // since the last delivery
	full    bool                   // the next delivery is the full set
	failed  error                  // of the last delivery
	// accepted is set once a delivery worked; settled is called then.
	accepted  bool
	delivered func()
	// leaving is how often more a keeper that is not wanted any more is told
	// that nothing is; 0 while it is wanted. left is set when its worker ends.
	leaving int
	left    bool
}

func (l *loop) newKeeper(program string) *keeper {
	return &keeper{
		program: program, send: l.opt.Sender.Keep, log: l.opt.Log,
		wake: make(chan struct{}, 1), back: make(chan struct{}, 1),
		all: map[string]alert.Claim{}, changed: map[string]alert.Claim{}, full: true,
		delivered: l.roles.nudge,
	}
}

// update takes claims that changed; withdrawn ones leave the set.
func (k *keeper) update(claims []alert.Claim) {
	k.mu.Lock()
	for _, c := range claims {
		k.changed[c.ID] = c
		if c.Withdrawn {
			delete(k.all, c.ID)
		} else {
			k.all[c.ID] = c
		}
	}
	k.mu.Unlock()
	signal(k.wake)
}

// replace takes a whole new set; false means that the keeper has left, and a new one
// is needed.
func (k *keeper) replace(all map[string]alert.Claim) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left {
		return false
	}
	k.all, k.full, k.leaving = all, true, 0
	signal(k.wake)
	return true
}

// exchange takes some claims in the place of others, for a reload, and delivers those
// that are not as they were. It does nothing and is false if that takes a full set:
// where a claim is gone, the program has to know that nobody makes it any more.
func (k *keeper) exchange(was, is map[string]alert.Claim) bool {
	for id := range was {
		if _, stays := is[id]; !stays {
			return false
		}
	}
	k.mu.Lock()
	wanted := !k.left && k.leaving == 0
	k.mu.Unlock()
	var changed []alert.Claim
	for id, c := range is {
		if old, ok := was[id]; !ok || !sameClaim(old, c) {
			changed = append(changed, c)
		}
	}
	if wanted && len(changed) > 0 {
		k.update(changed)
	}
	return wanted
}

func sameClaim(a, b alert.Claim) bool {
	return a.ID == b.ID && a.Group == b.Group && a.Service == b.Service && a.Reason == b.Reason && slices.Equal(a.Args, b.Args) &&
		a.Down == b.Down && a.Provisional == b.Provisional && a.Withdrawn == b.Withdrawn && a.Since.Equal(b.Since)
}

// leave tells the program that nothing is wanted of it any more, hands off,
// and ends the worker.
func (k *keeper) leave() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left || k.leaving > 0 {
		return
	}
	k.all, k.full, k.leaving = map[string]alert.Claim{}, true, leaveTries
	signal(k.wake)
}

// again asks for the full set to be sent once more, at once.
func (k *keeper) again() {
	k.mu.Lock()
	k.full = true
	k.mu.Unlock()
	signal(k.back)
	signal(k.wake)
}

// signal puts a token in, if there is none yet.
func signal(token chan<- struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}

// state is the error of the last delivery, or nil; that of a keeper that is
// not wanted does not matter.
func (k *keeper) state() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left || k.leaving > 0 {
		return nil
	}
	return k.failed
}

// take is what to deliver now.
func (k *keeper) take() (full bool, claims []alert.Claim) {
	k.mu.Lock()
	defer k.mu.Unlock()
	full = k.full
	from := k.changed
	if full {
		from = k.all
	}
	claims = slices.SortedFunc(maps.Values(from), func(a, b alert.Claim) int { return compare(a.ID, b.ID) })
	k.changed, k.full = map[string]alert.Claim{}, false
	return full, claims
}

// run delivers until ctx ends, or the keeper has left. What could not be
// delivered is delivered as a full set after a wait.
func (k *keeper) run(ctx context.Context) {
	wait := keepRetryFirst
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		}
		ok := k.deliver(ctx)
		if k.gone(ok) {
			return
		}
		if ok {
			wait = keepRetryFirst
			continue
		}
		if !sleep(ctx, wait, k.back) {
			return
		}
		wait = min(2*wait, keepRetryMost)
	}
}

// gone reports whether a keeper that is not wanted has been told so, as far as
// it can be.
func (k *keeper) gone(told bool) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.leaving == 0 || told && k.full { // full: what was told is not that yet
		return false
	}
	k.leaving--
	k.left = told || k.leaving == 0
	return k.left
}

// deliver sends what there is; false means try again.
func (k *keeper) deliver(ctx context.Context) bool {
	full, claims := k.take()
	if !full && len(claims) == 0 {
		return true
	}
	limit, cancel := context.WithTimeout(ctx, keepLimit+time.Duration(len(claims))*keepEach)
	defer cancel()
	err := k.send(limit, k.program, full, claims)
	k.report(k.note(err), err)
	return err == nil
}

// note keeps what a delivery came to and answers what the last one did.
func (k *keeper) note(err error) (before error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before, k.failed = k.failed, err
	if k.accepted = k.accepted || err == nil; err == nil {
		k.delivered()
	}
	if err != nil {
		k.full = true
		signal(k.wake)
	}
	return before
}

// report logs what changed.
func (k *keeper) report(before, err error) {
	switch {
	case err != nil && (before == nil || before.Error() != err.Error()):
		k.log.Error("claims could not be kept", "alert", k.program, "err", err)
	case err == nil && before != nil:
		k.log.Info("claims are kept again", "alert", k.program)
	}
}

// sleep waits for d or until early; false means ctx ended.
func sleep(ctx context.Context, d time.Duration, early <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-early:
	case <-t.C:
	}
	return true
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// claim works out what the event means for the service's keepers and hands it
// over at once; it reports whether the durable claims changed.
func (l *loop) claim(s *service, was opstatus.State, change opstatus.Transition, decisions []policy.Decision, now time.Time) bool {
	next, changed := policy.Claims(policy.ClaimInput{
		Service: s.cfg, Keepers: l.isKeeper, Held: s.claims, Change: change, Decisions: decisions, Summary: s.state.FailSummary,
	}, now)
	if len(changed) == 0 {
		return false
	}
	l.keptCalls(was, s.state, s.claims, changed, now)
	s.claims = next
	l.spread(changed)
	for _, c := range changed {
		l.event(s, claimRow(c), now)
	}
	return true
}

func claimText(c alert.Claim) string {
	switch {
	case c.Withdrawn:
		return "withdrawn: " + c.ID
	case c.Down:
		return "out: " + c.ID + ": " + c.Reason
	}
	return "in: " + c.ID
}

// holders are who holds claims.
type holders struct {
	services []*service
	pools    []*pool
}

// installKeepers gives every keeping program of the configuration its claims: is
// holds them in the place of was, and others hold theirs as before. One that the
// configuration no longer names gets an empty set: hands off.
func (l *loop) installKeepers(was, is holders) {
	for program, p := range l.loaded.Programs {
		if !p.Keeper {
			continue
		}
		k := l.keepers[program]
		if k == nil || !k.exchange(was.claims(program), is.claims(program)) && !k.replace(l.fullSet(program)) {
			l.addKeeper(program)
		}
	}
	for program, k := range l.keepers {
		if !l.isKeeper(program) {
			k.leave()
		}
	}
}

func (l *loop) addKeeper(program string) {
	k := l.newKeeper(program)
	k.replace(l.fullSet(program))
	l.keepers[program] = k
	if l.startKeeper != nil {
		l.startKeeper(k)
	}
}

func (l *loop) isKeeper(program string) bool { return l.loaded.Programs[program].Keeper }

// spread hands changed claims to their keepers.
func (l *loop) spread(changed []alert.Claim) {
	byProgram := map[string][]alert.Claim{}
	for _, c := range changed {
		p := claimProgram(c)
		byProgram[p] = append(byProgram[p], c)
	}
	for p, claims := range byProgram {
		if k := l.keepers[p]; k != nil {
			k.update(claims)
		}
	}
}

// handleRestarted gives a keeper that restarted its full set.
func (l *loop) handleRestarted(program string, now time.Time) {
	if k := l.keepers[program]; k != nil {
		k.again()
		l.lookAgain(program, now)
	}
}

// fullSet is every claim that is held for program.
func (l *loop) fullSet(program string) map[string]alert.Claim {
	return holders{l.services, l.pools}.claims(program)
}

// claims are those for program.
func (h holders) claims(program string) map[string]alert.Claim {
	all := map[string]alert.Claim{}
	for _, s := range h.services {
		for _, c := range s.claims {
			if claimProgram(c) == program {
				all[c.ID] = c
			}
		}
	}
	for _, p := range h.pools {
		if p.cfg.Program == program {
			p.allClaims(all)
		}
	}
	return all
}
