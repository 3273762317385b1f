package line

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/plugins/alert"
)

// test tries a monitor, the alerts of a period or the configuration.
func test(c *session, args string) {
	word, rest := cut(args)
	switch word {
	case "monitor":
		testMonitor(c, rest)
	case "config":
		testConfig(c)
	default:
		kind := kindOf(word)
		if kind == alert.Unset {
			c.out.status("520 test error")
			return
		}
		testAlert(c, kind, rest)
	}
}

// kindOf is the kind of alert line that is tried, or Unset.
func kindOf(word string) alert.Kind {
	switch word {
	case "alert":
		return alert.Failure
	case "upalert":
		return alert.Up
	case "startupalert":
		return alert.Startup
	case "ackalert":
		return alert.Ack
	case "disablealert":
		return alert.Disable
	}
	return alert.Unset
}

// testMonitor makes a service due. A service that is not there is said so in a
// line of data, as mon does.
func testMonitor(c *session, args string) {
	const done = "220 test monitor completed"
	group, service, _ := cut3(args)
	r := c.row(group, service)
	if r == nil {
		c.out.text(group).text(" ").text(service).text(" not defined").end()
		c.out.status(done)
		return
	}
	c.answerTo(c.ask(func(ctx context.Context) error { return c.opt.Controller.TestMonitor(ctx, r.Key) }), done, done)
}

// testAlert takes GROUP SERVICE EXITSTATUS PERIOD; the period may have blanks.
func testAlert(c *session, kind alert.Kind, args string) {
	group, service, rest := cut3(args)
	unknown := "520 " + group + " " + service + " not defined"
	r := c.row(group, service)
	if r == nil {
		c.out.status(unknown)
		return
	}
	exit, name := cut(rest)
	name = trim(name)
	if !slices.ContainsFunc(configOf(r).Periods, func(p config.Period) bool { return p.Name == name }) {
		c.out.status("520 period not defined")
		return
	}
	test := steer.AlertTest{On: kind, Period: name, Exit: new(exitStatus(exit))}
	err := c.ask(func(ctx context.Context) error { return c.opt.Controller.TestAlert(ctx, r.Key, test) })
	if errors.Is(err, steer.ErrNoLines) { // nothing to call is nothing wrong, as under mon
		err = nil
	}
	c.answerTo(err, "220 test alert completed", unknown)
}

// exitStatus is the number that a word begins with, 0 without one.
func exitStatus(word string) int {
	end := strings.IndexFunc(word, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(word)
	}
	n, err := strconv.ParseUint(word[:end], 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}

// testConfig reads the configuration; what is wrong with it is data.
func testConfig(c *session) {
	err := c.ask(c.opt.Controller.CheckConfig)
	if err == nil {
		c.out.status("220 test config completed OK, no errors found")
		return
	}
	for text := range strings.Lines(err.Error()) {
		if text = strings.TrimRight(text, ends); text != "" {
			c.out.text(text).end()
		}
	}
	c.out.status("520 test config completed, errors found in config file")
}
