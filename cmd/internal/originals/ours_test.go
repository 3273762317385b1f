package originals

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// ourChecks are our monitors as programs of the real mon, with the options of
// mon's of the same name where there is one.
var ourChecks = []check{
	{monitor: "fping", words: "-r 1 -t 500 -s 400"},
	{monitor: "fping", words: "-r 1 -t 500", hosts: "127.0.0.1 " + nowhere, fails: true},
	{monitor: "fping", words: "-a -r 1 -t 500", hosts: "127.0.0.1 " + nowhere},
	{monitor: "ping", words: "-c 1"},
	{monitor: "ping", words: "-c 1", hosts: "127.0.0.1 " + nowhere, fails: true},
	{monitor: "tcp", words: "-p 80 -t 5"},
	{monitor: "tcp", words: "-p 80", fails: true},
	{monitor: "http", words: "-p 80 -t 9 -u / -a mon -m it.works -o"},
	{monitor: "http", words: "-u /broken", hosts: "127.0.0.1", fails: true},
	{monitor: "ftp", words: "-p 21 -t 9"},
	{monitor: "ftp", words: "-t 9", fails: true},
	{monitor: "smtp", words: "-p SMTP -t 9"},
	{monitor: "smtp", words: "-p REFUSING", hosts: "127.0.0.1", fails: true},
	{monitor: "udp", words: "-p 2000 -t 5 --answer"},
	{monitor: "udp", words: "-p 2000 -t 1 --answer", fails: true},
	{monitor: "dns", words: "--master 127.0.0.1 --zone example.test --timeout 5 --retry 2 --retransmit 1"},
	{monitor: "dns", words: "--master 127.0.0.1 --zone example.test --zone other.test --timeout 2 --retry 1", fails: true},
	{monitor: "dns", words: "--caching_only --query www.example.test:A:127.0.0.1 --timeout 5 --tcp", hosts: "127.0.0.9", fails: true},
	{monitor: "nagios", words: `--plugin check_tcp --args "-p 80"`},
	{monitor: "nagios", words: `--plugin check_tcp --args "-p 80"`, fails: true},
	{monitor: "knock", words: "-p 80"}, // the example in shell
	{monitor: "knock", words: "-p 80", fails: true},
	{monitor: "pyknock", words: "-p 80"}, // the one in Python
	{monitor: "pyknock", words: "-p 80", fails: true},
}

// testOurMonitors runs the plugins as programs of the real mon.
func testOurMonitors(t *testing.T, m *machine) {
	top, err := filepath.Abs("../../..")
	must(t, err)
	knock, err := os.ReadFile(filepath.Join(top, "etc/examples/python/knock.monitor"))
	must(t, err)
	s := site(m, ourChecks)
	// mon takes an "s" before the colon for a blank: hence the full stops
	s.Head["mondir"] = filepath.Join(daemons.Programs(t), "plugins") + "/.:" + filepath.Join(top, "etc/examples") + "/.:DIR/mon.d"
	s.Files = maps.Clone(s.Files)
	s.Files["mon.d/pyknock.monitor"] = string(knock)
	s.Env = []string{"PYTHONPATH=" + filepath.Join(top, "plugins/python")}
	s.Config = strings.Replace(s.Config, "randstart = 25s", "randstart = 8s", 1)
	mon := daemons.Mon(t, s)
	for limit := time.Now().Add(patience); !settled(judgedByMon(t, mon)) && time.Now().Before(limit); {
		time.Sleep(2 * time.Second) // mon answers once a second
	}
	for i, c := range ourChecks {
		v := judgedByMon(t, mon)[c.group(i)]
		if want := map[bool]string{false: "1", true: "0"}[c.fails]; v.status != want {
			t.Errorf("%s %s: want opstatus %s: %q", c.file(), c.words, want, v)
		}
		if bad := broken(c); c.fails && (v.summary != bad || !strings.HasPrefix(v.told, "exit ") || !strings.Contains(v.told, "\n"+bad+"\n")) {
			t.Errorf("%s %s: want the summary %q: %q", c.file(), c.words, bad, v)
		}
	}
}

// broken are the hosts of a check that fail.
func broken(c check) string {
	switch {
	case c.hosts != "":
		return strings.TrimPrefix(c.hosts, "127.0.0.1 ")
	case strings.Contains(c.words, "other.test"): // nobody has that zone
		return "127.0.0.1 127.0.0.9"
	}
	return "127.0.0.9"
}

// ourCalls are our alerts as programs of the real mon, and what a failure and
// the upalert after it leave behind.
var ourCalls = map[string]struct{ line, failure, up string }{
	"file":    {"file.alert -d DIR/log file", "ALERT file check", "UPALERT file check"},
	"exec":    {`exec.alert --shell "echo $MON_ALERTTYPE $MON_GROUP >>DIR/log/record"`, "failure exec", "up exec"},
	"mail":    {"mail.alert --server 127.0.0.1:SMTP --tls none -f mon@example.test operator@example.test", "Subject: ALERT mail/check", "Subject: UPALERT mail/check"},
	"sent":    {"mail.alert -f mon@example.test operator@example.test", "Subject: ALERT sent/check", "Subject: UPALERT sent/check"},
	"syslog":  {"syslog.alert --server 127.0.0.1:514", "ALERT syslog/check", "UPALERT syslog/check"},
	"trap":    {"trap.alert -U trapper -P secret 127.0.0.1", "grp='trap'", "grp='trap'\ngrp='trap'"},
	"webhook": {"webhook.alert http://127.0.0.1:8080/ours", `"kind":"failure"`, `"kind":"up"`},
	"lvs":     {"lvs.alert -P tcp -V 192.0.2.80:80 -R 10.0.0.1:80 -W 5 -F nat --table DIR/table", "-A -t 192.0.2.80:80", "-a -t 192.0.2.80:80 -r 10.0.0.1:80 -m -w 5"},
}

// testOurAlerts runs the plugins as alerts of the real mon.
func testOurAlerts(t *testing.T, m *machine) {
	s := alertSite(m)
	s.Head["alertdir"] = filepath.Join(daemons.Programs(t), "plugins")
	s.Files["table"] = "-A -t 192.0.2.80:80 -s wlc\n-a -t 192.0.2.80:80 -r 10.0.0.1:80 -m -w 5\n"
	var b strings.Builder
	for group, c := range ourCalls {
		b.WriteString(callService(group, "web1 web2", c.line))
	}
	s.Config = m.ports().Replace(b.String())
	mon := daemons.Mon(t, s)
	for _, up := range []bool{false, true} {
		if up {
			must(t, os.Remove(mon.Path("state/down")))
		}
		var without []string
		for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(time.Second) {
			if without = unseen(m.effects(t, mon), mon.Read("table"), up); len(without) == 0 {
				break
			}
		}
		if len(without) > 0 {
			t.Errorf("up: %v: nothing was seen of %v: %q, table %q", up, without, m.effects(t, mon), mon.Read("table"))
			return
		}
	}
}

// unseen are the alerts that left nothing behind.
func unseen(effects map[string]string, table string, up bool) (groups []string) {
	var all strings.Builder
	for _, text := range effects {
		all.WriteString(text + "\n")
	}
	for group, c := range ourCalls {
		mark, text := c.failure, all.String()
		if up {
			mark = c.up
		}
		if group == "lvs" {
			if out := !strings.Contains(table, ourCalls["lvs"].up); out == up || !strings.Contains(table, c.failure) {
				groups = append(groups, group)
			}
			continue
		}
		if !strings.Contains(text, mark) {
			groups = append(groups, group)
		}
	}
	return groups
}
