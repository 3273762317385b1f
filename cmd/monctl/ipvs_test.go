package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/alerts/lvs/report"
)

// shownTable is the fake lvs.alert's table; name keeps one virtual service.
func shownTable(name string) report.Table {
	why := func(reason string, down bool, ago time.Duration) []report.Why {
		return []report.Why{{Claim: "www1:http lvs.alert", Reason: reason, Down: down, Since: noon.Add(-ago)}}
	}
	dr := func(weight, active, inactive uint32) *report.Real {
		return &report.Real{Weight: weight, Forward: "dr", Active: active, Inactive: inactive}
	}
	t := report.Table{
		Table: "kernel", Counts: report.Counts{Repaired: 1},
		Timeouts: &report.Timeouts{TCP: 900, UDP: 300, State: "agrees"},
		Services: []report.Service{
			{Virtual: "tcp 10.0.0.3:80", Name: "web", Want: "in", State: "differs", Scheduler: "rr", Actual: "-t 10.0.0.3:80 -s rr", Desired: "-t 10.0.0.3:80 -s wlc",
				Trouble: "claim \"virtual:web\": set virtual service tcp 10.0.0.3:80: no\nand another"},
			{Virtual: "tcp 10.0.0.4:443", State: "foreign", Scheduler: "wlc", Flags: []string{"persistent 360", "mask /24"}},
			{Virtual: "fwmark 7", Name: "marked", Want: "in", State: "standby", Role: "standby", Scheduler: "sh", Flags: []string{"sh-port"}},
		},
		Rows: []report.Row{
			{Virtual: "tcp 10.0.0.3:80", Real: "192.168.0.1:80", Want: "in", State: "agrees", Desired: dr(5, 0, 0), Actual: dr(5, 12, 340), Why: why("www1:http is good", false, 83*time.Minute)},
			{Virtual: "tcp 10.0.0.3:80", Real: "192.168.0.2:80", Want: "out", State: "agrees", Why: why("www2:http fails:\nconnection refused", true, 90*time.Second)},
			{Virtual: "tcp 10.0.0.3:80", Real: "192.168.0.3:80", Want: "in", State: "differs", Desired: dr(5, 0, 0), Why: why("", false, time.Hour)},
			{Virtual: "tcp 10.0.0.3:80", Real: "192.168.0.9:80", State: "foreign", Actual: &report.Real{Weight: 3, Forward: "nat", Upper: 9}},
			{Virtual: "tcp 10.0.0.4:443", Real: "[2001:db8::1]:443", Want: "hold", State: "held", Actual: &report.Real{Weight: 1, Forward: "tun", Tunnel: "gue:6080 csum"},
				Why: []report.Why{{Claim: "x", Provisional: true}}},
			{Virtual: "tcp 10.0.0.4:443", Real: "192.168.0.4:443", State: "left", Actual: dr(1, 0, 0)},
		},
	}
	if name != "" {
		t.Services, t.Rows = t.Services[1:2], t.Rows[4:]
	}
	return t
}

// ipvsShown is what the fake lvs.alert shows, the table in two parts.
func ipvsShown(topic string) (string, bool) {
	r := report.Report{Ready: true, Tables: []report.Table{shownTable("")}}
	t := &r.Tables[0]
	switch topic {
	case "table after 0":
		t.Services, t.Rows, r.More = t.Services[:1], t.Rows[:4], "1"
	case "table after 1":
		t.Services, t.Rows = t.Services[1:], t.Rows[4:]
	case "table after 0 10.0.0.4":
		*t = shownTable("10.0.0.4")
	case "table after 0 gone":
		*t = report.Table{Table: "kernel"}
	case "diff":
		return "ipvsadm -E -t 10.0.0.3:80 -s wlc\nipvsadm -a -t 10.0.0.3:80 -r 192.168.0.3:80 -g -w 5\n", true
	case "diff 10.0.0.4":
		return "", true
	default:
		return "", false
	}
	text, err := json.Marshal(r)
	return string(text), err == nil
}

func TestPrintTables(t *testing.T) {
	all := report.Report{Ready: true, Tables: []report.Table{shownTable(""), {Table: "kernel, network namespace blue", Trouble: "no such network namespace"}}}
	only := tables{diff: true}.only(report.Report{Ready: true, Tables: []report.Table{shownTable("")}})
	for name, c := range map[string]struct {
		r    report.Report
		diff bool
	}{
		"ipvs.txt":      {all, false},
		"ipvs-diff.txt": {only, true},
		"ipvs-none.txt": {report.Report{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := printTables(&b, c.r, c.diff, noon); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.String())
		})
	}
}

func TestIpvs(t *testing.T) {
	d := newDaemon(t)
	for _, tt := range []struct {
		line  string
		code  int
		shows string
		says  string
	}{
		{"ipvs", 1, "192.168.0.4:443", ""},
		{"ipvs|-d", 1, "192.168.0.3:80", ""},
		{"ipvs|10.0.0.4", 0, "tcp 10.0.0.4:443 wlc, persistent 360", ""},
		{"ipvs|--json", 1, `"real": "192.168.0.4:443"`, ""},
		{"ipvs|--dry-run", 1, "ipvsadm -E -t 10.0.0.3:80 -s wlc\n", ""},
		{"ipvs|-n|10.0.0.4", 0, "", ""},
		{"ipvs|gone", 1, "", `no virtual service "gone"; monctl ipvs shows all there are`},
		{"ipvs|-n|-d", 2, "", "--dry-run prints commands"},
		{"ipvs|-n|--json", 2, "", "--dry-run prints commands"},
	} {
		code, out, complaint := d.run(strings.Split(tt.line, "|")...)
		if code != tt.code || !strings.Contains(out, tt.shows) || !strings.Contains(complaint, tt.says) || tt.says == "" && complaint != "" {
			t.Errorf("%s: exit status %d, %s\n%s", tt.line, code, complaint, out)
		}
	}
}

// A table of many parts is asked for part by part and is one in the end.
func TestIpvsJoins(t *testing.T) {
	var all report.Report
	for i := range 3 {
		join(&all, report.Report{Ready: true, Tables: []report.Table{{Table: "kernel", Rows: []report.Row{{Real: fmt.Sprint(i)}}}}})
	}
	if len(all.Tables) != 1 || len(all.Tables[0].Rows) != 3 {
		t.Errorf("%+v", all)
	}
}
