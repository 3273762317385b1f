package serve

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"syscall"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/mondhq/mond/plugins/rpc"
)

// resident serves go-plugin until ctx ends, the host is gone or asks for it.
func (p Plugin) resident(ctx context.Context) int {
	stderr := os.Stderr // go-plugin replaces os.Stderr, and the host reads this one
	log := slog.New(newLogHandler(stderr))
	slog.SetDefault(log)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if m := p.Manifest(); m.Elector || m.Holder {
		outlive(log)
	}
	watchLifeline(os.Getenv(rpc.LifelineEnv), stop)
	svc := newService(ctx, p, log)
	// Words on os.Stderr shall reach the host even if they are the last ones.
	svc.begin = func() { os.Stderr = stderr }
	served := false
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: rpc.Handshake(),
		Plugins:         rpc.Set(svc),
		Logger:          hclog.New(&hclog.LoggerOptions{Output: stderr, JSONFormat: true, Level: hclog.Warn}),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			served = true
			forgetHost()
			s := grpc.NewServer(append(opts, rpc.ServerOptions()...)...)
			// Stop, not GracefulStop: that would wait for the session, which
			// lasts as long as the host likes.
			context.AfterFunc(ctx, s.Stop)
			return s
		},
	})
	svc.ending.Wait() // each is bounded
	if !served {
		return exitFault // go-plugin has logged why
	}
	if cause := context.Cause(ctx); errors.Is(cause, errHostGone) {
		log.Warn("host is gone, ending", "plugin", p.name)
	}
	return 0
}

var errHostGone = errors.New("the host is gone")

// watchLifeline calls stop when the descriptor number fd comes to its end,
// which it does when the host is gone, however it ended. Without a number (a
// host of another make) there is nothing to watch.
func watchLifeline(fd string, stop context.CancelCauseFunc) {
	n, err := strconv.Atoi(fd)
	if err != nil || n < 3 {
		return
	}
	syscall.CloseOnExec(n)
	f := os.NewFile(uintptr(n), "lifeline")
	go func() { // ends with the host, and the process with it
		_, _ = f.Read(make([]byte, 1))
		stop(errHostGone)
	}()
}

// forgetHost removes what made this process resident from its environment, so
// that a plugin which it starts as a classic program is one. go-plugin has read
// it by then.
func forgetHost() {
	for _, name := range []string{rpc.CookieKey, rpc.LifelineEnv} {
		_ = os.Unsetenv(name) // fails for an empty name only
	}
}
