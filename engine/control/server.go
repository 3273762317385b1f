// Package control lets people and programs look at the daemon and steer it:
// JSON over HTTP on a Unix socket, whose peer the kernel vouches for. It only
// reads rows (engine/view) and calls a [Controller]; it owns no state.
//
// Whoever may connect may do everything: the socket's mode and group say who.
// Reads never reach the Controller, so they are answered while it is busy.
package control

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/view"
)

// Controller is what an operator may do. The engine is one. A call about a
// name that does not exist creates nothing and returns an error that is
// fs.ErrNotExist; [steer.Unknown] says what kind of name.
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
	// TestAlert tries alert lines of a period; without any it answers
	// [steer.ErrNoLines].
	TestAlert(ctx context.Context, key opstatus.Key, t steer.AlertTest) error
	Reload(ctx context.Context) error
	// Order takes or ends an order about real servers of virtual services.
	Order(ctx context.Context, o steer.Order) error
	// Failover orders what is to become of groups of addresses.
	Failover(ctx context.Context, o steer.Failover) error
}

// Options are what a Server is made of; all but Show and History are required.
type Options struct {
	Controller Controller
	Board      *view.Board
	// Show asks a running plugin about itself; nil means there is none to
	// ask.
	Show func(ctx context.Context, program, topic string) (string, error)
	// History is what was written down; nil means that nothing is.
	History History
	Log     *slog.Logger
}

// limits bound what one client can cost.
type limits struct {
	// body is the most bytes an operator may send.
	body int64
	// read bounds sending a request, write taking the answer.
	read, write time.Duration
	// call bounds what the daemon does for one call, a reload with many
	// plugins included.
	call time.Duration
	// end is how long calls under way may take once the daemon ends.
	end time.Duration
}

func usualLimits() limits {
	return limits{body: 64 << 10, read: 10 * time.Second, write: 10 * time.Second, call: callLimit, end: time.Second}
}

// callLimit bounds one call.
const callLimit = time.Minute

// Server answers the API.
type Server struct {
	opt Options
	lim limits
	// reports holds one token for each report that is being made.
	reports chan struct{}
}

// New makes a Server.
func New(o Options) *Server {
	return &Server{opt: o, lim: usualLimits(), reports: make(chan struct{}, 1)}
}

// Serve answers on l until ctx ends, which it ends calls under way with, and
// closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s.Handler(),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       withConn,
		ReadHeaderTimeout: s.lim.read,
		WriteTimeout:      s.lim.call + s.lim.write, // counts from the request on
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(s.opt.Log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err := <-ended:
		_ = srv.Close()
		return fmt.Errorf("serve the control socket: %w", err)
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.lim.end)
	defer cancel()
	if srv.Shutdown(limit) != nil {
		_ = srv.Close()
	}
	<-ended
	return nil
}

// Handler is the API.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/daemon", s.daemon)
	mux.HandleFunc("GET /v1/services", s.services)
	mux.HandleFunc("GET /v1/services/{group}/{service}", s.service)
	mux.HandleFunc("GET /v1/show/{program}/{topic}", s.show)
	mux.HandleFunc("GET /v1/virtuals", s.virtuals)
	mux.HandleFunc("GET /v1/virtuals/{name}", s.virtual)
	mux.HandleFunc("POST /v1/orders", s.order)
	mux.HandleFunc("GET /v1/roles", s.roles)
	mux.HandleFunc("POST /v1/failover", s.failover)
	mux.HandleFunc("GET /v1/history", s.history)
	mux.HandleFunc("GET /v1/report", s.report)
	mux.HandleFunc("POST /v1/services/{group}/{service}/{action}", s.onService)
	mux.HandleFunc("POST /v1/watches/{group}/{action}", s.onWatch)
	mux.HandleFunc("POST /v1/hosts/{host}/{action}", s.onHost)
	mux.HandleFunc("POST /v1/scheduler/{action}", s.onScheduler)
	mux.HandleFunc("POST /v1/reload", s.reload)
	mux.HandleFunc("/", unknown)
	return mux
}
