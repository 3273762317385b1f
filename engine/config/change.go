package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/period"
)

// A configuration never changes; these make another one that differs in one
// thing and shares all else. They are for what operators change until the file
// is read again.

// HasDirective reports whether a service may have a directive of that name
// with one value.
func HasDirective(name string) bool { return directive(name) != nil }

// directive is the keyword of a service that may be changed, or nil.
func directive(name string) *Keyword {
	words := serviceWords()
	i := slices.IndexFunc(words, func(k Keyword) bool { return k.Name == name })
	if i < 0 || words[i].Form == FormRecord || words[i].Gated {
		return nil
	}
	return &words[i]
}

// With is c with one directive of a service given anew, as a line of the file
// would; now is the time that calendars are checked at. A time without a unit
// is in seconds, as mon's clients have it; an empty value takes the directive
// out. Programs are not looked for.
func (c *Config) With(key opstatus.Key, name, value string, now time.Time) (*Config, error) {
	k, old := directive(name), c.Service(key)
	if k == nil || old == nil {
		return nil, fmt.Errorf("change %s of %s: there is no such directive, or no such service", name, key)
	}
	if name == "weight_from" && old.Origin != "" {
		return nil, fmt.Errorf("change weight_from of %s: the weights of virtual %s follow from it: change the file", key, old.Origin)
	}
	value = strings.Trim(value, blanks)
	if strings.ContainsAny(value, "\n\r\x00") {
		return nil, errors.New("a value stands on one line")
	}
	if k.Form == FormTime && value != "" && strings.Trim(value, "0123456789.") == "" {
		value += "s"
	}
	r := changer(c, now)
	st := &Statement{Kind: KindService, Pos: Pos{File: "operator"}, Name: name, Text: value}
	d := r.draftOf(old, st)
	d.clear(name)
	if applies(k, value) {
		k.apply(r, st)
	}
	r.settle(d, st)
	if i := slices.IndexFunc(r.diag.kept, func(g Diagnostic) bool { return g.Severity == Error }); i >= 0 {
		return nil, refusal(r.diag.kept[i])
	}
	return c.replace(&d.Service), nil
}

// refusal is d for an operator, who knows what he wrote.
func refusal(d Diagnostic) error {
	if d.Hint == "" {
		return errors.New(d.Message)
	}
	return fmt.Errorf("%s (%s)", d.Message, d.Hint)
}

// applies reports whether a value gives the directive, rather than taking it
// out.
func applies(k *Keyword, value string) bool {
	switch k.Form {
	case FormFlag:
		return !slices.Contains([]string{"", "0", "no", "false", "off"}, strings.ToLower(value))
	default:
		return value != ""
	}
}

// changer is a resolver for one more line of c.
func changer(c *Config, now time.Time) *resolver {
	r := &resolver{
		o: Options{Now: now}, words: newIndex(true), c: &Config{Globals: c.Globals},
		byKey: make(map[opstatus.Key]*draft, len(c.Services)), specs: map[string]period.Spec{},
		byName: make(map[string]*groupDraft, len(c.Groups)),
	}
	for i := range c.Groups {
		r.byName[c.Groups[i].Name] = &groupDraft{Hostgroup: c.Groups[i]}
	}
	for _, s := range c.Services {
		d := &draft{Service: *s}
		r.drafts, r.byKey[s.Key] = append(r.drafts, d), d
	}
	return r
}

// draftOf makes the draft of s the one that is changed by st. Its lines with
// expressions are written anew, since dep_behavior may turn them round.
func (r *resolver) draftOf(s *Service, st *Statement) *draft {
	d := r.byKey[s.Key]
	d.st = st
	r.svc = d
	line := func(name, text string) *Statement {
		if text == "" {
			return nil
		}
		return &Statement{Kind: KindService, Pos: st.Pos, Name: name, Text: text}
	}
	dep := s.Depend
	d.depend = line("depend", dep.Depend.String())
	if dep.Depend == nil || dep.Behavior != DependAlert {
		d.alertDepend = line("alertdepend", dep.Alert.String())
	}
	if dep.Depend == nil || dep.Behavior != DependMonitor {
		d.monitorDepend = line("monitordepend", dep.Monitor.String())
	}
	if dep.Depend == nil || dep.Behavior != DependHost {
		d.hostDepend = line("hostdepend", dep.Host.String())
	}
	return d
}

// clear takes a directive out.
func (d *draft) clear(name string) {
	s := &d.Service
	switch name {
	case "description":
		s.Description = ""
	case "interval":
		s.Plan.Up = 0
	case "failure_interval":
		s.Plan.Down = 0
	case "suspect_interval":
		s.Plan.Suspect = 0
	case "schedule":
		s.Plan.Calendar, s.Plan.Text = nil, ""
	case "randskew":
		s.Plan.Skew = 0
	case "timeout":
		s.Timeout = 0
	case "rise":
		s.Settle.Rise = 1
	case "fall":
		s.Settle.Fall = 1
	case "monitor":
		s.Monitor = nil
	case "redistribute":
		s.Redistribute = nil
	case "allow_empty_group":
		s.AllowEmptyGroup = false
	case "unack_summary":
		s.UnackSummary = false
	case "notify":
		s.NotifyAlways = false
	case "exclude_hosts":
		s.ExcludeHosts = nil
	case "exclude_period":
		s.Exclude = nil
	case "traptimeout":
		s.TrapTimeout = 0
	case "trapduration":
		s.TrapDuration = 0
	case "local_fault":
		s.Faults = nil
	case "weight_from":
		s.Asks = WeightFrom{}
	default:
		d.clearDepend(name)
	}
}

func (d *draft) clearDepend(name string) {
	switch name {
	case "depend":
		d.depend = nil
	case "alertdepend":
		d.alertDepend = nil
	case "monitordepend":
		d.monitorDepend = nil
	case "hostdepend":
		d.hostDepend = nil
	case "dep_behavior":
		d.Depend.Behavior = DependAlert
	case "dep_memory":
		d.Depend.Memory = 0
	}
}

// settle works out what follows from other lines.
func (r *resolver) settle(d *draft, st *Statement) {
	if d.Timeout == 0 {
		d.Timeout = r.c.Globals.Timeout
	}
	if st.Name == "exclude_hosts" {
		d.Hosts = r.hostsOf(d, r.byName[d.Key.Group])
	}
	if !strings.Contains(st.Name, "depend") && st.Name != "dep_behavior" {
		return
	}
	memory := d.Depend.Memory
	d.Depend = Depends{Behavior: d.Depend.Behavior, Memory: memory}
	r.finishDepends(d)
	for _, other := range r.drafts {
		if other != d { // a circle is blamed on the line that closes it
			other.alertDepend, other.monitorDepend = st, st
		}
	}
	if d.alertDepend != nil {
		d.alertDepend = st
	}
	if d.monitorDepend != nil {
		d.monitorDepend = st
	}
	r.findLoops()
}

// replace is c with s for the service of that name.
func (c *Config) replace(s *Service) *Config {
	next := *c
	next.Services, next.byKey = slices.Clone(c.Services), maps.Clone(c.byKey)
	for i, old := range next.Services {
		if old.Key == s.Key {
			next.Services[i] = s
		}
	}
	next.byKey[s.Key] = s
	return &next
}

// WithHost is c with a host that the file disables ("*host") as any other one;
// c itself if the file disables it nowhere.
func (c *Config) WithHost(host string) *Config {
	if !slices.ContainsFunc(c.Groups, func(g Hostgroup) bool { return g.Disabled[host] }) {
		return c
	}
	next := *c
	next.Groups, next.byGroup = slices.Clone(c.Groups), make(map[string]*Hostgroup, len(c.Groups))
	for i := range next.Groups {
		g := &next.Groups[i]
		if g.Disabled[host] {
			g.Disabled = maps.Clone(g.Disabled)
			delete(g.Disabled, host)
		}
		next.byGroup[g.Name] = g
	}
	return &next
}
