package nagios

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/monitors/fping/echo/echotest"
	"github.com/mondhq/mond/monitors/tcp/origin"
	"github.com/mondhq/mond/plugins/getopt"
	"github.com/mondhq/mond/plugins/monitor"
)

func TestMain(m *testing.M) { echotest.Main(m) }

// run runs one check as a resident plugin does: the words that are no options
// stand before the hosts.
func run(t *testing.T, hosts string, words ...string) monitor.Result {
	t.Helper()
	m, rest, err := configure(t, words...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Check(t.Context(), monitor.Request{Hosts: slices.Concat(rest, strings.Fields(hosts))})
}

// configure makes a monitor of a command line.
func configure(t *testing.T, words ...string) (m monitor.Monitor, rest []string, err error) {
	t.Helper()
	bench := new(Bench)
	t.Cleanup(bench.Close)
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	m = With(bench)(fs)
	if rest, err = getopt.Parse(fs, words); err != nil {
		return nil, nil, err
	}
	return m, rest, m.(monitor.Validator).Validate()
}

// scripts is a folder with a plugin check that runs a shell script.
func scripts(t *testing.T, text string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "check"), []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return folder
}

// untimed is text without durations.
func untimed(text string) string {
	return strings.TrimSuffix(regexp.MustCompile(`\b[0-9.]+m?s\b`).ReplaceAllString(text, "T"), "\n")
}

// judged compares a Result: ok, warn, failed or blind, and its detail, of which
// an asterisk at the end stands for any more.
func judged(t *testing.T, r monitor.Result, verdict, detail string) {
	t.Helper()
	is := "ok"
	switch {
	case r.Blind():
		is = "blind"
	case r.Failing():
		is = "failed"
	case r.Warn:
		is = "warn"
	}
	got := untimed(r.Detail)
	begin, more := strings.CutSuffix(detail, "*")
	if is != verdict || got != begin && !(more && strings.HasPrefix(got, begin)) {
		t.Errorf("%s (%v)\ngot  %s\nwant %s: %s", is, r.Cause, got, verdict, detail)
	}
}

func TestVerdicts(t *testing.T) {
	for name, tt := range map[string]struct {
		script, options, verdict, detail string
	}{
		"ok":               {`echo "OK - fine | a=1"`, "", "ok", "h: OK - fine (T)"},
		"warning":          {`echo "WARNING - slow|a=1"; exit 1`, "", "warn", "h: warning: WARNING - slow (T)"},
		"warning fails":    {`echo "WARNING - slow"; exit 1`, "--warning-fails", "failed", "h: WARNING - slow (T)"},
		"critical":         {`echo "CRITICAL - gone"; exit 2`, "", "failed", "h: CRITICAL - gone (T)"},
		"unknown":          {`echo "UNKNOWN - what?"; exit 3`, "", "blind", "h: not judged: check says that it does not know: UNKNOWN - what?"},
		"unknown, strict":  {`exit 3`, "--warning-fails", "blind", "h: not judged: check says that it does not know: it printed nothing"},
		"strange":          {`echo "sh: not found" >&2; exit 127`, "", "blind", "h: not judged: check exited 127, which means nothing: sh: not found"},
		"nothing":          {`exit 2`, "", "failed", "h: it printed nothing (T)"},
		"nothing, well":    {`:`, "", "ok", "h: ok (T)"},
		"killed":           {`kill -9 $$`, "", "blind", "h: not judged: *"},
		"standard error":   {`echo "perl: a warning" >&2; echo "OK - fine"`, "", "ok", "h: OK - fine (T)"},
		"only on errors":   {`echo "CRITICAL - of sorts" >&2; exit 2`, "", "failed", "h: CRITICAL - of sorts (T)"},
		"more lines":       {`printf 'OK - two | a=1\none\ntwo | b=2\nc=3\n'`, "", "ok", "h: OK - two (T)\n\nh:\n  one\n  two"},
		"omitted":          {`echo OK`, "-o", "ok", ""},
		"the host":         {`echo "$@"`, "", "ok", "h: -H h (T)"},
		"words":            {`echo "$@"`, "--args -p__'8_0'", "ok", "h: -p 8 0 -H h (T)"},
		"words, marked":    {`echo "$@"`, "--args {host}:80_$HOST_x$HOSTADDRESS$", "ok", "h: h:80 h xh (T)"},
		"told to append":   {`echo "$@"`, "--args {host} --host append", "ok", "h: {host} -H h (T)"},
		"told none":        {`echo "$@"`, "--args {host} --host none", "ok", "check: {host} (T)"},
		"between":          {`echo "$@"`, "-- -p 80 --", "ok", "h: -p 80 -H h (T)"},
		"between, marked":  {`echo "$@"`, "-- -p {host} --", "ok", "h: -p h (T)"},
		"not between":      {`echo "$@"`, "--args -x -- -p --", "ok", "h: -x -p -H h (T)"},
		"environment":      {`env | grep -v -e ^PWD -e ^SHLVL -e ^_= -e ^MON_ -e ^HOME -e ^TZ -e ^TMPDIR | sort | tr '\n' ' '`, "", "ok", "h: LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin (T)"},
		"control bytes":    {`printf 'OK \033[1m bold\n'`, "", "ok", "h: OK  [1m bold (T)"},
		"too slow":         {`sleep 60`, "-t 0.3", "failed", "h: no answer in T: run *"},
		"with descendants": {`sleep 60 & sleep 60`, "-t 0.3", "failed", "h: no answer in T: run *"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			words := []string{"--plugin", "check", "--dir", scripts(t, tt.script)}
			for _, w := range strings.Fields(tt.options) {
				words = append(words, strings.ReplaceAll(w, "_", " "))
			}
			judged(t, run(t, "h", words...), tt.verdict, tt.detail)
		})
	}
}

func TestTheTimeLimitEndsTheWholeGroup(t *testing.T) {
	dir := scripts(t, `trap '' TERM; sleep 60 & echo $! >"$0.pid"; wait; wait`)
	judged(t, run(t, "h", "--plugin", "check", "--dir", dir, "-t", "2"), "failed", "h: no answer in T: run *")
	b, err := os.ReadFile(filepath.Join(dir, "check.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	if !ends(t, pid) {
		t.Errorf("the plugin's child %d lives on", pid)
	}
}

// ends reports whether a process ends within some seconds, or has.
func ends(t *testing.T, pid int) bool {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return true
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10000)
		if !errors.Is(err, unix.EINTR) {
			return n == 1
		}
	}
}

func TestOutputIsBounded(t *testing.T) {
	dir := scripts(t, `head -c 3000000 /dev/zero | tr '\0' 'x'; echo; echo end`)
	r := run(t, "h", "--plugin", "check", "--dir", dir)
	if r.Blind() || r.Failing() || len(r.Detail) > 2*maxLong {
		t.Errorf("%v, %d bytes", r.Cause, len(r.Detail))
	}
	dir = scripts(t, `echo first; head -c 30000 /dev/zero | tr '\0' 'y'`)
	if r := run(t, "h", "--plugin", "check", "--dir", dir); len(r.Detail) > 2*maxLong || !strings.Contains(r.Detail, "yyy...") {
		t.Errorf("%d bytes of further lines", len(r.Detail))
	}
}

func TestHosts(t *testing.T) {
	dir := scripts(t, `case $2 in a*) echo "OK $2|t=1ms" ;; w) echo slow; exit 1 ;; c*) echo "gone $2"; exit 2 ;; *) echo "who is $2?"; exit 3 ;; esac`)
	words := []string{"--plugin", "check", "--dir", dir, "--parallel", "2"}
	r := run(t, "a1 c2 u w c1 a2", words...)
	judged(t, r, "failed", "c2: gone c2 (T)\nc1: gone c1 (T)\nu: not judged: check says that it does not know: who is u?\nw: warning: slow (T)\na1: OK a1 (T)\na2: OK a2 (T)")
	if r.Summary != "c1 c2" || r.Hosts[0].Perf["t_ms"] != 1 {
		t.Errorf("%q, %v", r.Summary, r.Hosts)
	}
	judged(t, run(t, "a1 u", words...), "blind", "*")
	judged(t, run(t, "a1 w", words...), "warn", "*")
	judged(t, run(t, "", append(words, "--host", "append")...), "ok", "")
	judged(t, run(t, "", append(words, "--", "x", "a", "--")...), "ok", "check: OK a (T)")
	judged(t, run(t, "a1 -c1", words...), "blind", "-c1: not judged: a name that begins with a dash is not given to a plugin\na1: OK a1 (T)")
}

func TestNotThere(t *testing.T) {
	judged(t, run(t, "h", "--plugin", "check_nothing", "--dir", t.TempDir()), "blind", "h: not judged: start *")
	r := run(t, "-p 80 h", "--plugin", "check")
	if r.Cause != monitor.CouldNotStart || !strings.Contains(r.Summary, "end the plugin's words with another --") {
		t.Errorf("%v: %s", r.Cause, r.Output())
	}
}

func TestCancelled(t *testing.T) {
	m, _, err := configure(t, "--plugin", "check", "--dir", scripts(t, "exec sleep 60"), "-t", "60")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(50*time.Millisecond, cancel).Stop()
	if r := m.Check(ctx, monitor.Request{Hosts: []string{"a", "b"}}); r.Cause != monitor.NotRun {
		t.Errorf("%v: %s", r.Cause, r.Output())
	}
}

func TestNoTurn(t *testing.T) {
	b := new(Bench)
	defer b.Close()
	_, turns, err := b.ready()
	if err != nil {
		t.Fatal(err)
	}
	for range atOnce {
		turns <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if r := b.run(ctx, new(origin.Origin), "/bin/true", nil, time.Second); r.Cause != monitor.Overloaded {
		t.Errorf("%v: %s", r.Cause, r.Summary)
	}
}

func TestOptions(t *testing.T) {
	for line, want := range map[string]string{
		"":                               "say which",
		"--plugin ../sh":                 "name without slashes",
		"--plugin ..":                    "name without slashes",
		"--plugin x --dir plugins":       "begins with a slash",
		"--plugin x --args 'a":           "quote is not closed",
		`--plugin x --args a\`:           "quote is not closed",
		"--plugin x --host before":       "append, replace or none",
		"--plugin x --host replace":      "none of the plugin's words holds {host}",
		"--plugin x --parallel 0":        "from 1 to 128",
		"--plugin x -t 0":                "want a time",
		"--plugin x -- -w 10":            "end the plugin's words with another --",
		"--plugin x --host replace -- h": "none of the plugin's words holds {host}",
	} {
		if _, _, err := configure(t, strings.Fields(line)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, line := range []string{"--plugin x", "--plugin x -- -w {host} -- h", "--plugin x h", "--plugin x --host replace --args {host}"} {
		if _, _, err := configure(t, strings.Fields(line)...); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// TestDebian runs plugins of Debian's monitoring-plugins.
func TestDebian(t *testing.T) {
	for _, name := range []string{"check_dummy", "check_tcp", "check_http", "check_disk"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			missing(t, name+" is not here (Debian: monitoring-plugins-basic, monitoring-plugins-standard)")
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi")
			_ = c.SetReadDeadline(time.Now().Add(time.Second))
			_, _ = c.Read(make([]byte, 4096))
			c.Close()
		}
	}()
	defer func() { l.Close(); <-done }()
	_, port, _ := net.SplitHostPort(l.Addr().String())

	r := run(t, "127.0.0.1 127.0.0.9", "--plugin", "check_tcp", "--", "-p", port, "--")
	judged(t, r, "failed", "127.0.0.9: *")
	if r.Summary != "127.0.0.9" || !strings.Contains(r.Detail, "127.0.0.1: TCP OK - ") || len(r.Hosts) != 2 || r.Hosts[0].Perf["time_s"] <= 0 {
		t.Errorf("check_tcp: %+v", r)
	}
	r = run(t, "127.0.0.1", "--plugin", "check_http", "--args", "-I $HOST -p "+port)
	judged(t, r, "ok", "127.0.0.1: HTTP OK*")
	if p := r.Hosts[0].Perf; p["size_B"] <= 0 || p["time_s"] <= 0 {
		t.Errorf("check_http: %v", p)
	}
	r = run(t, "", "--plugin", "check_disk", "--", "-w", "1", "-c", "1", "-p", "/", "--")
	if r.Blind() || len(r.Hosts) != 1 || r.Hosts[0].Name != "check_disk" || len(r.Hosts[0].Perf) == 0 {
		t.Errorf("check_disk: %+v", r)
	}
	for status, verdict := range []string{"ok", "warn", "failed", "blind"} {
		judged(t, run(t, "", "--plugin", "check_dummy", "--", fmt.Sprint(status), "as told", "--"), verdict, "check_dummy: *")
	}
	judged(t, run(t, "127.0.0.1", "--plugin", "check_tcp", "--args", "--no-such-option"), "blind", "127.0.0.1: not judged: check_tcp says that it does not know: *")
}

// missing skips, or fails where skipping is not allowed.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("MOND_NOSKIP") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}
