package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	gorunner "github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/procgroup"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// startLimit bounds a start. A Go plugin takes 10 ms, one in Python 150 ms;
// the rest is for a machine that is busy with something else: a limit that is
// too short there would kill the plugin again and again.
const startLimit = 30 * time.Second

// termGrace is from SIGTERM to SIGKILL for a plugin that has been drained.
const termGrace = time.Second

// process is a resident plugin that runs.
type process struct {
	runner   *runner
	manifest Manifest
	rpc      pb.PluginClient
	stream   grpc.BidiStreamingClient[pb.HostMessage, pb.PluginMessage]
	client   *goplugin.Client
	release  context.CancelFunc // ends the stream and what hangs on it
	up       time.Time
	caps     []uintptr
}

func (p *process) pid() int { return p.runner.begun.Load().Pid() }

// launcher starts resident plugins.
type launcher struct {
	spawner *procgroup.Spawner
	dir     string // of sockets; ours alone
	env     []string
	log     *slog.Logger
	limit   time.Duration // of a start; 0 means startLimit
}

// start starts a plugin, shakes hands and opens its session. All of it is
// bounded by ctx and limit; an error is a [*fault].
func (l *launcher) start(ctx context.Context, prog Program, caps []uintptr) (*process, error) {
	limit := l.limit
	if limit == 0 {
		limit = startLimit
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it took longer than %v", limit))
	defer cancel()
	log := newPluginLog(l.log.With("plugin", prog.Name))
	r := &runner{spawner: l.spawner, path: prog.Path, caps: caps, log: log}
	p := &process{runner: r, caps: caps, client: goplugin.NewClient(l.config(ctx, r))}
	// go-plugin waits for a plugin that hangs without any limit, holding the
	// lock that its Kill needs: only the end of the process helps.
	stop := context.AfterFunc(ctx, func() { _ = r.Kill(ctx) })
	err := p.connect(ctx)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		f := r.blame(ctx, err)
		go p.kill() // it waits for the process
		return nil, f
	}
	return p, nil
}

// config is what go-plugin is told.
func (l *launcher) config(ctx context.Context, r *runner) *goplugin.ClientConfig {
	said := newLines(r.log.said)
	return &goplugin.ClientConfig{
		HandshakeConfig:  rpc.Handshake(),
		Plugins:          rpc.Set(nil),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		GRPCDialOptions:  rpc.DialOptions(),
		SkipHostEnv:      true,
		StartTimeout:     startLimit,
		Logger:           newHclog(l.log, slog.LevelDebug),
		SyncStdout:       said, SyncStderr: said, // one goroutine writes to both
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: l.dir},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, tmp string) (gorunner.Runner, error) {
			r.tmp, r.cmd = tmp, cmd
			cmd.Env = append(l.env[:len(l.env):len(l.env)], cmd.Env...)
			r.hello, r.greets = io.Pipe()
			return boundRunner{r, ctx}, nil
		},
	}
}

// boundRunner starts within our time, not within go-plugin's.
type boundRunner struct {
	*runner

	ctx context.Context
}

func (b boundRunner) Start(context.Context) error { return b.runner.Start(b.ctx) }

// connect takes a plugin from its start to an open session.
func (p *process) connect(ctx context.Context) error {
	conn, err := p.client.Client()
	if err != nil {
		return err
	}
	raw, err := conn.Dispense(rpc.PluginName)
	if err != nil {
		return err
	}
	p.rpc = raw.(pb.PluginClient)
	m, err := p.rpc.Describe(ctx, &pb.DescribeRequest{})
	if err != nil {
		return fmt.Errorf("ask it what it is: %w", err)
	}
	p.manifest = rpc.DecodeManifest(m)
	session, release := context.WithCancel(context.Background())
	p.release = release
	if p.stream, err = p.rpc.Session(session); err != nil {
		return fmt.Errorf("open its session: %w", err)
	}
	p.up = time.Now()
	return nil
}

// kill ends the process at once and returns when its remains are gone, which
// the kernel may take its time for.
func (p *process) kill() {
	_ = p.runner.Kill(context.Background()) // it is gone already, or the kernel says why not
	p.bury()
}

// end lets a drained plugin end by itself, for a while.
func (p *process) end() {
	if _, err := p.runner.begun.Load().Stop(termGrace); err != nil {
		p.runner.log.log.Warn("plugin does not end", "pid", p.pid(), "err", err)
	}
	p.bury()
}

// bury frees what go-plugin holds of a process that was killed. Its Kill waits
// for the end of the process, and asks a live one to shut down without limit:
// it comes after ours.
func (p *process) bury() {
	if p.release != nil {
		p.release()
	}
	if proc := p.runner.begun.Load(); proc != nil {
		<-proc.Done()
	}
	p.client.Kill()
	if p.runner.tmp != "" {
		_ = os.RemoveAll(p.runner.tmp) // go-plugin forgets it after a start that failed
	}
}

// lost says how a process ended whose session broke with err.
func (p *process) lost(err error) string {
	p.runner.settle()
	what := p.runner.ended()
	if what == "" {
		what = "broke its session: " + err.Error()
	}
	if words := p.runner.log.words(); words != "" {
		what += "; it said: " + words
	}
	return what
}

// crashed reports whether the end of the process may have been the fault of a
// check: not when somebody asked it to end.
func (p *process) crashed() bool {
	proc := p.runner.begun.Load()
	select {
	case <-proc.Done():
	default:
		return true
	}
	exit, err := proc.Wait(context.Background())
	return err != nil || !asked(exit.Signal)
}

// asked reports whether a signal is one by which people end programs.
func asked(sig syscall.Signal) bool {
	return slices.Contains([]syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}, sig)
}

// suits checks that a plugin is what its name was used for.
func (p *process) suits(prog Program) error {
	if p.manifest.Kind != prog.Kind {
		return &fault{monitor.CouldNotStart, fmt.Sprintf("%s is of kind %s, wanted was a %s", prog.Path, p.manifest.Kind, prog.Kind)}
	}
	return nil
}

// faultOf is err as the blind result of a check.
func faultOf(err error) monitor.Result {
	if f, ok := errors.AsType[*fault](err); ok {
		return monitor.Blinded(f.cause, f.reason)
	}
	return monitor.Blinded(monitor.CouldNotStart, err.Error())
}
