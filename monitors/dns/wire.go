package dnsmon

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/miekg/dns"
)

// maxText is how many bytes the records of an answer may have when its names
// are written out: 64 KiB of pointers to one long name would be many times that.
const maxText = 512 << 10

// maxAliases is how many aliases are followed; resolvers follow about half as
// many.
const maxAliases = 32

// answer is what a server answered.
type answer struct {
	rcode int
	// aa, tc, ra and ad are the flags (RFC 1035, section 4.1.1, and RFC 4035).
	aa, tc, ra, ad bool
	records        []dns.RR // of the answer section
	// why is what an extended error says (RFC 8914), "" without one.
	why string
	// warning is what is wrong with the server although the answer came, ""
	// if all is well.
	warning string
}

// errForeign is for messages that answer something else, or nothing: by chance,
// or because somebody guesses.
var errForeign = errors.New("it answers another question")

// decode reads an answer to q whose id is known to be right.
func decode(b []byte, q *question) (*answer, error) {
	if len(b) < header {
		return nil, errForeign
	}
	flags := binary.BigEndian.Uint16(b[2:])
	questions := int(binary.BigEndian.Uint16(b[4:]))
	const response, opcode = 1 << 15, 15 << 11
	if flags&response == 0 || flags&opcode != 0 {
		return nil, errForeign
	}
	a := &answer{rcode: int(flags & 15), aa: flags&(1<<10) != 0, tc: flags&(1<<9) != 0, ra: flags&(1<<7) != 0, ad: flags&(1<<5) != 0}
	// A server that could not read the question need not repeat it.
	if questions == 0 && a.rcode != dns.RcodeSuccess {
		return a, nil
	}
	if questions != 1 || !q.repeated(b[header:]) {
		return nil, errForeign
	}
	if a.tc {
		return a, nil // what there is of it is of no use
	}
	return a, a.read(b, header+q.asks)
}

// repeated reports whether b begins with the question. Letters may have changed
// their case in the name, which stands before type and class.
func (q *question) repeated(b []byte) bool {
	sent := q.wire[header : header+q.asks]
	if len(b) < len(sent) {
		return false
	}
	name := len(sent) - 4
	for i, c := range sent[:name] {
		if lower(c) != lower(b[i]) {
			return false
		}
	}
	return string(sent[name:]) == string(b[name:len(sent)])
}

// lower is a letter of ASCII in lower case. The length of a label is below them.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// read reads the records from off on.
func (a *answer) read(b []byte, off int) error {
	text := 0
	for section := range 3 {
		for n := int(binary.BigEndian.Uint16(b[6+2*section:])); n > 0; n-- {
			if off >= len(b) {
				return errors.New("it announces more records than it holds")
			}
			rr, next, err := dns.UnpackRR(b, off)
			if err != nil {
				return err
			}
			if text += dns.Len(rr); text > maxText {
				return fmt.Errorf("its records have more than %d bytes", maxText)
			}
			off = next
			if section == 0 {
				a.records = append(a.records, rr)
			} else if opt, ok := rr.(*dns.OPT); ok {
				a.extend(opt)
			}
		}
	}
	return nil
}

// extend takes what EDNS adds.
func (a *answer) extend(opt *dns.OPT) {
	a.rcode = a.rcode&15 | opt.ExtendedRcode()
	for _, o := range opt.Option {
		if e, ok := o.(*dns.EDNS0_EDE); ok && a.why == "" {
			a.why = dns.ExtendedErrorCodeToString[e.InfoCode]
			if e.ExtraText != "" {
				a.why += ": " + e.ExtraText
			}
		}
	}
}

// chain are the records of the answer that are about the question: those of its
// name or, by way of aliases, of another, and of its type. Whatever else a
// server adds to an answer is none.
func (a *answer) chain(q *question) []dns.RR {
	owner := q.name
	for range maxAliases {
		if found := a.owned(owner, q.kind); len(found) > 0 {
			return found
		}
		alias := a.owned(owner, dns.TypeCNAME)
		if len(alias) == 0 {
			return nil
		}
		owner = alias[0].(*dns.CNAME).Target
	}
	return nil
}

// owned are the records of one name and type.
func (a *answer) owned(owner string, kind uint16) (found []dns.RR) {
	for _, rr := range a.records {
		h := rr.Header()
		if (h.Rrtype == kind || kind == dns.TypeANY) && sameName(h.Name, owner) {
			found = append(found, rr)
		}
	}
	return found
}

// signed reports whether the answer holds a signature for its records.
func (a *answer) signed(q *question) bool {
	for _, rr := range a.records {
		if s, ok := rr.(*dns.RRSIG); ok && (s.TypeCovered == q.kind || q.kind == dns.TypeANY || s.TypeCovered == dns.TypeCNAME) {
			return true
		}
	}
	return false
}

// sameName compares names without regard to the case of letters.
func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
