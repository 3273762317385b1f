package plugintest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/procgroup"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// guest is a resident plugin that was started as mond starts one. It speaks
// go-plugin's protocol by hand, so that what go-plugin's client would hide or
// mend is seen. A nil guest is one that did not start.
type guest struct {
	proc     *procgroup.Process
	mark     string
	lifeline *os.File
	conn     *grpc.ClientConn
	client   pb.PluginClient
	manifest rpc.Manifest

	stop       context.CancelFunc // ends the reading
	readers    sync.WaitGroup
	generation uint64

	mu     sync.Mutex
	strays []byte // what came on standard output and is no protocol
	stderr []byte
}

// newGuest starts the program and shakes hands.
func (s *suite) newGuest(ctx context.Context) (*guest, error) {
	child, keep, err := procgroup.Lifeline()
	if err != nil {
		return nil, err
	}
	out, outW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, child.Close(), keep.Close())
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, child.Close(), keep.Close(), out.Close(), outW.Close())
	}
	g := &guest{lifeline: keep}
	env, mark := s.marked(
		rpc.CookieKey+"="+rpc.CookieValue, rpc.LifelineEnv+"=3",
		fmt.Sprintf("PLUGIN_PROTOCOL_VERSIONS=%d", rpc.ProtocolVersion), "PLUGIN_UNIX_SOCKET_DIR="+s.dir,
	)
	g.mark = mark
	g.proc, err = s.spawner.Start(ctx, procgroup.Spec{
		Path: s.path, Env: env, Stdout: outW, Stderr: errW, ExtraFiles: []*os.File{child},
	})
	err = errors.Join(err, child.Close(), outW.Close(), errW.Close())
	if err != nil {
		return nil, errors.Join(err, keep.Close(), out.Close(), errR.Close())
	}
	if err := g.connect(out, errR); err != nil {
		return nil, errors.Join(err, g.end())
	}
	return g, nil
}

// connect reads what the program prints from now on, beginning with the
// handshake.
func (g *guest) connect(out, errs *os.File) error {
	ctx, stop := context.WithCancel(context.Background())
	g.stop = func() {
		stop()
		_ = errors.Join(out.SetReadDeadline(time.Now()), errs.SetReadDeadline(time.Now()))
	}
	lines := bufio.NewReader(out)
	_ = out.SetReadDeadline(time.Now().Add(prompt))
	first, err := lines.ReadString('\n')
	_ = out.SetReadDeadline(time.Time{})
	g.readers.Go(func() { g.gather(&g.strays, lines); _ = out.Close() })
	g.readers.Go(func() { g.gather(&g.stderr, errs); _ = errs.Close() })
	if err != nil {
		return fmt.Errorf("no handshake came within %v (it printed %q; %s)", prompt, first, g.state())
	}
	address, err := address(first)
	if err != nil {
		return err
	}
	g.conn, err = grpc.NewClient("unix:"+address, append(rpc.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", address, err)
	}
	g.client = pb.NewPluginClient(g.conn)
	g.readers.Go(func() { g.stdio(ctx) })
	return nil
}

// address is that of the socket in the line of a handshake.
func address(line string) (string, error) {
	f := strings.Split(strings.TrimSpace(line), "|")
	want := fmt.Sprintf("1|%d|unix|PATH|grpc", rpc.ProtocolVersion)
	if len(f) < 5 || f[0] != "1" || f[1] != fmt.Sprint(rpc.ProtocolVersion) || f[2] != "unix" || f[4] != "grpc" {
		return "", fmt.Errorf("the first line that it printed is %q, and should be %s", strings.TrimSpace(line), want)
	}
	return f[3], nil
}

// gather appends what r says until its end.
func (g *guest) gather(to *[]byte, r io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		g.mu.Lock()
		*to = append(*to, buf[:min(n, maxKept-len(*to))]...)
		g.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// stdio reads what go-plugin caught of the program's standard output; a plugin
// that is not made with go-plugin need not have it.
func (g *guest) stdio(ctx context.Context) {
	stream, err := g.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/plugin.GRPCStdio/StreamStdio")
	if err != nil {
		return
	}
	if stream.SendMsg(&emptypb.Empty{}) != nil || stream.CloseSend() != nil {
		return
	}
	for {
		var m emptypb.Empty // its fields are kept as unknown ones
		if stream.RecvMsg(&m) != nil {
			return
		}
		if data := printed(m.ProtoReflect().GetUnknown()); len(data) > 0 {
			g.mu.Lock()
			g.strays = append(g.strays, data[:min(len(data), maxKept-len(g.strays))]...)
			g.mu.Unlock()
		}
	}
}

// printed is the data of a StdioData of go-plugin whose channel is 1, standard
// output.
func printed(b []byte) (data []byte) {
	channel := uint64(0)
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil
		}
		b = b[n:]
		switch {
		case num == 1 && typ == protowire.VarintType:
			channel, n = protowire.ConsumeVarint(b)
		case num == 2 && typ == protowire.BytesType:
			data, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return nil
		}
		b = b[n:]
	}
	if channel != 1 {
		return nil
	}
	return data
}

// state says whether the program lives, and what it complained of.
func (g *guest) state() string {
	text := "it lives"
	select {
	case <-g.proc.Done():
		exit, _ := g.proc.Wait(context.Background())
		text = "it " + exit.String()
	default:
	}
	if said := strings.Join(strings.Fields(string(g.complaints())), " "); said != "" {
		text += "; on standard error: " + said[:min(len(said), 300)]
	}
	return text
}

func (g *guest) complaints() []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]byte(nil), g.stderr...)
}

// stray is what came on standard output and is no protocol.
func (g *guest) stray() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return string(g.strays)
}

// cut ends the lifeline, as the end of mond would.
func (g *guest) cut() error { return closed(g.lifeline) }

// gone waits for the end of the process, and for that of all it started.
func (g *guest) gone(ctx context.Context, limit time.Duration) (procgroup.Exit, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	exit, err := g.proc.Wait(ctx)
	if err != nil {
		return exit, fmt.Errorf("it was still there %v later", limit)
	}
	if left := clearMarked(g.mark); len(left) > 0 {
		return exit, fmt.Errorf("it left behind: %s", strings.Join(left, ", "))
	}
	return exit, nil
}

// end ends the process if it lives, and everything that belongs to it.
func (g *guest) end() error {
	if g == nil {
		return nil
	}
	_ = syscall.Kill(g.proc.Pid(), syscall.SIGCONT) // should it be stopped
	_, err := g.proc.Stop(grace)
	clearMarked(g.mark)
	if g.conn != nil {
		err = errors.Join(err, g.conn.Close())
	}
	g.stop()
	g.readers.Wait()
	return errors.Join(err, closed(g.lifeline))
}

// healthy asks as mond does, time and again.
func (g *guest) healthy(ctx context.Context) error {
	r, err := grpc_health_v1.NewHealthClient(g.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "plugin"})
	if err != nil {
		return fmt.Errorf("ask for its health: %w", err)
	}
	if r.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		return fmt.Errorf("its health is %v, and should be SERVING for the service \"plugin\"", r.GetStatus())
	}
	return nil
}

// describe asks what it is.
func (g *guest) describe(ctx context.Context) error {
	m, err := g.client.Describe(ctx, &pb.DescribeRequest{})
	if err != nil {
		return fmt.Errorf("ask it to describe itself: %w", err)
	}
	g.manifest = rpc.DecodeManifest(m)
	return nil
}

func (g *guest) validate(ctx context.Context, args []string) ([]rpc.Problem, error) {
	r, err := g.client.Validate(ctx, &pb.ValidateRequest{Args: args})
	if err != nil {
		return nil, fmt.Errorf("ask it to validate %q: %w", args, err)
	}
	return rpc.DecodeProblems(r), nil
}

func (g *guest) send(ctx context.Context, r alert.Request) error {
	reply, err := g.client.Send(ctx, rpc.EncodeNotice(r))
	if err != nil {
		return fmt.Errorf("send it a notice: %w", err)
	}
	return rpc.DecodeError(reply)
}

// keep is a call with the next generation.
func (g *guest) keep(ctx context.Context, full bool, claims []alert.Claim) (*pb.KeepReply, error) {
	g.generation++
	return g.keepAs(ctx, g.generation, full, claims)
}

func (g *guest) keepAs(ctx context.Context, generation uint64, full bool, claims []alert.Claim) (*pb.KeepReply, error) {
	reply, err := g.client.Keep(ctx, &pb.KeepRequest{Generation: generation, Full: full, Claims: rpc.EncodeClaims(claims)})
	if err != nil {
		return nil, fmt.Errorf("give it claims: %w", err)
	}
	return reply, nil
}

// shutdown asks go-plugin's controller to end the program. It answers, or the
// connection breaks.
func (g *guest) shutdown(ctx context.Context) {
	_ = g.conn.Invoke(ctx, "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{})
}
