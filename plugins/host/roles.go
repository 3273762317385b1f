package host

import (
	"slices"
	"sync"
	"time"

	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/role/boottime"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// The role lane: sites to electors, tokens and named reports from them, work to
// holders and how it stands from them. Nothing here waits for a disk once a
// program was found: tokens go on however that does.

// lane passes tokens and stands to the one reader, merging what comes while he is
// busy: of each group the newest.
type lane struct {
	// tokens, stands and shared hold at most the one batch that waits; see mailbox.
	tokens chan []job.Token
	stands chan []job.Stand
	shared chan []job.Shared
	mu     sync.Mutex
}

func newLane() *lane {
	return &lane{tokens: make(chan []job.Token, 1), stands: make(chan []job.Stand, 1), shared: make(chan []job.Shared, 1)}
}

// putTokens adds to what the reader gets next.
func (n *lane) putTokens(list ...job.Token) {
	if len(list) == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var batch []job.Token
	select {
	case batch = <-n.tokens:
	default:
	}
	for _, t := range list {
		batch = withToken(batch, t)
	}
	n.tokens <- batch // nobody else sends
}

// withToken adds t to a batch by the rules of [role.Newest], each elector's
// groups apart.
func withToken(batch []job.Token, t job.Token) []job.Token {
	i := slices.IndexFunc(batch, func(o job.Token) bool {
		return o.Of == t.Of && o.Service == t.Service && o.Group == t.Group && o.Left == t.Left
	})
	if i < 0 {
		return append(batch, t)
	}
	var n role.Newest
	n.Put(batch[i].Token)
	n.Put(t.Token)
	t.Token = n.Take()[0]
	return append(slices.Delete(batch, i, i+1), t)
}

// putStands likewise.
func (n *lane) putStands(list ...job.Stand) {
	if len(list) == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var batch []job.Stand
	select {
	case batch = <-n.stands:
	default:
	}
	for _, s := range list {
		batch = slices.DeleteFunc(batch, func(o job.Stand) bool { return o.Program == s.Program && o.Group == s.Group })
		batch = append(batch, s)
	}
	n.stands <- batch
}

// sharedMost is how many parcels wait for the reader; of more the oldest are lost,
// and come again.
const sharedMost = 32

// putShared likewise.
func (n *lane) putShared(list ...job.Shared) {
	if len(list) == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var batch []job.Shared
	select {
	case batch = <-n.shared:
	default:
	}
	batch = append(batch, list...)
	n.shared <- batch[max(0, len(batch)-sharedMost):]
}

// Tokens are those of electors, gathered while the reader is busy. There is to
// be one reader. The channel is never closed.
func (h *Host) Tokens() <-chan []job.Token { return h.lane.tokens }

// Stands are how groups stand with their holders, likewise.
func (h *Host) Stands() <-chan []job.Stand { return h.lane.stands }

// Shared is what electors say of sharing between directors. There is to be one
// reader.
func (h *Host) Shared() <-chan []job.Shared { return h.lane.shared }

// Elect makes elections the whole set of services that elect, each with the
// newest of what there is to know of this machine, and never blocks.
func (h *Host) Elect(elections []job.Election) {
	h.mu.Lock()
	h.elections++
	n := h.elections
	h.mu.Unlock()
	if !h.electNow(elections, n) {
		go h.elect(elections, n) // bounded by the file system
	}
}

// electNow is for programs that run already: that is no matter of files.
func (h *Host) electNow(elections []job.Election, n uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	sets := map[*resident][]job.Election{}
	for _, e := range elections {
		p, ok := h.routes[route{Monitor, e.Program}]
		r := h.residents[p.Path]
		if !ok || r == nil {
			return false
		}
		sets[r] = append(sets[r], e)
	}
	h.electing(sets, n)
	return true
}

// elect is for the nth set, unless there has been another meanwhile.
func (h *Host) elect(elections []job.Election, n uint64) {
	sets := map[*resident][]job.Election{}
	for _, e := range elections {
		r, err := h.watcher(e.Program)
		if err != nil {
			h.mail.put(electionOf(e, monitor.Blinded(monitor.CouldNotStart, err.Error())))
			continue
		}
		sets[r] = append(sets[r], e)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.electing(sets, n)
}

// electing gives each program its part; the caller holds h.mu.
func (h *Host) electing(sets map[*resident][]job.Election, n uint64) {
	if n != h.elections {
		return
	}
	for r := range h.electors {
		if sets[r] == nil {
			r.main.elect(nil)
			delete(h.electors, r)
		}
	}
	for r, set := range sets {
		r.main.elect(set)
		h.electors[r] = true
	}
}

func electionOf(e job.Election, r monitor.Result) job.Done {
	r.Started = time.Now()
	return job.Done{Group: e.Request.Group, Service: e.Request.Service, Result: r}
}

// holder is what a holding program was told, and the process that it was told to.
type holder struct {
	work role.Work // Full, once it was
	r    *resident // nil until it was found
}

// Hold gives the holder of that name its work and never blocks. What a holder was
// told is told again when it begins anew, less the tokens that permit nothing
// any more.
func (h *Host) Hold(program string, w role.Work) {
	h.holding.Lock() // not mu: a token waits for nobody who has to do with files
	defer h.holding.Unlock()
	held := h.holders[program]
	if held == nil {
		held = &holder{}
		h.holders[program] = held
	}
	held.work = held.work.Then(w).Fresh(boottime.Now())
	if len(w.Lines) > 0 {
		go h.findHolder(program) // bounded by the file system; sets of lines come seldom
	}
	if held.r != nil {
		held.r.main.hold(w)
	}
}

// findHolder looks a holder up, which may be another one since the last time.
func (h *Host) findHolder(program string) {
	p, err := h.Find(Alert, program)
	if err == nil && !p.Resident {
		err = &fault{monitor.CouldNotStart, p.Path + " is a classic program, which holds nothing"}
	}
	var r *resident
	if err == nil {
		r, err = h.resident(p)
	}
	h.holding.Lock()
	defer h.holding.Unlock()
	held := h.holders[program]
	if err != nil {
		for _, l := range held.work.Lines {
			h.lane.putStands(job.Stand{Program: program, Stand: role.Stand{Group: l.Group, Error: err.Error()}})
		}
		return
	}
	if held.r != r {
		held.r = r
		r.main.hold(held.work)
	}
}

// elect makes set the elections of this plugin.
func (s *supervisor) elect(set []job.Election) {
	s.mu.Lock()
	s.roles.elections = set
	if l := s.link.Load(); l != nil {
		l.order(func(o *orders) { o.elections = &set })
	}
	s.mu.Unlock()
	s.nudge()
}

// hold adds to the work of this plugin.
func (s *supervisor) hold(w role.Work) {
	s.mu.Lock()
	s.roles.work = s.roles.work.Then(w).Fresh(boottime.Now())
	if l := s.link.Load(); l != nil {
		l.work(w)
	}
	idle := w.Full
	s.mu.Unlock()
	if idle {
		s.nudge()
	}
}

// ruling is what a plugin has to do with roles. It is guarded by supervisor.mu.
type ruling struct {
	elections []job.Election
	work      role.Work
}

func (r *ruling) any() bool { return len(r.elections) > 0 || len(r.work.Lines) > 0 }

// rules reports whether this plugin has to do with roles.
func (s *supervisor) rules() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.roles.any()
}

// takeOver gives a plugin that begins all that its predecessor was told.
func (s *supervisor) takeOver(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if set := s.roles.elections; len(set) > 0 {
		l.order(func(o *orders) { o.elections = &set })
	}
	if s.roles.work.Full {
		l.work(s.roles.work)
	}
}

// blindElections reports r for every election.
func (s *supervisor) blindElections(r monitor.Result) {
	s.mu.Lock()
	set, work := s.roles.elections, s.roles.work
	s.mu.Unlock()
	for _, e := range set {
		s.mail.put(electionOf(e, r))
	}
	for _, line := range work.Lines {
		s.lane.putStands(job.Stand{Program: s.prog.Name, Stand: role.Stand{Group: line.Group, Error: r.Summary}})
	}
}

// work adds to what is to be sent to a holder. Before it was given all, changes
// say nothing: they are part of what it will be given.
func (l *link) work(w role.Work) {
	l.mu.Lock()
	if w.Full {
		l.filled = true
	}
	if l.filled {
		l.orders.work = l.orders.work.Then(w)
	}
	l.mu.Unlock()
	l.notify()
}

// sendRoles sends what there is for electors and holders.
func (l *link) sendRoles(o orders) error {
	if w := o.work.Fresh(boottime.Now()); !w.None() {
		if err := l.wire.Send(&pb.HostMessage{Work: rpc.EncodeWork(w)}); err != nil {
			return err
		}
	}
	if o.elections == nil {
		return nil
	}
	m := &pb.HostMessage{Elections: &pb.Elections{}}
	told := map[uint32]*role.Share{}
	for _, e := range *o.elections {
		p, def, forget, err := l.election(e)
		if err != nil {
			l.deliver(electionOf(e, monitor.Blinded(monitor.CouldNotStart, err.Error())))
			continue
		}
		if def != nil {
			if err := l.wire.Send(&pb.HostMessage{Forget: forget, Subjects: []*pb.Subject{def}}); err != nil {
				return err
			}
		}
		told[p.Subject] = e.Site.Share
		if old, ok := l.shares[p.Subject]; ok && def == nil && old == e.Site.Share {
			p.Site.Share = nil
		}
		m.Elections.Elections = append(m.Elections.Elections, p)
	}
	l.shares = told
	return l.wire.Send(m)
}

func (l *link) election(e job.Election) (p *pb.Election, def *pb.Subject, forget bool, err error) {
	p = &pb.Election{Site: rpc.EncodeSite(e.Site)}
	if p.Env, err = rpc.EncodeEnv(e.Request.Env); err != nil {
		return nil, nil, false, err
	}
	p.Subject, def, forget, err = l.subjects.number(e.Request)
	return p, def, forget, err
}

// takeRoles takes what a plugin says of roles.
func (l *link) takeRoles(m *pb.PluginMessage) {
	var tokens []job.Token
	for _, p := range m.GetTokens() {
		if s, ok := l.subjects.name(p.GetSubject()); ok {
			tokens = append(tokens, job.Token{Token: rpc.DecodeToken(p), Of: s.group, Service: s.name})
		}
	}
	for _, number := range m.GetLeft() {
		if s, ok := l.subjects.name(number); ok {
			tokens = append(tokens, job.Token{Of: s.group, Service: s.name, Left: true})
		}
	}
	l.lane.putTokens(tokens...)
	l.takeShared(m.GetShared())
	for _, p := range m.GetStands() {
		l.lane.putStands(job.Stand{Program: l.program, Stand: rpc.DecodeStand(p)})
	}
}

// takeShared takes what a plugin says of sharing.
func (l *link) takeShared(list []*pb.Shared) {
	for _, p := range list {
		s, known := l.subjects.name(p.GetSubject())
		if what, ok := rpc.DecodeShared(p); known && ok {
			l.lane.putShared(job.Shared{Shared: what, Of: s.group, Service: s.name})
		}
	}
}

// unhold forgets where a holder runs; the caller holds h.mu.
func (h *Host) unhold(r *resident) {
	h.holding.Lock()
	defer h.holding.Unlock()
	for _, held := range h.holders {
		if held.r == r {
			held.r = nil
		}
	}
}

// letGoTime is how long a holder that is not used any more is given to release
// what it holds.
const letGoTime = time.Second

// letGo gives a holder that is to be ended, and was told that nothing is to be
// held any more, a while to do so. One that another takes the place of leaves
// things as they are.
func (s *supervisor) letGo() {
	s.mu.Lock()
	w := s.roles.work
	s.mu.Unlock()
	if !w.Full || len(w.Lines) > 0 {
		return
	}
	select {
	case <-time.After(letGoTime):
	case <-s.done:
	}
}
