package dnsmon

import (
	"flag"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/plugins/resolve"
)

func TestOptions(t *testing.T) {
	long := strings.Repeat("a", 64)
	for line, want := range map[string]string{
		"":                                          "say what to ask for",
		"-n a -p 0":                                 "want a port",
		"-n a -4 -6":                                "-4 and -6",
		"-n a --tcp --tls":                          "leave out --tcp",
		"-n a --insecure":                           "it needs --tls",
		"-n a..b":                                   "no domain name",
		"-n " + long:                                "no domain name",
		"-n bücher.example":                         "ASCII",
		"-n a --type AXFR":                          "cannot be asked",
		"-n a --type NOPE":                          "no type of record",
		"-n a --type TYPE65536":                     "no type of record",
		"-n a --type TYPE0":                         "cannot be asked",
		"-n a --class XY":                           "want a class",
		"-n a --rcode NOERROR,NEVER":                `"NEVER" is no response code`,
		"-n a --min-answers -1":                     "from 0 to 5461",
		"-n a --ttl-min x":                          "want a number",
		"-n a --answer (":                           "regular expression",
		"-n a --expect 192.0.2":                     `"192.0.2" is no data of a record of type A`,
		"-n a --expect 1.2.3.4,":                    "a value is empty",
		`-n a --type TXT --expect "a`:               "quote is not closed",
		"-n a --type ANY --expect 1.2.3.4":          "records of any type",
		"-n a --match exact":                        "it needs --expect",
		"-n a --match some":                         "one of all, any, exact",
		"-n a --recursion maybe":                    "one of no, ask, offered, denied",
		"-n a --edns 100":                           "from 512 to 65535",
		"-n a --retry 0":                            "from 1 to 10",
		"-n a --retransmit 0":                       "want a time",
		"--type MX --zone a":                        "option --type: it needs -n",
		"--caching_only -n a":                       "it needs --query",
		"--caching_only --query a --authoritative":  "have no authority",
		"-n a --master b":                           "option --master: it needs --zone",
		"--zone a --serial_threshold 2":             "it needs --master",
		"--zone a --failsingle":                     "it needs --master",
		"--zone a --master b --serial_threshold -1": "want a number",
		"--zone a --master -b":                      "the name or address of a host",
		"--zone a --rcode NXDOMAIN":                 "option --rcode: it needs -n",
		"--zone a --expect 1.2.3.4":                 "option --expect: it needs -n",
		"--query a --min-answers 2":                 "option --min-answers: it needs -n",
		"--query a:NOPE":                            "no type of record",
		"--query :MX":                               "want a domain name",
		"--query a:AAAA:1.2.3.4":                    `"1.2.3.4" is no data`,
	} {
		if _, err := configure(strings.Fields(line)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// questions are those of a command line: how they are asked.
func TestQuestions(t *testing.T) {
	for line, want := range map[string]string{
		"-n www.Example.com":                      "A www.Example.com. IN rd",
		"-n . --type ns --recursion no":           "NS . IN",
		"-n 192.0.2.1 --type PTR":                 "PTR 1.2.0.192.in-addr.arpa. IN rd",
		"-n 2001:db8::1 --type PTR --edns 1232":   "PTR 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. IN rd edns=1232",
		`-n \097.b --type TYPE65 --class CLASS3`:  "HTTPS a.b. CH rd",
		"-n a --dnssec":                           "A a. IN rd ad edns=1232 do",
		"-n a --dnssec --edns 4096":               "A a. IN rd ad edns=4096 do",
		"--query a --query b:MX --zone c":         "A a. IN, MX b. IN, SOA c. IN",
		"--query 192.0.2.1:PTR":                   "PTR 1.2.0.192.in-addr.arpa. IN",
		"--caching_only --query a:A:1.2.3.4":      "A a. IN rd",
		"--zone a --zone b.c. --recursion denied": "SOA a. IN rd, SOA b.c. IN rd",
		"-n a --zone b --master c --failsingle":   "A a. IN rd, SOA b. IN",
		"-nwww -t5":                               "A www. IN rd",
	} {
		m, err := configure(strings.Fields(line)...)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		var got []string
		for _, q := range m.(*server).questions {
			got = append(got, asWritten(t, q.wire))
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%s: %s, want %s", line, s, want)
		}
	}
}

// asWritten is what a message asks.
func asWritten(t *testing.T, wire []byte) string {
	var m dns.Msg
	if err := m.Unpack(wire); err != nil || m.Response || len(m.Question) != 1 {
		t.Fatalf("%v %v", err, m)
	}
	q := m.Question[0]
	text := dns.Type(q.Qtype).String() + " " + q.Name + " " + dns.Class(q.Qclass).String()
	if m.RecursionDesired {
		text += " rd"
	}
	if m.AuthenticatedData {
		text += " ad"
	}
	if o := m.IsEdns0(); o != nil {
		n := size(o.UDPSize())
		text += " edns=" + n.String()
		if o.Do() {
			text += " do"
		}
	}
	return text
}

// What an option's value shows as its default is read back the same.
func TestValuesShowWhatTheyRead(t *testing.T) {
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	With(new(resolve.Resolver))(fs)
	for option, words := range map[string][]string{
		"type": {"MX", "TYPE65280"}, "class": {"CH", "CLASS7"}, "rcode": {"NXDOMAIN,BADVERS", "RCODE77"},
		"recursion": {"denied"}, "match": {"exact"}, "edns": {"1232"}, "retry": {"3"}, "n": {"a.b."}, "min-answers": {"0"}, "ttl-min": {"60"}, "serial_threshold": {"9"},
	} {
		for _, w := range words {
			f := fs.Lookup(option)
			if err := f.Value.Set(w); err != nil || f.Value.String() != w {
				t.Errorf("%s %s: %s, %v", option, w, f.Value, err)
			}
		}
	}
}

func TestExpectInQuotes(t *testing.T) {
	for in, want := range map[string][]string{
		"a,b":             {"a", "b"},
		` a , "b, c" `:    {"a", `"b, c"`},
		`"a\",b",c`:       {`"a\",b"`, "c"},
		"10 mail.example": {"10 mail.example"},
	} {
		var v values
		if err := v.Set(in); err != nil || !slices.Equal(v, want) {
			t.Errorf("%s: %q, %v", in, []string(v), err)
		}
	}
}

func FuzzValues(f *testing.F) {
	for _, seed := range []string{"", "192.0.2.1", "10 mail,20 mail2", `"a\"b"`, "\\", "( ", "$INCLUDE x", "$TTL 5", "a;b", "\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var v values
		if v.Set(in) != nil {
			return
		}
		for _, kind := range []uint16{dns.TypeA, dns.TypeMX, dns.TypeTXT, dns.TypeSOA, dns.TypeSRV, 65280} {
			rrs, err := records(&question{kind: kind, class: dns.ClassINET}, v)
			for _, rr := range rrs {
				if err == nil && (rr.Header().Rrtype != kind || !sameData(rr, rr)) {
					t.Fatalf("%q became %v", in, rr)
				}
			}
		}
	})
}

// Serials are compared on a circle (RFC 1982).
func TestSerials(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Uint32().Draw(t, "a")
		d := rapid.Uint32Range(0, 1<<31-1).Draw(t, "d")
		b := a + d // may go round
		if apart(a, b) != d || apart(b, a) != d {
			t.Fatalf("%d and %d are %d and %d apart, want %d", a, b, apart(a, b), apart(b, a), d)
		}
		if d > 0 && (after(b, a) <= 0 || after(a, b) >= 0) {
			t.Fatalf("%d is not after %d", b, a)
		}
	})
	if apart(0, 1<<31) != 1<<31 {
		t.Error("opposite serials")
	}
}
