package echo

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/mondhq/mond/plugins/monitor"
)

// Unreachable is the error of a host that an ICMP error came for.
type Unreachable struct {
	// From is who sent it: a router on the way, the host, or this machine.
	From netip.Addr
	// Own is set when it was this machine.
	Own bool
	// Type and Code are those of ICMP (RFC 792) or ICMPv6 (RFC 4443).
	Type, Code uint8
}

// Error says who said what.
func (u *Unreachable) Error() string {
	if u.Own && u.neighbour() {
		return "no neighbour answers for it: " + u.what()
	}
	if u.Own {
		return "this machine says " + u.what()
	}
	return fmt.Sprintf("%v says %s", u.From, u.what())
}

// Passed reports whether the packet was on its way and its time to live over:
// then the sender is a hop of that way.
func (u *Unreachable) Passed() bool {
	if u.From.Is4() {
		return u.Type == exceeded4 && u.Code == 0
	}
	return u.Type == exceeded6 && u.Code == 0
}

// neighbour reports whether it is what becomes of an ARP or neighbour
// solicitation that nobody answers, when it comes from this machine.
func (u *Unreachable) neighbour() bool {
	if u.From.Is4() {
		return u.Type == unreachable4 && u.Code == 1
	}
	return u.Type == unreachable6 && u.Code == 3
}

// what is the message in words.
func (u *Unreachable) what() string {
	if text := u.word(); text != "" {
		return text
	}
	return "ICMP type " + strconv.Itoa(int(u.Type)) + " code " + strconv.Itoa(int(u.Code))
}

// final reports whether the message ends the wait for a host.
func (u *Unreachable) final() bool { return u.word() != "" }

// word is the message in words; "" if it does not end a wait.
func (u *Unreachable) word() string {
	unreachable, words := uint8(unreachable4), words4[:]
	if !u.From.Is4() {
		unreachable, words = unreachable6, words6[:]
	}
	switch {
	case u.Type == unreachable && int(u.Code) < len(words):
		return words[u.Code]
	case u.Passed():
		return "time to live exceeded"
	}
	return ""
}

// words4 are the codes of RFC 792, RFC 1122 (3.2.2.1) and RFC 1812 (5.2.7.1)
// for an unreachable destination. What is missing comes of a packet that is too
// large, and says nothing of the host.
var words4 = [...]string{
	0: "network unreachable", 1: "host unreachable", 2: "protocol unreachable", 3: "port unreachable",
	5: "source route failed", 6: "network unknown", 7: "host unknown", 8: "source host isolated",
	9: "network prohibited", 10: "host prohibited",
	11: "network unreachable for this type of service", 12: "host unreachable for this type of service",
	13: "prohibited by a filter", 14: "host precedence violation", 15: "precedence cutoff",
}

// words6 are those of RFC 4443 (3.1).
var words6 = [...]string{
	"no route", "prohibited by a filter", "beyond the scope of the source address", "address unreachable",
	"port unreachable", "source address failed a policy", "route rejected",
}

// verdict is u as the error of a host. What this machine says of its own
// routes and filters is its own fault; that no neighbour answers is the host's.
func (u *Unreachable) verdict() error {
	if u.Own && !u.neighbour() {
		return fault(u)
	}
	return u
}

func fault(err error) error { return monitor.Fault(err) }
