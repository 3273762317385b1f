package lab

import (
	"encoding/json"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/alerts/lvs"
	"github.com/mondhq/mond/alerts/lvs/report"
)

// The rows of the guide's site.
const (
	virtual = "-A -t 10.0.0.3:80 -s wlc"
	row1    = "-a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 5"
	row2    = "-a -t 10.0.0.3:80 -r 192.168.0.2:80 -g -w 5"
)

// The guide's configuration does what the guide says: a dead server leaves the
// table, nobody meets it from then on, and it returns with its weight.
func TestGuide(t *testing.T) {
	newCluster(t)
	install(t, guide(t))
	tape := newTape(t)
	d := startMond(t)
	untilTable(t, d, virtual, row1, row2)
	wantAnswers(t, virtualURL, 20, rs1, rs2)
	died := time.Now()
	rs2.web(t, "down")
	untilTable(t, d, virtual, row1)
	t.Logf("out of the table within %v of its death", time.Since(died).Round(time.Millisecond))
	flow := newFlow(t)
	wantAnswers(t, virtualURL, 50, rs1)
	d.status(t, "www2", "fail")
	d.status(t, "www1", "ok")
	rs2.web(t, "up")
	untilTable(t, d, virtual, row1, row2)
	served(t, virtualURL, 10) // the flow goes on beside
	flow.end()
	// wlc sends to the one that has had the fewest. Beside the flow all of
	// ours might go to the other: it would take the two in turn
	if a := served(t, virtualURL, 20); a.from[string(rs2)] == 0 {
		t.Errorf("answers came from %v, none from the one that returned", a.from)
	}
	d.end(t, syscall.SIGTERM)
	untilTable(t, nil, virtual, row1, row2)
	tape.wantWrites(t, newDest, newDest, delDest, newDest)
}

// A restart with nothing changed writes nothing, whether mond was stopped or
// killed.
func TestRestartWritesNothing(t *testing.T) {
	newCluster(t)
	install(t, quick(t))
	tape := newTape(t)
	d := startMond(t)
	untilTable(t, d, virtual, row1, row2)
	rs2.web(t, "down")
	untilTable(t, d, virtual, row1)
	tape.wantWrites(t, newDest, newDest, delDest)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		d.status(t, "www2", "fail")
		d.end(t, sig)
		d = startMond(t)
		d.checked(t, "www1")
		d.checked(t, "www2")
		counts := d.counts(t)
		if counts != (edits{}) {
			t.Errorf("after a restart by %v lvs.alert says that it edited: %+v", sig, counts)
		}
		writes, reads := tape.writes(t)
		if len(writes) != 0 || reads == 0 {
			t.Errorf("after a restart by %v netlink commands %v wrote and %d read, want none and some", sig, writes, reads)
		}
	}
	rs2.web(t, "up")
	untilTable(t, d, virtual, row1, row2)
	tape.wantWrites(t, newDest)
	if counts := d.counts(t); counts != (edits{Added: 1}) {
		t.Errorf("lvs.alert says that it edited: %+v, want one row added", counts)
	}
	d.end(t, syscall.SIGTERM)
}

// What the configuration does not name is not touched: not by a start, a
// death, a return, a restart or an end.
func TestForeignRowsStay(t *testing.T) {
	newCluster(t)
	foreign := []string{
		virtual,
		"-a -t 10.0.0.3:80 -r 192.168.0.9:80 -m -w 0",
		"-a -t 10.0.0.3:80 -r 192.168.0.1:8080 -m -w 0",
		"-A -t 10.0.0.4:80 -s rr -p 60",
		"-a -t 10.0.0.4:80 -r 192.168.0.2:80 -g -w 7",
		"-A -u 10.0.0.3:80 -s wrr",
		"-a -u 10.0.0.3:80 -r 192.168.0.2:80 -i -w 7 --tun-type ipip",
		"-A -f 7 -s sh",
		"-a -f 7 -r 192.168.0.1:0 -g -w 2",
	}
	for _, row := range foreign[1:] {
		director.run(t, "ipvsadm "+row)
	}
	install(t, quick(t))
	tape := newTape(t)
	d := startMond(t)
	untilTable(t, d, append([]string{row1, row2}, foreign...)...)
	rs2.web(t, "down")
	untilTable(t, d, append([]string{row1}, foreign...)...)
	d.end(t, syscall.SIGTERM)
	d = startMond(t)
	d.checked(t, "www1")
	rs2.web(t, "up")
	untilTable(t, d, append([]string{row1, row2}, foreign...)...)
	d.end(t, syscall.SIGTERM)
	untilTable(t, nil, append([]string{row1, row2}, foreign...)...)
	tape.wantWrites(t, newDest, newDest, delDest, newDest)
}

// What somebody else does to an owned row is undone at the next look.
func TestEditsOfOthersAreUndone(t *testing.T) {
	newCluster(t)
	install(t, quick(t))
	d := startMond(t)
	untilTable(t, d, virtual, row1, row2)
	director.run(t, "ipvsadm -d -t 10.0.0.3:80 -r 192.168.0.1:80")
	director.run(t, "ipvsadm -e -t 10.0.0.3:80 -r 192.168.0.2:80 -m -w 1")
	untilTable(t, d, virtual, row1, row2)
	director.run(t, "ipvsadm -C")
	untilTable(t, d)
	director.run(t, "ipvsadm "+virtual)
	untilTable(t, d, virtual, row1, row2)
	d.end(t, syscall.SIGTERM)
}

// edits is how often lvs.alert says that it edited the table.
type edits struct{ Added, Set, Deleted uint64 }

// counts asks the keeper through monctl, as an operator would.
func (d *daemon) counts(t *testing.T) edits {
	t.Helper()
	text := run(t, exec.CommandContext(t.Context(), program(t, "monctl"), "show", lvs.Name, "table"))
	var r report.Report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if !r.Ready || len(r.Tables) != 1 {
		t.Fatalf("want a keeper that has its claims, and one table:\n%s", text)
	}
	return edits{r.Tables[0].Added, r.Tables[0].Set, r.Tables[0].Deleted}
}

// flow is a client that connects without a pause; none of its connections may
// fail.
type flow struct {
	t    *testing.T
	stop chan struct{}
	done chan struct{}
	all  answers
	err  error
}

func newFlow(t *testing.T) *flow {
	f := &flow{t: t, stop: make(chan struct{}), done: make(chan struct{}), all: answers{from: map[string]int{}}}
	go f.run()
	return f
}

func (f *flow) run() {
	defer close(f.done)
	for {
		a, err := browse(f.t.Context(), virtualURL, 20)
		if err != nil {
			f.err = err
			return
		}
		f.all.failed = append(f.all.failed, a.failed...)
		for name, n := range a.from {
			f.all.from[name] += n
		}
		select {
		case <-f.stop:
			return
		case <-time.After(500 * time.Millisecond): // leave the one CPU to others
		}
	}
}

// end ends the flow and judges it.
func (f *flow) end() {
	f.t.Helper()
	close(f.stop)
	<-f.done
	f.t.Logf("beside it the client got answers from %v", f.all.from)
	if f.err != nil || len(f.all.failed) != 0 {
		f.t.Errorf("connections failed: %q, %v", f.all.failed, f.err)
	}
}
