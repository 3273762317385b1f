package monitor

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
)

const (
	// parallel is how many hosts of one check are looked at side by side when
	// nothing else is said: a hundred dead hosts cost two time limits, and no
	// check takes more than this many descriptors.
	parallel = 64
	// maxText is how many bytes one host may have in the detail.
	maxText = 1024
)

// PerHost makes a monitor of a function that looks at one host. An error means
// that the host failed, unless it is [Local]. Several hosts are looked at in
// parallel; the summary names those that failed, sorted, and the detail has a
// line for each host.
func PerHost(check func(ctx context.Context, host string) (detail string, err error)) Monitor {
	return EachHost{One: check}
}

// EachHost is a [Monitor] that looks at every host by itself.
//
// Any host that failed makes the Result a failure. With none failed, a host
// that could not be judged makes it blind. A host that could not be judged is
// in the detail only, never in the summary and never in [Result.Hosts]. A
// [Warning] with none of these makes the Result a success with Warn.
type EachHost struct {
	// One looks at one host. It is called concurrently and is to end soon
	// after ctx. What it returns becomes that host's line: on success the
	// detail, which may be empty, else the error.
	One func(ctx context.Context, host string) (detail string, err error)
	// Look stands in the place of One for monitors that measure: of the Host
	// it returns, Detail and Perf are taken, also with an error.
	Look func(ctx context.Context, host string) (Host, error)
	// Together, if there is one, has the last word once every host was looked
	// at: it is called with the hosts and what became of them, nil for one that
	// is well, and may put other errors in their places. It is for monitors that
	// compare hosts with each other.
	Together func(hosts []string, errs []error)
	// Brief leaves the lines of healthy hosts out of the detail.
	Brief bool
	// Parallel is how many hosts are looked at side by side; 0 means 64.
	Parallel int
}

// Check looks at the hosts of r. A check without hosts is a success, as it is
// for mon's monitors. A panic of One becomes a panic here.
func (e EachHost) Check(ctx context.Context, r Request) Result {
	started := time.Now()
	seen := make([]Seen, len(r.Hosts))
	switch len(seen) {
	case 0:
	case 1:
		seen[0] = e.look(ctx, r.Hosts[0])
	default:
		e.lookAll(ctx, r.Hosts, seen)
	}
	res := Blinded(NotRun, "the check was cancelled")
	if !errors.Is(ctx.Err(), context.Canceled) {
		e.together(r.Hosts, seen)
		res = Sum(seen, e.Brief)
	}
	res.Started, res.Took = started, time.Since(started)
	return res
}

// together lets Together judge what was seen.
func (e EachHost) together(hosts []string, seen []Seen) {
	if e.Together == nil {
		return
	}
	errs := make([]error, len(seen))
	for i := range seen {
		errs[i] = seen[i].Err
	}
	e.Together(slices.Clone(hosts), errs)
	for i := range seen {
		seen[i].Err = errs[i]
	}
}

// lookAll fills seen. Hosts are taken in order by whichever worker is free; the
// first one is drawn by lot, so that with more dead hosts than workers it is
// not always the same hosts that nobody gets to in time.
func (e EachHost) lookAll(ctx context.Context, hosts []string, seen []Seen) {
	workers := e.Parallel
	if workers <= 0 {
		workers = parallel
	}
	first := 0
	if len(hosts) > workers {
		first = rand.IntN(len(hosts))
	}
	for i, host := range hosts {
		seen[i] = Seen{Host: Host{Name: host}, Err: ErrNotStarted}
	}
	InParallel(ctx, len(hosts), workers, func(ctx context.Context, i int) {
		i = (i + first) % len(hosts)
		if ctx.Err() == nil {
			seen[i] = e.look(ctx, hosts[i])
		}
	})
}

// InParallel calls do for 0 to n-1, at most workers at a time, and returns when
// all have returned. A panic ends the others' ctx and goes on in the caller's
// goroutine, where it can be recovered: in a goroutine of its own it would end
// the process, and with it the checks of everybody.
func InParallel(ctx context.Context, n, workers int, do func(ctx context.Context, i int)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		next atomic.Int64
		bug  atomic.Pointer[hostPanic]
		wg   sync.WaitGroup
	)
	for range min(n, workers) {
		wg.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					bug.CompareAndSwap(nil, &hostPanic{v, debug.Stack()})
					cancel()
				}
			}()
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				do(ctx, i-1)
			}
		})
	}
	wg.Wait()
	if p := bug.Load(); p != nil {
		panic(p)
	}
}

// hostPanic carries a panic, and where it happened, to another goroutine.
type hostPanic struct {
	value any
	stack []byte
}

func (p *hostPanic) Error() string { return fmt.Sprint(p.value) }

// Stack is that of the goroutine that panicked first.
func (p *hostPanic) Stack() []byte { return p.stack }

// Unwrap is the value of the panic if it was an error, such as a runtime.Error.
func (p *hostPanic) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// ErrNotStarted is the error of a host that nobody got to before the time limit
// passed. Such a host is not judged.
var ErrNotStarted = errors.New("the time limit passed before its turn came")

// Seen is what was seen of one host; a monitor that looks at many at once makes
// its own, for [Sum].
type Seen struct {
	// Host has at least the name. OK is set by [Sum].
	Host Host
	// Err is nil for a host that is well; see [PerHost] and [Warning] for what
	// others mean.
	Err error
}

// look sees one host.
func (e EachHost) look(ctx context.Context, host string) Seen {
	if ctx.Err() != nil {
		return Seen{Host: Host{Name: host}, Err: ErrNotStarted}
	}
	started := time.Now()
	if e.Look != nil {
		h, err := e.Look(ctx, host)
		return Seen{Host{Name: host, Detail: h.Detail, Perf: h.Perf, Took: time.Since(started)}, err}
	}
	detail, err := e.One(ctx, host)
	return Seen{Host{Name: host, Detail: detail, Took: time.Since(started)}, err}
}

// blind says why the host cannot be judged; Exited means that it can.
func (s Seen) blind() Cause {
	switch {
	case s.Err == nil:
		return Exited
	case errors.Is(s.Err, ErrNotStarted):
		return Overloaded
	case errors.Is(s.Err, context.Canceled):
		return NotRun
	case Local(s.Err):
		return LocalFault
	}
	return Exited
}

// failed reports whether the host was judged and is not well.
func (s Seen) failed() bool {
	return s.Err != nil && s.blind() == Exited && !s.warns()
}

// warns reports whether the host is well and deserves a look.
func (s Seen) warns() bool {
	return Warns(s.Err)
}

// line is what the detail says of the host.
func (s Seen) line() string {
	took := Span(s.Host.Took)
	switch {
	case s.warns():
		return s.Host.Name + ": warning: " + oneLine(s.Err.Error()) + " (" + took + ")"
	case s.blind() != Exited:
		return s.Host.Name + ": not judged: " + oneLine(s.Err.Error())
	case s.Err == nil && s.Host.Detail == "":
		return s.Host.Name + ": ok (" + took + ")"
	case s.Err == nil:
		return s.Host.Name + ": " + oneLine(s.Host.Detail) + " (" + took + ")"
	case IsLate(s.Err):
		return s.Host.Name + ": no answer in " + took + ": " + oneLine(s.Err.Error())
	}
	return s.Host.Name + ": " + oneLine(s.Err.Error()) + " (" + took + ")"
}

// Sum makes the Result of what was seen, by the rules of [EachHost]; brief
// leaves the lines of healthy hosts out of the detail. Failed hosts come first
// there, then those not judged, those with a warning, and the healthy ones: an
// alert is read on small screens.
func Sum(seen []Seen, brief bool) Result {
	var failed, blind, warned, healthy lines
	var blinded, warnings []Seen
	res := Result{Cause: Exited, Hosts: make([]Host, 0, len(seen))}
	for _, s := range seen {
		text := s.line()
		switch {
		case s.blind() != Exited:
			blinded = append(blinded, s)
			blind.add(text)
			continue
		case s.failed():
			failed.add(text)
		case s.warns():
			warnings = append(warnings, s)
			warned.add(text)
		case !brief:
			healthy.add(text)
		}
		res.Hosts = append(res.Hosts, Host{
			Name: s.Host.Name, OK: !s.failed(), Took: s.Host.Took, Perf: s.Host.Perf,
			Detail: strings.TrimPrefix(text, s.Host.Name+": "),
		})
	}
	res.Detail = string(slices.Concat(failed, blind, warned, healthy))
	switch {
	case len(failed) > 0:
		res.Exit, res.Summary = 1, failing(res.Hosts)
	case len(blinded) > 0:
		res.Cause, res.Summary = blinded[0].blind(), reason(blinded)
	case len(warnings) > 0:
		res.Warn, res.Summary = true, reason(warnings)
	}
	return res
}

// lines is text in which every line ends with a line feed.
type lines []byte

func (l *lines) add(text string) { *l = append(append(*l, text...), '\n') }

// failing is the summary of a failure.
func failing(hosts []Host) string {
	var names []string
	for _, h := range hosts {
		if !h.OK {
			names = append(names, h.Name)
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}

// reason is the summary of a blind Result, or of one with a warning: what is
// the matter with the first of these hosts.
func reason(these []Seen) string {
	text := these[0].Host.Name + ": " + oneLine(these[0].Err.Error())
	if more := len(these) - 1; more > 0 {
		text += " (and " + strconv.Itoa(more) + " more)"
	}
	return text
}

// oneLine makes text fit to be one line of the detail: what a host answered
// may hold anything.
func oneLine(text string) string {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "..."
	}
	if strings.IndexFunc(text, unicode.IsControl) < 0 {
		return text
	}
	return strings.Join(strings.FieldsFunc(text, unicode.IsControl), " ")
}

// Span is d as people like to read it in a detail: "0.31ms", "12.4ms",
// "1.25s". It has three significant digits at most below 100 s.
func Span(d time.Duration) string {
	if d < time.Second-time.Millisecond/2 {
		ms := float64(d) / float64(time.Millisecond)
		return decimal(ms) + "ms"
	}
	if d < 100*time.Second {
		return decimal(d.Seconds()) + "s"
	}
	return d.Round(time.Second).String()
}

// decimal is v to two places below 10, one below 100, else none, without
// trailing noughts.
func decimal(v float64) string {
	places := 0
	switch {
	case v < 10:
		places = 2
	case v < 100:
		places = 1
	}
	text := strconv.FormatFloat(v, 'f', places, 64)
	if places > 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
