package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/plugins/alert"
)

func (s *Server) daemon(w http.ResponseWriter, _ *http.Request) { reply(w, daemonOf(s.opt.Board)) }

func (s *Server) services(w http.ResponseWriter, _ *http.Request) {
	rows := []Service{}
	for v := range s.opt.Board.Services() {
		rows = append(rows, serviceOf(v, false))
	}
	reply(w, rows)
}

func (s *Server) service(w http.ResponseWriter, r *http.Request) {
	v := s.opt.Board.Service(keyOf(r))
	if v == nil {
		refuse(w, http.StatusNotFound, fmt.Errorf("service %s: no such name in the configuration; monctl status --all shows all there are", keyOf(r)))
		return
	}
	out := serviceOf(v, true)
	if p := s.opt.Board.Pool(v.Key.Service); p != nil && p.Config.Key() == v.Key {
		out.Claims = append(out.Claims, poolClaims(p)...)
	}
	reply(w, out)
}

func (s *Server) show(w http.ResponseWriter, r *http.Request) {
	if s.opt.Show == nil {
		refuse(w, http.StatusNotFound, errors.New("no plugin can be asked"))
		return
	}
	ctx, cancel := s.limit(r.Context())
	defer cancel()
	text, err := s.opt.Show(ctx, r.PathValue("program"), r.PathValue("topic"))
	if err != nil {
		refuse(w, codeOf(err, http.StatusBadGateway), err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text) // a client that went away is its own trouble
}

// action is one thing that an operator may do to what the path names.
type action func(ctx context.Context, m Remark) error

func (s *Server) onService(w http.ResponseWriter, r *http.Request) {
	c, key, user := s.opt.Controller, keyOf(r), peer(r.Context())
	s.act(w, r, map[string]action{
		"ack":        func(ctx context.Context, m Remark) error { return c.Ack(ctx, key, user, m.Text) },
		"disable":    func(ctx context.Context, m Remark) error { return c.DisableService(ctx, key, user, m.Text) },
		"enable":     func(ctx context.Context, _ Remark) error { return c.EnableService(ctx, key, user) },
		"test":       func(ctx context.Context, _ Remark) error { return c.TestMonitor(ctx, key) },
		"test-alert": func(ctx context.Context, m Remark) error { return testAlert(ctx, c, key, m) },
	})
}

func testAlert(ctx context.Context, c Controller, key opstatus.Key, m Remark) error {
	kind, err := kindOf(m.Kind)
	if err != nil {
		return err
	}
	return c.TestAlert(ctx, key, steer.AlertTest{On: kind, Period: m.Period, Exit: m.Exit})
}

func (s *Server) onWatch(w http.ResponseWriter, r *http.Request) {
	c, group, user := s.opt.Controller, r.PathValue("group"), peer(r.Context())
	s.act(w, r, map[string]action{
		"disable": func(ctx context.Context, m Remark) error { return c.DisableWatch(ctx, group, user, m.Text) },
		"enable":  func(ctx context.Context, _ Remark) error { return c.EnableWatch(ctx, group, user) },
	})
}

func (s *Server) onHost(w http.ResponseWriter, r *http.Request) {
	c, host, user := s.opt.Controller, r.PathValue("host"), peer(r.Context())
	s.act(w, r, map[string]action{
		"disable": func(ctx context.Context, m Remark) error { return c.DisableHost(ctx, host, user, m.Text) },
		"enable":  func(ctx context.Context, _ Remark) error { return c.EnableHost(ctx, host, user) },
	})
}

func (s *Server) onScheduler(w http.ResponseWriter, r *http.Request) {
	c, user := s.opt.Controller, peer(r.Context())
	s.act(w, r, map[string]action{
		"stop":  func(ctx context.Context, m Remark) error { return c.StopScheduler(ctx, user, m.Text) },
		"start": func(ctx context.Context, _ Remark) error { return c.StartScheduler(ctx, user) },
	})
}

func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	s.run(w, r, new(Remark), s.opt.Controller.Reload)
}

// act runs the action that the path names.
func (s *Server) act(w http.ResponseWriter, r *http.Request, actions map[string]action) {
	do := actions[r.PathValue("action")]
	if do == nil {
		unknown(w, r)
		return
	}
	var m Remark
	s.run(w, r, &m, func(ctx context.Context) error { return do(ctx, m) })
}

// run reads the body into m and then does what is asked.
func (s *Server) run(w http.ResponseWriter, r *http.Request, m any, do func(ctx context.Context) error) {
	if err := s.body(w, r, m); err != nil {
		refuse(w, codeOf(err, http.StatusBadRequest), fmt.Errorf("read the request: %w", err))
		return
	}
	ctx, cancel := s.limit(r.Context())
	defer cancel()
	if err := do(ctx); err != nil {
		refuse(w, codeOf(err, http.StatusConflict), err)
		return
	}
	reply(w, struct{}{})
}

// body reads the body, which may be empty, into m. What that does not know is
// an error: nobody shall believe that a misspelt word was heeded.
func (s *Server) body(w http.ResponseWriter, r *http.Request, m any) error {
	// A deadline for the body alone: with http.Server.ReadTimeout, the server
	// would take a long call for a client that went away.
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(s.lim.read)) // unsupported by a recorder in tests only
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.lim.body))
	if err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Time{})
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

// limit bounds a call.
func (s *Server) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, s.lim.call, slowError{s.lim.call})
}

// slowError ends a call that the daemon did not finish in time.
type slowError struct{ limit time.Duration }

func (e slowError) Error() string {
	return fmt.Sprintf("mond did not finish within %v; its log says what it is busy with", e.limit)
}

// badKindError is about the kind of a test alert.
type badKindError string

func (e badKindError) Error() string {
	return fmt.Sprintf("kind of alert %q: want one of %v", string(e), kinds)
}

// kinds are the lists of alert lines that a test may call.
var kinds = []alert.Kind{alert.Failure, alert.Up, alert.Startup, alert.Ack, alert.Disable}

func kindOf(word string) (alert.Kind, error) {
	i := slices.IndexFunc(kinds, func(k alert.Kind) bool { return k.String() == word })
	if i < 0 {
		return alert.Unset, badKindError(word)
	}
	return kinds[i], nil
}

// codeOf is the HTTP status for an error; usual is for all that it does not
// know.
func codeOf(err error, usual int) int {
	var large *http.MaxBytesError
	var kind badKindError
	var slow slowError
	switch {
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout
	case errors.As(err, &kind):
		return http.StatusBadRequest
	case errors.Is(err, fs.ErrNotExist):
		return http.StatusNotFound
	case errors.As(err, &slow), errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	}
	return usual
}

func keyOf(r *http.Request) opstatus.Key {
	return opstatus.Key{Group: r.PathValue("group"), Service: r.PathValue("service")}
}

func unknown(w http.ResponseWriter, r *http.Request) {
	refuse(w, http.StatusNotFound, fmt.Errorf("no such call: %s %s", r.Method, r.URL.Path))
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that went away is its own trouble
}

func refuse(w http.ResponseWriter, code int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(problem{Error: err.Error()})
}
