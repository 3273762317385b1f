package monstate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// monConfig has the services of the test; nothing is checked within an hour.
const monConfig = `hostgroup web w1 w2

watch web
    service http
        interval 1h
        monitor nothing.monitor
        period ALL: wd {Sun-Sat}
            alert nothing.alert
    service other
        interval 1h
        monitor nothing.monitor
        period
            alert nothing.alert

watch db
    service trap
        period
            alert nothing.alert
`

// mon itself loads what is written here, with text that it could not have
// written so that it reads it again.
func TestRealMonLoadsIt(t *testing.T) {
	now := time.Now().Unix()
	statuses := Encode([]Service{
		{
			Key: key("web", "http"), Status: 0, Last: 1, Exit: 3, Failures: 12, Alerts: 5, Consecutive: 4, LastSuccess: now - 100, LastFailure: now - 10,
			FirstFailure: now - 60, LastCheck: now - 11, Summary: `a=b \20 "c" 'd' ü`, Detail: "one\ttwo\n", Failed: "w1\n", Ack: now - 5, Comment: "ann: on = it",
			Periods: []Period{{Name: "ALL", LastAlert: now - 20, Sent: 2}},
		},
		{Key: key("db", "trap"), Status: 7, Last: 7, Exit: -1, Periods: []Period{{}}},
	})
	mon := daemons.Mon(t, daemons.Site{
		Config: monConfig, Args: []string{"-l", "all", "-S"},
		Files: map[string]string{
			"mon.d/nothing.monitor": "#!/bin/sh\n", "alert.d/nothing.alert": "#!/bin/sh\n", "state/opstatus": string(statuses),
			"state/disabled": string(Disabled{Hosts: []string{"w2"}, Watches: []string{"db"}, Services: nil}.Encode()),
		},
	}).Dial()
	ask := func(command string) []string {
		t.Helper()
		data, status := mon.Ask(command)
		if !strings.HasPrefix(status, "220 ") {
			t.Fatalf("%s: %s", command, status)
		}
		return data
	}
	disabled := ask("list disabled")
	slices.Sort(disabled)
	if want := []string{"group web: w2", "watch db"}; !slices.Equal(disabled, want) {
		t.Errorf("mon has disabled %q", disabled)
	}
	line := strings.Join(ask("list opstatus web,http"), "\n") + " "
	for _, want := range []string{
		"opstatus=0 ", "last_opstatus=1 ", "exitval=3 ", "alerts_sent=2 ", fmt.Sprintf("ack=%d ", now-5), `ackcomment=ann:\20on\20=\20it `,
		`last_summary=a=b\20\\20\20\22c\22\20\27d\27\20\c3\bc `, `last_detail=one\09two\0a `, fmt.Sprintf("last_failure=%d ", now-10),
		fmt.Sprintf("first_failure=%d ", now-60), fmt.Sprintf("last_alert=%d ", now-20), fmt.Sprintf("last_success=%d ", now-100), fmt.Sprintf("last_check=%d ", now-11),
	} {
		if !strings.Contains(line, want) {
			t.Errorf("no %q in what mon shows:\n%s", want, line)
		}
	}
	if got := ask("get web http _consec_failures"); !slices.Equal(got, []string{"web http _consec_failures='4'"}) {
		t.Errorf("%q", got)
	}
	if got := ask("list opstatus db,trap"); !strings.Contains(strings.Join(got, ""), "opstatus=7 last_opstatus=7 exitval=undef ") {
		t.Errorf("%q", got)
	}
}
