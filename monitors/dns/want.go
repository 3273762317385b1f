package dnsmon

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/mondhq/mond/monitors/tcp/reach"
)

// want is what an answer must be like.
type want struct {
	rcodes    rcodes
	least     least
	ttl       seconds
	pattern   reach.Pattern
	values    values
	match     match
	authority bool
	recursion recursion
	dnssec    bool
}

// declare declares the options of it.
func (w *want) declare(fs *flag.FlagSet) {
	fs.Var(&w.rcodes, "rcode", "with -n: `codes` of which the answer's must be one, such as NXDOMAIN or NOERROR,NXDOMAIN")
	fs.Var(&w.least, "min-answers", "with -n: how `many` records a NOERROR answer must hold at least")
	fs.Var(&w.ttl, "ttl-min", "with -n: `seconds` that the records must have to live at least")
	fs.Var(&w.pattern, "answer", "with -n: regular `expression` that one of the records must match (RE2)")
	fs.Var(&w.values, "expect", "with -n: `values` that must be among the records, with commas between them; for an MX such as \"10 mail.example.com\"")
	fs.Var(&w.match, "match", "`how` --expect is meant: all of the values must be there, any of them, or exact: all and no others")
	fs.BoolVar(&w.authority, "authoritative", false, "answers must be authoritative")
	fs.Var(&w.recursion, "recursion", "`how` to ask: no, ask, offered (the server must offer recursion) or denied (it must not); default: as suits the question")
}

// unasked is an error if anything is wanted of a question that is not asked.
func (w *want) unasked() error {
	for _, o := range []struct {
		name  string
		given bool
	}{
		{"rcode", w.rcodes.String() != "NOERROR"},
		{"min-answers", w.least != 1},
		{"ttl-min", w.ttl != 0},
		{"answer", w.pattern.Regexp != nil},
		{"expect", len(w.values) > 0},
	} {
		if o.given {
			return fmt.Errorf("option --%s: it needs -n", o.name)
		}
	}
	return nil
}

// alone is an error if --match stands alone.
func (w *want) alone() error {
	if w.match != matchAll && len(w.values) == 0 {
		return errors.New("option --match: it needs --expect")
	}
	return nil
}

// judge says what is wrong with an answer to q.
func (w *want) judge(q *question, a *answer) error {
	if !slices.Contains(w.rcodes, a.rcode) {
		return fmt.Errorf("the answer is %s, want %s", a.code(), w.rcodes.String())
	}
	if err := w.flags(q, a); err != nil || a.rcode != dns.RcodeSuccess {
		return err
	}
	return w.records(a, a.chain(q))
}

// code is the response code, with its explanation if there is one.
func (a *answer) code() string {
	if a.why == "" {
		return rcodeName(a.rcode)
	}
	return rcodeName(a.rcode) + " (" + a.why + ")"
}

// flags judges what the message's header says.
func (w *want) flags(q *question, a *answer) error {
	switch {
	case w.authority && !a.aa:
		return errors.New("the answer is not authoritative")
	case w.recursion == offered && !a.ra:
		return errors.New("the server offers no recursion")
	case w.recursion == denied && a.ra:
		return errors.New("the server offers recursion")
	case w.dnssec && !a.ad && !a.signed(q) && a.rcode == dns.RcodeSuccess:
		return errors.New("the answer is neither called authentic nor signed (DNSSEC)")
	}
	return nil
}

// records judges the records that answer the question.
func (w *want) records(a *answer, found []dns.RR) error {
	if len(found) < int(w.least) {
		return scarce(a, len(found), int(w.least))
	}
	for _, rr := range found {
		if ttl := rr.Header().Ttl; ttl < uint32(w.ttl) {
			return fmt.Errorf("%s has %d seconds to live, want %d", data(rr), ttl, w.ttl)
		}
	}
	if w.pattern.Regexp != nil && !slices.ContainsFunc(found, func(rr dns.RR) bool { return w.pattern.MatchString(data(rr)) }) {
		return fmt.Errorf("none of the records matches %q: %s", w.pattern.String(), list(found))
	}
	return nil
}

// scarce is the error of too few records.
func scarce(a *answer, got, least int) error {
	switch {
	case got > 0:
		return fmt.Errorf("the answer has %d records, want %d", got, least)
	case len(a.records) > 0:
		return errors.New("the answer has other records, but none that was asked for: " + list(a.records))
	}
	return errors.New("the answer is empty (NOERROR without records)")
}

// expected judges the records by the values of q.
func (w *want) expected(q *question, found []dns.RR) error {
	var missing []string
	for _, v := range q.value {
		if !slices.ContainsFunc(found, func(rr dns.RR) bool { return sameData(v, rr) }) {
			missing = append(missing, data(v))
		}
	}
	switch {
	case len(q.value) == 0:
		return nil
	case w.match == matchAny && len(missing) == len(q.value):
		return fmt.Errorf("none of %s is there, but %s", strings.Join(missing, ", "), list(found))
	case w.match != matchAny && len(missing) > 0:
		return fmt.Errorf("%s is missing, there is %s", strings.Join(missing, ", "), list(found))
	case w.match == matchExact:
		return surplus(q, found)
	}
	return nil
}

// surplus is an error if there are records with other values than those of q.
func surplus(q *question, found []dns.RR) error {
	var more []dns.RR
	for _, rr := range found {
		if !slices.ContainsFunc(q.value, func(v dns.RR) bool { return sameData(v, rr) }) {
			more = append(more, rr)
		}
	}
	if len(more) > 0 {
		return errors.New("there is " + list(more) + " as well")
	}
	return nil
}
