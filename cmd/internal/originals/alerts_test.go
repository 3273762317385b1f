package originals

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// calls are all alerts, each with the words of its line. DIR among what they
// tell says which daemon called.
var calls = []struct {
	alert, words string
	// hosts are the group, web1 and web2 if empty.
	hosts string
	// mark is what its upalert leaves behind; nothing if it does nothing.
	mark string
	// why it does nothing, or not what it should.
	why string
}{
	{alert: "mail", words: "-f mon@example.test operator@example.test", mark: "Subject: UPALERT mail/check"},
	{alert: "netpage", words: "operator@example.test", mark: "Subject: UPALERT netpage/check"},
	{alert: "gnats", words: "-c net operator@example.test", mark: "Subject: UPALERT gnats/check"},
	{alert: "mailxmpp", words: "-m operator@example.test -x oncall@example.test", mark: "Subject: UPALERT mailxmpp/check"},
	{alert: "slackxmpp", words: "-x oncall@example.test", hosts: "http://127.0.0.1:8080/slack", mark: "UPALERT slackxmpp/check"},
	{alert: "file", words: "-d DIR/log file", mark: "up file check"},
	{alert: "test", words: "DIR", mark: "-g test -h web1 web2"},
	{alert: "trap", words: "-U trapper -P secret 127.0.0.1", mark: "grp='trap'\ngrp='trap'"},
	{alert: "ipvs", words: "-P tcp -V 192.0.2.80:80 -R 10.0.0.1:80 -W 5 -F dr", mark: "ipvsadm -a -t 192.0.2.80:80 -r 10.0.0.1:80 -w 5 -g"},
	{alert: "irc", words: "-S 127.0.0.1 -j -d", mark: "UPALERT"},
	{alert: "snpp", words: "5551234", mark: "MESS UPALERT"},
	{alert: "qpage", words: "-v 5551234", mark: "UPALERT qpage/check"},
	{alert: "sms", words: "5551234", mark: "UPALERT sms/check"},
	{alert: "winpopup", words: "operator", mark: "winpopup/check"},
	{alert: "snapdelete", mark: "rsh filer -l root snap delete vol0 nightly.0"},
	{alert: "bugzilla", words: "http://127.0.0.1:8080 u p product component reporter", why: "counts mon's own words among its six, and prints how it is used"},
	{alert: "hpov", words: "-o 42", why: "hands the shell a command of several lines"},
	{alert: "aim", words: "operator", why: "needs AOL::TOC, which Debian lacks, and AOL's network, which is gone"},
}

// alertSite is a configuration with a service for each alert; all fail while
// there is a file "down".
func alertSite(m *machine) daemons.Site {
	var b strings.Builder
	for _, c := range calls {
		hosts := c.hosts
		if hosts == "" {
			hosts = "web1 web2"
		}
		b.WriteString(callService(c.alert, hosts, strings.TrimSpace(c.alert+".alert "+c.words)))
	}
	return daemons.Site{
		Head:   map[string]string{"alertdir": alertDir},
		Config: b.String(),
		Env:    []string{"MAIL_CONFIG=" + m.mail.Config()},
		Files: map[string]string{
			"state/down":           "",
			"mon.d/switch.monitor": "#!/bin/sh\n[ -e DIR/state/down ] || exit 0\nprintf 'web1 DIR\\nfirst line\\n1.2GB free on filer:/vol/vol0/.snapshot\\n'\nexit 3\n",
		},
	}
}

// callService is a service that calls line when it fails and when it is up
// again.
func callService(group, hosts, line string) string {
	return fmt.Sprintf("hostgroup %s %s\n\nwatch %[1]s\n    service check\n        interval 2s\n        description the description\n        monitor switch.monitor\n"+
		"        period\n            alert %[3]s\n            upalert %[3]s\n            alertevery 1d\n\n", group, hosts, line)
}

func testAlerts(t *testing.T, m *machine) {
	s := alertSite(m)
	pair := []*daemons.Daemon{daemons.Mon(t, s), daemons.Mond(t, s)}
	await(t, m, pair, "failures", func(effects map[string]string) bool {
		all := fmt.Sprint(effects)
		return strings.Count(all, "ALERT") >= 10 && strings.Contains(all, "failure file check")
	})
	for _, d := range pair {
		must(t, os.Remove(d.Path("state/down")))
	}
	await(t, m, pair, "upalerts", func(effects map[string]string) bool { return unmarked(effects) == "" })
	theirs, ours := m.effects(t, pair[0]), m.effects(t, pair[1])
	// A program that has begun to do something may not have done all of it.
	for tries := 0; tries < 20 && !maps.Equal(theirs, ours); tries++ {
		time.Sleep(time.Second) // other processes have to move on
		theirs, ours = m.effects(t, pair[0]), m.effects(t, pair[1])
	}
	for how, a := range theirs {
		if diff := cmp.Diff(strings.Split(a, "\n"), strings.Split(ours[how], "\n")); diff != "" {
			t.Errorf("%s (-mon +mond):\n%s", how, diff)
		}
	}
	if none := unmarked(theirs); none != "" {
		t.Errorf("these did nothing: %s in %q", none, theirs)
	}
}

// await waits until the effects of each of the two daemons are there.
func await(t *testing.T, m *machine, pair []*daemons.Daemon, what string, there func(map[string]string) bool) {
	t.Helper()
	limit := time.Now().Add(patience)
	for _, d := range pair {
		for !there(m.effects(t, d)) {
			if time.Now().After(limit) {
				t.Errorf("waited in vain for %s: %q", what, m.effects(t, d))
				return
			}
			time.Sleep(time.Second) // other processes have to move on
		}
	}
}

// unmarked are the alerts of which there is no mark.
func unmarked(effects map[string]string) string {
	all, none := fmt.Sprint(effects), ""
	for _, c := range calls {
		if c.mark != "" && !strings.Contains(all, figures.ReplaceAllString(c.mark, "N")) {
			none += " " + c.alert
		}
	}
	return none
}

// effects is what the alerts of one daemon have done, by how it was done.
func (m *machine) effects(t *testing.T, d *daemons.Daemon) map[string]string {
	t.Helper()
	found := map[string]string{"file": d.Read("log/file")}
	records, err := filepath.Glob(d.Path("log/record*"))
	must(t, err)
	for _, r := range records {
		found["program"] += d.Read("log/"+filepath.Base(r)) + "\n"
	}
	if log, err := os.ReadFile("/var/log/mon/test.alert.log"); err == nil {
		found["test"] = string(log)
	}
	for _, told := range m.desk.Told() {
		how, text, _ := strings.Cut(told, ": ")
		if strings.Contains(text, filepath.Base(d.Dir)) {
			found[how] += text
		}
	}
	for _, mail := range m.mail.Mails(t, 0) {
		if !strings.Contains(mail.Header.Get("Subject"), d.Dir) {
			continue
		}
		body, err := io.ReadAll(mail.Body)
		must(t, err)
		for _, name := range []string{"From", "To", "Subject", "X-Mailer"} {
			found["mail"] += name + ": " + mail.Header.Get(name) + "\n"
		}
		found["mail"] += string(body)
	}
	for how, text := range found {
		if how == "test" {
			text = strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return !strings.Contains(line, d.Dir) }), "\n")
		}
		found[how] = sorted(unspaced(strings.ReplaceAll(text, d.Dir, "DIR")))
	}
	return found
}

// unspaced is text without blank lines: which of them is the last one depends
// on who came last.
func unspaced(text string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" }), "\n")
}

// TestNoAlertIsForgotten holds the table equal to what Debian ships.
func TestNoAlertIsForgotten(t *testing.T) {
	needMachine(t)
	var named []string
	for _, c := range calls {
		named = append(named, c.alert+".alert")
		if (c.mark == "") != (c.why != "") {
			t.Errorf("%s.alert: it leaves %q behind, and does nothing because it %s", c.alert, c.mark, c.why)
		}
	}
	slices.Sort(named)
	if have := list(t, alertDir, contribDir+"/alert.d"); !slices.Equal(named, have) {
		t.Errorf("the table has %q, Debian has %q", named, have)
	}
}
