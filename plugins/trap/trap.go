// Package trap is the packet by which mon and its relatives report a status to
// a daemon elsewhere, in both directions: [Trap.Append] writes it as Mon::Client
// does, [Parse] reads what anybody sent.
//
// A packet is one UDP datagram of lines TAG='VALUE', to port 2583 as a rule.
// Nobody answers it, the password in it is in clear, and nothing keeps it from
// being sent twice. The package neither sends nor receives, and does not judge
// who may send.
package trap

import (
	"strconv"
	"time"
)

// Port is where daemons listen for traps, by UDP.
const Port = "2583"

// Protocol is the version that is written, and the oldest that is taken.
const Protocol = "0.3807"

// MaxPacket is the largest datagram of UDP over IPv4.
const MaxPacket = 65507

// Trap is what a packet says. Texts may hold any bytes.
type Trap struct {
	// Protocol is the sender's version; Append writes its own.
	Protocol string
	User     string
	// Password is sent only where there is a User, as Mon::Client does.
	Password string
	// Type is "trap" in all packets of Mon::Client, and for Append if empty.
	Type     string
	Sequence int
	// Group and Service say what is reported on.
	Group, Service string
	// Host is the sender's word for the host; Mon::Client sends none.
	Host string
	// Status is like the exit status of a monitor: other than 0 is a failure.
	// HasStatus is false in a packet without it, which is not to be taken.
	Status    int
	HasStatus bool
	// OpStatus is the sender's opstatus in mon's numbers, which mon ignores;
	// -1 in a packet without it.
	OpStatus int
	// Time is that of the sender's clock in whole seconds, zero without one.
	Time            time.Time
	Summary, Detail string
}

// Append appends the packet to b. It may be longer than [MaxPacket]: see
// [Trap.Fit].
func (t Trap) Append(b []byte) []byte {
	b = line(b, "pro", Protocol)
	b = line(b, "usr", t.User)
	if t.User != "" {
		b = line(b, "pas", t.Password)
	}
	kind := t.Type
	if kind == "" {
		kind = "trap"
	}
	status := strconv.Itoa(t.OpStatus)
	b = line(b, "spc", status)
	b = line(b, "seq", strconv.Itoa(t.Sequence))
	b = line(b, "typ", kind)
	b = line(b, "grp", t.Group)
	b = line(b, "svc", t.Service)
	if t.Host != "" {
		b = line(b, "hst", t.Host)
	}
	b = line(b, "sta", strconv.Itoa(t.Status))
	b = line(b, "spc", status) // twice, as Mon::Client has it
	if !t.Time.IsZero() {
		b = line(b, "tsp", strconv.FormatInt(t.Time.Unix(), 10))
	}
	b = line(b, "sum", t.Summary)
	return line(b, "dtl", t.Detail)
}

// Fit is t with as much of its detail, and if need be of its summary, that the
// packet has limit bytes at most. What is cut ends in "...". The other fields
// must fit.
func (t Trap) Fit(limit int) Trap {
	// A byte takes one at least: what is far beyond is not worth escaping.
	t.Detail, t.Summary = t.Detail[:min(len(t.Detail), limit+1)], t.Summary[:min(len(t.Summary), limit+1)]
	over := len(t.Append(nil)) - limit
	if over > 0 {
		t.Detail = shorten(t.Detail, over)
		over = len(t.Append(nil)) - limit
	}
	if over > 0 {
		t.Summary = shorten(t.Summary, over)
	}
	return t
}

// shorten takes so many escaped bytes, and room for the mark, off the end of
// text.
func shorten(text string, over int) string {
	const mark = "..."
	over += len(mark)
	end := len(text)
	for end > 0 && over > 0 {
		end--
		over -= width(text[end])
	}
	if over > 0 {
		return ""
	}
	return text[:end] + mark
}
