package line

import (
	"context"
	"strconv"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/view"
)

const maxKeep = "maxkeep"

// get tells a variable of a service, or how much history is kept.
func get(c *session, args string) {
	if trim(args) == maxKeep {
		c.keep()
		return
	}
	group, service, name := cut3(args)
	r := c.named(group, service)
	if r == nil {
		return
	}
	name, value := trim(name), ""
	err := c.ask(func(ctx context.Context) (err error) {
		value, err = c.opt.Controller.Variable(ctx, r.Key, name)
		return err
	})
	if err == nil {
		c.assignment(r, name).escq(value).text("'").end()
	}
	c.answerTo(err, "220 get completed", "520 "+group+","+service+" not defined")
}

// named is the row of a service; one that is not there is answered.
func (c *session) named(group, service string) *view.Service {
	r := c.row(group, service)
	if r == nil {
		c.out.text("520 ").text(group).text(",").text(service).status(" not defined")
	}
	return r
}

// assignment begins "GROUP SERVICE NAME='".
func (c *session) assignment(r *view.Service, name string) *reply {
	return c.out.text(r.Key.Group).text(" ").text(r.Key.Service).text(" ").text(name).text("='")
}

// keep tells how many alerts and failures are remembered.
func (c *session) keep() {
	c.out.text("maxkeep = ").int(int64(c.opt.Controller.Keep())).end()
	c.out.status("220 set completed") // as mon says it, of get too
}

func set(c *session, args string) {
	group, service, rest := cut3(args)
	if n, err := strconv.ParseUint(service, 10, 31); group == maxKeep && err == nil {
		c.setKeep(int(n))
		return
	}
	if group == maxKeep && service == "" {
		c.keep() // Mon::Client's get_maxkeep
		return
	}
	if r := c.named(group, service); r != nil {
		name, value := cut(rest)
		c.setVariable(r, name, quoted(value))
	}
}

func (c *session) setKeep(n int) {
	err := c.ask(func(ctx context.Context) error { return c.opt.Controller.SetKeep(ctx, n, c.user) })
	c.answerTo(err, "220 set completed", "520 maxkeep, not defined")
}

// setVariable changes a variable of a service. Its status is set by its name.
func (c *session) setVariable(r *view.Service, name, value string) {
	status := name == "opstatus"
	if status {
		known, ok := statusOf(value)
		if !ok {
			c.out.status("520 undefined opstatus")
			return
		}
		name, value = "_op_status", strconv.Itoa(known.Number())
	}
	err := c.ask(func(ctx context.Context) error { return c.opt.Controller.SetVariable(ctx, r.Key, name, value, c.user) })
	if err == nil && !status {
		c.assignment(r, name).text(value).text("'").end()
	}
	c.answerTo(err, "220 set completed", "520 "+r.Key.Group+","+r.Key.Service+" not defined")
}

// statusOf is the status of that name, among those that mon lets clients set.
func statusOf(name string) (opstatus.Status, bool) {
	for _, s := range []opstatus.Status{
		opstatus.Fail, opstatus.OK, opstatus.Coldstart, opstatus.Warmstart, opstatus.Linkdown, opstatus.Unknown, opstatus.Timeout, opstatus.Untested,
	} {
		if s.String() == name {
			return s, true
		}
	}
	return opstatus.Untested, false
}
