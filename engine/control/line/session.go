package line

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/mondhq/mond/engine/config"
)

// session is one client. Its goroutine alone touches it.
type session struct {
	*Server
	ctx  context.Context
	conn net.Conn
	from netip.Addr
	// name is the client's address, for people.
	name string
	set  Settings
	in   reader
	out  reply
	// user is who logged in; empty is nobody.
	user string
	// view is the name of the view that was selected; empty is none.
	view string
	// failed counts logins.
	failed int
	// over is set by the last command; then is what it asked for, after it
	// was answered.
	over bool
	then func()
}

func (s *Server) session(ctx context.Context, conn net.Conn, from netip.Addr, set Settings) *session {
	set.Timeout = max(set.Timeout, time.Second) // 0 would let nobody say anything
	c := &session{Server: s, ctx: ctx, conn: conn, from: from, name: nameOf(conn.RemoteAddr(), from), set: set}
	c.in = reader{from: conn, most: s.lim.line}
	c.out = reply{to: conn, patience: set.Timeout}
	return c
}

// run answers until the client leaves, is told to or has to.
func (c *session) run() {
	stop := context.AfterFunc(c.ctx, func() { _ = c.conn.Close() })
	defer stop()
	defer c.conn.Close()
	why := c.answer()
	if c.then != nil {
		c.then()
	}
	c.opt.Log.Debug("client left", "address", c.name, "user", c.user, "why", why)
}

// answer reads commands and answers them. What was said is sent before anybody
// waits for the next command, and at once if none has come yet: commands may
// be sent without waiting for answers.
func (c *session) answer() error {
	for !c.over {
		if !c.in.ready() {
			if err := c.out.idle(); err != nil {
				return err
			}
			_ = c.conn.SetReadDeadline(time.Now().Add(c.set.Timeout))
		}
		text, err := c.in.next()
		if errors.Is(err, errLong) {
			c.out.status("520 line too long")
			_ = c.out.flush()
		}
		if err != nil {
			return err
		}
		c.command(text)
		if c.out.err != nil {
			return c.out.err
		}
	}
	return c.out.flush()
}

// command answers one command.
func (c *session) command(text string) {
	word, args := split(text)
	cmd, known := c.commands[word]
	if !known || cmd.secret { // what is unknown may be a login with a typing error
		text = word
	}
	c.opt.Log.Info("client's command", "user", c.user, "address", c.name, "command", text[:min(len(text), longestLogged)])
	switch {
	case !known:
		c.out.status("520 invalid command")
	case !cmd.open && !c.opt.Auth.May(c.user, word):
		c.out.status(refused)
	default:
		cmd.do(c, args)
	}
}

// refused is mon's answer to a command that somebody may not use.
const refused = "520 command could not be executed, unknown command"

// longestLogged is how much of a command is logged.
const longestLogged = 256

// ask does something that the loop has to do, within a time.
func (c *session) ask(do func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(c.ctx, c.lim.call)
	defer cancel()
	return do(ctx)
}

// config is the configuration in force.
func (c *session) config() *config.Config { return c.opt.Board.Config() }
