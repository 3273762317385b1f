package keepalived

import (
	"net/netip"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
	"github.com/mondhq/mond/engine/convert/keepalived/lang"
)

// opt is a setting that may be given.
type opt[T any] struct {
	v   T
	set bool
	pos config.Pos
}

// or is o, or the first of the others that is given.
func (o opt[T]) or(others ...opt[T]) opt[T] {
	for _, other := range others {
		if o.set {
			break
		}
		o = other
	}
	return o
}

// plan is what a checker takes from its real server, and that from its virtual
// server.
type plan struct {
	connect, loop, before, warmup opt[time.Duration]
	retry                         opt[int]
	alpha                         opt[bool]
}

// under is p with what it does not say taken from q.
func (p plan) under(q plan) plan {
	return plan{
		connect: p.connect.or(q.connect), loop: p.loop.or(q.loop), before: p.before.or(q.before),
		warmup: p.warmup.or(q.warmup), retry: p.retry.or(q.retry), alpha: p.alpha.or(q.alpha),
	}
}

// script is a command that tells of an event.
type script struct {
	pos   config.Pos
	words []string
}

// method is how packets reach a server.
type method struct {
	name, tunnel, sum string
	port              int
}

// where is an address, a range, a network or a mark that clients reach.
type where struct {
	pos         config.Pos
	first, last netip.Addr // the same if it is one
	bits        int        // of a network; 0 if it is none
	port        int
	mark        int // -1 if it is none
	family      int // of a mark: 4, 6, or 0 if it is not said
}

// group is a virtual_server_group.
type group struct {
	node *lang.Node
	all  []where
	used bool
}

// virtual is a virtual_server.
type virtual struct {
	node  *lang.Node
	group string
	where where

	plan
	family      opt[int]
	sched       opt[string]
	flags       []opt[string]
	ops         opt[bool]
	method      opt[method]
	engine      opt[string]
	persist     opt[int]
	granularity opt[string]
	protocol    opt[string]
	suspend     opt[bool]
	inhibit     opt[bool]
	smtp        opt[bool]
	host        opt[string]
	up, down    *script
	quorum      opt[int]
	hysteresis  opt[int]
	weight      opt[int]
	sorry       *sorry
	reals       []*real
}

// sorry is a sorry_server.
type sorry struct {
	pos     config.Pos
	addr    netip.Addr
	port    int
	inhibit opt[bool]
	method  opt[method]
}

// real is a real_server.
type real struct {
	node *lang.Node
	addr netip.Addr
	port int

	plan
	weight       opt[int]
	method       opt[method]
	upper, lower opt[int]
	inhibit      opt[bool]
	smtp         opt[bool]
	host         opt[string]
	up, down     *script
	checks       []*check
}

// check is a checker.
type check struct {
	node *lang.Node
	kind string

	plan
	connection
	// HTTP_GET and SSL_GET
	host opt[string]
	urls []*url
	// SMTP_CHECK
	helo  opt[string]
	hosts []*check
	// DNS_CHECK
	record, name opt[string]
	// UDP_CHECK
	payload, reply opt[string]
	require        bool
	least, most    opt[int]
	// MISC_CHECK
	command []string
	timeout opt[int]
	dynamic bool
	// FILE_CHECK
	file    opt[string]
	weight  opt[int]
	reverse bool
}

// connection is where a checker connects to, and from where.
type connection struct {
	to     opt[netip.Addr]
	port   opt[int]
	source opt[netip.Addr]
	link   opt[string]
	mark   opt[int]
}

// given reports whether any of it is said.
func (c *connection) given() bool {
	return c.to.set || c.port.set || c.source.set || c.link.set || c.mark.set
}

// url is one page that an HTTP checker asks for.
type url struct {
	node    *lang.Node
	path    opt[string]
	digest  opt[string]
	status  []string
	host    opt[string]
	regex   opt[string]
	options []opt[string]
	not     bool
}

// tracked is a track_file.
type tracked struct {
	path    opt[string]
	weight  opt[int]
	reverse bool
}

// mail is what is said of mails.
type mail struct {
	to           []string
	from         opt[string]
	server, helo opt[string]
	all, checker opt[bool] // smtp_alert, smtp_alert_checker
}

// reader makes a model of the tree.
type reader struct {
	w     *convert.Writer
	pos   config.Pos // the file as a whole
	words map[string]scope
	// skip is set by a keyword whose block is not to be read, closed while
	// words are not reported one by one.
	skip, closed bool

	// strange is how many words were unknown.
	strange int
	// lost are the losses that were told: what is inherited is met again and
	// again.
	lost map[loss]bool

	groups   map[string]*group
	named    []*group // in the order of the file
	virtuals []*virtual
	files    map[string]*tracked
	mail     mail
	netns    opt[string] // net_namespace_ipvs
	limits   opt[config.IPVSTimeouts]
	sync     opt[config.IPVSSync]
	ssl      struct{ cert, key opt[string] }

	// what is being read
	virtual *virtual
	real    *real
	check   *check
	url     *url
	file    *tracked
}

// loss is where something is lost, and what.
type loss struct {
	pos  config.Pos
	what string
}

// lose notes once what is not carried over.
func (r *reader) lose(pos config.Pos, what, why string, args ...any) {
	if l := (loss{pos, what}); !r.lost[l] {
		r.lost[l] = true
		r.w.Lose(pos, what, why, args...)
	}
}

func newReader(w *convert.Writer, pos config.Pos) *reader {
	return &reader{w: w, pos: pos, words: scopes(), groups: map[string]*group{}, files: map[string]*tracked{}, lost: map[loss]bool{}}
}
