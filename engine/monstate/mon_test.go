package monstate

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// needMon finds Debian's mon.
func needMon(t *testing.T) string {
	t.Helper()
	const path = "/usr/sbin/mon"
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if os.Getenv("MOND_NOSKIP") != "" {
		t.Fatal("mon is not installed (Debian package mon)")
	}
	t.Skip("mon is not installed (Debian package mon)")
	return ""
}

// monConfig is a configuration with the services of the test; nothing is
// checked within an hour.
const monConfig = `basedir = %[1]s
cfbasedir = %[1]s
mondir = %[1]s
alertdir = %[1]s
logdir = %[1]s
statedir = %[1]s
authfile = auth.cf
authtype = userfile
userfile = %[1]s/auth.cf
serverbind = 127.0.0.1
trapbind = 127.0.0.1
pidfile = %[1]s/mon.pid

hostgroup web w1 w2

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
	program, dir := needMon(t), t.TempDir()
	now := time.Now().Unix()
	statuses := Encode([]Service{
		{
			Key: key("web", "http"), Status: 0, Last: 1, Exit: 3, Failures: 12, Alerts: 5, Consecutive: 4, LastSuccess: now - 100, LastFailure: now - 10,
			FirstFailure: now - 60, LastCheck: now - 11, Summary: `a=b \20 "c" 'd' ü`, Detail: "one\ttwo\n", Failed: "w1\n", Ack: now - 5, Comment: "ann: on = it",
			Periods: []Period{{Name: "ALL", LastAlert: now - 20, Sent: 2}},
		},
		{Key: key("db", "trap"), Status: 7, Last: 7, Exit: -1, Periods: []Period{{}}},
	})
	files := map[string][]byte{
		"mon.cf":          fmt.Appendf(nil, monConfig, dir),
		"auth.cf":         []byte("command section\nlist: all\nget: all\n"),
		"nothing.monitor": []byte("#!/bin/sh\n"), "nothing.alert": []byte("#!/bin/sh\n"),
		"disabled": Disabled{Hosts: []string{"w2"}, Watches: []string{"db"}, Services: nil}.Encode(), "opstatus": statuses,
	}
	for name, text := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), text, 0o700))
	}
	address := startMon(t, program, dir)
	disabled := ask(t, address, "list disabled")
	slices.Sort(disabled)
	if want := []string{"group web: w2", "watch db"}; !slices.Equal(disabled, want) {
		t.Errorf("mon has disabled %q", disabled)
	}
	line := strings.Join(ask(t, address, "list opstatus web,http"), "\n") + " "
	for _, want := range []string{
		"opstatus=0 ", "last_opstatus=1 ", "exitval=3 ", "alerts_sent=2 ", fmt.Sprintf("ack=%d ", now-5), `ackcomment=ann:\20on\20=\20it `,
		`last_summary=a=b\20\\20\20\22c\22\20\27d\27\20\c3\bc `, `last_detail=one\09two\0a `, fmt.Sprintf("last_failure=%d ", now-10),
		fmt.Sprintf("first_failure=%d ", now-60), fmt.Sprintf("last_alert=%d ", now-20), fmt.Sprintf("last_success=%d ", now-100), fmt.Sprintf("last_check=%d ", now-11),
	} {
		if !strings.Contains(line, want) {
			t.Errorf("no %q in what mon shows:\n%s", want, line)
		}
	}
	if got := ask(t, address, "get web http _consec_failures"); !slices.Equal(got, []string{"web http _consec_failures='4'"}) {
		t.Errorf("%q", got)
	}
	if got := ask(t, address, "list opstatus db,trap"); !strings.Contains(strings.Join(got, ""), "opstatus=7 last_opstatus=7 exitval=undef ") {
		t.Errorf("%q", got)
	}
}

// startMon runs mon in the foreground, with the state loaded and the scheduler
// stopped, until the test ends.
func startMon(t *testing.T, program, dir string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	must(t, l.Close())
	cmd := exec.Command(program, "-c", filepath.Join(dir, "mon.cf"), "-p", port, "-t", port, "-l", "all", "-S")
	cmd.Dir = dir
	log, err := os.Create(filepath.Join(dir, "output"))
	must(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("mon said:\n%s", text)
		}
	})
	return "127.0.0.1:" + port
}

// ask gives mon a command, as soon as it listens, and returns the lines of its
// answer but the last.
func ask(t *testing.T, address, command string) (lines []string) {
	t.Helper()
	limit := time.Now().Add(30 * time.Second)
	var c net.Conn
	for err := error(nil); c == nil; {
		if c, err = net.Dial("tcp", address); err != nil {
			if time.Now().After(limit) {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond) // a real process: there is nothing to wait for
		}
	}
	defer c.Close()
	must(t, c.SetDeadline(limit))
	_, err := fmt.Fprintln(c, command)
	must(t, err)
	in := bufio.NewScanner(c)
	for in.Scan() {
		if strings.HasPrefix(in.Text(), "220 ") {
			return lines
		}
		if strings.HasPrefix(in.Text(), "520 ") {
			t.Fatalf("%s: %s", command, in.Text())
		}
		lines = append(lines, in.Text())
	}
	t.Fatalf("%s: no answer: %v, after %q", command, in.Err(), lines)
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
