package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/classic"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// ran is what a program printed and its exit status.
type ran struct {
	Code     int
	Out, Err string
}

func runIt(t *testing.T, p Plugin, in string, env []string, args ...string) ran {
	t.Helper()
	var out, errs bytes.Buffer
	code := Run(t.Context(), p, Streams{Args: args, Env: env, In: strings.NewReader(in), Out: &out, Err: &errs})
	return ran{code, out.String(), errs.String()}
}

func TestClassicMonitor(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		code int
		out  string
		err  string
	}{
		{"ok", []string{"V=1"}, []string{"a", "b"}, 0, "a b 1\n", ""},
		{"fail", nil, []string{"--do=fail", "a"}, 1, "a\nrefused\n", ""},
		{"panic is no failure", nil, []string{"-do", "panic"}, 75, "blind (panicked)", "session_test.go"},
		{"nothing is no success", nil, []string{"-do", "nothing"}, 75, "blind (not run)", ""},
		{"bad option is no failure of a host", nil, []string{"-x", "a"}, 75, "blind (could not start)", "option -x"},
		{"bad limit", []string{"MOND_TIMEOUT=soon"}, nil, 75, "blind (could not start)", `"soon" is no time`},
		{"limit", []string{"MOND_TIMEOUT=0.05"}, []string{"-do", "wait"}, 1, "a\ncontext deadline exceeded\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := runIt(t, script(), "", tt.env, tt.args...)
			if got.Code != tt.code || !strings.Contains(got.Out, tt.out) || !strings.Contains(got.Err, tt.err) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestClassicMonitorThatNeverAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := Monitor("deaf.monitor", "", func(*flag.FlagSet) monitor.Monitor {
			return monitor.Func(func(context.Context, monitor.Request) monitor.Result { <-release; return monitor.OK("") })
		})
		if got := runIt(t, p, "", []string{"MOND_TIMEOUT=30s"}); got.Code != 1 || !strings.HasPrefix(got.Out, "no answer within 31s") {
			t.Errorf("got %+v", got)
		}
		close(release)
	})
}

func TestHelpAndDescribe(t *testing.T) {
	for _, arg := range []string{"-h", "--help"} {
		got := runIt(t, script(), "", nil, arg)
		for _, want := range []string{"Usage: scripted.monitor [option...] host...", "does what it is told", "-do do", `(default "ok")`} {
			if got.Code != 0 || !strings.Contains(got.Out, want) {
				t.Errorf("%s: no %q in %+v", arg, want, got)
			}
		}
	}
	got := runIt(t, script(Caps("cap_net_raw"), MaxInflight(7)), "", nil, "--describe")
	var m map[string]any
	if err := json.Unmarshal([]byte(got.Out), &m); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"kind": "monitor", "name": "scripted.monitor", "synopsis": "does what it is told",
		"caps": []any{"cap_net_raw"}, "max_inflight": 7.0,
		"flags": []any{map[string]any{"name": "do", "usage": "what to `do`", "default": "ok"}},
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
}

// teller notes what it is told.
type teller struct {
	told []alert.Request
	err  error
}

func (a *teller) Alert(_ context.Context, r alert.Request) error {
	if a.err != nil && a.err.Error() == "panic" {
		panic("boo")
	}
	a.told = append(a.told, r)
	return a.err
}

func (a *teller) plugin() Plugin {
	return Alert("tell.alert", "tells", func(fs *flag.FlagSet) alert.Alert {
		fs.Bool("u", false, "by user")
		return a
	})
}

func TestClassicAlert(t *testing.T) {
	a := &teller{}
	got := runIt(t, a.plugin(), "web1\ndetail\n", []string{"MON_ALERTTYPE=failure"}, "-s", "http", "-g", "web", "-h", "web1 web2", "-t", "100", "-u", "joe")
	if got.Code != 0 || len(a.told) != 1 {
		t.Fatalf("got %+v, told %v", got, a.told)
	}
	r := a.told[0]
	if r.Group != "web" || r.Service != "http" || r.Output != "web1\ndetail\n" || !cmp.Equal(r.Args, []string{"-u", "joe"}) || r.Kind != alert.Failure {
		t.Errorf("told %+v", r)
	}
	for err, code := range map[error]int{errors.New("no route"): classic.ExitRetry, errors.New("panic"): classic.ExitRetry, alert.Permanent(errors.New("no such user")): 1} {
		a.err = err
		if got := runIt(t, a.plugin(), "", nil); got.Code != code || !strings.Contains(got.Err, "tell.alert: ") {
			t.Errorf("%v: got %+v", err, got)
		}
	}
	if got := runIt(t, a.plugin(), "", nil, "-x"); got.Code != exitUsage || !strings.Contains(got.Err, "-x") {
		t.Errorf("bad option: got %+v", got)
	}
}

func TestTable(t *testing.T) {
	table := []Plugin{script(), (&teller{}).plugin()}
	run := func(argv0 string, args ...string) ran {
		var out, errs bytes.Buffer
		code := RunTable(t.Context(), table, argv0, Streams{Args: args, In: strings.NewReader(""), Out: &out, Err: &errs})
		return ran{code, out.String(), errs.String()}
	}
	for _, tt := range []struct {
		got  ran
		code int
		out  string
	}{
		{run("/usr/lib/mond/plugins/scripted.monitor", "h1"), 0, "h1 \n"},
		{run("mond-plugins", "scripted.monitor", "h1"), 0, "h1 \n"},
		{run("mond-plugins", "tell.alert"), 0, ""},
		{run("mond-plugins"), 0, "  tell.alert        tells\n"},
		{run("mond-plugins", "-h"), 0, "Usage: mond-plugins NAME"},
		{run("mond-plugins", "none.monitor"), exitUsage, ""},
	} {
		if tt.got.Code != tt.code || !strings.Contains(tt.got.Out, tt.out) {
			t.Errorf("got %+v, want %d %q", tt.got, tt.code, tt.out)
		}
	}
}

// strict refuses a combination of options.
type strict struct {
	monitor.Func
	a, b *bool
}

func (s strict) Validate() error {
	if *s.a && *s.b {
		return errors.New("both -a and -b")
	}
	return nil
}

func TestValidate(t *testing.T) {
	p := Monitor("strict.monitor", "", func(fs *flag.FlagSet) monitor.Monitor {
		fs.Int("p", 1, "")
		return strict{a: fs.Bool("a", false, ""), b: fs.Bool("b", false, "")}
	})
	boom := Monitor("boom.monitor", "", func(fs *flag.FlagSet) monitor.Monitor {
		fs.Func("x", "", func(string) error { panic("boo") })
		return monitor.Func(nil)
	})
	for _, tt := range []struct {
		p     Plugin
		args  string
		index int
		has   string
	}{
		{p, "-a -p 3", 0, ""},
		{p, "-a -p x", 2, "whole number"},
		{p, "-a -z", 1, "no such option"},
		{p, "-ab", -1, "both -a and -b"},
		{p, "-a -h", 1, "help"},
		{boom, "-x 1", -1, "panic: boo"},
	} {
		got := tt.p.Validate(strings.Fields(tt.args))
		if tt.has == "" {
			if len(got) != 0 {
				t.Errorf("%s: %v", tt.args, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Index != tt.index || !strings.Contains(got[0].Message, tt.has) {
			t.Errorf("%s: got %+v", tt.args, got)
		}
	}
}

func TestUnaryCalls(t *testing.T) {
	a := &teller{}
	svc := newService(t.Context(), a.plugin(), slog.New(slog.DiscardHandler))
	send := func(n *pb.Notice) error {
		r, err := svc.Send(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		return rpc.DecodeError(r)
	}
	notice := rpc.EncodeNotice(alert.Request{Kind: alert.Up, Args: []string{"-u", "joe"}})
	if err := send(notice); err != nil || len(a.told) != 1 {
		t.Errorf("%v, told %v", err, a.told)
	}
	a.err = errors.New("panic")
	if err := send(notice); err == nil || alert.IsPermanent(err) || !strings.Contains(err.Error(), "boo") {
		t.Errorf("panic: %v", err)
	}
	if err := send(&pb.Notice{}); !alert.IsPermanent(err) {
		t.Errorf("notice of no kind: %v", err)
	}
	if err := send(rpc.EncodeNotice(alert.Request{Kind: alert.Up, Args: []string{"-x"}})); !alert.IsPermanent(err) {
		t.Errorf("bad option: %v", err)
	}
	k, err := svc.Keep(t.Context(), &pb.KeepRequest{Generation: 1, Full: true})
	if err != nil || !alert.IsPermanent(rpc.DecodeKeep(k)) {
		t.Errorf("claims for one that is no keeper: %v %v", k, err)
	}
}

func TestLogIsInHclogsForm(t *testing.T) {
	var out bytes.Buffer
	slog.New(newLogHandler(&out)).Warn("table differs", "group", "web", "n", 3)
	var m map[string]any
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	if m["@level"] != "warn" || m["@message"] != "table differs" || m["group"] != "web" || m["n"] != 3.0 || m["@timestamp"] == nil {
		t.Errorf("got %s", out.String())
	}
}

// TestComplaintComesAfterTheAnswer: mon and mond read both from one pipe, and
// only a first line that says so is blind.
func TestComplaintComesAfterTheAnswer(t *testing.T) {
	for _, args := range [][]string{{"-x"}, {"-do", "panic"}} {
		var out bytes.Buffer
		code := Run(t.Context(), script(), Streams{Args: args, In: strings.NewReader(""), Out: &out, Err: &out})
		if code != 75 || !strings.HasPrefix(out.String(), "blind (") || !strings.Contains(out.String(), "\nscripted.monitor: ") {
			t.Errorf("%v: exit %d, output %q", args, code, out.String())
		}
	}
}

// TestEndsWithItsContext: neither a reader that does not read nor a writer that
// does not write keeps a program from ending.
func TestEndsWithItsContext(t *testing.T) {
	a := &teller{}
	for _, p := range []Plugin{script(), a.plugin()} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			in, feed := io.Pipe()
			reader, out := io.Pipe()
			ended := make(chan int, 1)
			go func() { ended <- Run(ctx, p, Streams{In: in, Out: out, Err: io.Discard}) }()
			synctest.Wait()
			cancel()
			if code := <-ended; code == 0 {
				t.Errorf("%s: exit 0", p.Name())
			}
			_, _ = feed.Close(), reader.Close() // for the goroutines that the process would end
		})
	}
	if len(a.told) != 0 {
		t.Errorf("told without its text: %v", a.told)
	}
}
