package line

import (
	"context"
	"slices"
	"strconv"

	"github.com/mondhq/mond/engine/steer"
)

func stop(c *session, _ string) {
	err := c.ask(func(ctx context.Context) error { return c.opt.Controller.StopScheduler(ctx, c.user, "") })
	c.answerTo(err, "220 stop completed"+c.rolesStay(), "")
}

// rolesStay says, where there is a pair of directors, that a command has not
// moved an address: under heartbeat a stop of mon did. Clients look at the number.
func (c *session) rolesStay() string {
	if len(c.opt.Board.Roles()) == 0 {
		return ""
	}
	return "; addresses stay where they are (monctl failover moves them)"
}

func start(c *session, _ string) {
	err := c.ask(func(ctx context.Context) error { return c.opt.Controller.StartScheduler(ctx, c.user) })
	c.answerTo(err, "220 start completed", "")
}

// reload reads the files of users and passwords again; "auth" may be left out.
func reload(c *session, args string) {
	if what := trim(args); what != "auth" && what != "" {
		c.out.status("520 unknown reload command")
		return
	}
	if err := c.ask(c.opt.ReloadAuth); err != nil {
		c.opt.Log.Error("the files of users were not read again", "err", err)
		c.out.text("520 reload failed, ").status(err.Error())
		return
	}
	c.out.status("220 reload completed")
}

// reset reads the configuration again. What is wrong with it is in the log and
// in `test config`.
func reset(c *session, args string) {
	words := fields(args)
	how := steer.ResetHow{Stopped: slices.Contains(words, "stopped"), KeepState: slices.Contains(words, "keepstate")}
	err := c.ask(func(ctx context.Context) error { return c.opt.Controller.Reset(ctx, how, c.user) })
	who := "reset PID " + strconv.Itoa(c.opt.Board.Daemon().PID) + "@" + c.opt.Hostname
	if err != nil {
		c.opt.Log.Error("reset refused", "user", c.user, "err", err)
		c.out.text("520 ").text(who).status(" failed, error in config file")
		return
	}
	c.out.text("220 ").status(who + c.rolesStay())
}

// stateOf reads which state files are meant; words that mean none are passed
// over.
func stateOf(args string) (what steer.MonState, some bool) {
	for _, w := range fields(args) {
		all := w == "all"
		what.Disabled = what.Disabled || all || w == "disabled"
		what.OpStatus = what.OpStatus || all || w == "opstatus"
	}
	return what, what != steer.MonState{}
}

func saveState(c *session, args string) {
	if trim(args) == "" {
		c.out.status("520 savestate error, arguments required")
		return
	}
	c.moveState(args, "savestate", c.opt.Controller.SaveState)
}

func loadState(c *session, args string) { c.moveState(args, "loadstate", c.opt.Controller.LoadState) }

func (c *session) moveState(args, word string, do func(context.Context, steer.MonState, string) error) {
	what, some := stateOf(args)
	if some {
		if err := c.ask(func(ctx context.Context) error { return do(ctx, what, c.user) }); err != nil {
			c.out.text("520 ").text(word).text(" error, ").status(err.Error())
			return
		}
	}
	c.out.text("220 ").text(word).status(" completed")
}

// term ends the daemon, once the client was told.
func term(c *session, _ string) {
	c.out.status("220 terminating server")
	c.over, c.then = true, c.opt.Terminate
}
