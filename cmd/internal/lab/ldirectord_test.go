package lab

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// other is a second director on the same wire, where the real ldirectord runs.
const other node = "ldirectord"

// bothRead is a file that ldirectord and mond read alike. The fallback is each
// director's own.
const bothRead = `checktimeout = 2
negotiatetimeout = 2
checkinterval = 2
maintenancedir = /run/maintenance
fallback = 127.0.0.1:80 gate

virtual = 10.0.0.3:80
	real = 192.168.0.1:80 gate 5
	real = 192.168.0.2:80 gate 3 "/index.html", "rs2" l:10 u:20
	request = "/index.html"
	receive = "rs"
	scheduler = wlc
	persistent = 300
	netmask = 255.255.255.0
	protocol = tcp

virtual = 10.0.0.4:8080
	real = 192.168.0.1->192.168.0.2:80 masq
	service = http
	checktype = 2
	scheduler = sh
	schedflags = sh-fallback,sh-port
	quiescent = yes

virtual = 7
	real = 192.168.0.1 ipip 2
	real = 192.168.0.2 gate 4
	checktype = connect
	checkport = 80
	fallback = 192.168.0.9 gate
	protocol = fwm
`

// newOther makes the second director; it ends with the kernel.
func newOther(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/run/netns/" + string(other)); err == nil {
		return
	}
	for _, line := range []string{
		"ip netns add ldirectord", "ip link add ldirectord type veth peer name eth0 netns ldirectord", "ip link set ldirectord master lab up",
		"ip -n ldirectord link set lo up", "ip -n ldirectord link set eth0 up", "ip -n ldirectord address add 192.168.0.253/24 dev eth0",
	} {
		run(t, exec.Command("ip", strings.Fields(line)[1:]...))
	}
}

// startLdirectord runs the real one, in the foreground.
func startLdirectord(t *testing.T, file string) {
	t.Helper()
	program := "/usr/sbin/ldirectord"
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("MOND_NOSKIP") != "" {
			t.Fatal("needs the Debian package ldirectord")
		}
		t.Skip("needs the Debian package ldirectord")
	}
	must(t, os.MkdirAll("/var/run/ldirectord", 0o755))
	ctx, cancel := context.WithCancel(context.Background())
	log, err := os.CreateTemp(t.TempDir(), "ldirectord")
	must(t, err)
	cmd := other.command(ctx, program, "-d", file, "start")
	cmd.Stdout, cmd.Stderr = log, log
	must(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		_ = log.Close()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("ldirectord, its last words:\n%s", text[max(0, len(text)-8<<10):])
		}
	})
}

// rows is the table of a node, a row a line, sorted. ldirectord knows no
// thresholds of a fallback, and ipvsadm prints those that are 0 of none.
func rows(t *testing.T, n node) []string {
	t.Helper()
	var all []string
	for line := range strings.Lines(n.run(t, "ipvsadm -Sn")) {
		all = append(all, strings.TrimSpace(line))
	}
	slices.Sort(all)
	return all
}

// The real ldirectord and mond make the same table of the same file: while all
// is well, with one real server dead, with all dead, when they are back, and
// with one in maintenance.
func TestLdirectordTable(t *testing.T) {
	newCluster(t)
	newOther(t)
	director.run(t, "ipvsadm -C")
	must(t, os.RemoveAll("/run/maintenance"))
	must(t, os.MkdirAll("/run/maintenance", 0o755))
	file := filepath.Join(t.TempDir(), "www.cf")
	must(t, os.WriteFile(file, []byte(bothRead), 0o644))
	startLdirectord(t, file)
	install(t, "") // forgets what an earlier mond kept
	d := startMondWith(t, "-c", file)
	same := func(what string, enough func(table []string) bool) {
		t.Helper()
		var ours, theirs []string
		defer func() {
			if t.Failed() {
				t.Logf("%s: mond has\n%s\nldirectord has\n%s", what, strings.Join(ours, "\n"), strings.Join(theirs, "\n"))
			}
		}()
		untilEvery(t, d, 2*time.Second, what+": both tables are the same", func() bool {
			ours, theirs = rows(t, director), rows(t, other)
			return len(theirs) > 0 && enough(theirs) && slices.Equal(ours, theirs)
		})
	}
	has := func(part string, want bool) func([]string) bool {
		return func(table []string) bool {
			return want == slices.ContainsFunc(table, func(row string) bool { return strings.Contains(row, part) })
		}
	}
	const first = "-t 10.0.0.3:80 -r 192.168.0.1:80"
	same("healthy", has(first, true))
	rs1.web(t, "down")
	same("one real server dead", has(first, false))
	rs2.web(t, "down")
	same("all dead", has("-t 10.0.0.3:80 -r 127.0.0.1:80", true))
	rs1.web(t, "up")
	rs2.web(t, "up")
	same("after the return", has(first, true))
	must(t, os.WriteFile("/run/maintenance/192.168.0.1:80", nil, 0o644))
	same("in maintenance", has(first, false))
	must(t, os.Remove("/run/maintenance/192.168.0.1:80"))
	same("back from maintenance", has(first, true))
}
