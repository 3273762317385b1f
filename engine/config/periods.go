package config

import (
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/alert"
)

// beginPeriod reads "period [LABEL:] [PERIOD]".
func beginPeriod(r *resolver, st *Statement) {
	label, text, off := cutLabel(st.Text)
	spec, ok := r.spec(st, text, off)
	if ok && spec.Never() {
		r.diag.warnf(st, off, "", "period %s never comes: its alerts are never called", quote(text))
	}
	if label == "" {
		label = text
	}
	if old := r.svc.FindPeriod(label); old != nil {
		r.diag.errorf(st, 0, "give one of them a label: period NAME: "+shorten(text), "period %s of service %s is defined at %s already", quote(label), r.svc.Key, old.Pos)
	}
	r.svc.seenPeriod = r.svc.seenPeriod[:0]
	r.svc.Periods = append(r.svc.Periods, Period{Pos: st.Pos, Name: label, When: spec})
}

// cutLabel splits "LABEL: PERIOD"; off is where the period begins.
func cutLabel(line string) (label, rest string, off int) {
	i := 0
	for i < len(line) && wordByte(line[i]) {
		i++
	}
	label = line[:i]
	after := strings.TrimLeft(line[i:], blanks)
	if label == "" || label[0] <= '9' || !strings.HasPrefix(after, ":") {
		return "", line, 0
	}
	rest = strings.TrimLeft(after[1:], blanks)
	return label, rest, len(line) - len(rest)
}

// byKind puts the lines of one kind beside each other, in the order of the
// file. What happens calls one kind of line, so that the order across kinds
// means nothing; and not every language can say it: in TOML the lines of a
// kind are one list. So both spellings of a period give the same one.
func byKind(lines []Line) {
	slices.SortStableFunc(lines, func(a, b Line) int { return int(a.On) - int(b.On) })
}

// period is the one that lines belong to now.
func (r *resolver) period() *Period { return &r.svc.Periods[len(r.svc.Periods)-1] }

func periodTime(field func(*Period) *time.Duration) meaning {
	return func(r *resolver, st *Statement) {
		if d, ok := r.time(st, 1); ok {
			*field(r.period()) = d
		}
	}
}

func periodFlag(field func(*Period) *bool) meaning {
	return func(r *resolver, _ *Statement) { *field(r.period()) = true }
}

func alertLine(on alert.Kind) meaning {
	return func(r *resolver, st *Statement) {
		exit, off, ok := r.exitFilter(st)
		if !ok {
			return
		}
		if c, ok := r.command(st, off); ok {
			c.Exit = exit
			p := r.period()
			p.Lines = append(p.Lines, Line{On: on, Command: c})
		}
	}
}

func numAlerts(r *resolver, st *Statement) {
	if n, ok := r.number(st, 0, maxCount); ok {
		r.period().Limit = n
	}
}

func alertExitRange(r *resolver, st *Statement) {
	exit, ok := exitRange(st.Text)
	if !ok {
		r.diag.errorf(st, 0, valueHint(st.Text, "write N or N-M, from 0 to 255"), "invalid exit range %s", quote(st.Text))
		return
	}
	r.period().Exit = exit
}

// alertEvery reads "TIMEVAL [WORD]".
func alertEvery(r *resolver, st *Statement) {
	first, rest, off := cutWord(st.Text)
	if first == "" {
		r.diag.errorf(st, -1, timeHint, "alertevery without a time")
		return
	}
	d, ok := r.timeAt(st, first, 0, 1)
	modes := map[string]EveryMode{"": EverySummary, "summary": EverySummary, "observe_detail": EveryDetail, "ignore_summary": EveryIgnoreSummary, "strict": EveryStrict}
	mode, known := modes[strings.ToLower(rest)]
	if !known {
		hint := didYouMean(rest, []string{"observe_detail", "ignore_summary", "strict", "summary"})
		if hint == "" {
			hint = "after the time there may be observe_detail, ignore_summary or strict"
		}
		r.diag.errorf(st, off, commentHint(rest, hint), "unknown word %s for alertevery", quote(rest))
	}
	if ok && known {
		r.period().Every = Every{For: d, Mode: mode}
	}
}

// alertAfter reads "N", "TIMEVAL" or "N TIMEVAL"; lines of different forms
// combine.
func alertAfter(r *resolver, st *Statement) {
	const hint = "write alertafter NUMBER, alertafter TIMEVAL or alertafter NUMBER TIMEVAL"
	words := fields(st.Text)
	p := r.period()
	if len(words) == 0 || len(words) > 2 {
		r.diag.errorf(st, -1, valueHint(st.Text, hint), "alertafter takes one or two words")
		return
	}
	n, number := atoi(words[0].Text)
	switch {
	case number && n > maxCount:
		r.diag.errorf(st, 0, "", "%d is out of range for alertafter, which is 0 to %d", n, maxCount)
	case len(words) == 1 && number:
		r.oneForm(st, "NUMBER")
		p.After.Count = n
	case len(words) == 1:
		if d, ok := r.afterTime(st, words[0]); ok {
			r.oneForm(st, "TIMEVAL")
			p.After.For = d
			if p.After.Times > 0 { // one variable in mon: the last line counts
				p.After.Within = d
			}
		}
	case !number:
		r.diag.errorf(st, 0, valueHint(st.Text, hint), "%s is no number for alertafter", quote(words[0].Text))
	default:
		if d, ok := r.afterTime(st, words[1]); ok {
			r.oneForm(st, "NUMBER TIMEVAL")
			r.alertWithin(st, n, d)
		}
	}
}

// oneForm warns of an alertafter that replaces one of the same form.
func (r *resolver) oneForm(st *Statement, form string) {
	k := Keyword{Name: "alertafter " + form}
	r.once(&k, st, &r.svc.seenPeriod, "period")
}

// afterTime reads a time of alertafter, which mon takes only whole and in h, m
// or s (and ms, which is new); so a file that is read here is read there.
func (r *resolver) afterTime(st *Statement, w Word) (time.Duration, bool) {
	d, ok := r.timeAt(st, w.Text, w.Off, 0)
	if !ok {
		return 0, false
	}
	if strings.Contains(w.Text, ".") || strings.HasSuffix(strings.ToLower(w.Text), "d") {
		r.diag.errorf(st, w.Off, "write "+wholeTime(d), "alertafter takes a whole number of h, m, s or ms, not %s", quote(w.Text))
		return 0, false
	}
	return d, true
}

// wholeTime is d in the largest unit up to hours that it is a whole number of.
func wholeTime(d time.Duration) string {
	for _, u := range []string{"h", "m", "s"} {
		if d%units[u] == 0 {
			return timeIn(d, u)
		}
	}
	return timeIn(d, "ms")
}

// alertWithin sets "N TIMEVAL", unless so many failures cannot come in time.
func (r *resolver) alertWithin(st *Statement, n int, d time.Duration) {
	if every := r.svc.Plan.Up; every > 0 && n > 0 && int64(n-1) >= (int64(d)+int64(every)-1)/int64(every) {
		r.diag.errorf(st, 0, "take fewer failures, a longer time or a shorter interval",
			"%d failures never come within %s at an interval of %s", n, wholeTime(d), wholeTime(every))
		return
	}
	r.period().After.Times, r.period().After.Within = n, d
}
