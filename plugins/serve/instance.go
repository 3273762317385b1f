package serve

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/getopt"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc"
)

// maxInstances bounds how many lists of arguments are remembered. A list that
// is dropped is parsed again when it is named again; who uses it keeps it.
const maxInstances = 4096

// Shower is the optional method of a monitor or an alert that tells people
// what it knows; topic is a word of its own choosing, "" for all.
type Shower interface {
	Show(ctx context.Context, topic string) (string, error)
}

// instance is the monitor or alert of one list of arguments.
type instance struct {
	thing any
	rest  []string // operands among the arguments
	err   error    // why the arguments cannot be used; thing may be nil
}

// build parses args for a fresh monitor or alert.
func (p Plugin) build(args []string) (in *instance) {
	defer func() {
		if v := recover(); v != nil {
			in = &instance{err: fmt.Errorf("read the arguments of %s: panic: %v\n%s", p.name, v, debug.Stack())}
		}
	}()
	fs, thing := p.declare()
	rest, err := getopt.Parse(fs, args)
	if err != nil {
		return &instance{err: err}
	}
	if v, ok := thing.(monitor.Validator); ok {
		if err := v.Validate(); err != nil {
			return &instance{err: err}
		}
	}
	return &instance{thing: thing, rest: rest}
}

// Validate judges a list of arguments as the program would, without running
// it; none is well. It stops at the first problem.
func (p Plugin) Validate(args []string) []rpc.Problem {
	in := p.build(args)
	switch e, ok := errors.AsType[*getopt.Error](in.err); {
	case in.err == nil:
		return nil
	case ok:
		return []rpc.Problem{{Index: e.Index, Message: e.Error()}}
	case errors.Is(in.err, flag.ErrHelp):
		return []rpc.Problem{{Index: helpIndex(args), Message: "-h asks for help and is no option of " + p.name}}
	}
	return []rpc.Problem{{Index: -1, Message: in.err.Error()}}
}

func helpIndex(args []string) int {
	for i, a := range args {
		if strings.HasPrefix(a, "-") && strings.Contains(a, "h") {
			return i
		}
	}
	return -1
}

// instances makes one instance for every distinct list of arguments.
type instances struct {
	plugin Plugin

	mu    sync.Mutex
	byKey map[string]*instance
	order []string // keys, oldest first
}

func newInstances(p Plugin) *instances {
	return &instances{plugin: p, byKey: map[string]*instance{}}
}

// get returns the instance of args. Parsing happens under the lock: two of the
// same must not be made.
func (c *instances) get(args []string) *instance {
	key := strconv.Itoa(len(args)) + strings.Join(args, "\x00") // none is not one empty word
	c.mu.Lock()
	defer c.mu.Unlock()
	if in := c.byKey[key]; in != nil {
		return in
	}
	if len(c.order) == maxInstances {
		delete(c.byKey, c.order[0])
		c.order = append(c.order[:0], c.order[1:]...)
	}
	in := c.plugin.build(args)
	c.byKey[key] = in
	c.order = append(c.order, key)
	return in
}

// all are the instances that are remembered, oldest first.
func (c *instances) all() []*instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]*instance, 0, len(c.order))
	for _, key := range c.order {
		out = append(out, c.byKey[key])
	}
	return out
}

// monitor is the instance as a monitor, or why there is none.
func (in *instance) monitor() (monitor.Monitor, error) {
	if in.err != nil {
		return nil, in.err
	}
	m, ok := in.thing.(monitor.Monitor)
	if !ok {
		return nil, errors.New("this program is no monitor")
	}
	return m, nil
}

// alert is the instance as an alert, or why there is none.
func (in *instance) alert() (alert.Alert, error) {
	if in.err != nil {
		return nil, in.err
	}
	a, ok := in.thing.(alert.Alert)
	if !ok {
		return nil, errors.New("this program is no alert")
	}
	return a, nil
}
