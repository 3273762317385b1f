package config

import (
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/depend"
	"github.com/mondhq/mond/plugins/role"
)

// Hash sums up what c means for both directors of a pair: services, how they are
// checked and who is told, virtual services, and the addresses that are held. It
// leaves out what may differ between the two: paths, ports, limits and logs (all
// of the globals), the host and the words of a monitor that elects, which name
// the other director and this machine's own links, and of lines that hold all
// but the group and its addresses (the priority and the names of interfaces). It
// does not depend on the language of the file.
func (c *Config) Hash() uint64 {
	h := fnv.New64a() // told to people as well; nobody gains by forging his own
	for _, s := range c.Services {
		s.sum(h)
	}
	for _, v := range c.Virtuals {
		put(h, "virtual", v.Name, v.Program, fmt.Sprintf("%+v", *v.Pool), v.Faults)
		sumRows(h, v.Rows)
		for i := range v.Members {
			m := &v.Members[i]
			put(h, "real", m.Name, m.Addr, m.Checks, m.Asks, m.Ask, len(m.Maintenance))
			for _, p := range m.Maintenance {
				put(h, p.String())
			}
			sumRows(h, m.Rows)
		}
	}
	return h.Sum64()
}

// put adds values, each apart from its neighbours. Maps are printed in order.
func put(h io.Writer, values ...any) {
	for _, v := range values {
		if s, ok := v.(string); ok { // as below, and sooner
			_, _ = io.WriteString(h, s)
			_, _ = h.Write([]byte{0})
			continue
		}
		_, _ = fmt.Fprintf(h, "%v\x00", v) // a hash takes everything
	}
}

func sumRows(h io.Writer, rows []VirtualRow) {
	for _, r := range rows {
		put(h, "row", strings.Join(r.Target, "\x01"), strings.Join(r.More, "\x01"))
	}
}

func (s *Service) sum(h io.Writer) {
	put(h, "service", s.Key, s.Settle, s.Timeout, s.AllowEmptyGroup, s.UnackSummary, s.NotifyAlways, s.TrapTimeout, s.TrapDuration, s.Asks, s.Faults)
	p := s.Plan
	put(h, p.Up, p.Suspect, p.Down, p.Skew, p.Text, s.Env)
	for _, e := range []*depend.Expr{s.Depend.Alert, s.Depend.Monitor, s.Depend.Host} {
		if e != nil {
			put(h, "depend", e.String())
		}
	}
	put(h, s.Depend.Behavior, s.Depend.Memory)
	if s.Exclude != nil {
		put(h, "exclude", s.Exclude.String())
	}
	if s.Elects {
		put(h, "elects", s.Monitor.Program)
	} else {
		put(h, strings.Join(s.Hosts, "\x01"))
		sumCommand(h, s.Monitor)
	}
	sumCommand(h, s.Redistribute)
	for i := range s.Periods {
		s.Periods[i].sum(h)
	}
	for _, l := range s.Holds {
		put(h, "hold", l.Group.Name, addressesOf(l.Group))
	}
}

func (p *Period) sum(h io.Writer) {
	put(h, "period", p.Name, p.When.String(), p.Every, p.After, p.UpAfter, p.Limit, p.Exit, p.NoComp, p.DontCount)
	for i := range p.Lines {
		put(h, p.Lines[i].On)
		sumCommand(h, &p.Lines[i].Command)
	}
}

func sumCommand(h io.Writer, c *Command) {
	if c != nil {
		put(h, "command", c.Program, strings.Join(c.Args, "\x01"), c.NoHosts, c.Exit)
	}
}

// addressesOf are the addresses of a group with their lengths, in the order of
// their text: the order of the line does not count.
func addressesOf(g role.Group) []string {
	all := make([]string, len(g.Addresses))
	for i, a := range g.Addresses {
		all[i] = a.Prefix.String()
	}
	slices.Sort(all)
	return all
}
