package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
	"github.com/mondhq/mond/plugins/rpc/pulse"
)

// service answers the host. go-plugin recovers no panic and the whole process
// with all its checks would go: every method guards itself.
type service struct {
	pb.UnimplementedPluginServer

	plugin    Plugin
	log       *slog.Logger
	instances *instances
	keeping   *keeping
	pulse     *pulse.Pulse
	begin     func() // called before the first session
	once      sync.Once

	ctx    context.Context // of the process
	ending sync.WaitGroup  // sessions that have not ended

	mu      sync.Mutex
	session *session // the last one, which the next ends
}

func newService(ctx context.Context, p Plugin, log *slog.Logger) *service {
	s := &service{ctx: ctx, plugin: p, log: log, instances: newInstances(p), pulse: pulse.Start(ctx), begin: func() {}}
	s.keeping = &keeping{turn: make(chan struct{}, 1), claimed: s.keep}
	return s
}

// caught turns a panic into err.
func caught(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
	}
}

// internal is err as gRPC has it; nil stays nil.
func internal(err error) error {
	if err == nil {
		return nil
	}
	return status.Error(codes.Internal, rpc.Cut(err.Error(), rpc.MaxOutput))
}

// Describe tells what the plugin is.
func (s *service) Describe(context.Context, *pb.DescribeRequest) (*pb.Manifest, error) {
	m, err := s.manifest()
	return m, internal(err)
}

func (s *service) manifest() (m *pb.Manifest, err error) {
	defer caught(&err)
	return rpc.EncodeManifest(s.plugin.Manifest()), nil
}

// Validate judges a list of arguments.
func (s *service) Validate(_ context.Context, r *pb.ValidateRequest) (*pb.ValidateReply, error) {
	return rpc.EncodeProblems(s.plugin.Validate(r.GetArgs())), nil
}

// Send tells one notice.
func (s *service) Send(ctx context.Context, n *pb.Notice) (*pb.SendReply, error) {
	return rpc.EncodeError(s.send(ctx, n)), nil
}

func (s *service) send(ctx context.Context, n *pb.Notice) (err error) {
	defer caught(&err)
	r, err := rpc.DecodeNotice(n)
	if err != nil {
		return alert.Permanent(err)
	}
	a, err := s.instances.get(r.Args).alert()
	if err != nil {
		return alert.Permanent(err)
	}
	return a.Alert(ctx, r)
}

// Keep says what should hold now.
func (s *service) Keep(ctx context.Context, r *pb.KeepRequest) (*pb.KeepReply, error) {
	claims := rpc.DecodeClaims(r.GetClaims())
	err := s.keeping.call(ctx, r.GetGeneration(), r.GetFull(), claims)
	switch {
	case errors.Is(err, errStale):
		return &pb.KeepReply{Stale: true}, nil
	case errors.Is(err, rpc.ErrNoFullSet):
		return &pb.KeepReply{NeedFull: true}, nil
	case err != nil:
		return &pb.KeepReply{Error: rpc.Cut(err.Error(), rpc.MaxOutput), Permanent: alert.IsPermanent(err)}, nil
	}
	return &pb.KeepReply{Done: true}, nil
}

// keep calls the author's keeper, which has no arguments of its own: each
// claim brings them.
func (s *service) keep(ctx context.Context, full bool, claims []alert.Claim) (err error) {
	defer caught(&err)
	in := s.instances.get(nil)
	if in.err != nil {
		return alert.Permanent(in.err)
	}
	k, ok := in.thing.(alert.Keeper)
	if !ok {
		return alert.Permanent(fmt.Errorf("%s is no keeper: it takes notices only", s.plugin.name))
	}
	return k.Keep(ctx, full, claims)
}

// Show prints what the plugin's instances know.
func (s *service) Show(ctx context.Context, r *pb.ShowRequest) (*pb.ShowReply, error) {
	var out strings.Builder
	for _, in := range s.instances.all() {
		sh, ok := in.thing.(Shower)
		if !ok {
			continue
		}
		text, err := shown(ctx, sh, r.GetTopic())
		if err != nil {
			return nil, internal(err)
		}
		out.WriteString(text)
	}
	return &pb.ShowReply{Text: rpc.Cut(out.String(), rpc.HostReceives/2)}, nil
}

func shown(ctx context.Context, sh Shower, topic string) (text string, err error) {
	defer caught(&err)
	return sh.Show(ctx, topic)
}

// Session serves one host until it or the process ends.
func (s *service) Session(stream grpc.BidiStreamingServer[pb.HostMessage, pb.PluginMessage]) error {
	s.once.Do(s.begin)
	ss := newSession(stream.Context(), s)
	if err := s.enter(ss); err != nil {
		return err
	}
	return ss.serve(stream)
}

// enter makes ss the one session. gRPC begins each in a goroutine of its own:
// one that ended before it got here must not end a later one.
func (s *service) enter(ss *session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ss.ctx.Err() != nil {
		return context.Cause(ss.ctx)
	}
	if s.session != nil {
		s.session.stop(errSecond)
	}
	s.session = ss
	return nil
}

var errSecond = errors.New("another session has begun")
