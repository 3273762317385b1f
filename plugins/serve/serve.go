// Package serve is what the main of a plugin calls: it makes a program of a
// monitor or an alert. Started by mond the program stays and answers checks
// over go-plugin (resident); started by a shell or by mon it does one check or
// one notice by mon's contract (classic) and ends.
//
// It is not the host's end of the wire, which is plugins/host, and decides
// nothing about alerts.
package serve

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/getopt"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc"
)

// Exit statuses of a program that could not do what it was asked for.
const (
	exitUsage = 2 // the arguments are wrong
	exitFault = 3 // it could not serve
)

// Plugin is a monitor or an alert with what is to be told about it. It is made
// by [Monitor] or [Alert].
type Plugin struct {
	name, synopsis string
	monitor        monitor.New
	alert          alert.New
	caps           []string
	maxInflight    int
}

// Option is a property of a [Plugin].
type Option func(*Plugin)

// Monitor makes a plugin of a monitor. name is the program's, such as
// "http.monitor"; synopsis is one sentence without a final stop.
func Monitor(name, synopsis string, make monitor.New, opts ...Option) Plugin {
	return with(Plugin{name: name, synopsis: synopsis, monitor: make}, opts)
}

// Alert makes a plugin of an alert, as [Monitor] does of a monitor.
func Alert(name, synopsis string, make alert.New, opts ...Option) Plugin {
	return with(Plugin{name: name, synopsis: synopsis, alert: make}, opts)
}

func with(p Plugin, opts []Option) Plugin {
	for _, o := range opts {
		o(&p)
	}
	return p
}

// Caps names the Linux capabilities the plugin needs when it is resident, such
// as "cap_net_raw". It gets those that the configuration grants.
func Caps(names ...string) Option {
	return func(p *Plugin) { p.caps = append(p.caps, names...) }
}

// MaxInflight is how many checks the plugin takes at once; 0 leaves it to the
// host.
func MaxInflight(n int) Option {
	return func(p *Plugin) { p.maxInflight = n }
}

// Name is the program's name.
func (p Plugin) Name() string { return p.name }

// Synopsis is what the plugin does, in one sentence.
func (p Plugin) Synopsis() string { return p.synopsis }

// Streams are what a program is started with.
type Streams struct {
	// Args are the words after the program's name.
	Args []string
	// Env is the environment, "NAME=value".
	Env []string
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// getenv is the last value of name in s.Env, as the C library's.
func (s Streams) getenv(name string) string {
	value := ""
	for _, kv := range s.Env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			value = v
		}
	}
	return value
}

// Main runs p as this process and ends it. SIGTERM is a clean end.
func Main(p Plugin) {
	os.Exit(process(func(ctx context.Context, s Streams) int { return Run(ctx, p, s) }))
}

// MainTable runs, as this process, the plugin of table whose name is that of
// the program, or the first argument: one program under many names.
func MainTable(table []Plugin) {
	os.Exit(process(func(ctx context.Context, s Streams) int { return RunTable(ctx, table, os.Args[0], s) }))
}

func process(run func(context.Context, Streams) int) int {
	runtime.LockOSThread() // for good: see outlive
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return run(ctx, Streams{Args: os.Args[1:], Env: os.Environ(), In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}

// Run runs p once and returns its exit status. With go-plugin's cookie in the
// environment it serves until ctx ends, its host goes or says so; go-plugin
// then takes over the standard streams and environment of this process,
// whatever s says.
func Run(ctx context.Context, p Plugin, s Streams) int {
	switch {
	case s.getenv(rpc.CookieKey) == rpc.CookieValue:
		return p.resident(ctx)
	case slices.Equal(s.Args, []string{"--describe"}):
		return p.describe(s)
	case len(s.Args) == 1 && (s.Args[0] == "-h" || s.Args[0] == "--help" || s.Args[0] == "-help"):
		p.usage(s.Out)
		return 0
	case p.monitor != nil:
		return p.classicMonitor(ctx, s)
	}
	return p.classicAlert(ctx, s)
}

// RunTable is [Run] for the plugin of table that argv0 or else the first
// argument names; without either it prints the table.
func RunTable(ctx context.Context, table []Plugin, argv0 string, s Streams) int {
	if i := index(table, filepath.Base(argv0)); i >= 0 {
		return Run(ctx, table[i], s)
	}
	if len(s.Args) == 0 || s.Args[0] == "-h" || s.Args[0] == "--help" {
		list(s.Out, table, filepath.Base(argv0))
		return 0
	}
	i := index(table, s.Args[0])
	if i < 0 {
		_, _ = fmt.Fprintf(s.Err, "%s: there is no plugin %q in here (without arguments it lists them)\n", filepath.Base(argv0), s.Args[0])
		return exitUsage
	}
	s.Args = s.Args[1:]
	return Run(ctx, table[i], s)
}

func index(table []Plugin, name string) int {
	return slices.IndexFunc(table, func(p Plugin) bool { return p.name == name })
}

func list(w io.Writer, table []Plugin, self string) {
	_, _ = fmt.Fprintf(w, "Usage: %s NAME [argument...], or a link of that NAME to %s\n\n", self, self)
	width := 0
	for _, p := range table {
		width = max(width, len(p.name))
	}
	for _, p := range table {
		_, _ = fmt.Fprintf(w, "  %-*s  %s\n", width, p.name, p.synopsis)
	}
}

// Manifest is what the plugin says of itself.
func (p Plugin) Manifest() rpc.Manifest {
	fs, thing := p.declare()
	m := rpc.Manifest{
		Kind: p.kind(), Name: p.name, Synopsis: p.synopsis,
		Caps: p.caps, MaxInflight: p.maxInflight, Flags: []rpc.Flag{},
	}
	_, m.Keeper = thing.(alert.Keeper)
	_, m.Watcher = thing.(monitor.Watcher)
	_, m.Elector = thing.(monitor.Elector)
	_, m.Holder = thing.(alert.Holder)
	fs.VisitAll(func(f *flag.Flag) {
		b, ok := f.Value.(interface{ IsBoolFlag() bool })
		m.Flags = append(m.Flags, rpc.Flag{Name: f.Name, Usage: f.Usage, Default: f.DefValue, Switch: ok && b.IsBoolFlag()})
	})
	return m
}

func (p Plugin) kind() rpc.Kind {
	if p.monitor != nil {
		return rpc.Monitor
	}
	return rpc.Alert
}

// declare makes a monitor or alert whose options are declared and not parsed.
func (p Plugin) declare() (*flag.FlagSet, any) {
	fs := flag.NewFlagSet(p.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	if p.monitor != nil {
		return fs, p.monitor(fs)
	}
	return fs, p.alert(fs)
}

func (p Plugin) describe(s Streams) int {
	enc := json.NewEncoder(s.Out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(p.Manifest()); err != nil {
		_, _ = fmt.Fprintf(s.Err, "%s: print the description: %v\n", p.name, err)
		return exitFault
	}
	return 0
}

// usage prints how the program is called from a shell.
func (p Plugin) usage(w io.Writer) {
	operands := "host..."
	if p.alert != nil {
		operands = "-s service -g group -h hosts -t time [-u] [option...] < output"
	}
	_, _ = fmt.Fprintf(w, "Usage: %s [option...] %s\n  %s\n", p.name, operands, p.synopsis)
	fs, _ := p.declare()
	some := false
	fs.VisitAll(func(*flag.Flag) { some = true })
	if some {
		_, _ = fmt.Fprint(w, "\nOptions:\n", getopt.Usage(fs))
	}
}
