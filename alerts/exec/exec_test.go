package execalert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mondhq/mond/alerts/internal/alerttest"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/alert/wording"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func alertLine(words ...string) (*Alert, error) { return alerttest.Line[*Alert](New, words...) }

func mustLine(t *testing.T, words ...string) *Alert {
	t.Helper()
	return alerttest.Must[*Alert](t, New, words...)
}

func request() alert.Request {
	return alert.Request{
		ID: "web:http:17", Group: "web", Service: "http", Kind: alert.Failure, Hosts: []string{"web1", "web2"},
		Summary: "web2 $(id)", Output: "web2 $(id)\nweb2: connection refused\n", Exit: 3, At: time.Unix(1700000000, 0),
		Env: map[string]string{"MON_DESCRIPTION": "the shop", "TEAM": "night"},
	}
}

// recorder writes a program that writes down how it was called.
func recorder(t *testing.T) (program, record string) {
	t.Helper()
	dir := t.TempDir()
	program, record = filepath.Join(dir, "program"), filepath.Join(dir, "record")
	check(t, os.WriteFile(program, []byte("#!/bin/sh\n{ for w; do echo \"<$w>\"; done; pwd; env | grep -v ^MOND_NOSKIP | grep '^MON\\|^TEAM' | sort; echo; cat; } >"+record+"\n"), 0o700))
	return program, record
}

func recorded(t *testing.T, record string) string {
	t.Helper()
	text, err := os.ReadFile(record)
	check(t, err)
	return string(text)
}

func TestValidate(t *testing.T) {
	rows := []struct {
		words []string
		bad   string
	}{
		{[]string{"true"}, ""},
		{[]string{"--", "/bin/true", "-x"}, ""},
		{[]string{"--shell", "exit $1", "3"}, ""},
		{[]string{"--expand", "--json", "--retry-on", "1-74,76", "true", "{{.Group}}", ""}, ""},
		{[]string{"--retry-on", "none", "--timeout", "5s", "--dir", "/tmp", "true"}, ""},
		{nil, "no program"},
		{[]string{"--"}, "no program"},
		{[]string{""}, "no program"},
		{[]string{"/no/such/program"}, "no such file"},
		{[]string{"no-such-program-anywhere"}, "not found"},
		{[]string{"/etc/passwd"}, "permission denied"},
		{[]string{"--classic", "--shell", "true"}, "only one"},
		{[]string{"--retry-on", "0", "true"}, "from 1 to 255"},
		{[]string{"--retry-on", "9-2", "true"}, "from 1 to 255"},
		{[]string{"--timeout", "0s", "true"}, "more than 0"},
		{[]string{"--dir", "tmp", "true"}, "from the root on"},
		{[]string{"--dir", "/none", "true"}, "no such folder"},
		{[]string{"--expand", "true", "a", "{{.Grupe}}"}, "argument 2: text:1:2"},
		{[]string{"--expand", "true", "{{"}, "argument 1: text:1"},
	}
	for _, r := range rows {
		t.Run(strings.Join(r.words, " "), func(t *testing.T) {
			_, err := alertLine(r.words...)
			if r.bad == "" {
				check(t, err)
			} else if err == nil || !strings.Contains(err.Error(), r.bad) {
				t.Errorf("error is %v, want %q", err, r.bad)
			}
		})
	}
}

const variables = "MOND_HOSTS=web1 web2\nMOND_NOTICE_ID=web:http:17\nMOND_TIME=1700000000\nMON_ALERTTYPE=failure\nMON_CFBASEDIR=\n" +
	"MON_DESCRIPTION=the shop\nMON_GROUP=web\nMON_LAST_SUMMARY=web2 $(id)\nMON_LOGDIR=\nMON_OPSTATUS=0\nMON_RETVAL=3\nMON_SERVICE=http\nMON_STATEDIR=\nTEAM=night\n\n"

func TestHowItIsCalled(t *testing.T) {
	program, record := recorder(t)
	output := request().Output
	rows := []struct {
		name  string
		words []string
		want  string
	}{
		{"as the line stands", []string{"--", program, "-x", "a b", "{{.Group}}", ""}, "<-x>\n<a b>\n<{{.Group}}>\n<>\n/\n" + variables + output},
		{"as mon's", []string{"--classic", program, "-x"}, "<-s>\n<http>\n<-g>\n<web>\n<-h>\n<web1 web2>\n<-t>\n<1700000000>\n<-x>\n/\n" + variables + output},
		{"expanded", []string{"--expand", program, "{{.Group}}/{{.Service}}: {{.Summary}}", ""}, "<web/http: web2 $(id)>\n<>\n/\n" + variables + output},
		{"by the shell", []string{"--shell", "--expand", program + ` "$0" "$1" "$MON_GROUP"`, "{{.Summary}}"}, "<exec.alert>\n<web2 $(id)>\n<web>\n/\n" + variables + output},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			check(t, mustLine(t, r.words...).Alert(t.Context(), request()))
			if d := cmp.Diff(r.want, recorded(t, record)); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("with JSON", func(t *testing.T) {
		check(t, mustLine(t, "--json", program).Alert(t.Context(), request()))
		_, text, _ := strings.Cut(recorded(t, record), "\n\n")
		var n wording.Notice
		check(t, json.Unmarshal([]byte(text), &n))
		if n.Version != 1 || n.Summary != request().Summary || n.ID != request().ID {
			t.Errorf("%+v", n)
		}
	})
	t.Run("in a folder, again", func(t *testing.T) {
		dir := t.TempDir()
		r := request()
		r.Repeated, r.Kind = true, alert.Up
		check(t, mustLine(t, "--dir", dir, "--classic", program).Alert(t.Context(), r))
		got := recorded(t, record)
		for _, want := range []string{"\n" + dir + "\n", "MOND_REPEATED=1\n", "<-u>\n", "MON_ALERTTYPE=up\n"} {
			if !strings.Contains(got, want) {
				t.Errorf("lacks %q:\n%s", want, got)
			}
		}
	})
}

func TestEnds(t *testing.T) {
	rows := []struct {
		name, command, retry string
		told, permanent      bool
		want                 string
	}{
		{"well", "echo fine", "", true, false, ""},
		{"well without reading", "exec <&-; exit 0", "", true, false, ""},
		{"later", "echo busy >&2; exit 75", "", false, false, "exited 75; it said: busy"},
		{"not found", "no-such-program-at-all", "", false, false, "exited 127"},
		{"refused", "echo no such pager; exit 1", "", false, true, "exited 1; it said: no such pager"},
		{"refused, to be tried again", "exit 1", "1-255", false, false, "exited 1"},
		{"later, not to be tried again", "exit 75", "none", false, true, "exited 75"},
		{"killed", "kill -9 $$", "", false, false, "killed by signal 9"},
		{"chatty", "yes | head -c 1000000; exit 2", "", false, true, "y y y"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			words := []string{"--shell"}
			if r.retry != "" {
				words = append(words, "--retry-on", r.retry)
			}
			err := mustLine(t, append(words, r.command)...).Alert(t.Context(), request())
			if r.told {
				check(t, err)
				return
			}
			if err == nil || alert.IsPermanent(err) != r.permanent || !strings.Contains(err.Error(), r.want) || len(err.Error()) > 500 {
				t.Errorf("permanent is %v: %v", alert.IsPermanent(err), err)
			}
		})
	}
}

// TestItEndsAsAGroup: what the program started does not outlive its time.
func TestItEndsAsAGroup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	a := mustLine(t, "--timeout", "300ms", "--shell", `sh -c 'echo $$ >`+file+`.new; mv `+file+`.new `+file+`; exec sleep 600' & wait`)
	err := a.Alert(t.Context(), request())
	if err == nil || alert.IsPermanent(err) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "stopped after") {
		t.Fatal(err)
	}
	var pid int
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return // ended before it began
	}
	check(t, err)
	check(t, json.Unmarshal(text, &pid))
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) && !zombie(pid) {
		t.Errorf("process %d is left: %v", pid, err)
	}
}

// zombie reports whether a process has ended and waits for its parent.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestWhatIsMissingMayComeBack(t *testing.T) {
	program, record := recorder(t)
	a := mustLine(t, program)
	check(t, os.Rename(program, program+".new"))
	if err := a.Alert(t.Context(), request()); err == nil || alert.IsPermanent(err) || !strings.Contains(err.Error(), program) {
		t.Error(err)
	}
	check(t, os.Rename(program+".new", program))
	check(t, a.Alert(t.Context(), request()))
	recorded(t, record)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Alert(ctx, request()); !errors.Is(err, context.Canceled) || alert.IsPermanent(err) {
		t.Error(err)
	}
}
