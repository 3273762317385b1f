package dnsmon

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/miekg/dns"
)

// question is one thing that every host is asked. It is never changed once made.
type question struct {
	name  string
	kind  uint16
	class uint16
	want  want
	zone  bool // want a single SOA, whose serial is compared
	// other is a name of whose records of this type the answer must hold one, ""
	// for none; in place of value, of which it is the other meaning.
	other string
	value []dns.RR

	wire []byte // the message, with an id of 0
	asks int    // how long the question within it is
}

// String is the question for people.
func (q *question) String() string {
	return dns.Type(q.kind).String() + " " + q.name
}

// header is how many bytes a message begins with (RFC 1035, section 4.1.1).
const header = 12

// usualEDNS is the size that passes everywhere unfragmented.
const usualEDNS = 1232

// pack makes the message.
func (q *question) pack(edns size, dnssec bool) error {
	msg := new(dns.Msg)
	msg.Question = []dns.Question{{Name: q.name, Qtype: q.kind, Qclass: q.class}}
	bare, err := msg.Pack()
	if err != nil {
		return fmt.Errorf("ask for %s: %w", q, err)
	}
	q.asks = len(bare) - header
	if q.name, _, err = dns.UnpackDomainName(bare, header); err != nil { // as those of answers are written
		return fmt.Errorf("ask for %s: %w", q, err)
	}
	msg.RecursionDesired = q.want.recursion != notAsked
	msg.AuthenticatedData = dnssec
	if dnssec && edns == 0 {
		edns = usualEDNS
	}
	if edns != 0 {
		msg.SetEdns0(uint16(edns), dnssec)
	}
	if q.wire, err = msg.Pack(); err != nil {
		return fmt.Errorf("ask for %s: %w", q, err)
	}
	return nil
}

// Validate judges the options together and makes the questions of them.
func (m *server) Validate() error {
	if err := errors.Join(m.Options.Validate(), m.tls.Validate(), m.contradictions()); err != nil {
		return err
	}
	m.questions = nil
	for _, make := range []func() error{m.askName, m.askQueries, m.askZones} {
		if err := make(); err != nil {
			return err
		}
	}
	if len(m.questions) == 0 {
		return errors.New("say what to ask for: -n NAME, --query NAME or --zone NAME")
	}
	for _, q := range m.questions {
		if err := q.pack(m.edns, m.dnssec); err != nil {
			return err
		}
	}
	return nil
}

// contradictions are options that make no sense together.
func (m *server) contradictions() error {
	switch {
	case m.tcp && m.tls.On:
		return errors.New("options --tcp and --tls: TLS is spoken over TCP, leave out --tcp")
	case m.caching && len(m.queries) == 0:
		return errors.New("option --caching_only: it needs --query")
	case m.caching && m.want.authority:
		return errors.New("options --caching_only and --authoritative: a cache's answers have no authority")
	case len(m.masters) > 0 && len(m.zones) == 0:
		return errors.New("option --master: it needs --zone")
	case len(m.masters) == 0 && m.lag > 0:
		return errors.New("option --serial_threshold: it needs --master")
	case len(m.masters) == 0 && m.single:
		return errors.New("option --failsingle: it needs --master")
	case m.name == "" && m.kind != typeA:
		return errors.New("option --type: it needs -n (write --query NAME:TYPE; a --zone is asked for its SOA)")
	case m.name == "":
		return errors.Join(m.want.unasked(), m.want.alone())
	}
	return m.want.alone()
}

// question adds a question.
func (m *server) question(n name, kind uint16, w want) *question {
	w.dnssec = m.dnssec
	q := &question{name: string(n), kind: kind, class: uint16(m.class), want: w}
	m.questions = append(m.questions, q)
	return q
}

// askName makes the question of -n.
func (m *server) askName() error {
	if m.name == "" {
		return nil
	}
	if err := m.name.Set(reversed(string(m.name), m.kind)); err != nil {
		return fmt.Errorf("option -n: %w", err)
	}
	w := m.want
	if w.recursion == byQuestion {
		w.recursion = asked
	}
	q := m.question(m.name, uint16(m.kind), w)
	var err error
	if q.value, err = records(q, m.want.values); err != nil {
		return fmt.Errorf("option --expect: %w", err)
	}
	return nil
}

// askQueries makes the questions of --query.
func (m *server) askQueries() error {
	for _, query := range m.queries {
		w := want{rcodes: rcodes{dns.RcodeSuccess}, least: 1, authority: !m.caching, recursion: m.want.recursion}
		if w.recursion == byQuestion {
			w.recursion = notAsked
			if m.caching {
				w.recursion = asked
			}
		}
		q := m.question(query.name, uint16(query.kind), w)
		if query.value == "" {
			continue
		}
		if err := q.meaning(query.value); err != nil {
			return fmt.Errorf("option --query: %w", err)
		}
	}
	return nil
}

// meaning takes a value of mon's --query for data, for a name or for both.
func (q *question) meaning(value string) (err error) {
	q.value, err = records(q, values{value})
	if _, figures := netip.ParseAddr(value); figures == nil {
		return err
	}
	var other name
	if other.Set(value) != nil {
		return err
	}
	q.other = string(other)
	return nil
}

// askZones makes the questions of --zone.
func (m *server) askZones() error {
	for _, zone := range m.zones {
		w := want{rcodes: rcodes{dns.RcodeSuccess}, least: 1, authority: true, recursion: m.want.recursion}
		if w.recursion == byQuestion {
			w.recursion = notAsked
		}
		m.question(zone, dns.TypeSOA, w).zone = true
	}
	return nil
}
