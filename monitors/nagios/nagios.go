// Package nagios is the monitor that runs a plugin made for Nagios: for each
// host, or once where there are none. It reads the plugin's exit status, text
// and performance data as the plugins' guidelines have them.
//
// It is no scheduler and no NRPE. A plugin that fits mon's own contract is run by
// mond itself, see plugins/classic. Plugins run as the monitor's user.
package nagios

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/mondhq/mond/monitors/tcp/origin"
	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
)

const (
	// Name is the monitor's name in mon.cf.
	Name = "nagios.monitor"
	// Synopsis says in a line what it is for.
	Synopsis = "runs a Nagios plugin for each host: critical fails, warning warns, unknown is no verdict"
	// folder is where Debian's packages put plugins.
	folder = "/usr/lib/nagios/plugins"
)

// New declares the options of a nagios monitor with a [Bench] of its own.
func New(fs *flag.FlagSet) monitor.Monitor { return With(new(Bench))(fs) }

// With is New for monitors that share a Bench.
func With(bench *Bench) monitor.New {
	return func(fs *flag.FlagSet) monitor.Monitor {
		p := &plugin{fs: fs, bench: bench, dir: folder, limit: reach.Seconds(10 * time.Second), parallel: count(2 * runtime.NumCPU())}
		fs.Var(&p.name, "plugin", "`name` of the plugin, such as check_tcp")
		fs.Var(&p.dir, "dir", "`folder` that it is in")
		fs.Var(&p.args, "args", "`words` to give to it, quoted as for a shell; or give them between -- and another --, before the hosts")
		fs.Var(&p.host, "host", "`how` it is told the host: append (-H HOST after its words), replace ({host}, $HOST or $HOSTADDRESS$ within them) or none, to run it once whatever the hosts. "+
			"Default: replace if there is one of these, else append; none if there are no hosts")
		fs.Var(&p.limit, "t", "`seconds` that it may take for a host, or with a unit such as 500ms; then it is stopped with all that it started, and the host fails")
		p.from.DeclareNetns(fs)
		fs.Lookup("netns").Usage = "`name` of the network namespace that the plugin is started in, or its path; needs the capability cap_sys_admin, which the plugin does not get. Files of /etc/netns are not put in the places of others, as \"ip netns exec\" does"
		fs.Var(&p.parallel, "parallel", "for how `many` hosts it runs side by side, 1 to 128; all such services together run 128 at most")
		fs.BoolVar(&p.strict, "warning-fails", false, "a warning (exit status 1) fails the host")
		fs.BoolVar(&p.brief, "o", false, "omit healthy hosts from the detail")
		return p
	}
}

// plugin is the monitor with its options.
type plugin struct {
	fs       *flag.FlagSet
	bench    *Bench
	name     name
	dir      dir
	args     args
	host     telling
	from     origin.Origin
	limit    reach.Seconds
	parallel count
	strict   bool
	brief    bool
}

// Validate judges the options together, and the words after them as far as they
// are known.
func (p *plugin) Validate() error {
	if p.name == "" {
		return errors.New("option --plugin: say which, such as --plugin check_tcp")
	}
	words, _, err := divide(p.fs.Args())
	if err == nil && p.host == replace && !p.marked(words) {
		return errors.New("option --host replace: none of the plugin's words holds {host}, $HOST or $HOSTADDRESS$")
	}
	return err
}

// marked reports whether the plugin's words say where the host goes.
func (p *plugin) marked(words []string) bool {
	return hasMark(p.args) || hasMark(words)
}

// Check runs the plugin for every host of r.
func (p *plugin) Check(ctx context.Context, r monitor.Request) monitor.Result {
	words, hosts, err := divide(r.Hosts)
	if err != nil {
		return monitor.Blinded(monitor.CouldNotStart, err.Error())
	}
	c := &check{plugin: p, words: append(p.args[:len(p.args):len(p.args)], words...), how: p.host}
	if c.how == auto {
		c.how = p.choose(words, hosts)
	}
	if c.how == none {
		hosts = []string{string(p.name)} // it stands for what it looks at
	}
	res := monitor.EachHost{Look: c.look, Brief: p.brief, Parallel: int(p.parallel)}.Check(ctx, monitor.Request{Hosts: hosts})
	res.Detail += c.long(hosts)
	return res
}

// choose is how the plugin is told the host if no option says.
func (p *plugin) choose(words, hosts []string) telling {
	switch {
	case p.marked(words):
		return replace
	case len(hosts) == 0:
		return none
	}
	return appended
}

// check is one check of a service.
type check struct {
	*plugin
	words []string
	how   telling

	mu    sync.Mutex
	texts map[string]string // by host: all lines of its text but the first
}

// look runs the plugin for one host.
func (c *check) look(ctx context.Context, host string) (monitor.Host, error) {
	if strings.HasPrefix(host, "-") {
		return monitor.Host{}, monitor.Fault(errors.New("a name that begins with a dash is not given to a plugin"))
	}
	path := filepath.Join(string(c.dir), string(c.name))
	ran := c.bench.run(ctx, &c.from, path, tell(c.words, c.how, host), time.Duration(c.limit))
	out := read(ran.Output())
	if ran.Cause != monitor.Exited {
		return monitor.Host{}, unfinished(ran, path)
	}
	c.keep(host, out.long)
	h := monitor.Host{Detail: out.text, Perf: perf(out.metrics)}
	return h, c.verdict(ran.Exit, out.text)
}

// The exit statuses of a plugin.
const (
	statusOK = iota
	statusWarning
	statusCritical
	statusUnknown
)

// verdict is what an exit status means for a host.
func (c *check) verdict(exit int, text string) error {
	if text == "" {
		text = "it printed nothing"
	}
	switch {
	case exit == statusOK:
		return nil
	case exit == statusWarning && !c.strict:
		return monitor.Warning(text)
	case exit == statusWarning, exit == statusCritical:
		return errors.New(text)
	case exit == statusUnknown:
		return monitor.Fault(fmt.Errorf("%s says that it does not know: %s", c.name, text))
	}
	return monitor.Fault(fmt.Errorf("%s exited %d, which means nothing: %s", c.name, exit, text))
}

// unfinished is the error of a plugin that came to no exit status.
func unfinished(ran monitor.Result, path string) error {
	switch ran.Cause {
	case monitor.TimedOut:
		return monitor.Late("run " + path + "; it was stopped")
	case monitor.NotRun:
		return fmt.Errorf("run %s: %w", path, context.Canceled)
	case monitor.Killed:
		return monitor.Fault(fmt.Errorf("%s was %s", path, ran.Summary))
	}
	return monitor.Fault(errors.New(ran.Summary))
}

const (
	maxLong = 4 << 10  // bytes of one host's further lines
	maxAll  = 64 << 10 // bytes of those of all
)

// keep keeps the further lines of a host's text.
func (c *check) keep(host, long string) {
	if long == "" {
		return
	}
	if len(long) > maxLong {
		long = strings.ToValidUTF8(long[:maxLong], "") + "...\n"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.texts == nil {
		c.texts = map[string]string{}
	}
	c.texts[host] = long
}

// long is what plugins had to say in further lines.
func (c *check) long(hosts []string) string {
	c.mu.Lock() // nobody else is left, but for a panic
	defer c.mu.Unlock()
	var b strings.Builder
	for _, host := range hosts {
		text, ok := c.texts[host]
		if !ok || b.Len()+len(text) > maxAll {
			continue
		}
		b.WriteString("\n" + host + ":\n")
		for line := range strings.Lines(text) {
			b.WriteString("  " + strings.TrimRight(line, "\n") + "\n")
		}
	}
	return b.String()
}
