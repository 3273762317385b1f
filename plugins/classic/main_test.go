package classic

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/procgroup"
)

// actVar makes the test binary play a program instead of running tests.
const actVar = "CLASSIC_TEST_ACT"

// quickExit keeps a child with the race detector from sleeping before its end.
const quickExit = "GORACE=atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	act, arg, _ := strings.Cut(os.Getenv(actVar), " ")
	switch act {
	case "":
		goleak.VerifyTestMain(m)
	case "record":
		record(os.Stdout)
	case "write": // as many bytes as it can
		writeMany(arg)
	case "deaf": // to SIGTERM, and long
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("deaf")
		time.Sleep(time.Minute)
	case "poor": // no descriptor to be had
		os.Exit(poor())
	}
}

// record prints in the form of testdata what the program was given.
func record(w io.Writer) {
	words := ""
	for _, word := range os.Args[1:] {
		words += " [" + word + "]"
	}
	target, _ := os.Readlink("/proc/self/fd/0")
	if strings.HasPrefix(target, "pipe:") {
		target = "pipe"
	}
	_, _ = fmt.Fprintf(w, "=== 0 RUN argv0=x argv=%s stdin=%s\n", strings.TrimSpace(words), target)
	for _, line := range slices.Sorted(slices.Values(os.Environ())) {
		if !strings.HasPrefix(line, actVar) && line != quickExit {
			_, _ = fmt.Fprintf(w, "    %s\n", strings.ReplaceAll(line, "\n", `\n`))
		}
	}
	in, _ := io.ReadAll(os.Stdin)
	_, _ = fmt.Fprintf(w, "    --stdin--\n%s\n    --end--\n", strings.ReplaceAll(string(in), "\n", "\\n\n"))
}

func writeMany(arg string) {
	n, _ := strconv.Atoi(arg)
	fmt.Println("many")
	chunk := []byte(strings.Repeat("x", 1<<20))
	for ; n > 0; n -= len(chunk) {
		_, _ = os.Stdout.Write(chunk[:min(n, len(chunk))])
	}
}

// poor runs a monitor with no descriptor left, and prints the cause.
func poor() int {
	s, err := procgroup.New()
	if err != nil {
		return 1
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: 3}); err != nil {
		return 1
	}
	r := RunMonitor(context.Background(), Exec{Spawner: s, Path: "/bin/true"}, monitor.Request{})
	fmt.Println(r.Cause)
	return 0
}

// call is one recorded run of a program.
type call struct {
	words []string
	env   map[string]string // MON_ and REC_ only
	stdin string
	from  string // where its standard input came from, if recorded
}

// calls reads recorded runs.
func calls(t *testing.T, text string) (all []call) {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "=== "):
			_, rest, _ := strings.Cut(line, "argv=")
			words, rest, _ := strings.Cut(rest, " stdin=")
			from, _, _ := strings.Cut(rest, " ")
			all = append(all, call{words: bracketed(words), env: map[string]string{}, from: from})
		case line == "    --stdin--":
			all[len(all)-1].stdin = input(lines)
		default:
			name, value, _ := strings.Cut(strings.TrimPrefix(line, "    "), "=")
			if strings.HasPrefix(name, "MON_") || strings.HasPrefix(name, "REC_") {
				all[len(all)-1].env[name] = strings.ReplaceAll(value, `\n`, "\n")
			}
		}
	}
	return all
}

// bracketed reads "[one] [two words]".
func bracketed(words string) []string {
	if words == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(words[1:], "]"), "] [")
}

// input reads a recorded standard input up to its end mark.
func input(lines *bufio.Scanner) string {
	var text []string
	for lines.Scan() && lines.Text() != "    --end--" {
		text = append(text, lines.Text())
	}
	return strings.ReplaceAll(strings.Join(text, "\n"), "\\n\n", "\n")
}

func readCalls(t *testing.T, name string) []call {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	all := calls(t, string(text))
	if len(all) == 0 {
		t.Fatalf("no runs in %s", name)
	}
	return all
}

func spawner(t testing.TB) *procgroup.Spawner {
	t.Helper()
	s, err := procgroup.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// acting is the Exec of this binary playing act, in the surroundings that
// testdata was recorded in.
func acting(t *testing.T, act string) Exec {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Exec{
		Spawner: spawner(t), Path: self, Env: []string{actVar + "=" + act, quickExit},
		StateDir: "BASE/state", LogDir: "BASE/log", CfBaseDir: "BASE",
	}
}

// shell is the Exec of the shell; its script is the request's last words.
func shell(t *testing.T) Exec {
	t.Helper()
	return Exec{Spawner: spawner(t), Path: "/bin/sh", Env: os.Environ(), Grace: 50 * time.Millisecond}
}

// script runs a shell script as a monitor of the host "h".
func script(ctx context.Context, t *testing.T, e Exec, text string) monitor.Result {
	t.Helper()
	r := RunMonitor(ctx, e, monitor.Request{Group: "g", Service: "s", Args: []string{"-c", text}, Hosts: []string{"h"}})
	r.Started, r.Took = time.Time{}, 0
	return r
}
