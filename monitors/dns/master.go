package dnsmon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
)

// Exit statuses that mon's program has for masters.
const (
	exitSingle = 251 // one of them failed, and --failsingle was given
	exitMaster = 252 // no serial is to be had of them
)

// comparison holds the serials of the masters. They are asked while the hosts
// are, in the same time; its fields are read after done only.
type comparison struct {
	server *server
	zones  []*question
	done   chan struct{}
	bug    any // what asking them panicked with
	serial map[*question]uint32
	// failures are what the masters failed in, in the order of the options.
	failures []failure
	// warnings are of masters that are well, one at most of each.
	warnings []failure
	exit     int // of the masters; 0 if they are well
}

// failure is what one master failed in.
type failure struct {
	master, text string
	local        bool
}

// compare begins to ask the masters.
func (m *server) compare(ctx context.Context) *comparison {
	c := &comparison{server: m, done: make(chan struct{}), serial: map[*question]uint32{}}
	for _, q := range m.questions {
		if q.zone {
			c.zones = append(c.zones, q)
		}
	}
	go func() { // ends when they have answered or their time is over
		defer close(c.done)
		defer func() { c.bug = recover() }()
		c.settle(c.ask(ctx, m.Deadline(ctx)))
	}()
	return c
}

// ask asks every master for every zone.
func (c *comparison) ask(ctx context.Context, deadline time.Time) [][]finding {
	m := c.server
	found := make([][]finding, len(m.masters))
	monitor.InParallel(ctx, len(m.masters), atOnce, func(ctx context.Context, i int) {
		to, err := m.Elsewhere().Target(ctx, deadline, m.masters[i], m.port())
		if err != nil {
			found[i] = unreached(c.zones, err)
			return
		}
		found[i] = m.askAll(ctx, deadline, party{host: m.masters[i], to: to, by: m.Elsewhere()}, c.zones)
	})
	return found
}

// wait waits until the masters have answered or their time is over. A panic
// goes on here.
func (c *comparison) wait() {
	<-c.done
	if c.bug != nil {
		panic(c.bug)
	}
}

// unreached are the findings about a server that has no address.
func unreached(questions []*question, err error) []finding {
	found := make([]finding, len(questions))
	for i, q := range questions {
		found[i] = finding{question: q, err: err}
	}
	return found
}

// settle makes the serials of the findings, zone by zone.
func (c *comparison) settle(found [][]finding) {
	for i, q := range c.zones {
		var known []uint32
		ours := true // every fault is this machine's
		for n, master := range c.server.masters {
			f := found[n][i]
			if f.err == nil {
				known = append(known, f.serial)
				c.warn(master, f.answer.warning)
				continue
			}
			ours = ours && monitor.Local(f.err)
			c.fail(failure{master, f.fault(), monitor.Local(f.err)})
		}
		c.choose(q, known, ours)
	}
	if c.server.single && slices.ContainsFunc(c.failures, func(f failure) bool { return !f.local }) {
		c.exit = exitSingle
	}
}

func (c *comparison) fail(f failure) { c.failures = append(c.failures, f) }

// warn notes what is wrong with a master that is well, if anything.
func (c *comparison) warn(master, text string) {
	w := failure{master: master, text: "warning: " + text}
	if text != "" && !slices.Contains(c.warnings, w) {
		c.warnings = append(c.warnings, w)
	}
}

// choose chooses the greatest serial of a zone. Masters that differ among
// themselves by more than the threshold give none.
func (c *comparison) choose(q *question, known []uint32, ours bool) {
	switch {
	case len(known) == 0 && ours:
		return
	case len(known) == 0:
		c.exit = exitMaster
		return
	}
	greatest, smallest := known[0], known[0]
	for _, s := range known {
		if after(s, greatest) > 0 {
			greatest = s
		}
		if after(s, smallest) < 0 {
			smallest = s
		}
	}
	if apart(greatest, smallest) > uint32(c.server.lag) {
		c.exit = exitMaster
		c.fail(failure{strings.Join(c.server.masters, " "), fmt.Sprintf("%s: their serials differ: %d and %d", q, greatest, smallest), false})
		return
	}
	c.serial[q] = greatest
}

// after is how far serial a is after b, below 0 if before (RFC 1982).
func after(a, b uint32) int32 { return int32(a - b) }

// apart is how far serials are from each other.
func apart(a, b uint32) uint32 {
	d := after(a, b)
	if d < 0 {
		d = -d
	}
	return uint32(d)
}

// judge says what is wrong with a host's serial of zone q.
func (c *comparison) judge(ctx context.Context, q *question, serial uint32) error {
	if c == nil {
		return nil
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		return monitor.Fault(fmt.Errorf("compare serial %d: the masters have not answered", serial))
	}
	want, ok := c.serial[q]
	switch {
	case !ok && c.exit == 0:
		return monitor.Fault(errors.New("no serial of a master to compare with: " + c.why(q)))
	case !ok || apart(serial, want) <= uint32(c.server.lag):
		return nil // without a serial the masters are at fault, not the host
	}
	return fmt.Errorf("%s: serial %d, the master has %d", q, serial, want)
}

// why is what the masters failed in for a zone.
func (c *comparison) why(q *question) string {
	for _, f := range c.failures {
		if text, ok := strings.CutPrefix(f.text, q.String()+": "); ok {
			return text
		}
	}
	return "none was asked"
}

// remark is the summary of a check that went well although not all is well with
// the masters; "" if it is. at are those that failed.
func (c *comparison) remark(at []string) string {
	switch {
	case len(at) > 0:
		return "master " + at[0] + " failed, another did not"
	case len(c.warnings) > 0:
		return "master " + c.warnings[0].master + ": " + c.warnings[0].text
	}
	return ""
}

// conclude adds what the masters failed in to the result about the hosts.
func (c *comparison) conclude(res monitor.Result) monitor.Result {
	c.wait()
	if res.Cause == monitor.NotRun {
		return res // cancelled
	}
	var lines strings.Builder
	var at []string
	for _, f := range c.failures {
		fmt.Fprintf(&lines, "master %s: %s\n", f.master, f.text)
		if !f.local {
			at = append(at, strings.Fields(f.master)...)
		}
	}
	for _, w := range c.warnings {
		fmt.Fprintf(&lines, "master %s: %s\n", w.master, w.text)
	}
	res.Detail = lines.String() + res.Detail
	if c.exit == 0 {
		if res.Cause == monitor.Exited && res.Exit == 0 && !res.Warn {
			res.Summary = c.remark(at)
			res.Warn = res.Summary != ""
		}
		return res
	}
	if res.Failing() {
		at = append(at, strings.Fields(res.Summary)...)
	}
	slices.SortFunc(at, cmp.Compare[string])
	res.Cause, res.Warn = monitor.Exited, false
	res.Exit, res.Summary = c.exit, strings.Join(slices.Compact(at), " ")
	return res
}
