// Package dnsmon is the monitor of name servers: each host is asked a question
// over UDP, TCP or TLS, and its answer judged; or the serials of its zones are
// compared with those of their masters. It takes the options of mon's dns
// monitor and of its dns-query.
//
// It is not a resolver: it asks the host itself and follows no referral, and it
// believes DNSSEC's signatures without verifying them. The host's own name is
// found by plugins/resolve like that of any other.
package dnsmon

import (
	"context"
	"flag"
	"time"

	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

const (
	// Name is the monitor's name in mon.cf.
	Name = "dns.monitor"
	// Synopsis says in a line what it is for.
	Synopsis = "fails for name servers that do not answer, or not as they should"
)

// New declares the options of a dns monitor that resolves names by itself.
func New(fs *flag.FlagSet) monitor.Monitor { return With(new(resolve.Resolver))(fs) }

// With is New for monitors that share what they know of names.
func With(names *resolve.Resolver) monitor.New {
	return func(fs *flag.FlagSet) monitor.Monitor {
		m := &server{retry: 2, kind: typeA, class: classIN}
		m.want = want{rcodes: rcodes{0}, least: 1}
		m.Limit, m.Resolver = reach.Seconds(10*time.Second), names
		m.Options.Declare(fs)
		fs.Lookup("p").Usage = "`port` to ask at (default 53, with --tls 853)"
		fs.Var(&m.Limit, "timeout", "`seconds`, the same as -t")
		m.tls.Declare(fs)
		fs.BoolVar(&m.tcp, "tcp", false, "ask over TCP (default: UDP, and TCP if the answer is truncated)")
		fs.Var(&m.retry, "retry", "how `often` a question is sent over UDP, 1 to 10")
		fs.Var(&m.retransmit, "retransmit", "`seconds` until it is sent the second time; every later pause is twice as long (default 5, or a third of the time limit if that is less)")
		m.declareQuestions(fs)
		m.want.declare(fs)
		fs.BoolVar(&m.debug, "debug", false, "show all records of the answers in the detail")
		return m
	}
}

// server is the monitor with its options.
type server struct {
	reach.Options
	tls        reach.TLS
	tcp        bool
	retry      tries
	retransmit reach.Seconds // 0 as long as none was chosen

	name    name
	kind    rrType
	class   class
	queries queries
	caching bool
	zones   names
	masters hosts
	lag     serials
	single  bool
	edns    size
	dnssec  bool
	want    want
	debug   bool

	questions []*question // made of the above by Validate
}

// declareQuestions declares the options that say what is asked.
func (m *server) declareQuestions(fs *flag.FlagSet) {
	fs.Var(&m.name, "n", "`name` to ask for; with --type PTR also an address in figures")
	fs.Var(&m.kind, "type", "`type` of record to ask for with -n, such as A, AAAA, MX, TXT, SOA or TYPE65")
	fs.Var(&m.class, "class", "`class` to ask in, such as IN or CH")
	fs.Var(&m.queries, "query", "`name[:type[:value]]` to ask for, any number of times; the answer must hold value, or share a record of this type with the name value. "+
		"It must be authoritative unless --caching_only is given")
	fs.BoolVar(&m.caching, "caching_only", false, "the hosts are caches: ask --query with recursion, and take answers that are not authoritative")
	fs.Var(&m.zones, "zone", "`zone` whose SOA the hosts must give with authority, any number of times")
	fs.Var(&m.masters, "master", "`server` to compare the zones' serials with, any number of times: the greatest serial counts. "+
		"If none gives one the exit status is 252, else it is the largest number of hosts that failed in one question")
	fs.Var(&m.lag, "serial_threshold", "by how `much` serials may differ from the master's")
	fs.BoolVar(&m.single, "failsingle", false, "fail, with exit status 251, if any one of the masters fails")
	fs.Var(&m.edns, "edns", "say that UDP answers of up to `size` bytes may come, 512 to 65535; 1232 is usual (default: 512 bytes, without EDNS)")
	fs.BoolVar(&m.dnssec, "dnssec", false, "ask for DNSSEC: the answer must be called authentic or hold signatures, which are not verified")
}

// Check looks at every host of r.
func (m *server) Check(ctx context.Context, r monitor.Request) monitor.Result {
	var c *comparison
	if len(m.masters) > 0 {
		c = m.compare(ctx)
		defer c.wait()
	}
	tally := newTally(len(m.questions))
	res := monitor.EachHost{Look: func(ctx context.Context, host string) (monitor.Host, error) {
		return m.look(ctx, host, c, tally)
	}}.Check(ctx, r)
	if res.Cause == monitor.Exited && res.Exit != 0 {
		res.Exit = tally.exit()
	}
	if c != nil {
		res = c.conclude(res)
	}
	return res
}

// look looks at one host.
func (m *server) look(ctx context.Context, host string, c *comparison, t *tally) (monitor.Host, error) {
	deadline := m.Deadline(ctx)
	to, err := m.Target(ctx, deadline, host, m.port())
	if err != nil {
		return monitor.Host{}, err
	}
	findings := m.askAll(ctx, deadline, party{host: host, to: to, by: &m.Options}, m.questions)
	for i := range findings {
		f := &findings[i]
		if f.err == nil && f.question.zone {
			f.err = c.judge(ctx, f.question, f.serial)
		}
		if f.err != nil && !monitor.Local(f.err) {
			t.fail(i)
		}
	}
	return m.report(findings, m.Kept(host))
}
