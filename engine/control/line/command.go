package line

import (
	"strconv"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/view"
)

// handler answers a command; args are its words but for the first, as they were
// sent. It writes lines of data and ends with one status line.
type handler func(c *session, args string)

// command is one command of the protocol.
type command struct {
	do handler
	// open commands are allowed whatever Auth says.
	open bool
	// secret arguments are not logged.
	secret bool
}

// commands are all commands, by their words in small letters.
func commands() map[string]command {
	return map[string]command{
		"quit":       {do: quit, open: true},
		"protid":     {do: protid, open: true},
		"version":    {do: version, open: true},
		"login":      {do: login, open: true, secret: true},
		"checkauth":  {do: checkAuth, open: true},
		"setview":    {do: setView, open: true},
		"getview":    {do: getView, open: true},
		"dump":       {do: dump, open: true},
		"servertime": {do: serverTime},
		"list":       {do: list},
		"get":        {do: get},
		"set":        {do: set},
		"ack":        {do: ack},
		"disable":    {do: disable},
		"enable":     {do: enable},
		"clear":      {do: clearTimers},
		"test":       {do: test},
		"reload":     {do: reload},
		"reset":      {do: reset},
		"stop":       {do: stop},
		"start":      {do: start},
		"savestate":  {do: saveState},
		"loadstate":  {do: loadState},
		"term":       {do: term},
	}
}

// lists are what `list` can list, by its word.
func lists() map[string]handler {
	return map[string]handler{
		"opstatus":     listOpstatus,
		"failures":     listFailures,
		"successes":    listSuccesses,
		"warnings":     listWarnings,
		"disabled":     listDisabled,
		"alerthist":    listAlerts,
		"failurehist":  listFailureHistory,
		"watch":        listWatch,
		"state":        listState,
		"pids":         listPIDs,
		"group":        listGroup,
		"descriptions": listDescriptions,
		"aliases":      listAliases,
		"aliasgroups":  listAliasGroups,
		"deps":         listDeps,
		"dtlog":        listDowntime,
		"views":        listViews,
	}
}

func list(c *session, args string) {
	word, rest := cut(args)
	if do := c.lists[word]; do != nil {
		do(c, rest)
		return
	}
	c.out.status("520 unknown list command")
}

// protocol is the number of mon's protocol, by which clients know it.
const protocol = 0x2611

func quit(c *session, _ string) {
	c.out.status("220 quitting")
	c.over = true
}

func protid(c *session, args string) {
	word, _ := cut(args)
	if n, err := strconv.Atoi(word); err != nil || n != protocol {
		c.out.status("520 protocol mismatch")
		return
	}
	c.out.status("220 protocol match")
}

func version(c *session, _ string) {
	c.out.text("version ").int(protocol).end()
	c.out.status("220 version completed")
}

// dump is refused, as mon refuses it without -d.
func dump(c *session, _ string) { c.out.status(refused) }

// row is the row of a service that clients may see, or nil.
func (c *session) row(group, service string) *view.Service {
	r := c.opt.Board.Service(opstatus.Key{Group: group, Service: service})
	if r == nil || r.Hidden {
		return nil
	}
	return r
}

// watched reports whether group is a watch that clients may see.
func (c *session) watched(group string) bool {
	for r := range c.opt.Board.Services() {
		if r.Key.Group == group && !r.Hidden {
			return true
		}
	}
	return false
}
