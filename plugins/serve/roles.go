package serve

import (
	"time"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// maxNamed is how many services of group mond an elector may speak of at once:
// more than links and groups can be.
const maxNamed = 1024

// rolesOut is what electors and holders say and is not sent yet: of each group
// the newest token and how it stands, of each service the newest report. So who
// says it never waits, and it does not grow. It is guarded by outbox.mu.
type rolesOut struct {
	tokens   role.Newest
	subjects map[string]uint32 // who elects, by group
	stands   []role.Stand
	named    []named
	left     []uint32
	shared   []*pb.Shared
}

// named is a report of an elector.
type named struct {
	subject uint32
	service string
	result  *pb.Result
}

// token queues a token.
func (o *outbox) token(subject uint32, t role.Token) {
	o.mu.Lock()
	if o.roles.subjects == nil {
		o.roles.subjects = map[string]uint32{}
	}
	o.roles.subjects[t.Group] = subject
	o.roles.tokens.Put(t)
	o.mu.Unlock()
	o.notify()
}

// stand queues how a group stands, in the place of what was queued of it.
func (o *outbox) stand(s role.Stand) {
	o.mu.Lock()
	for i := range o.roles.stands {
		if o.roles.stands[i].Group == s.Group {
			o.roles.stands[i] = s
			o.mu.Unlock()
			return
		}
	}
	o.roles.stands = append(o.roles.stands, s)
	o.mu.Unlock()
	o.notify()
}

// tell queues a report of an elector, in the place of what was queued of that
// service.
func (o *outbox) tell(subject uint32, service string, r monitor.Result) {
	n := named{subject, service, rpc.EncodeResult(0, r, time.Now())}
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.roles.named {
		if old := &o.roles.named[i]; old.subject == subject && old.service == service {
			*old = n
			return
		}
	}
	if len(o.roles.named) < maxNamed {
		o.roles.named = append(o.roles.named, n)
	}
	o.notify()
}

// sharedMost is how many parcels of the other director wait; of more the oldest are
// lost. What is lost comes again: the other one sees that it is not known here.
const sharedMost = 32

// share queues what is said of sharing.
func (o *outbox) share(subject uint32, s role.Shared) {
	p := rpc.EncodeShared(s)
	p.Subject = subject
	o.mu.Lock()
	o.roles.shared = append(o.roles.shared, p)
	o.roles.shared = o.roles.shared[max(0, len(o.roles.shared)-sharedMost):]
	o.mu.Unlock()
	o.notify()
}

// leave queues the word that an election ended as it was told.
func (o *outbox) leave(subject uint32) {
	o.mu.Lock()
	o.roles.left = append(o.roles.left, subject)
	o.mu.Unlock()
	o.notify()
}

// takeRoles puts all there is of roles into a message, and of named reports as
// many as leave half of it to others; what directors share comes last.
func (o *outbox) takeRoles(m *pb.PluginMessage) (bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := &o.roles
	for _, t := range r.tokens.Take() {
		p := rpc.EncodeToken(t)
		p.Subject = r.subjects[t.Group]
		m.Tokens = append(m.Tokens, p)
		bytes += rpc.TokenSize(p)
	}
	for _, s := range r.stands {
		p := rpc.EncodeStand(s)
		m.Stands = append(m.Stands, p)
		bytes += rpc.StandSize(p)
	}
	m.Left = r.left
	r.stands, r.left = nil, nil
	for len(r.named) > 0 && len(m.Reports) < rpc.MaxItems/4 && bytes < rpc.MaxBytes/4 {
		n := r.named[0]
		r.named = r.named[1:]
		m.Reports = append(m.Reports, &pb.Report{Subject: n.subject, Service: n.service, Result: n.result})
		bytes += rpc.ResultSize(n.result)
	}
	for len(r.shared) > 0 && bytes < rpc.MaxBytes/4 {
		m.Shared = append(m.Shared, r.shared[0])
		bytes += rpc.SharedSize(r.shared[0])
		r.shared = r.shared[1:]
	}
	if len(r.named)+len(r.shared) > 0 {
		o.notify() // with the next message
	}
	return bytes
}

// roles does what a message says to electors and holders.
func (ss *session) roles(m *pb.HostMessage) {
	if m.Elections != nil {
		ss.elect(m.Elections.GetElections())
	}
	if m.Work == nil {
		return
	}
	ss.mu.Lock()
	if ss.holding == nil {
		ss.holding = newHolding(ss)
	}
	ss.mu.Unlock()
	ss.holding.put(rpc.DecodeWork(m.Work))
}

func (ss *session) elect(set []*pb.Election) {
	want := make([]candidate, 0, len(set))
	for _, e := range set {
		if s := ss.subjects[e.GetSubject()]; s != nil {
			want = append(want, candidate{wanted{subject: s, env: e.GetEnv()}, rpc.DecodeSite(e.GetSite())})
		}
	}
	ss.electing.set(want)
}
