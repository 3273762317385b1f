// Package halink is halink.monitor: it reports what Linux-HA's heartbeat, running
// on this machine, knows of its nodes and of each link to them, as a service with
// alerts. heartbeat itself tells nobody when one of two links dies.
//
// The hostgroup names nodes as heartbeat does (or ping nodes, by address). It asks
// cl_status(1) of the heartbeat package, which speaks to heartbeat over its own
// socket: nothing is sent to the nodes. It does not take part in what heartbeat
// decides. A heartbeat that does not run here, or does not answer, is this
// machine's fault and no verdict on a node.
package halink

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/mondhq/mond/plugins/monitor"
)

// Name is the program's name in mon.cf.
const Name = "halink.monitor"

// Synopsis is what it does, in one sentence.
const Synopsis = "asks heartbeat whether its nodes, and every link to them, are alive"

// side is how many nodes are asked for side by side: heartbeat answers one
// client after the other.
const side = 4

// maxLinks is how many links of one node are looked at.
const maxLinks = 64

// New declares the options of halink.monitor.
func New(fs *flag.FlagSet) monitor.Monitor {
	m := &haMonitor{}
	fs.StringVar(&m.program, "cl-status", "/usr/bin/cl_status", "`FILE` of heartbeat's cl_status")
	fs.Func("link", "`NAME` of a link that must be there and alive, such as eth1; may be repeated, and then only these count (default: all there are)", func(s string) error {
		if s == "" || strings.ContainsAny(s, " \t\n") || slices.Contains(m.links, s) {
			return errors.New("say the name of one link, each once")
		}
		m.links = append(m.links, s)
		return nil
	})
	fs.BoolVar(&m.warn, "warn", false, "a dead link beside one that is alive is a warning, not a failure")
	fs.Func("holds", "`WHAT` of the resources this machine must hold: local, foreign, all or none", func(s string) error {
		if !slices.Contains([]string{"local", "foreign", "all", "none"}, s) {
			return errors.New("say local, foreign, all or none")
		}
		m.holds = s
		return nil
	})
	return m
}

// haMonitor is one halink.monitor line.
type haMonitor struct {
	program string
	links   []string
	warn    bool
	holds   string
}

// Validate judges the options together.
func (m *haMonitor) Validate() error {
	if !strings.HasPrefix(m.program, "/") {
		return fmt.Errorf("option --cl-status: %q is not a whole path", m.program)
	}
	return nil
}

// Check asks for each node.
func (m *haMonitor) Check(ctx context.Context, r monitor.Request) monitor.Result {
	holding, err := m.holding(ctx)
	each := monitor.EachHost{Parallel: side, One: func(ctx context.Context, node string) (string, error) {
		if err != nil {
			return "", err
		}
		detail, nodeErr := m.node(ctx, node)
		if m.holds != "" && nodeErr == nil && holding != m.holds {
			return detail, fmt.Errorf("this machine holds %s of the resources, and is to hold %s", holding, m.holds)
		}
		return strings.TrimSpace(detail + holdingText(holding)), nodeErr
	}}
	return each.Check(ctx, r)
}

func holdingText(holding string) string {
	if holding == "" {
		return ""
	}
	return "; this machine holds " + holding
}

// holding is what this machine holds, if it is asked for: rscstatus. In
// transition is said by heartbeat while resources move, and is not judged.
func (m *haMonitor) holding(ctx context.Context) (string, error) {
	if m.holds == "" {
		return "", nil
	}
	text, err := m.ask(ctx, "rscstatus")
	switch {
	case err != nil:
		return "", err
	case text == "transition":
		return m.holds, nil
	case !slices.Contains([]string{"local", "foreign", "all", "none"}, text):
		return "", monitor.Fault(fmt.Errorf("cl_status rscstatus says %.60q", text))
	}
	return text, nil
}

// node looks at one node and its links.
func (m *haMonitor) node(ctx context.Context, node string) (string, error) {
	status, err := m.ask(ctx, "nodestatus", node)
	if err != nil {
		return "", err
	}
	alive, known := nodeStates[status]
	if !known {
		return "", m.unknown(ctx, node, status)
	}
	links, err := m.linksOf(ctx, node)
	if err != nil {
		return "", err
	}
	dead, living, err := m.divide(ctx, node, links)
	if err != nil {
		return "", err
	}
	text := summary(status, dead, living)
	switch {
	case !alive:
		return "", errors.New("heartbeat says the node is " + text)
	case len(dead) == 0:
		return text, nil
	case m.warn && len(living) > 0:
		return "", monitor.Warning(text)
	}
	return "", errors.New(text)
}

// nodeStates are the words of nodestatus, and whether a node that is so is well.
// init and up are those of one that begins.
var nodeStates = map[string]bool{"active": true, "up": true, "init": true, "ping": true, "dead": false}

// unknown is the error for a node that heartbeat does not know: the configuration's
// mistake, not the node's.
func (m *haMonitor) unknown(ctx context.Context, node, said string) error {
	nodes, err := m.ask(ctx, "listnodes")
	if err != nil {
		return err
	}
	return monitor.Fault(fmt.Errorf("heartbeat knows no node %s (it says %.60q); it knows %s", node, said, strings.Join(strings.Fields(nodes), ", ")))
}

// linksOf are the links to look at.
func (m *haMonitor) linksOf(ctx context.Context, node string) ([]string, error) {
	text, err := m.ask(ctx, "listhblinks", node)
	if err != nil {
		return nil, err
	}
	there := strings.Fields(text)
	slices.Sort(there)
	if len(there) > maxLinks {
		return nil, monitor.Fault(fmt.Errorf("heartbeat says that %s has %d links; at most %d are looked at", node, len(there), maxLinks))
	}
	if len(m.links) == 0 {
		return there, nil
	}
	for _, want := range m.links {
		if !slices.Contains(there, want) {
			return nil, monitor.Fault(fmt.Errorf("heartbeat has no link %s to %s; it has %s", want, node, strings.Join(there, ", ")))
		}
	}
	return m.links, nil
}

// divide asks for each link.
func (m *haMonitor) divide(ctx context.Context, node string, links []string) (dead, living []string, err error) {
	for _, l := range links {
		state, err := m.ask(ctx, "hblinkstatus", node, l)
		switch {
		case err != nil:
			return nil, nil, err
		case state == "up":
			living = append(living, l)
		case state == "dead":
			dead = append(dead, l)
		default:
			return nil, nil, monitor.Fault(fmt.Errorf("cl_status says %.60q of the link %s to %s", state, l, node))
		}
	}
	return dead, living, nil
}

// summary is "active; eth1 dead, eth0 up".
func summary(status string, dead, living []string) string {
	var parts []string
	if len(dead) > 0 {
		parts = append(parts, strings.Join(dead, " ")+" dead")
	}
	if len(living) > 0 {
		parts = append(parts, strings.Join(living, " ")+" up")
	}
	if len(parts) == 0 {
		return status
	}
	return status + "; " + strings.Join(parts, ", ")
}
