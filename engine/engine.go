// Package engine is the loop that owns all watch state. It wakes for what is
// due, for results, for operators, for a reload and for its own health, and
// turns each into transitions, decisions, notices and claims. A file a thing
// that wakes it.
//
// It runs no program and knows no transport: checks go to a [Runner], notices
// and claims to a [Sender], both passed in. Deciding is left to the pure
// packages below it (opstatus, policy, schedule).
package engine

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/latest"
	"github.com/mondhq/mond/engine/monlog"
	"github.com/mondhq/mond/engine/outbox"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/role/boottime"
)

// Runner runs checks.
type Runner interface {
	// Run starts jobs and never blocks. Exactly one Done comes back for each,
	// at the latest its Timeout and a short grace later.
	Run(jobs []job.Check)
	// Watch gives the whole set of services that are pushed rather than
	// polled; it replaces the last set.
	Watch(jobs []job.Check)
	// Cancel ends checks early; each is still answered by a Done.
	Cancel(ids []uint64)
	// Results is read by the loop only; while the loop is busy the Runner
	// merges what it has.
	Results() <-chan []job.Done
}

// Sender reaches alert programs. Its methods are called by workers, never by
// the loop, and may block until ctx ends.
type Sender interface {
	Send(ctx context.Context, program string, r alert.Request) error
	Keep(ctx context.Context, program string, full bool, claims []alert.Claim) error
	// Standing says how the rows of a keeper's claims for some services stand
	// in its table.
	Standing(ctx context.Context, program string, services []string) ([]alert.Standing, error)
	// Copying says how a keeper's copying of connections stands, for each of
	// its tables.
	Copying(ctx context.Context, program string) ([]alert.Copying, error)
	// Restarted names keepers that want their full set again.
	Restarted() <-chan string
}

// Store is where the loop's turns become durable; engine/store is one.
type Store interface {
	Load() (store.Saved, error)
	// Append never blocks; committed is called once the batch is on disk.
	Append(b store.Batch, committed func(error))
	// Recent are the last rows of history of some kinds, oldest first, most at
	// most.
	Recent(kinds []string, most int) ([]store.Event, error)
	// Retain changes how much history is kept.
	Retain(rows int, age time.Duration)
	// Health tells of the disk: since when it fails and why.
	Health() (ok bool, since time.Time, err error)
	Close(ctx context.Context) error
}

// Program is what the loop must know of a monitor or alert program.
type Program struct {
	// Path is its file.
	Path string
	// Keeper is set for alerts that keep claims rather than tell notices.
	Keeper bool
	// History is set for monitors that want the MON_LAST_* variables with
	// each check: all classic ones.
	History bool
	// Watcher is set for monitors that also speak unasked.
	Watcher bool
	// Elector is set for monitors that decide which director holds what, Holder
	// for alerts that hold it.
	Elector, Holder bool
}

// Loaded is a configuration that is ready to run: every program it names was
// found and every argument list judged.
type Loaded struct {
	Config   *config.Config
	Programs map[string]Program
	// Hash sums up what both directors of a pair should have the same; see
	// config.Hash.
	Hash uint64
	// Installed is called by the loop once the configuration is in force; it
	// must not block. It may be nil.
	Installed func()
}

// Options are what an Engine is made of. Load, Runner, Sender and Store are
// required.
type Options struct {
	// Load reads the configuration, at the start and at each reload. It runs
	// outside the loop and may take its time; an error changes nothing.
	Load   func(ctx context.Context) (Loaded, error)
	Runner Runner
	Sender Sender
	Store  Store
	Log    *slog.Logger // default: discards
	// Version is shown to readers.
	Version string
	// Random is a number in [0,n) for randstart and randskew; default
	// math/rand.
	Random func(n int64) int64
	// Stopped starts with the scheduler stopped (mon's -S).
	Stopped bool
	// Forget ignores the saved state of services and starts them untested.
	Forget bool
	// StopTime bounds a stop; default 10 s.
	StopTime time.Duration
	// Check reads the configuration and changes nothing, for test config.
	Check func(ctx context.Context) error
	// Judge says whether a monitor can be run with these words, where an
	// operator sets them; nil takes all.
	Judge func(ctx context.Context, monitor config.Command) error
	// StateFiles keeps mon's files in statedir as mon does: disabled follows
	// every change, and a reload that keeps the state writes both.
	StateFiles bool
	// Faults watches this machine; nil means that nothing is at fault.
	Faults Faults
	// LoadState names the files of mon in statedir that are taken up at the
	// start (mon's -l); see [Engine.LoadState].
	LoadState steer.MonState
	// Lane passes roles; nil means that no monitor elects.
	Lane Lane
	// BootTime is the clock of tokens; default CLOCK_BOOTTIME.
	BootTime func() time.Duration
}

func (o *Options) setDefaults() error {
	if o.Load == nil || o.Runner == nil || o.Sender == nil || o.Store == nil {
		return errors.New("engine: Load, Runner, Sender and Store are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Random == nil {
		o.Random = rand.Int64N
	}
	if o.BootTime == nil {
		o.BootTime = boottime.Now
	}
	if o.StopTime == 0 {
		o.StopTime = 10 * time.Second
	}
	return nil
}

// Engine runs one configuration at a time. Its methods may be called from any
// goroutine while Run is running.
type Engine struct {
	opt   Options
	board *view.Board
	calls chan call     // to the loop; unbuffered: a call is taken or its caller gives up
	ended chan struct{} // closed when Run has returned
	// reloading lets one reload at a time read files: who puts one in may.
	reloading chan struct{}
	ready     chan struct{} // closed when the loop runs
	files     *monlog.Files
	written   atomic.Pointer[written]
	// keep is how many alerts and failures are remembered.
	keep atomic.Int64
	// disabled and opstatus are mon's files in statedir.
	disabled, opstatus *latest.File
}

// New makes an Engine; nothing runs before [Engine.Run].
func New(o Options) (*Engine, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	return &Engine{
		opt:       o,
		board:     view.NewBoard(),
		calls:     make(chan call),
		ended:     make(chan struct{}),
		ready:     make(chan struct{}),
		reloading: make(chan struct{}, 1),
		files:     monlog.New(o.Log),
		disabled:  latest.New("mon's file of what is disabled", o.Log),
		opstatus:  latest.New("mon's file of statuses", o.Log),
	}, nil
}

// Board is what readers look at; it never waits for the loop.
func (e *Engine) Board() *view.Board { return e.board }

// Ready is closed once the configuration is loaded and the loop runs.
func (e *Engine) Ready() <-chan struct{} { return e.ready }

// Run loads the configuration and the saved state and runs until ctx ends; the
// Store is closed when it returns. A
// stop is clean: states are saved, running alerts get Options.StopTime, the
// kernel's table and addresses stay as they are.
func (e *Engine) Run(ctx context.Context) error {
	defer close(e.ended)
	loaded, err := e.opt.Load(ctx)
	if err != nil {
		return errors.Join(err, e.closeStore(ctx))
	}
	saved, err := e.opt.Store.Load()
	if err != nil {
		return errors.Join(err, e.closeStore(ctx))
	}
	e.remember(loaded.Config.Globals)
	l := e.newLoop(loaded, saved)
	l.firstState(saved, time.Now())
	workers, stopWorkers := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorkers()
	var group errgroup.Group
	l.start(workers, &group)
	close(e.ready)
	l.run(ctx)
	err = e.stop(ctx, l)
	stopWorkers()
	return errors.Join(err, group.Wait())
}

// bounded calls f with a time limit.
func bounded(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	limit, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return f(limit)
}

// stop ends what the loop started, in the order that loses nothing, bounded
// by Options.StopTime.
func (e *Engine) stop(ctx context.Context, l *loop) error {
	ctx = context.WithoutCancel(ctx)
	e.leave(l) // first: others wait for it
	l.daemonRow(store.Event{What: store.WhatStop, Text: "stopped"}, time.Now())
	l.saveAll()
	err := bounded(ctx, e.opt.StopTime/2, l.outbox.Stop)
	if err != nil {
		e.opt.Log.Warn("stop", "err", err) // nothing is lost: it is told at the next start
	}
	if err := bounded(ctx, e.opt.StopTime/4, e.closeFiles); err != nil {
		e.opt.Log.Error("files of mon are not up to date", "err", err)
	}
	return e.closeStore(ctx)
}

// closeFiles writes what waits for mon's files, and closes them.
func (e *Engine) closeFiles(ctx context.Context) error {
	return errors.Join(e.files.Close(ctx), e.disabled.Close(ctx), e.opstatus.Close(ctx))
}

// closeStore closes the store, also after ctx ended; one that was not loaded
// stays as it was found.
func (e *Engine) closeStore(ctx context.Context) error {
	return bounded(context.WithoutCancel(ctx), e.opt.StopTime/2, e.opt.Store.Close)
}

// newOutbox joins the outbox to the store: it reports from goroutines of its
// own, which Append allows.
func (e *Engine) newOutbox(g config.Globals) *outbox.Outbox {
	st, log := e.opt.Store, e.opt.Log
	return outbox.New(outbox.Options{
		Send:    e.opt.Sender.Send,
		Timeout: g.AlertTimeout,
		Started: func(n store.Notice) {
			st.Append(store.Batch{Started: []uint64{n.Seq}}, nil)
			e.called(n, time.Now())
		},
		Finished: func(n store.Notice, err error, attempts int, gaveUp bool) {
			st.Append(finished(n, err, attempts, gaveUp), nil)
		},
		Log: log,
	})
}
