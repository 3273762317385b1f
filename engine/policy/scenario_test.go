package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
)

const pair = "alert a; upalert u; "

func TestScenarios(t *testing.T) {
	for _, row := range []struct{ name, period, script, want string }{
		{"every failure", pair, "O F F O O F O", ". f f u . f u"},
		{"first ever", pair, "F O", "f u"},
		{"first success tells nobody", pair, "O", "."},
		{"warning is a success", pair, "F W W", "f u ."},
		{"time limit is a failure", pair, "L O", "f u"},
		{"blind tells nobody", pair, "F B B O B", "f . . u ."},
		{"no upalert line", "alert a", "F O F", "f . f"},
		{"two lines count once", "alert a; alert b; upalert u; numalerts 2", "F F F O", "ff ff . u"},

		{"numalerts", pair + "numalerts 2", "F F F F O F F F O", "f f . . u f f . u"},
		{"startupalert counts", pair + "startupalert s; numalerts 1", "S F F O F F O", "s . . u f . u"},
		{"startupalert is answered by an upalert", pair + "startupalert s; alertafter 9", "S F O F O", "s . u . ."},
		{"startupalert is forgotten at a success", pair + "startupalert s; alertafter 9", "S O F O", "s . . ."},
		{"startupalert starts alertevery", pair + "startupalert s; alertevery 1h strict", "S F", "s ."},

		{"alertafter N", pair + "alertafter 3", "F F O F F F F O", ". . . . . f f u"},
		{"alertafter TV", pair + "alertafter 30s", "F F F F F F O F O", ". . . . f f u . ."},
		{"alertafter N TV", pair + "alertafter 3 40s", "F F O F F F F", ". . . . . f f"},
		{"alertafter N TV: too sparse", pair + "alertafter 3 40s", "F +30s F +30s F +30s F F F F", ". . . . . . f"},
		{"alertafter N TV: the window ends", pair + "alertafter 2 30s", "F F F F F F F", ". f f f . f f"},
		{"alertafter N and TV", pair + "alertafter 3; alertafter 30s", "F F F F F F F", ". . . . . . f"},
		{"alertafter N TV puts TV out", pair + "alertafter 2 1m; alertafter 1h", "F F", ". f"},
		{"alertafter N and N TV", pair + "alertafter 2; alertafter 2 1m", "F F F", ". . f"},
		{"alertafter counts while acknowledged", pair + "alertafter 3", "F A F F", ". . . ."},
		{"alertafter counts while disabled", pair + "alertafter 3", "dis+ F F dis- F", ". . f"},

		{"alertevery", pair + "alertevery 30s", "F F F F F O F", "f . . f . u f"},
		{"alertevery and another summary", pair + "alertevery 1h", "F:a F:a F:b F:b F:a", "f . f . f"},
		{"alertevery: blanks count", pair + "alertevery 1h", "F:a_b F:a__b", "f f"},
		{"alertevery: the detail does not", pair + "alertevery 1h", "F:a:1 F:a:2", "f ."},
		{"alertevery observe_detail", pair + "alertevery 1h observe_detail", "F:a:1 F:a:1 F:a:2 F:a:2 F:a:1", "f . f . f"},
		{"alertevery ignore_summary", pair + "alertevery 30s ignore_summary", "F:a F:b F:c F:d O F:a", "f . . f u f"},
		{"alertevery strict lasts over a success", "alert a; alertevery 1m strict", "F:a F:b O F:c F F F", "f . . . . . f"},
		{"alertevery is over at a success", "alert a; alertevery 1m", "F F O F", "f . . f"},
		{"an upalert ends alertevery strict", pair + "alertevery 1m strict", "F F O F", "f . u f"},
		{"alertevery held back is not counted by alertafter", pair + "alertevery 1m; alertafter 2 15s", "F F F F F F F F F F", ". f . . . . . . f ."},
		{"alertevery and a clock set back", pair + "alertevery 1h", "F F -2h F F", "f . f ."},
		{"alertafter and a clock set back", pair + "alertafter 1m", "F -2h F +1m F F", ". . f f"},

		{"upalertafter", pair + "upalertafter 30s", "F O F F O F F F O", "f . f f . f f f u"},
		{"no_comp_alerts without an alert", pair + "no_comp_alerts; alertafter 3", "F O F O F F F O F O", ". u . . . . f u . ."},
		{"an upalert answers an alert", pair + "alertafter 3", "F O F O F F F O F O", ". . . . . . f u . ."},

		{"acknowledged", pair + "ackalert k", "F A F F O F", "f a . . u f"},
		{"acknowledged twice", pair + "ackalert k", "F A F A", "f a . a"},
		{"ackalert answers an alert", pair + "ackalert k; alertafter 9", "F A", ". ."},
		{"ackalert counts", pair + "ackalert k; numalerts 3", "F A F A F A F O", "f a . a . a . u"},
		{"nothing to acknowledge", pair + "ackalert k", "O A F", ". . f"},

		{"traps", pair, "T T3 TO TO T F O", "t t u . t f u"},
		{"traptimeout", pair, "X X TO", "x x u"},
		{"trapduration", pair, "T E E T", "t u . t"},
		{"traps and exits of lines", "exit=2-9 alert a; exit=1 alert b", "T T3 X", "t t x"},

		{"exit of lines", "exit=1 alert one; exit=2-9 alert many; exit=0 upalert u; exit=1 upalert no", "F F5 F12 O", "f f . u"},
		{"a line not called does not count", "exit=9 alert a; upalert u", "F O", ". ."},
		{"alertexitrange", pair + "alertexitrange 2-3", "F F2 F3 F4 O", ". f f . u"},
		{"alertexitrange and a time limit", pair + "alertexitrange 1", "L", "f"},

		{"disabled", pair + "disablealert d", "dis+ D F O dis- F O", "d . . f u"},
		{"disabled during an outage", pair, "F dis+ F O dis- F", "f . . f"},
		{"stopped", pair + "disablealert d; startupalert s", "stop+ S F D O stop- O F", ". . . . . f"},
		{"stopped during an outage", pair, "F stop+ O stop- F O", "f . f u"},

		{"outside the period", pair + "when hr {1pm-5pm}", "F +1h F F O", ". f f u"},
		{"the period ends", pair + "when hr {12pm-12pm}", "F +1h F O F", "f . . ."},
		{"the period ends, and begins again", pair + "when hr {12pm-12pm}", "F +1h F +23h O", "f . u"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := newWorld(service(t, row.period)).run(t, row.script)
			if d := cmp.Diff(row.want, strings.Join(got, " ")); d != "" {
				t.Errorf("%s\n%s", row.script, d)
			}
		})
	}
}

func TestServiceScenarios(t *testing.T) {
	for _, row := range []struct {
		name, period string
		edit         func(*config.Service)
		script, want string
	}{
		{"redistribute", pair + "alertafter 9", func(s *config.Service) { s.Redistribute = &config.Command{Program: "r", Args: []string{"x"}} },
			"S O F F O A D", "s u f f u . d"},
		{"redistribute passes disabling, acknowledgement, dependency", pair,
			func(s *config.Service) { s.Redistribute = &config.Command{Program: "r"} },
			"dis+ F dis- dep- F dep+ F A F stop+ F O", "f f ff a f . ."},
		{"redistribute and no_comp_alerts", pair + "no_comp_alerts", func(s *config.Service) { s.Redistribute = &config.Command{Program: "r"} },
			"O O F O O", "uu u ff uu u"},
		{"dependency", pair + "ackalert k; disablealert d", func(*config.Service) {},
			"dep- F A D F dep+ O F dep- O", ". . . . . f u"},
		{"dependency holds back alertafter TV, not N", pair + "alertafter 2; alertafter 15s", func(*config.Service) {},
			"dep- F F F dep+ F F F", ". . . . . f"},
		{"startup passes a dependency", "startupalert s", func(*config.Service) {}, "dep- S", "s"},
		{"unack_summary", pair, func(s *config.Service) { s.UnackSummary = true },
			"F:a_b A F:a_b F:ab F:c F:c O", "f . . . f f u"},
		{"unack_summary begins anew", pair + "alertafter 2; alertevery 1h", func(s *config.Service) { s.UnackSummary = true },
			"F F A F F:x F:x F:x O", ". f . . . f . u"},
		{"unack_summary keeps numalerts", pair + "numalerts 1", func(s *config.Service) { s.UnackSummary = true },
			"F A F:x O", "f . . u"},
		{"without unack_summary", pair, func(*config.Service) {}, "F A F:x F:y", "f . . ."},
		{"fall", pair, func(s *config.Service) { s.Settle = opstatus.Settings{Fall: 3} }, "O F F O F F F F O", ". . . . . . f f u"},
		{"rise", pair, func(s *config.Service) { s.Settle = opstatus.Settings{Rise: 2} }, "F O F O O", "f . f . u"},
		{"fall, then alertafter", pair + "alertafter 2", func(s *config.Service) { s.Settle = opstatus.Settings{Fall: 2} }, "O F F F", ". . . f"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := behind(t, service(t, row.period))
			row.edit(s)
			got := newWorld(s).run(t, row.script)
			if d := cmp.Diff(row.want, strings.Join(got, " ")); d != "" {
				t.Errorf("%s\n%s", row.script, d)
			}
		})
	}
}

// Periods are asked in the order of the file, each with its own memory.
func TestPeriodsOnTheirOwn(t *testing.T) {
	w := newWorld(service(t, pair+"numalerts 1", "alert b; upalert v; alertafter 2", "upalert w"))
	var got []string
	for _, word := range strings.Fields("F F F O") {
		for _, d := range w.event(t, eventOf(t, word)).Decisions {
			got = append(got, d.String())
		}
		w.now = w.now.Add(10 * time.Second)
	}
	want := []string{
		"failure: period p1: a: called",
		"failure: period p2: too few failures (1 of 2 failures)",
		"failure: period p3: no line",
		"failure: period p1: numalerts reached (1 of 1 sent)",
		"failure: period p2: b: called",
		"failure: period p3: no line",
		"failure: period p1: numalerts reached (1 of 1 sent)",
		"failure: period p2: b: called",
		"failure: period p3: no line",
		"up: period p1: u: called",
		"up: period p2: v: called",
		"up: period p3: no alert before",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
