package classic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/plugins/alert"
)

// Every alert that the real mon was seen to run is understood, and gets the
// same from us when it is asked the same.
func TestAlertAsRecorded(t *testing.T) {
	e := acting(t, "record")
	for i, want := range readCalls(t, "alert-invocations.log") {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			want.from = "pipe"
			r := parse(t, want)
			if r.Kind.String() != want.env["MON_ALERTTYPE"] {
				t.Errorf("kind %v of %v", r.Kind, want.words)
			}
			var said string
			e.Said = func(text string) { said = text }
			if err := RunAlert(t.Context(), e, r); err != nil {
				t.Fatal(err)
			}
			got := calls(t, said)[0]
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(call{})); diff != "" {
				t.Errorf("-mon +ours\n%s", diff)
			}
		})
	}
}

func parse(t *testing.T, c call) alert.Request {
	t.Helper()
	r, _, err := ParseAlert(c.words, pairs(c.env), strings.NewReader(c.stdin), time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func pairs(m map[string]string) (env []string) {
	for name, value := range m {
		env = append(env, name+"="+value)
	}
	return env
}

// scripted is the Exec of an alert that runs $SCRIPT.
func scripted(t *testing.T) Exec {
	t.Helper()
	e := shell(t)
	e.Path = filepath.Join(t.TempDir(), "x.alert")
	if err := os.WriteFile(e.Path, []byte("#!/bin/sh\neval \"$SCRIPT\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRunAlert(t *testing.T) {
	e := scripted(t)
	for _, tt := range []struct {
		name, script string
		text         string // of the error after "alert PATH: ", "" for none
		permanent    bool
	}{
		{"delivered", "cat >/dev/null", "", false},
		{"does not read", "exit 0", "", false},
		{"reads a line", "read x", "", false},
		{"closes its input", "exec <&-; sleep 0.05", "", false},
		{"complains", "echo no such; echo user; exit 3", "exited 3; it said: no such user", true},
		{"later", "echo queue is full; exit 75", "exited 75; it said: queue is full", false},
		{"not found", "exit 127", "exited 127", true},
		{"not executable", "exit 126", "exited 126", true},
		{"killed", "kill -9 $$", "killed by signal 9 (killed)", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := RunAlert(t.Context(), e, alert.Request{
				Output: strings.Repeat("a line of text\n", 100_000), // more than a pipe holds
				Env:    map[string]string{"SCRIPT": tt.script},
			})
			text := ""
			if err != nil {
				text = strings.TrimPrefix(err.Error(), "alert "+e.Path+": ")
			}
			if text != tt.text || alert.IsPermanent(err) != tt.permanent {
				t.Errorf("got %v, permanent %t", err, alert.IsPermanent(err))
			}
		})
	}
}

func TestRunAlertOutput(t *testing.T) {
	e := scripted(t)
	var said string
	e.Said = func(text string) { said = text }
	err := RunAlert(t.Context(), e, alert.Request{Env: map[string]string{"SCRIPT": "yes | head -c 100000; exit 1"}})
	ee, ok := errors.AsType[*ExitError](err)
	if !ok || ee.Code != 1 || !strings.HasSuffix(ee.Output, "[output cut at 64 KiB]\n") {
		t.Fatalf("got %v", err)
	}
	if said != ee.Output {
		t.Error("the output was not told")
	}
	if len(err.Error()) > 500 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func TestRunAlertTimeout(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	// What it leaves behind holds its input open and reads nothing.
	err := RunAlert(ctx, scripted(t), alert.Request{
		Output: strings.Repeat("x", 1<<20), Env: map[string]string{"SCRIPT": "sleep 60 & sleep 60"},
	})
	if !errors.Is(err, context.DeadlineExceeded) || alert.IsPermanent(err) {
		t.Errorf("got %v", err)
	}
}

func TestRunAlertCouldNotStart(t *testing.T) {
	e := shell(t)
	e.Path = filepath.Join(t.TempDir(), "missing.alert")
	err := RunAlert(t.Context(), e, alert.Request{Output: "text"})
	if err == nil || alert.IsPermanent(err) || err.Error() != "alert: start "+e.Path+": no such file" {
		t.Errorf("got %v", err)
	}
}

func TestJoinHosts(t *testing.T) {
	hosts := make([]string, 20_000)
	for i := range hosts {
		hosts[i] = fmt.Sprintf("host%d.example", i)
	}
	got := joinHosts(hosts)
	if n := len(strings.Fields(got)); len(got) >= maxString || !strings.HasSuffix(got, hosts[n-1]) {
		t.Errorf("%d bytes, ends in %q", len(got), got[len(got)-20:])
	}
	if got := joinHosts([]string{strings.Repeat("x", maxString)}); got != "" {
		t.Errorf("half a host of %d bytes", len(got))
	}
}

func TestParseAlert(t *testing.T) {
	now := time.Unix(1000, 0)
	const mon = "-s S -g G -h h -t 5 "
	for _, tt := range []struct {
		name, args, kind string // kind is MON_ALERTTYPE
		want             alert.Request
		rest             string
	}{
		{"mon, failure", mon + "-u nick", "failure", alert.Request{Kind: alert.Failure, Exit: 1}, "-u nick"},
		{"mon, up", mon + "-u -u nick", "up", alert.Request{Kind: alert.Up, Status: 1}, "-u nick"},
		{"mon, own letters", mon + "-s S -h", "test", alert.Request{Kind: alert.Test, Status: 1}, "-s S -h"},
		{"mon, trap", mon + "-T -T x", "trap", alert.Request{Kind: alert.Trap, Exit: 1}, "-T x"},
		{"mon, traptimeout", mon + "-O", "traptimeout", alert.Request{Kind: alert.TrapTimeout, Exit: 1}, ""},
		{"mon, own -l", mon + "-l x", "failure", alert.Request{Kind: alert.Failure, Exit: 1}, "-l x"},
		{"hand, up", mon + "-u root", "", alert.Request{Kind: alert.Up, Status: 1}, "root"},
		{"hand, up first", "-u " + mon + "root", "", alert.Request{Kind: alert.Up, Status: 1}, "root"},
		{"hand, failure", mon + "-l x -P tcp -u", "", alert.Request{Kind: alert.Failure, Exit: 1}, "-P tcp -u"},
		{"hand, one flag", mon + "-u -a", "", alert.Request{Kind: alert.Up, Status: 1}, "-a"},
		{"hand, end of options", mon + "-- -u", "", alert.Request{Kind: alert.Failure, Exit: 1}, "-- -u"},
		{"hand, unknown kind", mon + "x", "unset", alert.Request{Kind: alert.Failure, Exit: 1}, "x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var env []string
			if tt.kind != "" {
				env = []string{"MON_ALERTTYPE=" + tt.kind}
			}
			got, rest, err := ParseAlert(strings.Fields(tt.args), env, nil, now)
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			want.Service, want.Group, want.Hosts, want.At = "S", "G", []string{"h"}, time.Unix(5, 0)
			want.ID, want.Env, want.Args = got.ID, variables(env), rest
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if strings.Join(rest, " ") != tt.rest {
				t.Errorf("rest %q, want %q", rest, tt.rest)
			}
		})
	}
}

func TestParseAlertBare(t *testing.T) {
	env := []string{"MON_GROUP=g", "MON_SERVICE=s", "MON_RETVAL=3", "MON_OPSTATUS=7"}
	got, _, err := ParseAlert([]string{"-h"}, env, strings.NewReader("summary\ndetail \xff\n"), time.Unix(9, 0))
	if err != nil {
		t.Fatal(err)
	}
	want := alert.Request{
		ID: "g:s failure 9", Group: "g", Service: "s", Kind: alert.Failure, Args: []string{"-h"}, At: time.Unix(9, 0),
		Summary: "summary", Output: "summary\ndetail \uFFFD\n", Exit: 3, Status: 7, Env: variables(env),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestParseAlertErrors(t *testing.T) {
	for _, tt := range []struct {
		name  string
		args  []string
		stdin io.Reader
		want  string
	}{
		{"time", []string{"-t", "noon"}, nil, `option -t: "noon" is not a time in seconds since 1970`},
		{"input", nil, iotest.ErrReader(errors.New("gone")), `read the alert's text from standard input: gone`},
	} {
		if _, _, err := ParseAlert(tt.args, nil, tt.stdin, time.Time{}); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

func TestParseAlertLongInput(t *testing.T) {
	in := strings.NewReader(strings.Repeat("x", maxInput+1))
	r, _, err := ParseAlert(nil, nil, in, time.Time{})
	if err != nil || len(r.Output) != maxInput || in.Len() != 0 {
		t.Errorf("%d bytes kept, %d not read, %v", len(r.Output), in.Len(), err)
	}
}

// What the daemon passes, a program of ours reads as the same.
func TestAlertBothWays(t *testing.T) {
	word := rapid.StringMatching(`-?[a-zA-Z0-9.]{1,4}`)
	rapid.Check(t, func(t *rapid.T) {
		r := alert.Request{
			Group: word.Draw(t, "group"), Service: word.Draw(t, "service"),
			Kind:    alert.Kind(rapid.IntRange(1, 8).Draw(t, "kind")),
			Hosts:   rapid.SliceOfN(word, 1, 3).Draw(t, "hosts"),
			Args:    rapid.SliceOfN(rapid.OneOf(word, rapid.SampledFrom([]string{"-u", "-a", "-T", "-s", "-h", "--"})), 0, 4).Draw(t, "args"),
			At:      time.Unix(rapid.Int64Range(0, 1<<40).Draw(t, "at"), 0),
			Status:  rapid.IntRange(0, 9).Draw(t, "status"),
			Summary: "sum", Output: rapid.String().Draw(t, "output"),
		}
		if r.Kind != alert.Ack && r.Kind != alert.Disable {
			r.Exit = rapid.IntRange(0, 255).Draw(t, "exit")
		}
		env := environ(nil, alertVars(r), map[string]string{"MON_LAST_SUMMARY": r.Summary})
		got, _, err := ParseAlert(AlertWords(r), env, strings.NewReader(r.Output), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		want := r
		want.ID, want.Env, want.Output = got.ID, variables(env), strings.ToValidUTF8(r.Output, "\uFFFD")
		if r.Kind == alert.Ack {
			want.Exit = 1 // not passed; what is acknowledged has failed
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-sent +read\n%s", diff)
		}
	})
}

func FuzzParseAlert(f *testing.F) {
	f.Add("-s\nhttp\n-g\nweb\n-h\na b\n-t\n5\n-u\nroot", "up")
	f.Add("-u\n-P\ntcp", "")
	f.Add("-t\nx", "failure")
	f.Fuzz(func(t *testing.T, lines, kind string) {
		args := strings.Split(lines, "\n")
		r, rest, err := ParseAlert(args, []string{"MON_ALERTTYPE=" + kind}, nil, time.Unix(1, 0))
		if err != nil {
			return
		}
		if !r.Kind.Valid() || len(rest) > len(args) || strings.Join(args[len(args)-len(rest):], "\n") != strings.Join(rest, "\n") {
			t.Errorf("%q: %+v, rest %q", args, r, rest)
		}
	})
}
