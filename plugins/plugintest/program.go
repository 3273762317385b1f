package plugintest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mondhq/mond/plugins/procgroup"
	"github.com/mondhq/mond/plugins/rpc"
)

const (
	// prompt is what anything may take that depends on nobody else. It is
	// generous: the machine may be busy.
	prompt = 10 * time.Second
	// grace is more than mond gives after SIGTERM, for a busy machine.
	grace = 3 * time.Second
	// atWork is how long a program runs before it is disturbed.
	atWork = 250 * time.Millisecond
	// group and service are what the program is asked about.
	group, service = "plugintest", "test"
)

// program is the file under test and what surrounds its runs.
type program struct {
	path    string
	spawner *procgroup.Spawner
	dir     string // a folder for the test alone
	env     []string
	book    *book
}

// book is what all runs write in.
type book struct {
	runs int
	left []string // processes that runs left behind
}

func newProgram(o Options, dir string, spawner *procgroup.Spawner) program {
	p := program{path: o.Path, spawner: spawner, dir: dir, book: &book{}}
	p.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir,
		"MON_STATEDIR=" + dir, "MON_LOGDIR=" + dir, "MON_CFBASEDIR=" + dir,
		"MON_GROUP=" + group, "MON_SERVICE=" + service,
		"MON_DESCRIPTION=mond's plugin test", "MON_LAST_SUMMARY=" + p.bait(), "MON_LAST_OUTPUT=" + p.bait() + "\n" + p.bait(),
		rpc.TimeoutEnv + "=" + o.Limit.String(),
	}, o.Env...)
	return p
}

// marked returns the environment of one run and the mark in it, by which all
// that the run starts is known.
func (p program) marked(more ...string) (env []string, mark string) {
	p.book.runs++
	mark = fmt.Sprintf("MOND_PLUGINTEST=%s.%d", filepath.Base(p.dir), p.book.runs)
	return slices.Concat(p.env, more, []string{mark}), mark
}

// bait is a text as a hostile host might send it: a program that hands it to a
// shell, in whatever quotes, makes the file that trap names.
func (p program) bait() string {
	return strings.ReplaceAll("down $(: >TRAP) `: >TRAP` '; : >TRAP; ' \"; : >TRAP; \" ; : >TRAP", "TRAP", p.trap())
}

func (p program) trap() string { return filepath.Join(p.dir, "evaluated") }

// outlet says what becomes of what a program prints.
type outlet uint8

const (
	read outlet = iota // it is read at once
	full               // the pipe is full for a while, then read
	gone               // nobody will ever read it
)

// call is one run of a program by mon's contract.
type call struct {
	args  []string
	env   []string // added
	stdin string
	// held leaves the standard input open with nothing in it.
	held bool
	// closed closes the standard input: there is none.
	closed bool
	out    outlet
	// term sends SIGTERM after a while.
	term bool
	// limit is when it is stopped if it has not ended; 0 means prompt.
	limit time.Duration
}

// ran is how a run went.
type ran struct {
	exit procgroup.Exit
	// out is what it printed, both streams in one as mon reads them.
	out  string
	took time.Duration
	// late means that it had to be stopped at its limit.
	late bool
	// deaf means that SIGTERM did not end it.
	deaf bool
}

// summary is the first line.
func (r ran) summary() string {
	line, _, _ := strings.Cut(r.out, "\n")
	return line
}

// ended says how the run ended if it did not do so by itself.
func (r ran) ended() error {
	switch {
	case r.late:
		return fmt.Errorf("it had not ended after %v and was stopped%s", r.took.Round(time.Second/10), r.said())
	case r.exit.Signal != 0:
		return fmt.Errorf("it was %v%s", r.exit, r.said())
	}
	return nil
}

// said is the beginning of what it printed, for an error.
func (r ran) said() string {
	text := strings.Join(strings.Fields(r.out), " ")
	if text == "" {
		return "; it printed nothing"
	}
	return "; it printed: " + shorten(text, 200)
}

// shorten is text of at most n bytes and a mark.
func shorten(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "..."
}

// run runs the program once and clears away what it leaves. The error is one
// of starting it.
func (p program) run(ctx context.Context, c call) (ran, error) {
	out, w, err := newOutput(c.out)
	if err != nil {
		return ran{}, err
	}
	in, feed, err := newInput(c)
	if err != nil {
		return ran{}, errors.Join(err, w.Close(), out.close())
	}
	env, mark := p.marked(c.env...)
	spec := procgroup.Spec{Path: p.path, Args: c.args, Env: env, Stdin: in, Stdout: w, Stderr: w}
	if c.closed {
		spec.Path, spec.Args = "/bin/sh", append([]string{"-c", `exec "$0" "$@" <&-`, p.path}, c.args...)
	}
	began := time.Now()
	proc, err := p.spawner.Start(ctx, spec)
	_ = errors.Join(w.Close(), in.Close()) // the child has its own
	if err != nil {
		return ran{}, errors.Join(err, feed.end(), out.close())
	}
	feed.begin()
	r := p.await(ctx, proc, c, out)
	r.took = time.Since(began)
	r.out = out.text()
	for _, one := range clearMarked(mark) {
		p.book.left = append(p.book.left, fmt.Sprintf("%s, after `%s`", one, shorten(strings.Join(c.args, " "), 100)))
	}
	return r, errors.Join(feed.end(), out.close())
}

// await disturbs the program as c says and waits for its end.
func (p program) await(ctx context.Context, proc *procgroup.Process, c call, out *output) (r ran) {
	limit := c.limit
	if limit == 0 {
		limit = prompt
	}
	if c.term || c.out == full {
		worked, cancel := context.WithTimeout(ctx, atWork)
		defer cancel()
		_, _ = proc.Wait(worked) // its end or the time, either will do
	}
	if c.term {
		r.exit, r.deaf = stopped(proc)
		out.begin()
		return r
	}
	out.begin()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var err error
	if r.exit, err = proc.Wait(limited); err != nil {
		r.late = true
		r.exit, _ = stopped(proc)
	}
	return r
}

// stopped ends a process by SIGTERM; deaf means that it took SIGKILL.
func stopped(proc *procgroup.Process) (exit procgroup.Exit, deaf bool) {
	exit, err := proc.Stop(grace)
	return exit, err != nil || exit.Signal == syscall.SIGKILL
}
