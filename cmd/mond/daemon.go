package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/cmd/internal/site"
	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/engine/faults"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/host"
	"github.com/mondhq/mond/plugins/procgroup"
)

// stopTime bounds a clean stop, plugins included.
const stopTime = 10 * time.Second

// mond is the running daemon: the parts and what joins them.
type mond struct {
	opt     options
	user    *account // to become; nil to stay
	places  site.Places
	stderr  io.Writer
	log     *slog.Logger
	spawner *procgroup.Spawner
	host    *host.Host
	engine  *engine.Engine
	store   *store.Store
	faults  *faults.Watcher
	socket  net.Listener
	clients clients
	first   config.Globals // of the configuration that mond was started with
	// current are those of the one in force, memory is what its reading left: the
	// engine loads one at a time.
	current config.Globals
	memory  site.Memory
}

// newDaemon builds everything that can fail before anything runs.
func newDaemon(ctx context.Context, o options, stderr io.Writer) (*mond, error) {
	user, err := findAccount(o.user)
	if err != nil {
		return nil, err
	}
	d := &mond{opt: o, user: user, places: site.Here(), stderr: stderr}
	read := d.configOptions()
	read.Memory = &d.memory.Config
	cfg, diags := config.Load(ctx, o.config, read)
	if diags.HasErrors() {
		return nil, d.refuse(diags)
	}
	d.places.Settle(&cfg.Globals)
	d.first, d.current = cfg.Globals, cfg.Globals
	if err := d.surroundings(); err != nil {
		return nil, err
	}
	if err := d.settle(ctx); err != nil {
		d.close()
		return nil, err
	}
	if err := d.build(ctx); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// surroundings sets up what mond logs to and where it keeps things.
func (d *mond) surroundings() (err error) {
	if isChild() {
		if err := detach(d.first.MonErrFile); err != nil {
			return err
		}
	}
	if d.log, err = newLogger(d.opt, d.first.SyslogFacility, d.stderr); err != nil {
		return err
	}
	if d.opt.sleep != 0 {
		d.log.Warn("-i is mon's and has no effect: mond wakes when something is due")
	}
	return nil
}

// settle makes the places that mond needs, which may take root, and then gives
// up what it does not need: nothing has run before.
func (d *mond) settle(ctx context.Context) (err error) {
	become := d.user != nil && os.Geteuid() == 0
	if become {
		if err := d.user.handOver(places(d.first, d.runDir(d.first)), d.first.PidFile); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(d.first.StateDir, 0o755); err != nil {
		return fmt.Errorf("make statedir: %w; name another with -D", err)
	}
	if d.socket, err = control.Listen(d.first.ControlSocket); err != nil {
		return err
	}
	if err := d.openClients(ctx); err != nil {
		return err
	}
	if become {
		if err := d.user.give(d.first.ControlSocket, unix.S_IFSOCK); err != nil {
			return err
		}
	}
	if err := lower(d.user, d.log); err != nil || d.user == nil {
		return err
	}
	return usable(d.first.StateDir, d.stateFile(), d.user)
}

// build opens the state, makes the parts and joins them.
func (d *mond) build(ctx context.Context) (err error) {
	if err := d.admit(ctx); err != nil {
		return err
	}
	if d.spawner, err = procgroup.New(); err != nil {
		return err
	}
	if d.host, err = host.New(d.hostOptions(d.first)); err != nil {
		return err
	}
	st, err := store.Open(store.Options{
		Path: d.stateFile(), Recover: true, Log: d.log, HistoryRows: d.first.HistoryRows, HistoryAge: d.first.HistoryKeep,
	})
	if err != nil {
		return err
	}
	d.store, d.faults = st, faults.New(d.log)
	d.engine, err = engine.New(engine.Options{
		Load: d.load, Runner: d.host, Lane: d.host, Sender: d.host, Store: st, Log: d.log, Version: version(),
		Stopped: d.opt.stopped, Forget: d.opt.forget, StopTime: stopTime, Check: d.check, Judge: d.judge,
		StateFiles: speaksMon(d.first), LoadState: d.loadState(), Faults: d.faults,
	})
	return err
}

func (d *mond) stateFile() string { return filepath.Join(d.first.StateDir, "mond.db") }

func (d *mond) configOptions() config.Options {
	o := config.Options{M4: d.opt.m4, Overrides: d.opt.overrides, Now: time.Now(), PluginDir: pluginDir()}
	_ = site.Speak(&o, d.opt.format) // the name was judged with the command line
	return o
}

// refuse shows whoever starts mond why the configuration cannot be used, as
// monctl check does.
func (d *mond) refuse(diags config.Diagnostics) error {
	_ = diags.Write(d.stderr) // there is nobody else to tell
	return reported{diags.Err()}
}

// up reports whether the start is over.
func (d *mond) up() bool {
	select {
	case <-d.engine.Ready():
		return true
	default:
		return false
	}
}

// load reads the configuration for the engine. Problems go to the log; those that
// prevent a start are shown to whoever starts mond, and to nobody twice.
func (d *mond) load(ctx context.Context) (engine.Loaded, error) {
	o := d.siteOptions(d.found)
	o.Memory = &d.memory
	loaded, diags, err := site.Load(ctx, o)
	if err != nil && diags.HasErrors() && !d.up() {
		return loaded, d.refuse(diags)
	}
	for _, g := range diags {
		level := slog.LevelWarn
		if g.Severity == config.Error {
			level = slog.LevelError
		}
		attrs := []any{"at", g.Pos.String()}
		if g.Hint != "" {
			attrs = append(attrs, "hint", g.Hint)
		}
		for _, use := range g.Pos.Uses() {
			attrs = append(attrs, "used_at", use.Pos.String())
		}
		d.log.Log(ctx, level, g.Message, attrs...)
	}
	if err == nil {
		d.current = loaded.Config.Globals
		d.reconfigureClients(ctx, d.current)
	} else {
		d.reconfigure(d.current) // what runs goes on by its own paths
	}
	return loaded, err
}

func (d *mond) siteOptions(found func(p host.Program)) site.Options {
	return site.Options{
		Path: d.opt.config, Config: d.configOptions(), Host: d.host, Places: d.places, Reconfigure: d.reconfigure, Found: found,
	}
}

// check reads the configuration as load does, for somebody who asks about it,
// and changes nothing.
func (d *mond) check(ctx context.Context) error {
	_, diags, err := site.Load(ctx, d.siteOptions(nil))
	d.reconfigure(d.current)
	if err == nil {
		return nil
	}
	var text strings.Builder
	if werr := diags.Write(&text); werr != nil {
		return werr
	}
	return errors.New(text.String())
}

// judge says whether a monitor can be run with these words.
func (d *mond) judge(ctx context.Context, c config.Command) error { return site.Judge(ctx, d.host, c) }

// found logs which program was taken for a name.
func (d *mond) found(p host.Program) {
	kind := "classic"
	if p.Resident {
		kind = "resident"
	}
	d.log.Info("program found", "name", p.Name, "path", p.Path, "runs", kind)
}

// reconfigure gives the host the paths of a configuration.
func (d *mond) reconfigure(g config.Globals) {
	d.host.Reconfigure(d.hostOptions(g))
}

func (d *mond) hostOptions(g config.Globals) host.Options {
	return host.Options{
		MonDirs: g.MonDir, AlertDirs: g.AlertDir, PluginDirs: g.PluginDir, PreferResident: g.PreferResident,
		RunDir: d.runDir(g), MaxProcs: g.MaxProcs, Grants: site.Grants(g.Grants, passable),
		StateDir: g.StateDir, LogDir: g.LogDir, CfBaseDir: g.CfBaseDir, Log: d.log, Spawner: d.spawner,
	}
}

// runDir is where sockets of plugins lie; a Unix socket's path must be short.
func (d *mond) runDir(g config.Globals) string {
	if d.opt.runDir != "" {
		return d.opt.runDir
	}
	return filepath.Join(filepath.Dir(g.ControlSocket), "plugins")
}

// run runs until ctx ends.
func (d *mond) run(ctx context.Context) error {
	defer d.close()
	remove, err := writePID(d.first.PidFile)
	if err != nil {
		return err
	}
	defer remove()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { defer cancel(); return d.engine.Run(ctx) })
	group.Go(func() error { return d.faults.Run(ctx) })
	remote := d.remote()
	group.Go(func() error { return remote.Run(ctx) })
	group.Go(func() error { return d.serve(ctx, remote) })
	group.Go(func() error { return d.serveClients(ctx, remote, cancel) })
	group.Go(func() error { d.hangups(ctx); return nil })
	group.Go(func() error { d.announce(ctx); return nil })
	return group.Wait()
}

// serve answers clients once there is something to see. Those that connect
// earlier wait: the socket is there before, made while mond still may.
func (d *mond) serve(ctx context.Context, mon control.Controller) error {
	select {
	case <-ctx.Done():
		return nil
	case <-d.engine.Ready():
	}
	s := control.New(control.Options{Controller: mon, Board: d.engine.Board(), Show: d.host.Show, History: d.store, Log: d.log})
	return s.Serve(ctx, d.socket)
}

// hangups reloads on HUP, one at a time.
func (d *mond) hangups(ctx context.Context) {
	hup := make(chan os.Signal, 1) // one waiting reload is as good as many
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			_ = d.engine.Reload(ctx) // the engine logs it and mond:config fails
		}
	}
}

// announce tells systemd, and the process that forked us, that mond is up,
// then feeds systemd's watchdog through the loop, so that a stuck loop is
// noticed.
func (d *mond) announce(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-d.engine.Ready():
	}
	d.log.Info("mond is up", "config", d.opt.config, "state", d.first.StateDir, "control", d.first.ControlSocket)
	reportStart(nil)
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady) // not under systemd: nothing to tell
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return
	}
	d.watchdog(ctx, every/2)
}

func (d *mond) watchdog(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if d.engine.Alive(ctx) {
				_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog)
			}
		}
	}
}

// close ends what newDaemon started, last first.
func (d *mond) close() {
	limit, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	if d.socket != nil {
		_ = d.socket.Close()
	}
	d.clients.close()
	if d.host != nil {
		d.host.Stop(limit)
	}
	if d.spawner != nil {
		d.spawner.Close()
	}
}
