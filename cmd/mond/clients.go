package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/mondhq/mond/engine/auth"
	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/engine/control/line"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/trap"
)

// clients are those of mon: where they connect, where their traps arrive, and
// who may do what. What the configuration does not ask for is nil.
type clients struct {
	plain, secure net.Listener
	traps         *net.UDPConn
	auth          *auth.Auth
}

// anySet reports whether the file or the command line gave one of these.
func anySet(g config.Globals, names ...string) bool {
	for _, name := range names {
		if _, set := g.Set[name]; set {
			return true
		}
	}
	return false
}

// speaksMon reports whether mon's clients are served: a daemon that nobody
// told of them opens no port.
func speaksMon(g config.Globals) bool {
	return anySet(g, "authfile", "serverbind", "serverport", "tlsport")
}

// takesTraps reports whether traps are received.
func takesTraps(g config.Globals) bool { return speaksMon(g) || anySet(g, "trapbind", "trapport") }

// openClients opens the sockets while mond still may.
func (d *mond) openClients(ctx context.Context) (err error) {
	g := d.first
	if takesTraps(g) {
		if d.clients.traps, err = trap.Listen(ctx, g.TrapBind, g.TrapPort); err != nil {
			return fmt.Errorf("%w; set trapbind and trapport", err)
		}
	}
	if !speaksMon(g) {
		d.log.Info("mon's clients are not served: no authfile, serverbind or serverport is set")
		return nil
	}
	if d.clients.plain, err = listen(ctx, g.ServerBind, g.ServerPort); err != nil {
		return fmt.Errorf("open the port for mon's clients: %w; set serverbind and serverport", err)
	}
	if g.TLSPort == 0 {
		return nil
	}
	certificate, err := openCertificate(g.TLSCert, g.TLSKey, d.log)
	if err != nil {
		return err
	}
	l, err := listen(ctx, g.ServerBind, g.TLSPort)
	if err != nil {
		return fmt.Errorf("open the port for clients with TLS: %w; set serverbind and tlsport", err)
	}
	d.clients.secure = tls.NewListener(l, certificate.config())
	return nil
}

func listen(ctx context.Context, bind string, port int) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(bind, strconv.Itoa(port)))
}

// admit reads who may do what, as the user that mond is by now.
func (d *mond) admit(ctx context.Context) (err error) {
	if !takesTraps(d.first) {
		return nil
	}
	d.clients.auth, err = auth.New(ctx, d.authOptions(d.first))
	return err
}

func (d *mond) authOptions(g config.Globals) auth.Options {
	return auth.Options{
		AuthFile: g.AuthFile, UserFile: g.UserFile, AuthTypes: g.AuthType,
		PamService: g.PamService, AuthProgram: g.AuthProgram, Log: d.log,
	}
}

// reconfigureClients takes up what a configuration says of clients; sockets
// stay as they were opened.
func (d *mond) reconfigureClients(ctx context.Context, g config.Globals) {
	if d.clients.auth == nil {
		return
	}
	if err := d.clients.auth.Configure(ctx, d.authOptions(g)); err != nil {
		d.log.Error("who may do what stays as it was", "err", err)
	}
	f := d.first
	if g.ServerPort != f.ServerPort || g.ServerBind != f.ServerBind || g.TrapPort != f.TrapPort || g.TrapBind != f.TrapBind || g.TLSPort != f.TLSPort {
		d.log.Warn("addresses and ports for mon's clients change at the next start of mond")
	}
}

// serveClients serves mon's clients once there is something to see.
func (d *mond) serveClients(ctx context.Context, mon control.Mon, terminate func()) error {
	select {
	case <-ctx.Done():
		return nil
	case <-d.engine.Ready():
	}
	group, ctx := errgroup.WithContext(ctx)
	if c := d.clients.traps; c != nil {
		r := trap.New(trap.Options{Auth: d.clients.auth, Take: d.engine.Traps, Log: d.log})
		group.Go(func() error { return r.Serve(ctx, c) })
	}
	if d.clients.plain != nil {
		s, err := line.New(d.lineOptions(mon, terminate))
		if err != nil {
			return err
		}
		for _, l := range []net.Listener{d.clients.plain, d.clients.secure} {
			if l != nil {
				group.Go(func() error { return s.Serve(ctx, l) })
			}
		}
	}
	return group.Wait()
}

// lineOptions join mon's protocol to the parts.
func (d *mond) lineOptions(mon control.Mon, terminate func()) line.Options {
	host, _ := os.Hostname() // without one its name is empty
	board := d.engine.Board()
	return line.Options{
		Controller: mon, Board: board, Auth: d.clients.auth, ReloadAuth: d.clients.auth.Reload,
		Processes: d.processes, Terminate: terminate, Hostname: host, Log: d.log,
		DowntimeLog: func() (string, bool) {
			g := &board.Config().Globals
			return g.DtLogFile, g.DtLogging
		},
		Settings: func() line.Settings { return line.SettingsOf(&board.Config().Globals) },
	}
}

func (d *mond) processes() (all []steer.Process) {
	for _, p := range d.host.Processes() {
		all = append(all, steer.Process{Key: opstatus.Key{Group: p.Group, Service: p.Service}, PID: p.PID})
	}
	return all
}

// remote is the engine as operators reach it: what they do is told to
// monremote.
func (d *mond) remote() *control.Remote {
	board := d.engine.Board()
	return control.NewRemote(control.RemoteOptions{
		Mon: d.engine, Board: board, Log: d.log, Program: func() string { return board.Config().Globals.MonRemote },
	})
}

// loadState is what mon's -l names.
func (d *mond) loadState() steer.MonState {
	all := d.opt.loadState == "all"
	return steer.MonState{Disabled: all || d.opt.loadState == "disabled", OpStatus: all || d.opt.loadState == "opstatus"}
}

// close closes what serving has not.
func (c *clients) close() {
	for _, l := range []net.Listener{c.plain, c.secure} {
		if l != nil {
			_ = l.Close()
		}
	}
	if c.traps != nil {
		_ = c.traps.Close()
	}
}
