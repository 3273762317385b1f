package serve

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/classic"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc"
)

// Without [rpc.TimeoutEnv] a program has as long as this: mon sets no limit, and a
// check that hangs for ever would never be made again.
const (
	monitorLimit = 5 * time.Minute
	alertLimit   = 15 * time.Minute
	lateLimit    = time.Second // how long a check that was told to end may take to
)

// stayer is a monitor whose check, with the options it has, is a service that
// goes on until it is told to end.
type stayer interface{ Stays() bool }

func limitedFor(ctx context.Context, m monitor.Monitor, limit time.Duration) (context.Context, context.CancelFunc) {
	if s, ok := m.(stayer); ok && s.Stays() {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

// limit is the time limit that the environment gives, absent without one.
func (s Streams) limit(absent time.Duration) (time.Duration, error) {
	word := s.getenv(rpc.TimeoutEnv)
	if word == "" {
		return absent, nil
	}
	if n, err := strconv.ParseFloat(word, 64); err == nil {
		word = strconv.FormatFloat(n, 'f', -1, 64) + "s"
	}
	d, err := time.ParseDuration(word)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("variable %s: %q is no time such as 10s", rpc.TimeoutEnv, s.getenv(rpc.TimeoutEnv))
	}
	return d, nil
}

// complain says what is wrong with how the program was called.
func (p Plugin) complain(s Streams, err error) int {
	_, _ = fmt.Fprintf(s.Err, "%s: %v (-h explains)\n", p.name, err)
	return exitUsage
}

// classicMonitor does one check by mon's contract. Wrong arguments are no
// failure of a host: the result is blind.
func (p Plugin) classicMonitor(ctx context.Context, s Streams) int {
	limit, err := s.limit(monitorLimit)
	if err != nil {
		return p.misled(ctx, s, err)
	}
	in := p.build(s.Args)
	m, err := in.monitor()
	if err != nil {
		return p.misled(ctx, s, err)
	}
	r := classic.MonitorRequest(s.Env)
	r.Hosts = in.rest
	r.Args = slices.Clone(s.Args[:len(s.Args)-len(in.rest)])
	limited, cancel := limitedFor(ctx, m, limit)
	defer cancel()
	res := patient(limited, m, r)
	code := answer(ctx, s, res)
	if res.Cause == monitor.Panicked {
		_, _ = fmt.Fprintf(s.Err, "%s: %s\n", p.name, res.Output())
	}
	return code
}

// misled answers blind, and then complains: a daemon reads both from one pipe,
// and the first line is what it goes by.
func (p Plugin) misled(ctx context.Context, s Streams, err error) int {
	code := answer(ctx, s, monitor.Blinded(monitor.CouldNotStart, err.Error()))
	p.complain(s, err)
	return code
}

// answer writes r. A reader that does not read keeps the program from ending
// only until ctx ends.
func answer(ctx context.Context, s Streams, r monitor.Result) int {
	done := make(chan int, 1)
	go func() { done <- classic.WriteMonitor(s.Out, r) }() // ends with the process at the latest
	select {
	case code := <-done:
		return code
	case <-ctx.Done():
	}
	select {
	case code := <-done:
		return code
	case <-time.After(lateLimit):
		return exitFault
	}
}

// patient checks until ctx ends and a little longer.
func patient(ctx context.Context, m monitor.Monitor, r monitor.Request) monitor.Result {
	done := make(chan monitor.Result, 1)
	began := time.Now()
	go guarded(ctx, m, r, func(res monitor.Result) { done <- res }) // ends when the author's Check does
	select {
	case res := <-done:
		return res
	case <-ctx.Done():
	}
	select {
	case res := <-done:
		return res
	case <-time.After(lateLimit):
	}
	if ctx.Err() == context.Canceled { //nolint:errorlint // exactly this one
		return monitor.Blinded(monitor.NotRun, "told to end before it was done")
	}
	return monitor.Result{Cause: monitor.TimedOut, Summary: fmt.Sprintf("no answer within %v", time.Since(began).Round(100*time.Millisecond))}
}

// classicAlert tells one notice by mon's contract.
func (p Plugin) classicAlert(ctx context.Context, s Streams) int {
	limit, err := s.limit(alertLimit)
	if err != nil {
		return p.complain(s, err)
	}
	r, args, err := classic.ParseAlert(s.Args, s.Env, until(ctx, s.input()), time.Now())
	if err != nil {
		return p.complain(s, err)
	}
	in := p.build(args)
	a, err := in.alert()
	if err != nil {
		return p.complain(s, err)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err = func() (err error) {
		defer caught(&err)
		return a.Alert(ctx, r)
	}()
	if err != nil {
		_, _ = fmt.Fprintf(s.Err, "%s: %v\n", p.name, err)
		return exitOf(err)
	}
	return 0
}

// exitOf is the exit status of an alert that returned err: mond tries again
// after [classic.ExitRetry] only; mon looks at none.
func exitOf(err error) int {
	if alert.IsPermanent(err) {
		return 1
	}
	return classic.ExitRetry
}

// input is the standard input, nil when it is a terminal: nobody types an
// alert's text.
func (s Streams) input() io.Reader {
	if f, ok := s.In.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return nil
		}
	}
	return s.In
}

// until is r until ctx ends: a daemon that neither writes nor closes does not
// keep the program from ending. nil stays nil.
func until(ctx context.Context, r io.Reader) io.Reader {
	if r == nil {
		return nil
	}
	pr, pw := io.Pipe()
	go func() { // ends with r, or with the process
		_, err := io.Copy(pw, r)
		_ = pw.CloseWithError(err) // always nil
	}()
	context.AfterFunc(ctx, func() { _ = pr.CloseWithError(context.Cause(ctx)) })
	return pr
}
