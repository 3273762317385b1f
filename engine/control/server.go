// Package control lets people and programs look at the daemon and steer it:
// JSON over HTTP on a Unix socket, whose peer the kernel vouches for. It only
// reads rows (engine/view) and calls a [Controller]; it owns no state.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/alert"
)

// Controller is what an operator may do. The engine is one. Calls about names
// that do not exist return an error and create nothing.
type Controller interface {
	Ack(ctx context.Context, key opstatus.Key, user, text string) error
	DisableService(ctx context.Context, key opstatus.Key, user, text string) error
	EnableService(ctx context.Context, key opstatus.Key, user string) error
	DisableWatch(ctx context.Context, group, user, text string) error
	EnableWatch(ctx context.Context, group, user string) error
	DisableHost(ctx context.Context, host, user, text string) error
	EnableHost(ctx context.Context, host, user string) error
	StopScheduler(ctx context.Context, user, text string) error
	StartScheduler(ctx context.Context, user string) error
	TestMonitor(ctx context.Context, key opstatus.Key) error
	TestAlert(ctx context.Context, key opstatus.Key, on alert.Kind, period string) error
	Reload(ctx context.Context) error
}

// Options are what a Server is made of; all but Show are required.
type Options struct {
	Controller Controller
	Board      *view.Board
	// Show asks a running plugin about itself; nil means there is none to
	// ask.
	Show func(ctx context.Context, program, topic string) (string, error)
	Log  *slog.Logger
}

// Server answers the API.
type Server struct{ opt Options }

// New makes a Server.
func New(o Options) *Server { return &Server{opt: o} }

const (
	// bodyLimit is the most an operator may send.
	bodyLimit = 64 << 10
	// callLimit bounds one call, a reload with many plugins included.
	callLimit = time.Minute
)

// Serve answers on l until ctx ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           http.MaxBytesHandler(s.Handler(), bodyLimit),
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return withPeer(ctx, c) },
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(s.opt.Log.Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Handler is the API.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/daemon", s.daemon)
	mux.HandleFunc("GET /v1/services", s.services)
	mux.HandleFunc("GET /v1/services/{group}/{service}", s.service)
	mux.HandleFunc("GET /v1/show/{program}/{topic}", s.show)
	mux.HandleFunc("POST /v1/services/{group}/{service}/{action}", s.onService)
	mux.HandleFunc("POST /v1/watches/{group}/{action}", s.onWatch)
	mux.HandleFunc("POST /v1/hosts/{host}/{action}", s.onHost)
	mux.HandleFunc("POST /v1/scheduler/{action}", s.onScheduler)
	mux.HandleFunc("POST /v1/reload", s.reload)
	return mux
}

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
		refuse(w, http.StatusNotFound, fmt.Errorf("no service %s in the configuration", keyOf(r)))
		return
	}
	reply(w, serviceOf(v, true))
}

func (s *Server) show(w http.ResponseWriter, r *http.Request) {
	if s.opt.Show == nil {
		refuse(w, http.StatusNotFound, errors.New("no plugin can be asked"))
		return
	}
	text, err := s.opt.Show(r.Context(), r.PathValue("program"), r.PathValue("topic"))
	if err != nil {
		refuse(w, http.StatusBadGateway, err)
		return
	}
	_, _ = io.WriteString(w, text)
}

func (s *Server) onService(w http.ResponseWriter, r *http.Request) {
	c, key, user := s.opt.Controller, keyOf(r), peer(r.Context())
	s.act(w, r, map[string]func(context.Context, Remark) error{
		"ack":     func(ctx context.Context, m Remark) error { return c.Ack(ctx, key, user, m.Text) },
		"disable": func(ctx context.Context, m Remark) error { return c.DisableService(ctx, key, user, m.Text) },
		"enable":  func(ctx context.Context, _ Remark) error { return c.EnableService(ctx, key, user) },
		"test":    func(ctx context.Context, _ Remark) error { return c.TestMonitor(ctx, key) },
		"test-alert": func(ctx context.Context, m Remark) error {
			kind, err := kindOf(m.Kind)
			if err != nil {
				return err
			}
			return c.TestAlert(ctx, key, kind, m.Period)
		},
	})
}

func (s *Server) onWatch(w http.ResponseWriter, r *http.Request) {
	c, group, user := s.opt.Controller, r.PathValue("group"), peer(r.Context())
	s.act(w, r, map[string]func(context.Context, Remark) error{
		"disable": func(ctx context.Context, m Remark) error { return c.DisableWatch(ctx, group, user, m.Text) },
		"enable":  func(ctx context.Context, _ Remark) error { return c.EnableWatch(ctx, group, user) },
	})
}

func (s *Server) onHost(w http.ResponseWriter, r *http.Request) {
	c, host, user := s.opt.Controller, r.PathValue("host"), peer(r.Context())
	s.act(w, r, map[string]func(context.Context, Remark) error{
		"disable": func(ctx context.Context, m Remark) error { return c.DisableHost(ctx, host, user, m.Text) },
		"enable":  func(ctx context.Context, _ Remark) error { return c.EnableHost(ctx, host, user) },
	})
}

func (s *Server) onScheduler(w http.ResponseWriter, r *http.Request) {
	c, user := s.opt.Controller, peer(r.Context())
	s.act(w, r, map[string]func(context.Context, Remark) error{
		"stop":  func(ctx context.Context, m Remark) error { return c.StopScheduler(ctx, user, m.Text) },
		"start": func(ctx context.Context, _ Remark) error { return c.StartScheduler(ctx, user) },
	})
}

func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	s.run(w, r, func(ctx context.Context, _ Remark) error { return s.opt.Controller.Reload(ctx) })
}

// act runs the action that the path names.
func (s *Server) act(w http.ResponseWriter, r *http.Request, actions map[string]func(context.Context, Remark) error) {
	do := actions[r.PathValue("action")]
	if do == nil {
		refuse(w, http.StatusNotFound, fmt.Errorf("no action %q", r.PathValue("action")))
		return
	}
	s.run(w, r, do)
}

func (s *Server) run(w http.ResponseWriter, r *http.Request, do func(context.Context, Remark) error) {
	var m Remark
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil && !errors.Is(err, io.EOF) {
		refuse(w, http.StatusBadRequest, fmt.Errorf("read the request: %w", err))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), callLimit)
	defer cancel()
	if err := do(ctx, m); err != nil {
		refuse(w, http.StatusConflict, err)
		return
	}
	reply(w, struct{}{})
}

func keyOf(r *http.Request) opstatus.Key {
	return opstatus.Key{Group: r.PathValue("group"), Service: r.PathValue("service")}
}

// kinds are the lists of alert lines that a test may call.
var kinds = []alert.Kind{alert.Failure, alert.Up, alert.Startup, alert.Ack, alert.Disable}

func kindOf(word string) (alert.Kind, error) {
	i := slices.IndexFunc(kinds, func(k alert.Kind) bool { return k.String() == word })
	if i < 0 {
		return alert.Unset, fmt.Errorf("kind of alert %q: want one of %v", word, kinds)
	}
	return kinds[i], nil
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
