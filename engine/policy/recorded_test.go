package policy

import (
	_ "embed"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/plugins/alert"
)

//go:embed testdata/recorded.tsv
var recorded string

// setup is what a recorded service was configured as.
type setup struct {
	periods []string
	edit    func(*config.Service)
	// events replaces the recorded failures in turn, where the log does not
	// tell their exit status or detail.
	events []string
	// dependsUntil is the second until which the dependency failed.
	dependsUntil int
}

func setups(t *testing.T) map[string]setup {
	redistribute := func(s *config.Service) { s.Redistribute = &config.Command{Program: "r"} }
	one := func(directives string) setup { return setup{periods: []string{pair + directives}} }
	return map[string]setup{
		"plain":               one(""),
		"firstfail":           one(""),
		"root":                one(""),
		"dontcount":           one(""),
		"traptmo":             one(""),
		"numalerts2":          one("numalerts 2"),
		"numalerts2_twolines": one("alert b; numalerts 2"),
		"startup_num1":        one("startupalert s; numalerts 1"),
		"after_3":             one("alertafter 3"),
		"after_5s":            one("alertafter 5s"),
		"after_3_20s":         one("alertafter 3 20s"),
		"after_every":         one("alertafter 3; alertevery 5s"),
		"every":               one("alertevery 5s"),
		"every_ignore":        one("alertevery 10s ignore_summary"),
		"every_strict":        one("alertevery 10s strict"),
		"nocomp":              one("no_comp_alerts; alertafter 3"),
		"noack_unack":         one("ackalert k"),
		"every_detail":        {periods: []string{pair + "alertevery 10s observe_detail"}, events: []string{"F:h1:a", "F:h1:a", "F:h1:b", "F:h1:b", "F:h1:a"}},
		"exitrange":           {periods: []string{pair + "alertexitrange 2-3"}, events: []string{"F", "F2", "F4"}},
		"exits": {periods: []string{"exit=1 alert one; exit=2-9 alert many; exit=0 upalert zero; exit=1 upalert no; upalert u"},
			events: []string{"F", "F2", "F9", "F10"}},
		"unack":         {periods: []string{pair + "ackalert k"}, edit: func(s *config.Service) { s.UnackSummary = true }},
		"two_periods":   {periods: []string{"alert b; alertevery 1h", pair}},
		"redist":        {periods: []string{pair}, edit: redistribute},
		"redist_nocomp": {periods: []string{pair + "no_comp_alerts"}, edit: redistribute},
		"depend_a":      {periods: []string{pair}, edit: func(s *config.Service) { behind(t, s) }, dependsUntil: 94},
	}
}

// The same events must lead to the same calls as under the real mon.
func TestAsRecorded(t *testing.T) {
	all := setups(t)
	got, want := map[string][]string{}, map[string][]string{}
	worlds := map[string]*world{}
	for row := range strings.Lines(recorded) {
		if row[0] == '#' {
			continue
		}
		f := strings.Fields(row)
		name, second, event := f[0], number(t, f[1]), f[2]
		set, ok := all[name]
		if !ok {
			t.Fatalf("no setup for %s", name)
		}
		if worlds[name] == nil {
			worlds[name] = set.world(t)
		}
		if n := len(set.events); n > 0 && event[0] == 'F' {
			event, set.events = set.events[0], set.events[1:]
			all[name] = set
		}
		w := worlds[name]
		w.now, w.dependOK = noon.Add(time.Duration(second)*time.Second), second >= set.dependsUntil
		want[name] = append(want[name], strings.Join(f[1:], " "))
		got[name] = append(got[name], f[1]+" "+f[2]+" "+periodCalls(w.event(t, eventOf(t, event)).Decisions))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("not as recorded (-mon +mond):\n%s", d)
	}
	if len(worlds) != len(all) {
		t.Errorf("%d services recorded, %d set up", len(worlds), len(all))
	}
}

func (s setup) world(t *testing.T) *world {
	svc := service(t, s.periods...)
	if s.edit != nil {
		s.edit(svc)
	}
	return newWorld(svc)
}

// periodCalls leaves redistribute out, which mon does not log.
func periodCalls(decisions []Decision) string {
	var of []Decision
	for _, d := range decisions {
		if d.Reason != Redistributed && d.Kind != alert.Unset {
			of = append(of, d)
		}
	}
	return letters(of)
}
