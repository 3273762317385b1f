package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/control"
)

// What the verbs ask the daemon for, and how they end.
func TestVerbs(t *testing.T) {
	d := newDaemon(t)
	for _, tt := range []struct {
		line  string // words, separated by |
		code  int
		asked string
		says  string // on standard error
	}{
		{"ack|www2:http|on|it", 0, "ack www2:http: on it", ""},
		{"ack|www2,http|mon's way", 0, "ack www2:http: mon's way", ""},
		{"disable|www1:http", 0, "disable www1:http: ", ""},
		{"disable|www1:http|-n|new cable", 0, "disable www1:http: new cable", ""},
		{"disable|watch|www1|--note=x", 0, "disable watch www1: x", ""},
		{"disable|host|web1", 0, "disable host web1: ", ""},
		{"enable|www1:http", 0, "enable www1:http", ""},
		{"enable|watch|www1", 0, "enable watch www1", ""},
		{"enable|host|web1", 0, "enable host web1", ""},
		{"test|monitor|www1:http", 0, "test www1:http", ""},
		{"test|alert|www1:http|wd {Mon-Fri}", 0, `test alert www1:http failure "wd {Mon-Fri}"`, ""},
		{"test|alert|www1:http|p|--exit|0", 0, `test alert www1:http failure "p" exit 0`, ""},
		{"test|alert|www1:http|p|--kind|up", 0, `test alert www1:http up "p"`, ""},
		{"stop|-n|works", 0, "stop: works", ""},
		{"start", 0, "start", ""},
		{"reload", 0, "reload", ""},

		{"maint|www1|--for|2h|--note|new disk", 0, "order {What:maint Target:www1 End:false For:2h0m0s Deadline:0s Weight:0 User: Text:new disk}", ""},
		{"maint|shop/www1|--end", 0, "order {What:maint Target:shop/www1 End:true For:0s Deadline:0s Weight:0 User: Text:}", ""},
		{"drain|www1|--deadline|forever", 0, "order {What:drain Target:www1 End:false For:0s Deadline:-1ns Weight:0 User: Text:}", ""},
		{"drain|www1|--deadline|10m", 0, "order {What:drain Target:www1 End:false For:0s Deadline:10m0s Weight:0 User: Text:}", ""},
		{"weight|www1|7", 0, "order {What:weight Target:www1 End:false For:0s Deadline:0s Weight:7 User: Text:}", ""},
		{"weight|www1|--end", 0, "order {What:weight Target:www1 End:true For:0s Deadline:0s Weight:0 User: Text:}", ""},

		{"maint|gone", 1, "order {What:maint Target:gone End:false For:0s Deadline:0s Weight:0 User: Text:}", "monctl: it is gone"},
		{"virtual|gone", 1, "", "virtual service gone: no such name in the configuration; monctl virtual shows"},
		{"maint", 2, "", "want one TARGET"},
		{"maint|www1|--for|soon", 2, "", `--for "soon": want a time such as`},
		{"maint|www1|--for|0", 2, "", `--for "0": want a time such as`},
		{"maint|www1|--for|1h|--end", 2, "", "want one of them"},
		{"drain|www1|--deadline|never", 2, "", `--deadline "never": want a time such as`},
		{"drain|www1|--deadline|1h|--end", 2, "", "--deadline means nothing with --end"},
		{"weight|www1", 2, "", "want TARGET and a weight, or TARGET and --end"},
		{"weight|www1|7|--end", 2, "", "want TARGET and a weight, or TARGET and --end"},
		{"weight|www1|much", 2, "", `"much" is no weight`},
		{"virtual|a|b", 2, "", "want one NAME or none"},

		{"ack|gone:http|x", 1, "ack gone:http: x", "monctl: it is gone: file does not exist\n"},
		{"disable|watch|gone", 1, "disable watch gone: ", "gone"},
		{"disable|host|gone", 1, "disable host gone: ", "gone"},
		{"test|alert|www1:http|p|--kind|trap", 1, "", `kind of alert "trap": want one of`},
		{"why|gone:http", 1, "", "monctl: service gone:http: no such name in the configuration; monctl status --all shows all there are\n"},
		{"status|gone", 1, "", `monctl: no watch or service "gone"; monctl status --all shows all there are` + "\n"},
		{"status|www1|gone:http", 1, "", `no watch or service "gone:http"`},
		{"show|gone.alert|table", 1, "", "gone.alert does not run"},

		{"ack|www1:http", 2, "", "monctl: want GROUP:SERVICE and a comment\nusage: monctl ack GROUP:SERVICE COMMENT..."},
		{"ack|www1|x", 2, "", `"www1": want GROUP:SERVICE`},
		{"ack|:http|x", 2, "", "want GROUP:SERVICE"},
		{"why", 2, "", "want one GROUP:SERVICE"},
		{"why|a:b|c:d", 2, "", "want one GROUP:SERVICE"},
		{"disable", 2, "", "want GROUP:SERVICE, watch GROUP or host HOST"},
		{"disable|www1", 2, "", "want GROUP:SERVICE, watch GROUP or host HOST"},
		{"disable|watch|", 2, "", "want GROUP:SERVICE, watch GROUP or host HOST"},
		{"enable|wach|www1", 2, "", "want GROUP:SERVICE, watch GROUP or host HOST"},
		{"enable|www1:http|-n|x", 2, "", "unknown shorthand flag: 'n'"},
		{"test|alert|www1:http", 2, "", "want GROUP:SERVICE and PERIOD"},
		{"test|monitr|www1:http", 2, "", `no verb "monitr"; is it monitor?; monctl --help shows the verbs`},
		{"stop|now", 2, "", "want no words"},
		{"show|lvs.alert", 2, "", "want PROGRAM and TOPIC"},
		{"history|gone:http", 1, "", `no watch or service "gone:http", neither in the configuration nor in the history`},
		{"history|a|b", 2, "", "want one GROUP or GROUP:SERVICE at most"},
		{"history|--kind|alerts", 2, "", `--kind "alerts": want some of status, decision`},
		{"history|--since|yesterday", 2, "", `--since: "yesterday" is no time; write a time ago such as`},
		{"history|-n|-1", 2, "", "want a number"},
		{"history|-f|--until|1h", 2, "", "--follow goes on for ever"},
		{"history|--state|/nonexistent/mond.db", 1, "", "open state /nonexistent/mond.db: "},
		{"report|gone", 1, "", `no watch or service "gone", neither in the configuration nor in the history of that time`},
		{"report|--period|hr {25}", 2, "", `period: "hr {25}": `},
		{"report|--since|1h|--until|2h", 2, "", "it must be after the beginning"},
		{"report|--until|never", 2, "", `--until: "never" is no time`},
		{"statsu", 2, "", `no verb "statsu"; is it status?`},
		{"frobnicate", 2, "", `no verb "frobnicate"; monctl --help`},
		{"status|--frob", 2, "", "unknown flag: --frob\nusage: monctl status"},
		{"man", 2, "", "want mon.cf, mond.toml, or monctl DIR"},
		{"version|x", 2, "", "want no words"},
		{"check", 2, "", "want one FILE"},
		{"reload|--json", 2, "", "--json: reload has nothing to print as JSON"},
		{"test|monitor|www1:http|--json", 2, "", "--json: monitor has nothing to print as JSON"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			code, out, complaint := d.run(strings.Split(tt.line, "|")...)
			if code != tt.code || out != "" {
				t.Errorf("exit status %d, want %d; printed %q", code, tt.code, out)
			}
			if diff := cmp.Diff(tt.asked, d.script.asked()); diff != "" {
				t.Errorf("asked: %s", diff)
			}
			if !strings.Contains(complaint, tt.says) || (complaint == "") != (tt.code == 0) {
				t.Errorf("said %q, want %q", complaint, tt.says)
			}
		})
	}
}

func TestNoDaemon(t *testing.T) {
	for _, verb := range []string{"status", "why|a:b", "history", "history|a:b", "report", "reload", "show|a|b", "enable|host|x"} {
		code, out, complaint := monctl(append([]string{"--socket", "/nonexistent/sock"}, strings.Split(verb, "|")...)...)
		if code != 1 || out != "" || complaint != "monctl: no mond answers on /nonexistent/sock: start it, or name its socket with --socket\n" {
			t.Errorf("%s: %d %q %q", verb, code, out, complaint)
		}
	}
}

// Reading shows what the printing functions print; the rest is in TestPrint*.
func TestReadingVerbs(t *testing.T) {
	d := newDaemon(t)
	for line, want := range map[string]string{
		"status":               "database:tcp  ok, blind, disabled",
		"status|-f":            "www2:http     fail, acked",
		"status|mond:store":    "state is on disk",
		"status|--all":         "mond:store ",
		"why|database:tcp":     "killed: segmentation fault",
		"show|lvs.alert|table": "table:\n\\x1b]0;title\\aTCP 10.0.0.3:80\n",
		"version":              "monctl ",
		"history":              "fail -> ok",
		"history|www2":         "www2:http ",
		"report":               "www2:http ",
		"man|mon.cf":           ".TH",
		"":                     "Shows what mond sees, says why it acted or did not",
		"test":                 "check a service now, or try its alerts",
		"ack|--help":           "ack GROUP:SERVICE COMMENT...",
	} {
		code, out, complaint := d.run(strings.FieldsFunc(line, func(r rune) bool { return r == '|' })...)
		if code != 0 || complaint != "" || !strings.Contains(out, want) {
			t.Errorf("%s: exit status %d\n%s%s", line, code, out, complaint)
		}
	}
	if asked := d.script.asked(); asked != "" {
		t.Errorf("reading asked for %q", asked)
	}
}

func TestStatusJSON(t *testing.T) {
	d := newDaemon(t)
	for _, args := range [][]string{{"status", "--json"}, {"--json", "status"}, {"status", "--json", "-a"}} {
		code, out, complaint := d.run(args...)
		var got status
		if err := json.Unmarshal([]byte(out), &got); code != 0 || complaint != "" || err != nil {
			t.Fatalf("%d %q %v", code, complaint, err)
		}
		if got.Daemon.PID != 4711 || got.Services[1].Summary != "web3" || got.Services[1].Ack.User != "ann" {
			t.Errorf("%+v", got)
		}
	}
	// Nothing is an empty list, for those who loop over it.
	if _, out, _ := d.run("status", "--json", "-f", "www1"); !strings.Contains(out, `"services": []`) {
		t.Error(out)
	}
}

func TestWhyJSON(t *testing.T) {
	d := newDaemon(t)
	code, out, _ := d.run("why", "www2:http", "--json")
	var got control.Service
	if err := json.Unmarshal([]byte(out), &got); code != 0 || err != nil {
		t.Fatal(code, err)
	}
	if len(got.Decisions) != 3 || len(got.Claims) != 2 || got.Detail == "" {
		t.Errorf("%+v", got)
	}
}

func TestManPages(t *testing.T) {
	dir := t.TempDir()
	if code, _, complaint := monctl("man", "monctl", dir); code != 0 {
		t.Fatal(complaint)
	}
	for _, page := range []string{"monctl.1", "monctl-why.1", "monctl-test-alert.1"} {
		if text, err := os.ReadFile(filepath.Join(dir, page)); err != nil || !strings.Contains(string(text), ".TH") {
			t.Errorf("%s: %v", page, err)
		}
	}
	if code, _, complaint := monctl("man", "monctl", "/nonexistent"); code != 1 || !strings.Contains(complaint, "/nonexistent") {
		t.Errorf("%d %s", code, complaint)
	}
}

// completed is what the shell would offer after the words.
func (d *daemon) completed(words ...string) string {
	code, out, complaint := d.run(append([]string{"__completeNoDesc"}, words...)...)
	if code != 0 {
		d.t.Fatal(complaint)
	}
	names, ok := strings.CutSuffix(out, ":4\n") // no files
	if !ok {
		d.t.Errorf("%q offers files: %s", words, out)
	}
	return strings.Join(strings.Fields(names), " ")
}

func TestCompletion(t *testing.T) {
	const services = "www1:http www2:http database:tcp backup:trap mail:smtp mond:store mond:config"
	d := newDaemon(t)
	for _, tt := range []struct{ line, want string }{
		{"why|", services},
		{"why|www1:http|", ""},
		{"why|www", "www1:http www2:http"},
		{"ack|data", "database:tcp"},
		{"test|monitor|b", "backup:trap"},
		{"test|alert|mail", "mail:smtp"},
		{"test|alert|mail:smtp|p|--kind|", "failure up startup ack disable"},
		{"status|", "www1 www2 database backup mail mond " + services},
		{"status|www1|www2", "www2 www2:http"},
		{"disable|", services + " watch host"},
		{"disable|w", "www1:http www2:http watch"},
		{"disable|watch|m", "mail mond"},
		{"enable|host|", "web8 web9"},
		{"disable|x|", ""},
		{"disable|watch|mail|", ""},
		{"man|", "mon.cf mond.toml monctl"},
	} {
		if got := d.completed(strings.Split(tt.line, "|")...); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.line, got, tt.want)
		}
	}
	// Without a daemon the shell offers nothing and says nothing.
	gone := &daemon{t: t, socket: "/nonexistent/sock"}
	for _, line := range []string{"why|", "status|", "disable|watch|", "enable|host|"} {
		if got := gone.completed(strings.Split(line, "|")...); got != "" {
			t.Errorf("%s: %q", line, got)
		}
	}
}

// The help of a command that has verbs says once how it is used.
func TestUsageOnce(t *testing.T) {
	for _, words := range [][]string{nil, {"plugin"}, {"realserver"}, {"test"}} {
		var out strings.Builder
		if code := run(words, nil, &out, &out); code != 0 {
			t.Fatalf("%v: exit status %d: %s", words, code, &out)
		}
		_, usage, _ := strings.Cut(out.String(), "Usage:\n")
		usage, _, _ = strings.Cut(usage, "\n\n")
		if want := "  " + strings.Join(append([]string{"monctl"}, words...), " ") + " VERB"; usage != want {
			t.Errorf("usage is %q, want %q", usage, want)
		}
	}
}
