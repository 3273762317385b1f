package halink

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/plugins/getopt"
	"github.com/mondhq/mond/plugins/monitor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clStatus writes a program that answers as cl_status 3.0.6 does, from the
// cases of a shell.
func clStatus(t *testing.T, cases string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cl_status")
	text := "#!/bin/sh\ncase \"$*\" in\n" + cases + "\n*) echo 'Error. May be due to incorrect node name' >&2; exit 11 ;;\nesac\n"
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	well = `
"nodestatus dira") echo active ;;
"nodestatus 10.0.0.254") echo ping ;;
"listhblinks 10.0.0.254") printf '\t10.0.0.254\n' ;;
"hblinkstatus 10.0.0.254 10.0.0.254") echo up ;;
"listhblinks dira") printf '\teth1\n\teth0\n' ;;
"hblinkstatus dira eth0") echo up ;;
"listnodes") printf 'dira\ndirb\n' ;;
"rscstatus") echo local ;;
`
	up1     = `"hblinkstatus dira eth1") echo up ;;`
	dead1   = `"hblinkstatus dira eth1") echo dead; exit 1 ;;`
	stopped = `*) echo 'Nov 26 06:29:07 vm cl_status: [12566]: ERROR: Cannot signon with heartbeat' >&2
echo "Nov 26 06:29:07 vm cl_status: [12566]: ERROR: REASON: hb_api_signon: Can't initiate connection to heartbeat" >&2; exit 1 ;;`
)

func check(t *testing.T, program string, hosts string, args ...string) monitor.Result {
	t.Helper()
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	m := New(fs)
	if _, err := getopt.Parse(fs, append([]string{"--cl-status", program}, args...)); err != nil {
		t.Fatal(err)
	}
	if err := m.(monitor.Validator).Validate(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return m.Check(ctx, monitor.Request{Hosts: strings.Fields(hosts)})
}

func TestCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		cases, hosts string
		args         []string
		fails, blind bool
		warn         bool
		want         string // in the output
	}{
		"all well":            {well + up1, "dira 10.0.0.254", nil, false, false, false, "active; eth0 eth1 up"},
		"one link dead":       {well + dead1, "dira", nil, true, false, false, "active; eth1 dead, eth0 up"},
		"a warning":           {well + dead1, "dira", []string{"--warn"}, false, false, true, "eth1 dead"},
		"the other counts":    {well + dead1, "dira", []string{"--link", "eth0"}, false, false, false, "eth0 up"},
		"this one counts":     {well + dead1, "dira", []string{"--link", "eth1", "--warn"}, true, false, false, "eth1 dead"},
		"no such link":        {well + up1, "dira", []string{"--link", "tty"}, false, true, false, "no link tty to dira; it has eth0, eth1"},
		"no such node":        {well + up1, "dirx", nil, false, true, false, "incorrect node name"},
		"dead node":           {`"nodestatus dira") echo dead; exit 1 ;;` + well + dead1, "dira", nil, true, false, false, "the node is dead"},
		"one dead, one blind": {well + dead1, "dira dirx", nil, true, false, false, "eth1 dead"},
		"holds as wanted":     {well + up1, "dira", []string{"--holds", "local"}, false, false, false, "this machine holds local"},
		"holds too much":      {`"rscstatus") echo all ;;` + well + up1, "dira", []string{"--holds", "local"}, true, false, false, "holds all of the resources, and is to hold local"},
		"in transition":       {`"rscstatus") echo transition ;;` + well + up1, "dira", []string{"--holds", "local"}, false, false, false, "active"},
		"not running":         {stopped, "dira", nil, false, true, false, "heartbeat does not run here"},
		"not running, holds":  {stopped, "dira", []string{"--holds", "all"}, false, true, false, "heartbeat does not run here"},
		"nonsense":            {`*) echo frobnicated ;;`, "dira", nil, false, true, false, `knows no node dira (it says "frobnicated")`},
		"silence":             {`*) exit 0 ;;`, "dira", nil, false, true, false, "says nothing"},
		"endless":             {`*) while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxx || exit; done & sleep 0.1; kill $! ;;`, "dira", nil, false, true, false, "knows no node"},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, clStatus(t, tt.cases), tt.hosts, tt.args...)
			if r.Failing() != tt.fails || r.Blind() != tt.blind || r.Warn != tt.warn || !strings.Contains(r.Output(), tt.want) {
				t.Errorf("failing %v, blind %v, warn %v: %s", r.Failing(), r.Blind(), r.Warn, r.Output())
			}
		})
	}
}

// TestNoProgram: where heartbeat is not installed nothing is said of a node.
func TestNoProgram(t *testing.T) {
	r := check(t, "/nonexistent/cl_status", "dira")
	if !r.Blind() || !strings.Contains(r.Output(), "it is in the package heartbeat") {
		t.Errorf("%+v", r)
	}
}

// TestStuck: a cl_status that hangs is killed with all it started, and is no
// verdict.
func TestStuck(t *testing.T) {
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	m := New(fs)
	if err := fs.Parse([]string{"--cl-status", clStatus(t, `*) sleep 60 ;;`)}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if r := m.Check(ctx, monitor.Request{Hosts: []string{"dira"}}); !r.Blind() || !strings.Contains(r.Output(), "is heartbeat stuck?") {
		t.Errorf("%+v", r)
	}
}

func TestOptions(t *testing.T) {
	for want, args := range map[string][]string{
		"say local, foreign":       {"--holds", "some"},
		"say the name of one link": {"--link", "a b"},
		"each once":                {"--link", "a", "--link", "a"},
	} {
		fs := flag.NewFlagSet(Name, flag.ContinueOnError)
		New(fs)
		if _, err := getopt.Parse(fs, args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
}

// FuzzReason: whatever cl_status complains of, the reason is one line.
func FuzzReason(f *testing.F) {
	f.Add("Nov 26 06:29:07 vm cl_status: [1]: ERROR: Cannot signon with heartbeat\nNov 26 06:29:07 vm cl_status: [1]: ERROR: REASON: \n")
	f.Fuzz(func(t *testing.T, text string) {
		if got := reason(text); strings.Contains(got, "\n") {
			t.Errorf("%q", got)
		}
	})
}
