package plugintest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/procgroup"
	"github.com/mondhq/mond/plugins/rpc"
)

// knocking are options that suit the monitors of these tests.
func knocking(t *testing.T, path string) Options {
	return Options{
		Path: path, Args: []string{"-p", target(t, plainly)}, Down: []string{"127.0.0.3"}, Silent: "127.0.0.2", Limit: time.Second,
	}
}

const goodMonitor = `
port=23
[ "$*" = -h ] && { echo "Usage: knock.monitor [-p port] host..."; exit 0; }
while getopts p: o; do case $o in p) port=$OPTARG ;; *) exit 2 ;; esac; done
shift $((OPTIND - 1))
bad=
for host; do
	read -r line <<-END
		$(nc -w 1 "$host" "$port" </dev/null 2>&1)
	END
	[ "$line" = hello ] || bad="$bad $host"
done
echo $bad
[ -z "$bad" ]
`

func TestGoodMonitors(t *testing.T) {
	t.Parallel()
	for _, path := range []string{plugin(t, "knock.monitor"), script(t, "knock.monitor", goodMonitor)} {
		o := knocking(t, path)
		o.Env = []string{faultEnv + "=none"}
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) { t.Parallel(); Run(t, o) })
	}
}

const goodAlert = `
to=
[ "$*" = -h ] && { echo "Usage: tell.alert -s service -g group -h hosts -t time [-u] -file file"; exit 0; }
while getopts s:g:h:t:l:uTOaDf: o; do case $o in f) to=$OPTARG ;; "?") exit 2 ;; esac; done
[ -z "$to" ] || head -1 >> "$to"
`

func TestGoodAlerts(t *testing.T) {
	t.Parallel()
	kept := filepath.Join(t.TempDir(), "kept")
	write(t, kept, "")
	t.Run("resident", func(t *testing.T) {
		t.Parallel()
		Run(t, Options{
			Path: plugin(t, "tell.alert"), Args: []string{"--file", kept}, Env: []string{faultEnv + "=none"},
			Kept: func() (string, error) { b, err := os.ReadFile(kept); return string(b), err },
		})
	})
	t.Run("script", func(t *testing.T) {
		t.Parallel()
		Run(t, Options{Path: script(t, "tell.alert", goodAlert), Args: []string{"-f", filepath.Join(t.TempDir(), "told")}})
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// report checks a plugin and returns what does not hold.
func report(t *testing.T, o Options) (names []string, r Report) {
	t.Helper()
	r, err := Check(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return failed(t, r), r
}

// failed are the names of the cases that do not hold.
func failed(t *testing.T, r Report) (names []string) {
	t.Helper()
	for _, c := range r.Failed() {
		names = append(names, c.Name)
		if !strings.Contains(c.Detail, "\n") {
			t.Errorf("%s does not say what to do: %q", c.Name, c.Detail)
		}
	}
	return names
}

// TestFaultyScripts: each fault is found, by these cases and no others.
func TestFaultyScripts(t *testing.T) {
	t.Parallel()
	change := func(old, new string) string {
		t.Helper()
		text := strings.Replace(goodMonitor, old, new, 1)
		if text == goodMonitor {
			t.Fatalf("%q is not there to be replaced", old)
		}
		return text
	}
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"no usage", change(`[ "$*" = -h ]`, "false"), []string{"classic/usage"}},
		{"options are ignored", change("*) exit 2", "*) :"), []string{"classic/unknown-option"}},
		{"always well", change(`[ -z "$bad" ]`, "exit 0"), []string{"classic/hosts", "classic/down", "classic/limit"}},
		{"does not say who", change("echo $bad", "echo"), []string{"classic/hosts", "classic/down"}},
		{"looks at one host only", change("for host; do", "for host in $1; do"), []string{"classic/hosts", "classic/down"}},
		{"no limit", change("nc -w 1", "nc"), []string{"classic/limit"}},
		{"deaf to TERM", change("port=23", "port=23; trap '' TERM"), []string{"classic/term"}},
		{"leaves a child", change("echo $bad", "setsid sleep 60 >/dev/null 2>&1 & echo $bad"), []string{"classic/children"}},
		{"reads its input", change("port=23", "port=23; cat || exit 9"), []string{"classic/no-input"}},
		{"evaluates", change("echo $bad", `eval "last='$MON_LAST_SUMMARY'" >&- 2>&-; echo $bad`), []string{"classic/quoting"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, r := report(t, knocking(t, script(t, "knock.monitor", tt.text)))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n%s", diff, shownReport(t, r))
			}
		})
	}
}

func shownReport(t *testing.T, r Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestFaultyPlugins: each fault of a resident one is found by these cases.
func TestFaultyPlugins(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, fault string
		want        []string
	}{
		{"knock.monitor", "talks before it serves when resident", []string{"resident/handshake"}},
		{"knock.monitor", "dies at once when resident", []string{"resident/handshake"}},
		{"knock.monitor", "prints when resident", []string{"resident/stdout"}},
		{"knock.monitor", "another name", []string{"resident/describe"}},
		{"knock.monitor", "option without usage", []string{"resident/describe"}},
		{"knock.monitor", "always well when resident", []string{"resident/down", "resident/deadline"}},
		{"knock.monitor", "panics when resident", []string{"resident/same", "resident/down", "resident/many"}},
		{"knock.monitor", "deaf to ctx when resident", []string{"resident/deadline", "resident/cancel"}},
		{"knock.monitor", "leaves a child when resident", []string{"resident/shutdown", "resident/term", "resident/lifeline", "resident/killed", "resident/frozen"}},
		{"knock.monitor", "deaf to its lifeline", []string{"resident/lifeline"}},
		{"knock.monitor", "resident whatever the cookie", []string{"resident/other-cookie"}},
		{"tell.alert", "knows failures only when resident", []string{"resident/up", "resident/startup", "resident/trap", "resident/traptimeout", "resident/ack", "resident/disable", "resident/test"}},
		{"tell.alert", "runs what it is told when resident", []string{"resident/quoting"}},
		{"tell.alert", "not idempotent", []string{"resident/keep"}},
		{"tell.alert", "keeps nothing", []string{"resident/keep"}},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			kept := filepath.Join(t.TempDir(), "kept")
			o := Options{
				Path: plugin(t, tt.name), Args: []string{"--file", kept}, Limit: time.Second,
				Kept: func() (string, error) { b, err := os.ReadFile(kept); return string(b), err },
			}
			write(t, kept, "")
			if kindOf(tt.name) == rpc.Monitor {
				o = knocking(t, o.Path)
			}
			o.Mode, o.Env = Resident, []string{faultEnv + "=" + tt.fault}
			got, r := reportResident(t, o)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n%s", diff, shownReport(t, r))
			}
		})
	}
}

// reportResident is report without the classic trials.
func reportResident(t *testing.T, o Options) (names []string, r Report) {
	t.Helper()
	o, err := o.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	spawner, err := procgroup.New()
	if err != nil {
		t.Fatal(err)
	}
	defer spawner.Close()
	dir, err := os.MkdirTemp("", "plugintest-") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s := newSuite(o, dir, spawner)
	if o.Kind == rpc.Monitor {
		s.try(t.Context(), s.verdict())
	}
	s.tryResident(t.Context())
	if err := s.guest.end(); err != nil {
		t.Error(err)
	}
	return failed(t, s.report), s.report
}

func TestWhatCannotBeTested(t *testing.T) {
	for name, o := range map[string]Options{
		"no kind":     {Path: "/bin/true"},
		"short limit": {Path: "x.monitor", Limit: time.Millisecond},
	} {
		if r, err := Check(t.Context(), o); err == nil || len(r.Cases) > 0 {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	dir := t.TempDir()
	for _, path := range []string{filepath.Join(dir, "absent.monitor"), dir + ".monitor"} {
		_ = os.Mkdir(dir+".monitor", 0o700)
		got, _ := report(t, Options{Path: path})
		if diff := cmp.Diff([]string{"classic/starts"}, got); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

func TestReport(t *testing.T) {
	r := Report{Name: "knock.monitor", Kind: rpc.Monitor, Cases: []Case{
		{Name: "classic/usage", What: "it helps", OK: true},
		{Name: "classic/term", What: "it ends", Detail: "it did not\nLet it end."},
		{Name: "resident", What: "it serves", Skipped: true, Detail: "it is classic"},
	}}
	want := `  ok    classic/usage             it helps
  FAIL  classic/term              it ends
          it did not
          Let it end.
  -     resident                  it serves
          it is classic
knock.monitor (monitor, classic): 1 of 2 cases hold, 1 do not apply
`
	if diff := cmp.Diff(want, shownReport(t, r)); diff != "" {
		t.Error(diff)
	}
	if r.OK() || (Report{}).OK() {
		t.Error("a report with a failed case, or with none, is not well")
	}
	b, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(b), `"kind":"monitor"`) {
		t.Errorf("%s, %v", b, err)
	}
}
