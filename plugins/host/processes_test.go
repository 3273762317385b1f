package host

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
)

// A classic monitor is known by the number of its process while it runs.
func TestProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := "#!/bin/sh\necho $$ >\"$MON_STATEDIR/pid\"\nwhile [ ! -e \"$MON_STATEDIR/go\" ]; do sleep 0.02; done\n"
	if err := os.WriteFile(filepath.Join(dir, "wait.monitor"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(o *Options) { o.MonDirs, o.StateDir = []string{dir}, dir })
	if all := r.Processes(); len(all) != 0 {
		t.Errorf("%v", all)
	}
	ended := make(chan monitor.Result, 1)
	go func() { ended <- r.do("wait.monitor", generous) }()
	pid := func() int {
		text, _ := os.ReadFile(filepath.Join(dir, "pid"))
		n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
		return n
	}
	for limit := time.Now().Add(generous); pid() == 0 && time.Now().Before(limit); {
		time.Sleep(5 * time.Millisecond) // a real process: there is nothing to wait for
	}
	if all := r.Processes(); len(all) != 1 || all[0] != (Process{Group: "g", Service: "0", PID: pid()}) {
		t.Errorf("%v, want %d", all, pid())
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if res := <-ended; res.Cause != monitor.Exited || res.Exit != 0 {
		t.Errorf("%+v", res)
	}
	for limit := time.Now().Add(generous); len(r.Processes()) > 0 && time.Now().Before(limit); {
		time.Sleep(time.Millisecond)
	}
	if all := r.Processes(); len(all) != 0 {
		t.Errorf("%v", all)
	}
}
