package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/mondhq/mond/engine/store"
)

// What may be long - history, and what is made of it - is sent as lines of
// JSON while it is read: neither side holds all of it. A line with an error
// ends it.

// feed writes them to one client.
type feed struct {
	w     *bufio.Writer
	enc   *json.Encoder
	conn  *http.ResponseController
	limit time.Duration
	n     int
}

// linesMost is how many lines may wait to be sent.
const linesMost = 200

func (s *Server) feed(w http.ResponseWriter) *feed {
	w.Header().Set("Content-Type", "application/x-ndjson")
	l := &feed{w: bufio.NewWriterSize(w, 32<<10), conn: http.NewResponseController(w), limit: s.lim.write}
	l.enc = json.NewEncoder(l.w)
	l.extend()
	return l
}

// extend gives the client time to take what comes next; a long answer is no
// reason to break it off.
func (l *feed) extend() { _ = l.conn.SetWriteDeadline(time.Now().Add(l.limit)) } // unsupported by a recorder in tests only

// put sends a line, soon.
func (l *feed) put(v any) error {
	if err := l.enc.Encode(v); err != nil {
		return err
	}
	if l.n++; l.n%linesMost != 0 {
		return nil
	}
	return l.flush()
}

// flush sends what waits.
func (l *feed) flush() error {
	l.extend()
	if err := l.w.Flush(); err != nil {
		return err
	}
	_ = l.conn.Flush()
	return nil
}

// end sends the rest, and what broke it off, if anything did.
func (l *feed) end(err error) {
	if err != nil {
		_ = l.enc.Encode(problem{Error: err.Error()})
	}
	_ = l.flush() // a client that went away is its own trouble
}

var errNoHistory = errors.New("no history is kept")

func (s *Server) history(w http.ResponseWriter, r *http.Request) {
	in := query{v: r.URL.Query()}
	in.only("since", "until", "name", "kind", "limit", "after", "order")
	q := HistoryQuery{
		Since: in.time("since"), Until: in.time("until"), Name: in.v.Get("name"), Kinds: in.words("kind", store.Kinds()),
		Limit: int(in.number("limit")), After: in.number("after"), OldestFirst: in.word("order", "newest", "oldest") == "oldest",
	}
	if !s.ready(w, in.err) {
		return
	}
	_ = s.flushed(r.Context())
	out := s.feed(w)
	for e, err := range Select(s.opt.History, q) {
		if err == nil {
			err = out.put(e)
		}
		if err == nil {
			err = context.Cause(r.Context())
		}
		if err != nil {
			out.end(err)
			return
		}
	}
	out.end(nil)
}

// ready answers a question that makes no sense, or that nothing can answer.
func (s *Server) ready(w http.ResponseWriter, err error) bool {
	switch {
	case s.opt.History == nil:
		refuse(w, http.StatusNotFound, errNoHistory)
	case err != nil:
		refuse(w, http.StatusBadRequest, err)
	default:
		return true
	}
	return false
}

// flushPatience is how long a reader waits for what has just happened to be on
// disk; without, he reads what is there.
const flushPatience = 2 * time.Second

func (s *Server) flushed(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, flushPatience)
	defer cancel()
	return s.opt.History.Flush(ctx)
}

// progress is a line about a report that is being made.
type progress struct {
	Rows int `json:"rows"`
}

// made is the last line of a report.
type made struct {
	Report *Report `json:"report"`
}

func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	in := query{v: r.URL.Query()}
	in.only("since", "until", "name", "period", "outages")
	q := ReportQuery{
		Since: in.time("since"), Until: in.time("until"), Names: in.v["name"], Period: in.v.Get("period"),
		Outages: in.word("outages", "no", "yes") == "yes",
	}
	if in.err == nil {
		in.err = q.Validate()
	}
	if !s.ready(w, in.err) {
		return
	}
	out := s.feed(w)
	report, err := s.makeReport(r.Context(), q, out)
	if err == nil {
		err = out.put(made{report})
	}
	out.end(err)
}

// makeReport makes one report at a time, so that many who ask leave the daemon
// a processor, and tells how it goes on.
func (s *Server) makeReport(ctx context.Context, q ReportQuery, out *feed) (*Report, error) {
	tell := time.NewTicker(500 * time.Millisecond)
	defer tell.Stop()
	for waiting := true; waiting; {
		select {
		case s.reports <- struct{}{}:
			defer func() { <-s.reports }()
			waiting = false
		case <-tell.C:
			if err := errors.Join(out.put(progress{}), out.flush()); err != nil {
				return nil, err
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	world := worldOf(s.opt.Board)
	late := s.flushed(ctx)
	report, err := Make(s.opt.History, world, q, func(rows int) error {
		select {
		case <-tell.C:
			return errors.Join(out.put(progress{rows}), out.flush(), context.Cause(ctx))
		default:
			return nil
		}
	})
	if err == nil && late != nil {
		report.Warning = "the newest rows are not on disk yet: " + late.Error()
	}
	return report, err
}
