package dnsmon

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// values is an option's value: data of records, with commas between them except
// in quotes.
type values []string

// String is the values as they were given.
func (l *values) String() string { return strings.Join(*l, ",") }

// Set adds values.
func (l *values) Set(text string) error {
	if strings.ContainsAny(text, "\r\n") {
		return fmt.Errorf("%q: want a single line", text)
	}
	quoted, begin := false, 0
	add := func(word string) error {
		if word = strings.TrimSpace(word); word == "" {
			return fmt.Errorf("%q: a value is empty", text)
		}
		*l = append(*l, word)
		return nil
	}
	for i := range len(text) {
		switch {
		case text[i] == '"' && (i == 0 || text[i-1] != '\\'):
			quoted = !quoted
		case text[i] == ',' && !quoted:
			if err := add(text[begin:i]); err != nil {
				return err
			}
			begin = i + 1
		}
	}
	if quoted {
		return fmt.Errorf("%q: a quote is not closed", text)
	}
	return add(text[begin:])
}

// records makes records of values, as answers to q would hold.
func records(q *question, l values) ([]dns.RR, error) {
	var out []dns.RR
	for _, v := range l {
		rr, err := record(q, v)
		if err != nil {
			return nil, err
		}
		out = append(out, rr)
	}
	return out, nil
}

// record makes a record of one value. The text of a TXT record needs no quotes.
func record(q *question, v string) (dns.RR, error) {
	if q.kind == dns.TypeANY {
		return nil, fmt.Errorf("%q cannot be compared with records of any type", v)
	}
	data := v
	if q.kind == dns.TypeTXT && !strings.HasPrefix(v, `"`) {
		data = `"` + strings.ReplaceAll(v, `"`, `\"`) + `"`
	}
	rr, err := dns.NewRR(". " + dns.Class(q.class).String() + " " + dns.Type(q.kind).String() + " " + data)
	if err != nil || rr == nil {
		return nil, fmt.Errorf("%q is no data of a record of type %s", v, dns.Type(q.kind))
	}
	return rr, nil
}

// sameData compares the data of records of one type, as DNS does: without regard
// to the case of names. A TXT record's strings are one text (RFC 7208, section
// 3.3).
func sameData(a, b dns.RR) bool {
	if ta, ok := a.(*dns.TXT); ok {
		tb, ok := b.(*dns.TXT)
		return ok && strings.Join(ta.Txt, "") == strings.Join(tb.Txt, "")
	}
	if a.Header().Rrtype != b.Header().Rrtype {
		return false
	}
	b = dns.Copy(b)
	b.Header().Name, b.Header().Class = a.Header().Name, a.Header().Class
	return dns.IsDuplicate(a, b)
}

// data is the data of a record as zone files write it; the strings of a TXT
// record are put together.
func data(rr dns.RR) string {
	if t, ok := rr.(*dns.TXT); ok {
		return `"` + strings.Join(t.Txt, "") + `"`
	}
	return strings.TrimPrefix(rr.String(), rr.Header().String())
}

// listed is how many records are shown.
const listed = 4

// list is the first records for people.
func list(found []dns.RR) string {
	if len(found) == 0 {
		return "nothing"
	}
	words := make([]string, min(len(found), listed))
	for i := range words {
		words[i] = brief(data(found[i]))
	}
	text := strings.Join(words, ", ")
	if more := len(found) - len(words); more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	return text
}

// brief is the beginning of a text.
func brief(text string) string {
	const most = 80
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}
