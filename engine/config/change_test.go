package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/opstatus"
)

const changeable = `
hostgroup g a b *c

watch g
    service s
        description one
        interval 1m
        failure_interval 10s
        monitor m.monitor -x ;;
        exclude_hosts b
        exclude_period hr {1}
        depend g:t
        hostdepend g:u
        period
            alert a.alert
    service t
        interval 1m
        monitor m.monitor
        alertdepend g:u
    service u
        interval 1m
        monitor m.monitor
`

var changed = opstatus.Key{Group: "g", Service: "s"}

// shown is what the tests look at of a service.
func shown(s *config.Service) string {
	words := []string{
		s.Description, s.Plan.Up.String(), s.Plan.Down.String(), s.Timeout.String(), strings.Join(s.Hosts, ","),
		"a(" + s.Depend.Alert.String() + ")", "m(" + s.Depend.Monitor.String() + ")", "h(" + s.Depend.Host.String() + ")", s.Depend.Behavior.String(),
	}
	if s.Monitor != nil {
		words = append(words, string(s.Monitor.Text))
	}
	if s.Exclude != nil {
		words = append(words, s.Exclude.String())
	}
	return strings.Join(words, " ")
}

func TestWith(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const before = "one 1m0s 10s 1m0s a,c a(g:t) m() h(g:u) a m.monitor -x ;; hr {1}"
	for _, tt := range []struct{ name, directive, value, want, err string }{
		{name: "seconds", directive: "interval", value: "7200", want: "one 2h0m0s 10s 1m0s a,c a(g:t) m() h(g:u) a m.monitor -x ;; hr {1}"},
		{name: "fractions", directive: "interval", value: " 1.5 ", want: "one 1.5s 10s 1m0s a,c a(g:t) m() h(g:u) a m.monitor -x ;; hr {1}"},
		{name: "a unit", directive: "failure_interval", value: "5m", want: "one 1m0s 5m0s 1m0s a,c a(g:t) m() h(g:u) a m.monitor -x ;; hr {1}"},
		{name: "none again", directive: "failure_interval", want: "one 1m0s 0s 1m0s a,c a(g:t) m() h(g:u) a m.monitor -x ;; hr {1}"},
		{name: "the default again", directive: "timeout", want: before},
		{name: "text", directive: "description", value: "two  words", want: "two  words 1m0s 10s 1m0s a,c a(g:t) m() h(g:u) a m.monitor -x ;; hr {1}"},
		{name: "hosts", directive: "exclude_hosts", value: "a c", want: "one 1m0s 10s 1m0s b a(g:t) m() h(g:u) a m.monitor -x ;; hr {1}"},
		{name: "no hosts", directive: "exclude_hosts", want: "one 1m0s 10s 1m0s a,b,c a(g:t) m() h(g:u) a m.monitor -x ;; hr {1}"},
		{name: "a monitor", directive: "monitor", value: "n.monitor 'a b'", want: "one 1m0s 10s 1m0s a,c a(g:t) m() h(g:u) a n.monitor 'a b' hr {1}"},
		{name: "no period", directive: "exclude_period", want: "one 1m0s 10s 1m0s a,c a(g:t) m() h(g:u) a m.monitor -x ;;"},
		{name: "what depend holds", directive: "dep_behavior", value: "m", want: "one 1m0s 10s 1m0s a,c a() m(g:t) h(g:u) m m.monitor -x ;; hr {1}"},
		{name: "no depend", directive: "depend", want: "one 1m0s 10s 1m0s a,c a() m() h(g:u) a m.monitor -x ;; hr {1}"},
		{name: "another depend", directive: "monitordepend", value: "SELF:u", want: "one 1m0s 10s 1m0s a,c a(g:t) m(g:u) h(g:u) a m.monitor -x ;; hr {1}"},
		{name: "no time", directive: "interval", value: "soon", err: `invalid time "soon" for interval`},
		{name: "too short", directive: "interval", value: "0", err: "too short for interval"},
		{name: "bad quotes", directive: "monitor", value: `m.monitor "x`, err: "quote"},
		{name: "bad period", directive: "exclude_period", value: "hr {99}", err: "invalid period"},
		{name: "no such service", directive: "depend", value: "g:v", err: "names an unknown service g:v"},
		{name: "two lines", directive: "description", value: "a\nb", err: "one line"},
		{name: "a record", directive: "period", value: "x", err: "no such directive"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := configtest.Parse(t, changeable)
			next, err := c.With(changed, tt.directive, tt.value, now)
			if got := shown(c.Service(changed)); got != before {
				t.Errorf("the first configuration changed: %s", got)
			}
			switch {
			case tt.err != "":
				if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "operator") {
					t.Errorf("%v, want %s", err, tt.err)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, shown(next.Service(changed))); d != "" {
				t.Error(d)
			}
			if next.Services[0] != next.Service(changed) || next.Services[1] != c.Services[1] {
				t.Error("other services are not shared")
			}
		})
	}
}

// What is changed twice keeps the first change.
func TestWithTwice(t *testing.T) {
	c, now := configtest.Parse(t, changeable), time.Now()
	for _, d := range [][2]string{{"allow_empty_group", "1"}, {"unack_summary", "y"}, {"randskew", "2"}, {"rise", "3"}, {"schedule", "@hourly"}} {
		var err error
		if c, err = c.With(changed, d[0], d[1], now); err != nil {
			t.Fatal(d, err)
		}
	}
	s := c.Service(changed)
	if !s.AllowEmptyGroup || !s.UnackSummary || s.Plan.Skew != 2*time.Second || s.Settle.Rise != 3 || s.Plan.Text != "@hourly" {
		t.Errorf("%+v", s)
	}
	for _, d := range [][2]string{{"allow_empty_group", "0"}, {"unack_summary", ""}, {"randskew", ""}, {"rise", ""}, {"schedule", ""}} {
		var err error
		if c, err = c.With(changed, d[0], d[1], now); err != nil {
			t.Fatal(d, err)
		}
	}
	s = c.Service(changed)
	if s.AllowEmptyGroup || s.UnackSummary || s.Plan.Skew != 0 || s.Settle.Rise != 1 || s.Plan.Calendar != nil {
		t.Errorf("%+v", s)
	}
}

// A circle of dependencies is refused here as in a file.
func TestWithACircle(t *testing.T) {
	c := configtest.Parse(t, changeable)
	_, err := c.With(opstatus.Key{Group: "g", Service: "u"}, "depend", "g:s", time.Now())
	if err == nil || !strings.Contains(err.Error(), "circle") {
		t.Error(err)
	}
}

// Every directive of a service that is no record can be changed, and taken out.
func TestEveryDirectiveCanBeTakenOut(t *testing.T) {
	c := configtest.Parse(t, changeable)
	for _, k := range config.Keywords() {
		if k.Scope != config.ScopeService || k.Form == config.FormRecord || k.Gated {
			continue
		}
		if !config.HasDirective(k.Name) {
			t.Errorf("%s cannot be changed", k.Name)
		}
		if _, err := c.With(changed, k.Name, "", time.Now()); err != nil {
			t.Errorf("%s cannot be taken out: %v", k.Name, err)
		}
	}
	if config.HasDirective("alertevery") || config.HasDirective("use") || config.HasDirective("histlength") {
		t.Error("what is no directive of a service can be changed")
	}
}

func TestWithHost(t *testing.T) {
	c := configtest.Parse(t, changeable)
	if c.WithHost("a") != c {
		t.Error("a host that is not disabled makes a new configuration")
	}
	next := c.WithHost("c")
	if !c.Group("g").Disabled["c"] || next.Group("g").Disabled["c"] || next.Groups[0].Disabled["c"] {
		t.Errorf("%v, %v", c.Group("g").Disabled, next.Group("g").Disabled)
	}
}
