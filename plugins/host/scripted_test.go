package host

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"go.uber.org/goleak"
	"google.golang.org/grpc"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/job"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/procgroup"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
	"github.com/mondhq/mond/plugins/serve"
)

// TestMain makes this program a plugin when it is called by a plugin's name.
func TestMain(m *testing.M) {
	if run := scripts[filepath.Base(os.Args[0])]; run != nil {
		run()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// scripts are the plugins that this program can be.
var scripts = map[string]func(){
	"ok.monitor":      func() { serve.Main(okMonitor()) },
	"few.monitor":     func() { serve.Main(okMonitor(serve.MaxInflight(2))) },
	"caps.monitor":    func() { serve.Main(okMonitor(serve.Caps("cap_net_raw", "cap_sys_admin"))) },
	"watch.monitor":   func() { serve.Main(serve.Monitor("watch.monitor", "", newWatcher)) },
	"keep.alert":      func() { serve.Main(serve.Alert("keep.alert", "keeps", newKeeper)) },
	"wrong.monitor":   func() { serve.Main(serve.Alert("wrong.monitor", "", newKeeper)) },
	"noise.monitor":   noisy,
	"garbage.monitor": func() { fmt.Println("hello, I am a shell script"); select {} },
	"flood.monitor":   flood,
	"exit.monitor":    func() { fmt.Fprintln(os.Stderr, "cannot open /etc/knock.conf"); os.Exit(3) },
	"hang.monitor":    func() { select {} },
	"frozen.monitor":  frozen,
	"version.monitor": func() { raw(7, nil) },
	"tcp.monitor":     func() { fmt.Println("1|1|tcp|127.0.0.1:1|grpc"); select {} },
	"elsewhere.monitor": func() {
		fmt.Println("1|1|unix|/run/other/socket|grpc")
		select {}
	},
	"stderr.monitor": func() {
		fmt.Fprintln(os.Stderr, `{"@message": 5, "@level": [1], "@timestamp": "x"}`)
		fmt.Fprintln(os.Stderr, `{"@message": "fine", "@level": 7}`)
		serve.Main(okMonitor())
	},
	"twice.monitor":   func() { raw(rpc.ProtocolVersion, twice) },
	"silent.monitor":  func() { raw(rpc.ProtocolVersion, silent) },
	"big.monitor":     func() { raw(rpc.ProtocolVersion, big) },
	"invalid.monitor": func() { raw(rpc.ProtocolVersion, nonsense) },
	"hoster":          hoster,
	"rolehoster":      roleHoster,
	"elect.monitor":   func() { serve.Main(electing()) },
	"hold.alert":      func() { serve.Main(holdingPlugin()) },
}

// okMonitor does what the option -do says.
func okMonitor(opts ...serve.Option) serve.Plugin {
	return serve.Monitor("ok.monitor", "does what it is told", func(fs *flag.FlagSet) monitor.Monitor {
		do := fs.String("do", "ok", "what to `do`")
		return monitor.Func(func(ctx context.Context, r monitor.Request) monitor.Result { return act(ctx, *do, r) })
	}, opts...)
}

func act(ctx context.Context, do string, r monitor.Request) monitor.Result {
	word, arg, _ := strings.Cut(do, "=")
	n, _ := strconv.Atoi(arg)
	switch word {
	case "ok":
		return monitor.OK(strings.Join(r.Hosts, " "))
	case "fail":
		return monitor.Failed(strings.Join(r.Hosts, " "), "refused")
	case "pid":
		return monitor.OK(strconv.Itoa(os.Getpid()))
	case "wait": // for the end of its time, or n ms
		limit := time.After(time.Hour)
		if n > 0 {
			limit = time.After(time.Duration(n) * time.Millisecond)
		}
		select {
		case <-limit:
			return monitor.OK("waited")
		case <-ctx.Done():
			return monitor.Failed("a", ctx.Err().Error())
		}
	case "deaf": // to its context, for n ms
		time.Sleep(time.Duration(n) * time.Millisecond)
		return monitor.OK("late")
	case "panic":
		panic("boo")
	case "exit":
		fmt.Fprintln(os.Stderr, "fatal error: out of luck")
		os.Exit(n)
	case "stop":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		<-ctx.Done()
	case "huge":
		return monitor.Failed("a", strings.Repeat("x", 1<<20))
	case "print":
		fmt.Println("1|1|unix|/nowhere|grpc")
		fmt.Fprintln(os.Stderr, "said")
		_, _ = syscall.Write(1, []byte("raw words\n"))
		return monitor.OK("printed")
	case "env":
		return monitor.OK(os.Getenv(arg))
	case "caps":
		status, _ := os.ReadFile("/proc/self/status")
		_, rest, _ := strings.Cut(string(status), "CapAmb:")
		line, _, _ := strings.Cut(rest, "\n")
		return monitor.OK(strings.TrimSpace(line))
	case "child": // that holds our pipes and outlives us
		cmd := exec.Command("sleep", "3")
		cmd.Stdout, cmd.Stderr = os.NewFile(1, "out"), os.NewFile(2, "err")
		if err := cmd.Start(); err != nil {
			return monitor.Blinded(monitor.LocalFault, err.Error())
		}
		return monitor.OK(strconv.Itoa(os.Getpid()))
	}
	return monitor.Result{}
}

// watcher reports "up" and then what its option says.
type watcher struct {
	monitor.Func
	end *string
}

func newWatcher(fs *flag.FlagSet) monitor.Monitor {
	return watcher{end: fs.String("end", "", "how to `end`")}
}

func (w watcher) Watch(ctx context.Context, _ monitor.Request, report func(monitor.Result)) error {
	report(monitor.OK("up"))
	switch *w.end {
	case "error":
		return errors.New("peer gone")
	case "exit":
		time.Sleep(50 * time.Millisecond)
		os.Exit(1)
	}
	<-ctx.Done()
	return nil
}

// keeper shows what it was told.
type keeper struct{ told []string }

func newKeeper(*flag.FlagSet) alert.Alert { return &keeper{} }

func (k *keeper) Alert(ctx context.Context, r alert.Request) error {
	switch r.Summary {
	case "permanent":
		return alert.Permanent(errors.New("no such user"))
	case "panic":
		panic("boo")
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (k *keeper) Keep(_ context.Context, full bool, claims []alert.Claim) error {
	k.told = append(k.told, fmt.Sprint(full, len(claims)))
	return nil
}

func (k *keeper) Show(context.Context, string) (string, error) { return strings.Join(k.told, " "), nil }

// noisy has libraries that print.
func noisy() {
	fmt.Println("libfoo: warning: deprecated")
	fmt.Print("|a|b|c\n\n1|x|y\n")
	serve.Main(okMonitor())
}

func flood() {
	for {
		fmt.Println(strings.Repeat("x", 1000))
	}
}

// frozen shakes hands and then stands still.
func frozen() {
	path := filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "s")
	if fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0); err == nil {
		_ = syscall.Bind(fd, &syscall.SockaddrUnix{Name: path})
		_ = syscall.Listen(fd, 5)
	}
	fmt.Printf("1|1|unix|%s|grpc\n", path)
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
}

// rawServer is a plugin that does not use our library.
type rawServer struct {
	pb.UnimplementedPluginServer

	session func(grpc.BidiStreamingServer[pb.HostMessage, pb.PluginMessage]) error
}

func (*rawServer) Describe(context.Context, *pb.DescribeRequest) (*pb.Manifest, error) {
	return &pb.Manifest{Kind: pb.Kind_MONITOR}, nil
}

func (r *rawServer) Session(s grpc.BidiStreamingServer[pb.HostMessage, pb.PluginMessage]) error {
	return r.session(s)
}

func raw(version uint, session func(grpc.BidiStreamingServer[pb.HostMessage, pb.PluginMessage]) error) {
	hs := rpc.Handshake()
	hs.ProtocolVersion = version
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: hs, Plugins: rpc.Set(&rawServer{session: session}),
		GRPCServer: goplugin.DefaultGRPCServer,
	})
}

func each(s grpc.BidiStreamingServer[pb.HostMessage, pb.PluginMessage], answer func(*pb.Job) *pb.PluginMessage) error {
	for {
		m, err := s.Recv()
		if err != nil {
			return err
		}
		for _, j := range m.Jobs {
			if a := answer(j); a != nil {
				if err := s.Send(a); err != nil {
					return err
				}
			}
		}
		if m.Ping != 0 {
			if err := s.Send(&pb.PluginMessage{Pong: m.Ping}); err != nil {
				return err
			}
		}
	}
}

// twice answers everything twice, and what nobody asked.
func twice(s grpc.BidiStreamingServer[pb.HostMessage, pb.PluginMessage]) error {
	return each(s, func(j *pb.Job) *pb.PluginMessage {
		ok := &pb.Result{Id: j.Id, Cause: pb.Cause_EXITED}
		return &pb.PluginMessage{
			Results: []*pb.Result{ok, ok, {Id: 1 << 60, Cause: pb.Cause_EXITED}, nil},
			Reports: []*pb.Report{{Subject: 99, Result: ok}, nil},
		}
	})
}

// silent gives signs of life and no answer.
func silent(s grpc.BidiStreamingServer[pb.HostMessage, pb.PluginMessage]) error {
	return each(s, func(*pb.Job) *pb.PluginMessage { return nil })
}

// big answers with a message beyond every limit.
func big(s grpc.BidiStreamingServer[pb.HostMessage, pb.PluginMessage]) error {
	return each(s, func(j *pb.Job) *pb.PluginMessage {
		return &pb.PluginMessage{Results: []*pb.Result{{Id: j.Id, Cause: pb.Cause_EXITED, Detail: strings.Repeat("x", 2<<20)}}}
	})
}

// nonsense answers with numbers that mean nothing.
func nonsense(s grpc.BidiStreamingServer[pb.HostMessage, pb.PluginMessage]) error {
	return each(s, func(j *pb.Job) *pb.PluginMessage {
		return &pb.PluginMessage{Results: []*pb.Result{{Id: j.Id, Cause: 77, Exit: 9999}}}
	})
}

// hoster is a host in a process of its own, to be killed. It prints the pid of
// a plugin that it runs and waits. Its arguments are the two directories.
func hoster() {
	sp, err := procgroup.New()
	if err != nil {
		panic(err)
	}
	h, err := New(Options{PluginDirs: os.Args[1:2], RunDir: os.Args[2], Spawner: sp})
	if err != nil {
		panic(err)
	}
	h.Run([]job.Check{{ID: 1, Program: "ok.monitor", Timeout: time.Minute, Request: monitor.Request{Args: []string{"-do", "pid"}}}})
	fmt.Println((<-h.Results())[0].Result.Summary)
	select {}
}
