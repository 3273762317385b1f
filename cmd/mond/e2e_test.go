package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

const (
	virtual = "127.0.0.1:18080"
	real1   = "127.0.0.1:18081"
)

func TestServerLeavesAndReturns(t *testing.T) {
	s, w := newSite(t), newWeb(t)
	s.makeTable(virtual)
	s.configure(s.watch("www1", w.port(), virtual, real1, ""))
	s.start()
	s.until("the real is in the table", func() bool { return s.in(real1) })
	w.down()
	s.until("the real has left", func() bool { return !s.in(real1) })
	w.up()
	s.until("the real is back", func() bool { return s.in(real1) })
	text, _ := os.ReadFile(s.tableFile())
	if !strings.Contains(string(text), "-w 5") {
		t.Errorf("the weight is lost:\n%s", text)
	}
	out, err := s.monctl("why", "www1:http")
	if err != nil || !strings.Contains(out, "lvs.alert") {
		t.Errorf("monctl why: %v\n%s", err, out)
	}
	s.stop()
	if !s.in(real1) {
		t.Error("a clean stop emptied the table")
	}
}

// A mail server that accepts and never answers: the table is edited in under
// 50 ms all the same.
func TestSilentMailServerDoesNotDelayTheTable(t *testing.T) {
	s, w := newSite(t), newWeb(t)
	s.makeTable(virtual)
	s.configure(s.watch("www1", w.port(), virtual, real1, silentMail(t)))
	s.start()
	s.until("the real is in the table", func() bool { return s.in(real1) })
	for range 3 {
		w.down()
		s.until("the real has left", func() bool { return !s.in(real1) })
		info, err := os.Stat(s.tableFile())
		if err != nil {
			t.Fatal(err)
		}
		claims := s.service("www1", "http").Claims
		if len(claims) != 1 || !claims[0].Out {
			t.Fatalf("claims %+v", claims)
		}
		took := info.ModTime().Sub(claims[0].Since) // a file's time is a tick coarse: it may be negative
		t.Logf("decision to table: %v", took)
		if took > 50*time.Millisecond {
			t.Errorf("decision to table took %v, want under 50ms", took)
		}
		w.up()
		s.until("the real is back", func() bool { return s.in(real1) })
	}
	s.stop()
}

// (iv) lvs.alert is killed while a server is down and restarted: the dead
// server stays out, nothing is written before the full set.
func TestKeeperKilledWhileAServerIsDown(t *testing.T) {
	s, w, other := newSite(t), newWeb(t), newWeb(t)
	const real2 = "127.0.0.1:18082"
	s.makeTable(virtual)
	s.configure(s.watch("www1", w.port(), virtual, real1, "") + s.watch("www2", other.port(), virtual, real2, ""))
	s.start()
	s.until("both are in", func() bool { return s.in(real1) && s.in(real2) })
	w.down()
	s.until("the dead one has left", func() bool { return !s.in(real1) })
	before, _ := os.Stat(s.tableFile())
	pid := s.plugin("lvs.alert")
	if pid == 0 {
		t.Fatal("lvs.alert does not run")
	}
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	s.until("lvs.alert runs again", func() bool { p := s.plugin("lvs.alert"); return p != 0 && p != pid })
	s.never("the dead server is back, or the living one gone", time.Second, func() bool { return s.in(real1) || !s.in(real2) })
	if after, _ := os.Stat(s.tableFile()); !after.ModTime().Equal(before.ModTime()) {
		t.Error("the table was written although nothing had changed")
	}
	w.up()
	s.until("it is back", func() bool { return s.in(real1) })
	s.stop()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// kill -9 of the daemon: the table stays, its plugins end themselves, a
// restart resumes.
func TestDaemonKilled(t *testing.T) {
	s, w := newSite(t), newWeb(t)
	s.makeTable(virtual)
	s.configure(s.watch("www1", w.port(), virtual, real1, ""))
	s.start()
	s.until("the real is in the table", func() bool { return s.in(real1) })
	w.down()
	s.until("the real has left", func() bool { return !s.in(real1) })
	keeper, checker := s.plugin("lvs.alert"), s.plugin("http.monitor")
	s.until("the state is on disk", func() bool { return s.service("mond", "store").Status == "ok" })
	s.signal(syscall.SIGKILL)
	_ = s.wait() // killed
	daemons.Poll(t, "the plugins end with their daemon", nil, func() bool { return parent(keeper) == 0 && parent(checker) == 0 })
	s.start()
	s.never("the dead server is back", 500*time.Millisecond, func() bool { return s.in(real1) })
	w.up()
	s.until("it is back", func() bool { return s.in(real1) })
	s.stop()
}

// Two services on one real server: out while either fails.
func TestTwoServicesOnOneReal(t *testing.T) {
	s, w, other := newSite(t), newWeb(t), newWeb(t)
	s.makeTable(virtual)
	s.configure(s.watch("www1", w.port(), virtual, real1, "") + s.watch("www1b", other.port(), virtual, real1, ""))
	s.start()
	s.until("it is in", func() bool { return s.in(real1) })
	w.down()
	s.until("it is out for the first", func() bool { return !s.in(real1) })
	other.down()
	s.status("www1b", "http", "fail")
	w.up()
	s.status("www1", "http", "ok")
	s.never("it is in although the second fails", 500*time.Millisecond, func() bool { return s.in(real1) })
	other.up()
	s.until("it is in again", func() bool { return s.in(real1) })
	s.stop()
}

// slowServer answers a byte after a while, so that checks are in flight.
func slowServer(t *testing.T, delay time.Duration) (port string, met *atomic.Int64) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	met = new(atomic.Int64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			met.Add(1)
			time.AfterFunc(delay, func() { _, _ = c.Write([]byte("x")); c.Close() })
		}
	}()
	t.Cleanup(func() { l.Close() })
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, met
}

// goOn is how soon checks go on after their plugin was lost: 2 s, and as much
// again for a machine that runs other tests beside.
const goOn = 4 * time.Second

// A tcp plugin that is stopped or killed with 1,000 checks in flight: no row
// leaves the table, mond:plugins fails, checks go on within 2 s.
func TestPluginLostWithChecksInFlight(t *testing.T) {
	const n = 1000
	s := newSite(t)
	port, met := slowServer(t, 600*time.Millisecond)
	s.makeTable(virtual)
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "\nhostgroup g%d 127.0.0.1\n\nwatch g%d\n    service tcp\n        interval 1s\n        timeout 20s\n        monitor tcp.monitor -p %s -e x -t 15\n        period wd {Sun-Sat}\n", i, i, port)
		if i < 50 {
			for _, word := range []string{"alert", "upalert"} {
				fmt.Fprintf(&b, "            %s lvs.alert -P tcp -V %s -R 127.0.1.1:%d -W 5 -F nat --table %s\n", word, virtual, 2000+i, s.tableFile())
			}
		}
	}
	s.configure(b.String())
	s.start()
	rows := func() int {
		text, _ := os.ReadFile(s.tableFile())
		return strings.Count(string(text), " -r ")
	}
	s.until("all rows are in the table", func() bool { return rows() == 50 })
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP} {
		s.status("mond", "plugins", "ok")
		pid := s.plugin("tcp.monitor")
		must(t, syscall.Kill(pid, sig))
		lost := time.Now()
		s.status("mond", "plugins", "fail")
		s.until("tcp.monitor runs again", func() bool { p := s.plugin("tcp.monitor"); return p != 0 && p != pid })
		before := met.Load()
		s.until("checks go on", func() bool { return met.Load() > before })
		took := time.Since(lost)
		t.Logf("%v: checks go on after %v", sig, took.Round(time.Millisecond))
		if took > goOn {
			t.Errorf("%v: checks go on after %v, want %v", sig, took, goOn)
		}
		if got := rows(); got != 50 {
			t.Errorf("%v: %d rows left the table", sig, 50-got)
		}
	}
	s.status("mond", "plugins", "ok")
	if got := rows(); got != 50 {
		t.Errorf("%d rows left the table", 50-got)
	}
	for i := range n {
		if row := s.service(fmt.Sprintf("g%d", i), "tcp"); row.Status != "ok" {
			t.Fatalf("g%d:tcp is %s: %s", i, row.Status, row.Summary)
		}
	}
	s.stop()
}

func TestReloadIsATransaction(t *testing.T) {
	s, w := newSite(t), newWeb(t)
	s.makeTable(virtual)
	good := s.watch("www1", w.port(), virtual, real1, "")
	s.configure(good)
	s.start()
	s.until("the real is in the table", func() bool { return s.in(real1) })
	s.configure(good + "\nwatch broken\n    servce x\n")
	s.signal(syscall.SIGHUP)
	s.status("mond", "config", "fail")
	if row := s.service("www1", "http"); row.Status != "ok" {
		t.Errorf("the running configuration suffered: %s", row.Status)
	}
	s.configure(good + s.watch("www9", w.port(), virtual, "127.0.0.1:18089", ""))
	s.signal(syscall.SIGHUP)
	s.status("mond", "config", "ok")
	s.until("the new real is in the table", func() bool { return s.in("127.0.0.1:18089") })
	s.stop()
}

func TestBadConfigurationIsShownWithItsPlace(t *testing.T) {
	s := newSite(t)
	s.configure("\nhostgroup g 127.0.0.1\n\nwatch g\n    service s\n        interval 10s\n        monitor http.monitor -p 99999\n        period wd {Sun-Sat}\n            alert nosuch.alert\n")
	out, err := s.monctl("check", s.path("mon.cf"))
	if exit(err) != 1 {
		t.Errorf("monctl check: %v", err)
	}
	for _, want := range []string{"mon.cf:13:33: error", "mon.cf:15:19: error", "nosuch.alert"} {
		if !strings.Contains(out, want) {
			t.Errorf("monctl check does not say %q:\n%s", want, out)
		}
	}
	mond := exec.CommandContext(t.Context(), filepath.Join(binDir, "mond"), "-c", s.path("mon.cf"), "--log", "stderr")
	text, err := mond.CombinedOutput()
	if exit(err) != 1 || !strings.Contains(string(text), "nosuch.alert") {
		t.Errorf("mond: %v\n%s", err, text)
	}
}

// exit is a program's exit status, -1 if it did not run to its end.
func exit(err error) int {
	if err == nil {
		return 0
	}
	if e, ok := err.(*exec.ExitError); ok {
		return e.ExitCode()
	}
	return -1
}

func TestForkReportsItsStart(t *testing.T) {
	s, w := newSite(t), newWeb(t)
	s.configure(s.watch("www1", w.port(), virtual, real1, ""))
	out, err := exec.CommandContext(t.Context(), filepath.Join(binDir, "mond"), "-f", "-c", s.path("mon.cf"), "--log", "stderr").CombinedOutput()
	if err != nil {
		t.Fatalf("mond -f: %v\n%s", err, out)
	}
	text, err := os.ReadFile(s.path("pid"))
	must(t, err)
	var pid int
	_, err = fmt.Sscan(string(text), &pid)
	must(t, err)
	if _, err := s.client.Daemon(t.Context()); err != nil {
		t.Error(err)
	}
	must(t, syscall.Kill(pid, syscall.SIGTERM))
	daemons.Poll(t, "the daemon ends", nil, func() bool { return parent(pid) == 0 })
	if _, err := os.Stat(s.path("pid")); err == nil {
		t.Error("the pidfile is left behind")
	}
}
