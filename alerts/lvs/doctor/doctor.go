// Package doctor says what is wrong with a director, or with a real server,
// and what to do about it: [Judge] takes what was read of a machine ([Facts])
// and what the machine is for ([Site]), and gives [Finding]s, each with a
// command to copy.
//
// It is pure: it reads nothing (alerts/lvs/doctor/examine does) and changes
// nothing, ever. What real servers are told is judged in
// alerts/lvs/doctor/realserver. It knows nothing of mon.cf: who calls it makes
// a Site of the arguments of lvs.alert, or of the kernel's own table.
package doctor

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// Level says how bad a finding is.
type Level uint8

// The levels, from the best to the worst.
const (
	OK      Level = iota // looked at and well
	Advice               // works, and could be better; or cannot be seen from here
	Warning              // works until something else happens
	Error                // clients are not served, or not all of them
)

// String is the level in a word.
func (l Level) String() string {
	switch l {
	case OK:
		return "ok"
	case Advice:
		return "advice"
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return "unknown"
}

// MarshalText is the word.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is one thing that was found.
type Finding struct {
	Level Level `json:"level"`
	// Code names the kind of finding for programs; it does not change between
	// versions.
	Code string `json:"code"`
	// Subject is what it is about, such as "the kernel" or "tcp 10.0.0.3:80".
	Subject string `json:"subject"`
	// What was found, and where.
	What string `json:"what"`
	// Do says what to do about it; empty with [OK].
	Do string `json:"do,omitempty"`
	// Run are commands that do it, to be run as root where the finding is; a
	// shell takes them as they are. Empty where only a person can.
	Run []string `json:"run,omitempty"`
	// Why it matters, in a sentence.
	Why string `json:"why,omitempty"`
}

// Judge says what there is to say of a director, grouped by subject in the
// order in which packets meet them, the worst first within each. The same
// facts give the same findings.
func Judge(s Site, f *Facts) []Finding {
	r := newReport(s, f)
	r.unread()
	r.kernel()
	r.schedulers()
	r.forwarding()
	r.addresses()
	r.managers()
	r.services()
	r.reals()
	r.tunnels()
	r.through()
	r.connections()
	r.conntrack()
	r.daemons()
	r.keepers()
	return Order(r.findings)
}

// Order groups findings by subject, each where it first came, the worst first
// within it, and drops repetitions.
func Order(list []Finding) []Finding {
	first := map[string]int{}
	seen := map[string]bool{}
	out := []Finding{}
	for _, f := range list {
		if _, ok := first[f.Subject]; !ok {
			first[f.Subject] = len(first)
		}
		if key := f.Subject + "\x00" + f.Code + "\x00" + f.What; !seen[key] {
			seen[key] = true
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(first[a.Subject], first[b.Subject]), cmp.Compare(b.Level, a.Level))
	})
	return out
}

// Worst is the level of the worst finding.
func Worst(list []Finding) Level {
	worst := OK
	for _, f := range list {
		worst = max(worst, f.Level)
	}
	return worst
}

// report gathers the findings of one machine.
type report struct {
	site  Site
	facts *Facts
	vips  []netip.Addr // that are looked at
	isVIP map[netip.Addr]bool
	// here are the interfaces that have an address, brings what brings one.
	here     map[netip.Addr][]Addr
	brings   map[netip.Addr]string
	findings []Finding
}

func newReport(s Site, f *Facts) *report {
	r := &report{site: s, facts: f, vips: s.VIPs(), isVIP: map[netip.Addr]bool{}, here: map[netip.Addr][]Addr{}, brings: s.bringers(f)}
	for _, a := range r.vips {
		r.isVIP[a] = true
	}
	for _, h := range f.Addrs {
		r.here[h.Prefix.Addr()] = append(r.here[h.Prefix.Addr()], h)
	}
	return r
}

func (r *report) add(f Finding) { r.findings = append(r.findings, f) }

func (r *report) ok(code, subject, what string) {
	r.add(Finding{Level: OK, Code: code, Subject: subject, What: what})
}

// The subjects that are not a row of the table.
const (
	Kernel      = "the kernel"
	Forwarding  = "forwarding"
	Addresses   = "virtual addresses"
	Connections = "connections"
	Others      = "other programs"
	Reading     = "what was read"
)

// unread says what could not be looked at: what is not known is not well.
func (r *report) unread() {
	for _, u := range r.facts.Unread {
		r.add(Finding{
			Level: Advice, Code: "unread", Subject: Reading,
			What: "could not read " + u.What + ": " + u.Err,
			Do:   "run monctl doctor as root for the whole picture",
			Why:  "what was not read is not judged",
		})
	}
}

// list is words as a sentence has them: a, b and c.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// distinct is the sorted words, each once.
func distinct(words []string) []string { return slices.Compact(slices.Sorted(slices.Values(words))) }
