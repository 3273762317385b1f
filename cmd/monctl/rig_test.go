package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/control"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/steer"
	"github.com/mondhq/mond/engine/view"
	"github.com/mondhq/mond/plugins/monitor"
)

var update = flag.Bool("update", false, "write what the tests get to testdata")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// script is a Controller that writes down what it is asked, and refuses what
// is about "gone".
type script struct {
	mu    sync.Mutex
	calls []string
}

func (s *script) note(format string, args ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	call := fmt.Sprintf(format, args...)
	s.calls = append(s.calls, call)
	if strings.Contains(call, "gone") {
		return fmt.Errorf("it is gone: %w", fs.ErrNotExist)
	}
	return nil
}

// asked is what it was asked since the last time.
func (s *script) asked() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := strings.Join(s.calls, "\n")
	s.calls = nil
	return text
}

func (s *script) Ack(_ context.Context, k opstatus.Key, _, text string) error {
	return s.note("ack %s: %s", k, text)
}

func (s *script) DisableService(_ context.Context, k opstatus.Key, _, text string) error {
	return s.note("disable %s: %s", k, text)
}

func (s *script) EnableService(_ context.Context, k opstatus.Key, _ string) error {
	return s.note("enable %s", k)
}

func (s *script) DisableWatch(_ context.Context, group, _, text string) error {
	return s.note("disable watch %s: %s", group, text)
}

func (s *script) EnableWatch(_ context.Context, group, _ string) error {
	return s.note("enable watch %s", group)
}

func (s *script) DisableHost(_ context.Context, host, _, text string) error {
	return s.note("disable host %s: %s", host, text)
}

func (s *script) EnableHost(_ context.Context, host, _ string) error {
	return s.note("enable host %s", host)
}

func (s *script) StopScheduler(_ context.Context, _, text string) error {
	return s.note("stop: %s", text)
}

func (s *script) StartScheduler(context.Context, string) error { return s.note("start") }

func (s *script) TestMonitor(_ context.Context, k opstatus.Key) error { return s.note("test %s", k) }

func (s *script) TestAlert(_ context.Context, k opstatus.Key, t steer.AlertTest) error {
	return s.note("test alert %s %s %q%s", k, t.On, t.Period, exitOf(t))
}

// exitOf is what t says of the exit status.
func exitOf(t steer.AlertTest) string {
	if t.Exit == nil {
		return ""
	}
	return fmt.Sprintf(" exit %d", *t.Exit)
}

func (s *script) Failover(_ context.Context, o steer.Failover) error {
	return s.note("failover %s %q: %s", o.Verb, o.Group, o.Text)
}

func (s *script) Order(_ context.Context, o steer.Order) error {
	o.User = ""
	return s.note("order %+v", o)
}

func (s *script) Reload(context.Context) error { return s.note("reload") }

// noon is now in these tests.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// rows are one of each kind that there is to show.
func rows() []*view.Service {
	at := func(d time.Duration) time.Time { return noon.Add(-d) }
	note := func(user, text string) *opstatus.Note {
		return &opstatus.Note{At: at(10 * time.Minute), User: user, Text: text}
	}
	key := func(s string) opstatus.Key { k, _ := opstatus.ParseKey(s); return k }
	return []*view.Service{
		{
			Key: key("www1:http"), Monitor: "http.monitor", Interval: 10 * time.Second, Since: at(75 * time.Hour),
			State: opstatus.State{Status: opstatus.OK, Summary: "", LastCheck: at(3 * time.Second), Took: 2300 * time.Microsecond, Output: "web1 200\nweb2 200\n"}, Due: noon.Add(7 * time.Second),
		},
		{
			Key: key("www2:http"), Monitor: "http.monitor", Interval: 90 * time.Second, Description: "the shop", Since: at(83 * time.Minute), AlertsSent: 3,
			State: opstatus.State{
				Status: opstatus.Fail, Failures: 56, Summary: "web3", LastCheck: at(time.Second), Took: 1523 * time.Millisecond,
				Output: "web3: GET http://web3/: connection refused\n\x1b[31mred\x1b[0m\a\n", Ack: note("ann", "waiting for the part"),
			},
			Due: at(-8 * time.Second), Running: true,
			Decisions: []view.Decision{
				{At: at(time.Second), Event: "failure", Period: "wd {Mon-Fri}", Command: "mail.alert -s x root", Reason: "acknowledged", Note: "by ann at 2026-05-04 11:50:00"},
				{At: at(time.Hour), Event: "failure", Period: "wd {Mon-Fri}", Command: "mail.alert -s x root", Sent: true, Reason: "the service fails"},
				{At: at(2 * time.Hour), Event: "success", Reason: "nothing to tell"},
			},
			Claims: []view.Claim{
				{Program: "lvs.alert", Args: []string{"-P", "tcp", "-V", "10.0.0.3:80", "-R", "web3:80"}, Down: true, Reason: "www2:http fails", Since: at(83 * time.Minute)},
				{Program: "lvs.alert", Args: []string{"-P", "tcp", "-V", "10.0.0.4:80", "-R", "web3:80"}, Reason: "www2:http is good", Since: at(83 * time.Hour)},
			},
		},
		{
			Key: key("database:tcp"), Monitor: "tcp.monitor", Interval: time.Minute, Since: at(2 * time.Hour), Due: noon.Add(50 * time.Second), Disabled: note("bob", ""),
			State: opstatus.State{Status: opstatus.OK, LastCheck: at(4 * time.Minute), Blind: &opstatus.Blind{Cause: monitor.Killed, Reason: "segmentation\nfault", Since: at(4 * time.Minute), Times: 4}},
		},
		{Key: key("backup:trap"), State: opstatus.New()},
		{
			Key: key("mail:smtp"), Monitor: "smtp.monitor", Interval: time.Hour, Due: noon.Add(36 * time.Minute), Since: at(49 * time.Hour),
			State: opstatus.State{Status: opstatus.Warn, Summary: "the certificate of mx1.example.org ends in six days, renew it soon", LastCheck: at(24 * time.Minute)}, Skipped: "www2:http fails, which it depends on",
		},
		{Key: key("mond:store"), Hidden: true, State: opstatus.State{Status: opstatus.OK, Summary: "state is on disk", LastCheck: at(time.Second)}, Since: at(75 * time.Hour)},
		{Key: key("mond:config"), Hidden: true, State: opstatus.State{Status: opstatus.Fail, Summary: "the last reload was refused", LastCheck: at(time.Second)}, Since: at(time.Minute)},
	}
}

func board() *view.Board {
	b := view.NewBoard()
	var keys []opstatus.Key
	var cells []*view.Cell
	for _, r := range rows() {
		c := new(view.Cell)
		c.Store(r)
		keys, cells = append(keys, r.Key), append(cells, c)
	}
	b.Replace(new(config.Config), keys, cells)
	b.SetDaemon(&view.Daemon{
		Version: "v1.2.3", PID: 4711, ConfigPath: "/etc/mon/mon.cf", Started: noon.Add(-75 * time.Hour), Loaded: noon,
		ReloadError: "mon.cf:3:1: no such\nkeyword", Stopped: &opstatus.Note{At: noon.Add(-time.Hour), User: "ann", Text: "works"},
		Hosts: map[string]opstatus.Note{"web9": {At: noon.Add(-time.Hour), Text: "burnt"}, "web8": {At: noon.Add(-time.Hour), User: "ann"}},
	})
	return b
}

// daemon is a fake mond on a socket.
type daemon struct {
	t      *testing.T
	socket string
	script script
	client *control.Client
	board  *view.Board
}

func newDaemon(t *testing.T) *daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "monctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &daemon{t: t, socket: filepath.Join(dir, "sock"), board: board()}
	l, err := control.Listen(d.socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	s := control.New(control.Options{Controller: &d.script, Board: d.board, Show: show, History: past(t), Log: slog.New(slog.DiscardHandler)})
	go func() { ended <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	d.client = control.Dial(d.socket)
	return d
}

func show(_ context.Context, program, topic string) (string, error) {
	if program != "lvs.alert" {
		return "", errors.New(program + " does not run")
	}
	if text, ok := ipvsShown(topic); ok {
		return text, nil
	}
	return topic + ":\n\x1b]0;title\aTCP 10.0.0.3:80\n\n", nil
}

// monctl runs the command.
func monctl(args ...string) (code int, stdout, stderr string) {
	var out, complaints bytes.Buffer
	code = run(args, strings.NewReader(""), &out, &complaints)
	return code, out.String(), complaints.String()
}

// run runs the command against the fake daemon.
func (d *daemon) run(args ...string) (code int, stdout, stderr string) {
	return monctl(append([]string{"--socket", d.socket}, args...)...)
}
