package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// udpTimeout is how long the kernel keeps a flow of UDP by default.
const udpTimeout = 300

// maxTableTime is the longest time limit that the kernel takes: 31 days.
const maxTableTime = 31 * 24 * 60 * 60

// ipvsTimeouts takes the time limits of the kernel's table.
func ipvsTimeouts(r *resolver, st *Statement) {
	var t IPVSTimeouts
	for word := range strings.SplitSeq(st.Text, ",") {
		name, value, _ := strings.Cut(word, "=")
		into := t.named(strings.TrimSpace(name))
		n, err := strconv.Atoi(strings.TrimSpace(value))
		switch {
		case into == nil:
			r.diag.errorf(st, 0, "say tcp=N,tcpfin=N,udp=N in seconds, or some of them", "unknown time limit %s", quote(word))
			return
		case *into != 0:
			r.diag.errorf(st, 0, "", "the time limit of %s stands twice", name)
			return
		case err != nil || n < 1 || n > maxTableTime:
			r.diag.errorf(st, 0, fmt.Sprintf("seconds, from 1 to %d", maxTableTime), "%s is no time limit of %s", quote(value), name)
			return
		}
		*into = n
	}
	r.c.Globals.IPVSTimeouts = t
}

func (t *IPVSTimeouts) named(name string) *int {
	switch name {
	case "tcp":
		return &t.TCP
	case "tcpfin":
		return &t.TCPFin
	case "udp":
		return &t.UDP
	default:
		return nil
	}
}

// String is t in the words of the configuration, "" for nothing.
func (t IPVSTimeouts) String() string {
	var words []string
	for _, name := range []string{"tcp", "tcpfin", "udp"} {
		if n := *t.named(name); n != 0 {
			words = append(words, name+"="+strconv.Itoa(n))
		}
	}
	return strings.Join(words, ",")
}

// udpFlow is how long a flow of UDP is known.
func (t IPVSTimeouts) udpFlow() time.Duration {
	if t.UDP != 0 {
		return seconds(t.UDP)
	}
	return seconds(udpTimeout)
}

// limitTables claims the time limits of each table that virtual services are
// in: with one of them, since a table's limits are its own whatever is in it.
func (r *resolver) limitTables() {
	if limits := r.c.Globals.IPVSTimeouts.String(); limits != "" {
		r.ofTables([]string{"--timeouts"}, limits)
	}
}

// ofTables claims something of each table that virtual services are in.
func (r *resolver) ofTables(flags []string, words string) {
	var done []string
	for i, p := range r.pools {
		if !slices.Contains(done, p.netns) {
			done = append(done, p.netns)
			v := *r.c.Virtuals[i] // its own may be known from now on
			v.Rows = append(slices.Clip(v.Rows), VirtualRow{Target: p.target(flags, words)})
			r.c.Virtuals[i] = &v
		}
	}
}
