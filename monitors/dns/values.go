package dnsmon

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

const (
	typeA   = rrType(dns.TypeA)
	classIN = class(dns.ClassINET)
)

// name is an option's value: a domain name, absolute, empty as long as none was
// chosen.
type name string

// String is the name.
func (n *name) String() string { return string(*n) }

// Set reads a name; the final dot may be left out.
func (n *name) Set(text string) error {
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return errors.New("want a domain name in ASCII without blanks, such as www.example.com (others begin with xn--)")
	}
	if _, ok := dns.IsDomainName(text); !ok {
		return errors.New("it is no domain name: want labels of 1 to 63 characters, 255 altogether")
	}
	*n = name(dns.Fqdn(text))
	return nil
}

// names is an option's value: domain names, one each time it is given.
type names []name

// String is the names.
func (l *names) String() string { return joined(*l) }

// Set adds a name.
func (l *names) Set(text string) error {
	var n name
	if err := n.Set(text); err != nil {
		return err
	}
	*l = append(*l, n)
	return nil
}

// hosts is an option's value: names or addresses of hosts, one each time.
type hosts []string

// String is the hosts.
func (l *hosts) String() string { return joined(*l) }

// Set adds a host.
func (l *hosts) Set(text string) error {
	if text == "" || strings.ContainsAny(text, " \t/") || strings.HasPrefix(text, "-") {
		return errors.New("want the name or address of a host")
	}
	*l = append(*l, text)
	return nil
}

// joined is the elements of a list.
func joined[S ~[]E, E ~string](list S) string {
	words := make([]string, len(list))
	for i, e := range list {
		words[i] = string(e)
	}
	return strings.Join(words, ",")
}

// rrType is an option's value: a type of record.
type rrType uint16

// String is the type's name, or TYPEn (RFC 3597).
func (t *rrType) String() string { return dns.Type(*t).String() }

// Set reads a type by its name or as TYPEn.
func (t *rrType) Set(text string) error {
	n, err := number(text, "TYPE", dns.StringToType)
	if err != nil {
		return fmt.Errorf("it is no type of record: want %w", err)
	}
	switch n {
	case 0, dns.TypeOPT, dns.TypeTKEY, dns.TypeTSIG, dns.TypeIXFR, dns.TypeAXFR:
		return errors.New("that type cannot be asked for in a single question")
	}
	*t = rrType(n)
	return nil
}

// class is an option's value: a class.
type class uint16

// String is the class's name, or CLASSn.
func (c *class) String() string { return dns.Class(*c).String() }

// Set reads a class by its name or as CLASSn.
func (c *class) Set(text string) error {
	n, err := number(text, "CLASS", dns.StringToClass)
	if err != nil || n == 0 {
		return errors.New("want a class such as IN, CH or CLASS3")
	}
	*c = class(n)
	return nil
}

// number is what a word stands for, in a table or in figures after a prefix.
func number(text, prefix string, table map[string]uint16) (uint16, error) {
	word := strings.ToUpper(text)
	if n, ok := table[word]; ok {
		return n, nil
	}
	if figures, ok := strings.CutPrefix(word, prefix); ok {
		if n, err := strconv.ParseUint(figures, 10, 16); err == nil {
			return uint16(n), nil
		}
	}
	return 0, fmt.Errorf("a name such as A or %sn", prefix)
}

// query is what mon's --query says: name[:type[:value]].
type query struct {
	name  name
	kind  rrType
	value string
}

// queries is an option's value: queries, one each time it is given.
type queries []query

// String is the queries as they were given.
func (l *queries) String() string {
	words := make([]string, len(*l))
	for i, q := range *l {
		words[i] = string(q.name) + ":" + q.kind.String()
		if q.value != "" {
			words[i] += ":" + q.value
		}
	}
	return strings.Join(words, ",")
}

// Set adds a query. The value may hold colons.
func (l *queries) Set(text string) error {
	parts := strings.SplitN(text, ":", 3)
	q := query{kind: typeA}
	if len(parts) > 1 && parts[1] != "" {
		if err := q.kind.Set(parts[1]); err != nil {
			return err
		}
	}
	if len(parts) > 2 {
		q.value = parts[2]
	}
	if err := q.name.Set(reversed(parts[0], q.kind)); err != nil {
		return err
	}
	*l = append(*l, q)
	return nil
}

// reversed is the name under which the name of an address is found, if it is an
// address that PTR records are asked for, else text.
func reversed(text string, kind rrType) string {
	if uint16(kind) != dns.TypePTR {
		return text
	}
	if a, err := netip.ParseAddr(strings.TrimSuffix(text, ".")); err == nil {
		if arpa, err := dns.ReverseAddr(a.WithZone("").String()); err == nil {
			return arpa
		}
	}
	return text
}

// rcodes is an option's value: the response codes that are well.
type rcodes []int

// String is the codes' names.
func (l *rcodes) String() string {
	words := make([]string, len(*l))
	for i, c := range *l {
		words[i] = rcodeName(c)
	}
	return strings.Join(words, ",")
}

// Set reads names or numbers of codes, with commas between them.
func (l *rcodes) Set(text string) error {
	var out rcodes
	for word := range strings.SplitSeq(text, ",") {
		c, ok := rcodeOf(strings.ToUpper(word))
		if !ok {
			return fmt.Errorf("%q is no response code: want such as NOERROR, NXDOMAIN or REFUSED", word)
		}
		out = append(out, c)
	}
	*l = out
	return nil
}

// rcodeOf is the code of a name, or of a number with or without RCODE before it.
func rcodeOf(word string) (int, bool) {
	if word == "BADVERS" {
		return dns.RcodeBadVers, true
	}
	if c, ok := dns.StringToRcode[word]; ok {
		return c, true
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(word, "RCODE"), 10, 12)
	return int(n), err == nil
}

// rcodeName is a response code in the field's words.
func rcodeName(c int) string {
	if c == dns.RcodeBadVers { // by the same number TSIG has its BADSIG
		return "BADVERS"
	}
	if s, ok := dns.RcodeToString[c]; ok {
		return s
	}
	return "RCODE" + strconv.Itoa(c)
}

// recursion is an option's value: what is asked of the server, and expected.
type recursion uint8

const (
	byQuestion recursion = iota // asked for where that makes sense
	notAsked                    // not asked for
	asked                       // asked for, whatever comes of it
	offered                     // asked for, and must be offered
	denied                      // asked for, and must not be offered
)

// recursionWords are the values' names.
func recursionWords() []string { return []string{"", "no", "ask", "offered", "denied"} }

// String is the value's name.
func (r *recursion) String() string { return recursionWords()[*r] }

// Set reads a name.
func (r *recursion) Set(text string) error { return choose(r, text, recursionWords()) }

// match is an option's value: how --expect is meant.
type match uint8

const (
	matchAll   match = iota // every value must be there
	matchAny                // one of them must
	matchExact              // they must be there, and no others
)

func matchWords() []string { return []string{"all", "any", "exact"} }

// String is the value's name.
func (m *match) String() string { return matchWords()[*m] }

// Set reads a name.
func (m *match) Set(text string) error { return choose(m, text, matchWords()) }

// choose sets v to the place of text among words.
func choose[T ~uint8](v *T, text string, words []string) error {
	for i, w := range words {
		if w == text && w != "" {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("want one of %s", strings.Trim(strings.Join(words, ", "), ", "))
}
