package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/mondhq/mond/engine/control"
)

// read is a file of the site; empty while it is not there.
func (s *testSite) read(name string) string {
	text, _ := os.ReadFile(s.path(name))
	return string(text)
}

// An outage, a kill -9 and a rotation of logs: history, report and mon's files
// tell of all of it, and the history also when the daemon has ended.
func TestHistoryOfALife(t *testing.T) {
	s, w := newSite(t), newWeb(t)
	s.makeTable(virtual)
	s.configure("dtlogging = yes\nhistoricfile = hist.log\nhistorykeep = 1d\nhistoryrows = 5000\n" + s.watch("www1", w.port(), virtual, real1, ""))
	s.start()
	s.status("www1", "http", "ok")
	w.down()
	s.status("www1", "http", "fail")
	w.up()
	s.status("www1", "http", "ok")
	s.until("the outage is in the downtime log", func() bool {
		return regexp.MustCompile(`(?m)^\d+ www1 http \d+ \d+ 0\.2 127\.0\.0\.1$`).MatchString(s.read("downtime.log"))
	})
	calls := s.read("hist.log")
	if !regexp.MustCompile(`(?s)^alert www1 http \d+ /\S+/lvs\.alert \(-P tcp .*\nupalert www1 http `).MatchString(calls) {
		t.Errorf("hist.log:\n%s", calls)
	}
	must(t, os.Rename(s.path("downtime.log"), s.path("downtime.log.1")))
	s.signal(syscall.SIGHUP)
	s.until("there is a new downtime log", func() bool { return strings.HasPrefix(s.read("downtime.log"), "#\n# downtime log start") })
	s.until("the reload is on disk", func() bool {
		out, _ := s.monctl("history", "--kind", "daemon")
		return strings.Contains(out, "reloaded")
	})

	s.signal(syscall.SIGKILL)
	_ = s.wait()
	s.start()
	s.tellsOfALife("--socket", s.path("sock"))
	s.stop()
	s.tellsOfALife("--state", s.path("mond.db"))
}

// tellsOfALife looks at history and report of TestHistoryOfALife.
func (s *testSite) tellsOfALife(from ...string) {
	s.t.Helper()
	out, err := s.monctl(append([]string{"history", "www1:http", "-n", "0"}, from...)...)
	at := 0
	for _, want := range []string{"daemon    started", "untested -> ok", "ok -> fail: 127.0.0.1", "fail -> ok", "daemon    reloaded", "daemon    died", "daemon    started"} {
		i := strings.Index(out[at:], want)
		if err != nil || i < 0 {
			s.t.Fatalf("history has no %q there: %v\n%s", want, err, out)
		}
		at += i
	}
	out, err = s.monctl(append([]string{"report", "www1", "--json", "--outages", "--since", "1h"}, from...)...)
	var r control.Report
	if jsonErr := json.Unmarshal([]byte(out), &r); err != nil || jsonErr != nil {
		s.t.Fatalf("%v %v %s", err, jsonErr, out)
	}
	v := r.Services[0]
	if diff := v.Up + v.Down + v.Unwatched - r.Seconds; v.Outages != 1 || v.Down <= 0 || v.Up <= 0 || v.Unwatched < 3000 || diff > 1e-6 || diff < -1e-6 {
		s.t.Errorf("%s", out)
	}
}
