package dnsmon

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/mondhq/mond/plugins/monitor"
)

// finding is what one question to one server came to.
type finding struct {
	question *question
	answer   *answer // nil without one
	records  []dns.RR
	serial   uint32 // of a zone
	took     time.Duration
	err      error
}

// find asks a question and judges the answer.
func (m *server) find(ctx context.Context, deadline time.Time, p party, q *question) finding {
	f := finding{question: q}
	began := time.Now()
	f.answer, f.err = m.exchange(ctx, deadline, p, q)
	f.took = time.Since(began)
	if f.err != nil {
		return f
	}
	f.records = f.answer.chain(q)
	if err := m.judge(ctx, deadline, p, &f); err != nil {
		f.err = fmt.Errorf("%s: %w", q, err)
	}
	return f
}

// judge says what is wrong with the answer of f.
func (m *server) judge(ctx context.Context, deadline time.Time, p party, f *finding) (err error) {
	q := f.question
	if err := q.want.judge(q, f.answer); err != nil || f.answer.rcode != dns.RcodeSuccess {
		return err
	}
	if q.zone {
		f.serial, err = serialOf(f.records)
		return err
	}
	return m.compareValues(ctx, deadline, p, f)
}

// fault is the error of f with its question before it.
func (f *finding) fault() string {
	text := f.err.Error()
	if begin := f.question.String() + ": "; !strings.HasPrefix(text, begin) {
		text = begin + text
	}
	return text
}

// compareValues judges the values of the records. mon's --query has a value with
// two meanings: data that must be there or, if it is not, a name that shares a
// record with the answer.
func (m *server) compareValues(ctx context.Context, deadline time.Time, p party, f *finding) error {
	q := f.question
	err := q.want.expected(q, f.records)
	if q.other == "" || err == nil && len(q.value) > 0 {
		return err
	}
	twin := *q
	twin.name, twin.other, twin.value = q.other, "", nil
	if err := twin.pack(m.edns, m.dnssec); err != nil {
		return err
	}
	second := m.find(ctx, deadline, p, &twin)
	if second.err != nil {
		return fmt.Errorf("compare: %w", second.err)
	}
	for _, rr := range second.records {
		for _, mine := range f.records {
			if sameData(rr, mine) {
				return nil
			}
		}
	}
	return fmt.Errorf("it shares no record with %s: %s against %s", twin.name, list(f.records), list(second.records))
}

// serialOf is the serial in the answer to a zone's question.
func serialOf(found []dns.RR) (uint32, error) {
	if len(found) != 1 {
		return 0, fmt.Errorf("the answer has %d SOA records, want 1", len(found))
	}
	soa, ok := found[0].(*dns.SOA)
	if !ok {
		return 0, errors.New("the answer has no SOA record")
	}
	return soa.Serial, nil
}

// report makes of the findings what is said of a host.
func (m *server) report(found []finding, kept string) (monitor.Host, error) {
	h := monitor.Host{Perf: measured(found)}
	var bad, good []string
	var first error
	for _, f := range found {
		if f.err == nil {
			good = append(good, f.said(m.debug))
			continue
		}
		if bad = append(bad, f.fault()); first == nil || monitor.Local(first) {
			first = f.err
		}
	}
	switch {
	case len(bad) == 0:
		h.Detail = m.summary(good) + kept
		return h, warned(found, h.Detail)
	case len(found) == 1:
		return h, fmt.Errorf("%w%s%s", first, m.shown(found), kept)
	}
	return h, several{fmt.Sprintf("%d of %d questions: %s%s%s", len(bad), len(found), strings.Join(bad, "; "), m.shown(found), kept), first}
}

// warned is the warning about a server that is well, nil without one. One is
// enough: all questions are asked of the same server.
func warned(found []finding, detail string) error {
	for _, f := range found {
		if f.answer.warning != "" {
			return monitor.Warning(f.answer.warning + "; " + detail)
		}
	}
	return nil
}

// several is the error of a server that failed in some of many questions; it is
// of the kind of the first, but of this machine only if all of them are.
type several struct {
	text  string
	first error
}

func (s several) Error() string { return s.text }
func (s several) Unwrap() error { return s.first }

// summary is the detail of a host that is well.
func (m *server) summary(good []string) string {
	if len(good) == 1 || m.debug {
		return strings.Join(good, "; ")
	}
	return strconv.Itoa(len(good)) + " questions answered as they should be"
}

// shown is, for --debug, what the answers of a host that failed held.
func (m *server) shown(found []finding) string {
	if !m.debug {
		return ""
	}
	text := ""
	for _, f := range found {
		if f.answer != nil {
			text += "; " + f.said(true)
		}
	}
	return text
}

// said is what the server said.
func (f *finding) said(all bool) string {
	text := f.question.String() + " " + f.answer.code()
	switch {
	case all:
		for _, rr := range f.answer.records {
			text += " [" + strings.ReplaceAll(rr.String(), "\t", " ") + "]"
		}
	case f.question.zone:
		text += ", serial " + strconv.FormatUint(uint64(f.serial), 10)
	case len(f.records) > 0:
		text += ", " + list(f.records)
	}
	return text
}

// measured is the time of the slowest answer, and how many records came.
func measured(found []finding) map[string]float64 {
	var slowest time.Duration
	records, any := 0, false
	for _, f := range found {
		if f.answer != nil {
			any, slowest, records = true, max(slowest, f.took), records+len(f.records)
		}
	}
	if !any {
		return nil
	}
	return map[string]float64{"rtt_ms": float64(slowest) / float64(time.Millisecond), "records": float64(records)}
}

// tally counts the hosts that failed, for each question.
type tally struct{ failed []atomic.Int32 }

func newTally(questions int) *tally { return &tally{make([]atomic.Int32, questions)} }

// fail counts a host that failed in question i.
func (t *tally) fail(i int) { t.failed[i].Add(1) }

// maxExit leaves 251 and 252 to the masters.
const maxExit = 250

// exit is mon's exit status: the largest number of hosts that failed in one
// question.
func (t *tally) exit() int {
	most := int32(1)
	for i := range t.failed {
		most = max(most, t.failed[i].Load())
	}
	return min(int(most), maxExit)
}
