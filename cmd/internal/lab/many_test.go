package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	manyVirtuals = 1000
	manyReals    = 10
)

// many declares that many virtual services of the same reals: each real is
// looked at once for all of them.
func many(weight int) string {
	var b strings.Builder
	b.WriteString("syntax = mond\n\ntemplate all\n    scheduler wlc\n")
	for i := range manyReals {
		fmt.Fprintf(&b, "    real 192.168.0.%d weight 5\n", 11+i)
	}
	b.WriteString("    check http\n        interval 5s\n        suspect_interval 500ms\n        fall 2\n        timeout 20s\n        monitor http.monitor -p 80 -u / -t 10\n")
	for i := range manyVirtuals {
		fmt.Fprintf(&b, "\nvirtual v%d\n    address tcp 10.1.%d.%d:80\n", i, i/250, 1+i%250)
		if i == 7 && weight != 0 {
			fmt.Fprintf(&b, "    real 192.168.0.21 weight %d\n", weight)
		}
		b.WriteString("    use all\n")
	}
	return b.String()
}

// A thousand virtual services of ten real servers: they start, a reload with one
// change is one request, and the death of a real server, which is out of all of
// them, is a thousand.
func TestThousandVirtuals(t *testing.T) {
	newCluster(t)
	director.run(t, "ipvsadm -C")
	for i := range manyReals + 1 { // and the one that the reload brings
		rs := []node{rs1, rs2}[i%2]
		rs.run(t, fmt.Sprintf("ip address add 192.168.0.%d/24 dev eth0", 11+i))
		defer rs.run(t, fmt.Sprintf("ip address delete 192.168.0.%d/24 dev eth0", 11+i))
	}
	install(t, many(0))
	began := time.Now()
	d := startMond(t)
	rows := func(want int) func() bool {
		return func() bool { return countRows(t) == want }
	}
	patient := patience{limit: 10 * time.Minute, pause: time.Second}
	patient.until(t, d, "all rows are there", rows(manyVirtuals*(1+manyReals)))
	t.Logf("start: all %d rows are there after %v", manyVirtuals*(1+manyReals), time.Since(began).Round(time.Millisecond))
	for i := range manyReals {
		d.is(t, fmt.Sprintf("192.168.0.%d:http", 11+i), "ok")
	}
	tape := newTape(t)
	var wrote []byte
	taped := func(want int) func() bool { // what so many rows are read with would fill the tape
		there := rows(want)
		return func() bool {
			more, _ := tape.writes(t)
			wrote = append(wrote, more...)
			return there()
		}
	}
	began = time.Now()
	must(t, os.WriteFile(filepath.Join(configDir, "mon.cf"), []byte(many(3)), 0o644))
	must(t, d.cmd.Process.Signal(syscall.SIGHUP)) // monctl reload waits a minute at most
	patient.until(t, d, "the new real is there", taped(manyVirtuals*(1+manyReals)+1))
	t.Logf("reload with one change: %v", time.Since(began).Round(time.Millisecond))
	more, _ := tape.writes(t)
	if wrote = append(wrote, more...); !slices.Equal(wrote, []byte{newDest}) {
		t.Errorf("the reload wrote %v, want one new real", wrote)
	}
	wrote = nil

	rs2.run(t, "ip address delete 192.168.0.20/24 dev eth0")
	d.is(t, "192.168.0.20:http", "fail")
	began = time.Now()
	patient.until(t, d, "the dead real is out of all", taped(manyVirtuals*manyReals+1))
	t.Logf("storm: %d transitions are in the table %v after the verdict was seen", manyVirtuals, time.Since(began).Round(time.Millisecond))
	more, _ = tape.writes(t)
	wrote = append(wrote, more...)
	for _, w := range wrote {
		if w != delDest {
			t.Fatalf("the storm wrote %v", wrote)
		}
	}
	if len(wrote) != manyVirtuals {
		t.Errorf("the storm took %d writes, want %d", len(wrote), manyVirtuals)
	}
	rs2.run(t, "ip address add 192.168.0.20/24 dev eth0")
	patient.until(t, d, "the real is in all again", rows(manyVirtuals*(1+manyReals)+1))
	d.end(t, syscall.SIGTERM)
}

// countRows is how many rows the director's table has. It is asked again and
// again, so it starts no program: ipvsadm takes seconds for a table of this size.
func countRows(t *testing.T) (rows int) {
	t.Helper()
	must(t, director.enter(func() error {
		text, err := os.ReadFile("/proc/thread-self/net/ip_vs")
		rows = strings.Count(string(text), "\n") - tableHead
		return err
	}))
	return rows
}

// tableHead is how many lines of /proc/net/ip_vs are no rows.
const tableHead = 3
