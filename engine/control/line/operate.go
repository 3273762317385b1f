package line

import (
	"context"
	"errors"
	"io/fs"

	"github.com/mondhq/mond/engine/opstatus"
)

// answerTo ends a command that the daemon carried out or refused: done, or
// unknown (which may be empty) for a name that is not there, or the refusal in
// its own words.
func (c *session) answerTo(err error, done, unknown string) {
	switch {
	case err == nil:
		c.out.status(done)
	case unknown != "" && errors.Is(err, fs.ErrNotExist):
		c.out.status(unknown)
	default:
		c.out.text("520 ").status(err.Error())
	}
}

// ack acknowledges a failure; the comment is the first word, which may have
// quotes around it.
func ack(c *session, args string) {
	group, service, rest := cut3(args)
	r := c.row(group, service)
	switch {
	case !c.watched(group):
		c.out.status("520 unknown group")
		return
	case r == nil:
		c.out.status("520 unknown service")
		return
	case !r.State.Ackable():
		c.out.status("520 service is in a non-failure state")
		return
	}
	err := c.ask(func(ctx context.Context) error { return c.opt.Controller.Ack(ctx, r.Key, c.user, quoted(rest)) })
	c.answerTo(err, "220 ack completed", "520 unknown service")
}

func disable(c *session, args string) {
	word, rest := cut(args)
	switch word {
	case "watch":
		disableWatch(c, trim(rest))
	case "service":
		done, unknown := "220 disable service completed", "520 disable error, unknown service"
		group, service, _ := cut3(rest)
		done += c.roleStays(group, service)
		c.onService(rest, done, unknown, func(ctx context.Context, key opstatus.Key) error {
			return c.opt.Controller.DisableService(ctx, key, c.user, "")
		})
	case "host":
		disableHosts(c, fields(rest))
	default:
		c.out.status("520 command could not be executed")
	}
}

func enable(c *session, args string) {
	word, rest := cut(args)
	switch word {
	case "watch":
		enableWatch(c, trim(rest))
	case "service":
		done, unknown := "220 enable completed", "520 enable error, unknown group"
		c.onService(rest, done, unknown, func(ctx context.Context, key opstatus.Key) error {
			return c.opt.Controller.EnableService(ctx, key, c.user)
		})
	case "host":
		enableHosts(c, fields(rest))
	default:
		c.out.status("520 command could not be executed")
	}
}

// onService does something with the service that args name, and nothing else.
func (c *session) onService(args, done, unknown string, do func(context.Context, opstatus.Key) error) {
	group, service, more := cut3(args)
	r := c.row(group, service)
	if r == nil || more != "" {
		c.out.status(unknown)
		return
	}
	c.answerTo(c.ask(func(ctx context.Context) error { return do(ctx, r.Key) }), done, unknown)
}

// roleStays is rolesStay for what concerns a service that decides about
// directors; all services of the watch for service "".
func (c *session) roleStays(group, service string) string {
	for _, r := range c.opt.Board.Roles() {
		if r.Elector.Group == group && (service == "" || r.Elector.Service == service) {
			return c.rolesStay()
		}
	}
	return ""
}

func disableWatch(c *session, group string) {
	unknown := `520 disable error, unknown watch "` + group + `"`
	if !c.watched(group) {
		c.out.status(unknown)
		return
	}
	err := c.ask(func(ctx context.Context) error { return c.opt.Controller.DisableWatch(ctx, group, c.user, "") })
	c.answerTo(err, "220 disable watch completed"+c.roleStays(group, ""), unknown)
}

func enableWatch(c *session, group string) {
	const unknown = "520 enable error, unknown watch"
	if !c.watched(group) {
		c.out.status(unknown)
		return
	}
	err := c.ask(func(ctx context.Context) error { return c.opt.Controller.EnableWatch(ctx, group, c.user) })
	c.answerTo(err, "220 enable watch completed", unknown)
}

// clearTimers is `clear timers`, the word in any letters.
func clearTimers(c *session, args string) {
	word, rest := split(args)
	group, service, _ := cut3(rest)
	if word != "timers" || service == "" {
		c.out.status("520 unknown clear command")
		return
	}
	const unknown = "520 unknown group"
	r := c.row(group, service)
	if r == nil {
		c.out.status(unknown)
		return
	}
	err := c.ask(func(ctx context.Context) error { return c.opt.Controller.ClearTimers(ctx, r.Key, c.user) })
	c.answerTo(err, "220 clear timers completed", unknown)
}
