package engine

import (
	"strings"
	"time"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/monlog"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/alert"
)

// What mon itself keeps as history: its two files, and the last alerts and
// failures in memory.

// configureFiles takes up what a configuration says of them.
func (l *loop) configureFiles() {
	g := l.loaded.Config.Globals
	downtime := g.DtLogFile
	if !g.DtLogging {
		downtime = ""
	}
	l.files.Configure(downtime, g.HistoricFile)
	l.keepMost(g.HistLength)
	l.opt.Store.Retain(g.HistoryRows, g.HistoryKeep)
	w := written{paths: make(map[string]string, len(l.loaded.Programs)), args: map[string]string{}}
	for name, p := range l.loaded.Programs {
		w.paths[name] = p.Path
	}
	for u := range l.loaded.Config.Commands() {
		w.take(u.Command)
	}
	l.written.Store(&w)
}

// written says how the configuration in force writes programs: their files by
// name, and the words of an alert by its program and arguments. Workers read
// it.
type written struct{ paths, args map[string]string }

// take keeps the words of c where quoting them anew would change them.
func (w *written) take(c *config.Command) {
	text := strings.TrimPrefix(string(c.Text), c.Program)
	if text = strings.TrimSpace(text); text != monlog.ArgsOf(c.Args) {
		w.args[commandKey(c.Program, c.Args)] = text
	}
}

// words are the arguments of a program as the file has them.
func (w *written) words(program string, args []string) string {
	if text, ok := w.args[commandKey(program, args)]; ok {
		return text
	}
	return monlog.ArgsOf(args)
}

func commandKey(program string, args []string) string {
	return program + "\x00" + strings.Join(args, "\x00")
}

// remember fills the rings at the start: alerts from mon's history file where
// there is one, all else from the store.
func (e *Engine) remember(g config.Globals) {
	e.board.Calls.Resize(g.HistLength)
	e.board.Failures.Resize(g.HistLength)
	if g.HistoricFile != "" {
		e.rememberCalls(g)
	} else {
		e.recall(store.KindAlert, g.HistLength, func(r store.Event) {
			e.board.Calls.Push(view.Call{Type: typeOf(r.What), Group: r.Group, Service: r.Service, At: r.At, Path: r.Program})
		})
	}
	e.recall(store.KindStatus, g.HistLength, func(r store.Event) {
		if r.To == opstatus.Fail.String() || r.To == opstatus.Timeout.String() {
			e.board.Failures.Push(view.Failure{Group: r.Group, Service: r.Service, At: r.At, Summary: r.Summary})
		}
	})
}

func (e *Engine) rememberCalls(g config.Globals) {
	var oldest time.Time
	if g.HistoricTime > 0 {
		oldest = time.Now().Add(-g.HistoricTime)
	}
	calls, err := monlog.ReadBack(g.HistoricFile, g.HistLength, oldest)
	if err != nil {
		e.opt.Log.Warn("earlier alerts are not known", "err", err)
	}
	for _, c := range calls {
		e.board.Calls.Push(c)
	}
}

// recall gives the last rows of a kind to push.
func (e *Engine) recall(kind string, most int, push func(store.Event)) {
	rows, err := e.opt.Store.Recent([]string{kind}, most)
	if err != nil {
		e.opt.Log.Warn("earlier rows of history are not known", "kind", kind, "err", err)
	}
	for _, r := range rows {
		push(r)
	}
}

func typeOf(kind string) string {
	for k := alert.Failure; k.Valid(); k++ {
		if k.String() == kind {
			return monlog.TypeOf(k)
		}
	}
	return monlog.TypeOf(alert.Failure)
}

// called notes that the program of n is run. Workers of the outbox call it.
func (e *Engine) called(n store.Notice, now time.Time) {
	if n.Test { // as under mon, it counts nowhere
		return
	}
	r := n.Request
	e.noteCall(view.Call{
		Type: monlog.TypeOf(r.Kind), Group: r.Group, Service: r.Service, At: now,
		Path: n.Program, Args: e.written.Load().words(n.Program, r.Args), Summary: r.Summary,
	})
}

// noteCall notes the call of a program, whose name is in c.Path.
func (e *Engine) noteCall(c view.Call) {
	if path := e.written.Load().paths[c.Path]; path != "" {
		c.Path = path
	}
	c.Summary, _, _ = strings.Cut(c.Summary, "\n")
	e.board.Calls.Push(c)
	e.files.Call(c)
}

// keptCalls notes what keepers were told of as mon would have called them: out
// is an alert, back in an upalert.
func (l *loop) keptCalls(was, is opstatus.State, held, changed []alert.Claim, now time.Time) {
	down := map[string]bool{}
	for _, c := range held {
		down[c.ID] = c.Down
	}
	for _, c := range changed {
		call := view.Call{
			Type: monlog.TypeOf(alert.Failure), Group: c.Group, Service: c.Service, At: now,
			Path: claimProgram(c), Args: l.written.Load().words(claimProgram(c), c.Args), Summary: is.FailSummary,
		}
		if !c.Down {
			call.Type, call.Summary = monlog.TypeOf(alert.Up), was.FailSummary
		}
		if !c.Withdrawn && c.Down != down[c.ID] {
			l.noteCall(call)
		}
	}
}

// ended notes an outage that is over in mon's downtime log.
func (l *loop) ended(s *service, was opstatus.State, now time.Time) {
	if s.hidden {
		return
	}
	l.files.Downtime(monlog.Downtime{
		Back: now, Group: s.cfg.Key.Group, Service: s.cfg.Key.Service, FirstFail: was.FirstFail,
		Interval: s.cfg.Plan.Interval(s.phase), Summary: was.FailSummary,
	})
}
