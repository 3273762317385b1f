package scale

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mondhq/mond/alerts/lvs"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/words"
	"github.com/mondhq/mond/plugins/plugintest/daemons"
	"github.com/mondhq/mond/plugins/serve"
)

// kernelSocket is where requests go, below mond's state directory.
const kernelSocket = "kernel"

// TestMain is lvs.alert on the double where it is called by that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == lvs.Name {
		o := lvs.Options{Open: openDouble, Resync: resync()}
		serve.Main(serve.Alert(lvs.Name, lvs.Synopsis, lvs.NewFactory(o)))
	}
	os.Exit(daemons.Main(m))
}

// resyncFile says how often the table is looked at, if not as usual.
const resyncFile = "resync"

func resync() time.Duration {
	text, _ := os.ReadFile(filepath.Join(os.Getenv("MON_STATEDIR"), resyncFile))
	every, _ := time.ParseDuration(string(text))
	return every
}

// openDouble opens a table in memory whose every request is a message to the
// test and one back.
func openDouble(words.Place) (ipvs.Table, error) {
	c, err := net.Dial("unixpacket", filepath.Join(os.Getenv("MON_STATEDIR"), kernelSocket))
	if err != nil {
		return nil, err
	}
	fake, answer := ipvs.NewFake(), make([]byte, longestAnswer)
	fake.Fail(func(method string, v ipvs.Virtual, real netip.AddrPort) error { // one at a time
		if _, err := fmt.Fprintf(c, "%s %s %s", method, v, real); err != nil {
			return err
		}
		_, err := c.Read(answer)
		return err
	})
	return fake, nil
}

// Answers are as long as netlink's: some 300 octets for a real server, as many
// for a virtual service.
const (
	rowLength     = 300
	longestAnswer = 64 << 10
)

// write is one edit that was asked for.
type write struct {
	at   time.Time
	what string
}

// double is the other end: it answers requests and remembers them.
type double struct {
	listener *net.UnixListener
	changed  chan struct{} // after a request

	mu     sync.Mutex
	writes []write
	reads  map[string]int // by method
}

func newDouble(t testing.TB, dir string) *double {
	t.Helper()
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: filepath.Join(dir, kernelSocket), Net: "unixpacket"})
	must(t, err)
	d := &double{listener: l, changed: make(chan struct{}, 1), reads: map[string]int{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { d.serve(c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() }) // mond has ended by now
	return d
}

// serve answers one keeper until it ends.
func (d *double) serve(c net.Conn) {
	defer c.Close()
	request, answer := make([]byte, 4096), make([]byte, longestAnswer)
	for {
		n, err := c.Read(request)
		if err != nil || n == 0 {
			return
		}
		long := d.note(time.Now(), string(request[:n]))
		if _, err := c.Write(answer[:long]); err != nil {
			return
		}
		select {
		case d.changed <- struct{}{}:
		default:
		}
	}
}

// note remembers a request, and is how long its answer is.
func (d *double) note(at time.Time, what string) int {
	method, _, _ := strings.Cut(what, " ")
	d.mu.Lock()
	defer d.mu.Unlock()
	switch method {
	case "Destinations":
		d.reads[method]++
		return manyReals * rowLength
	case "Services":
		d.reads[method]++
		return longestAnswer // the kernel gives the rest in further messages
	case "Service", "Timeouts", "Daemons":
		d.reads[method]++
	default:
		d.writes = append(d.writes, write{at, what})
	}
	return rowLength
}

// asked is how often a method that reads was called.
func (d *double) asked(method string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reads[method]
}

// take are the edits since the last take.
func (d *double) take() []write {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.writes
	d.writes = nil
	return out
}

// count is how many edits there were since the last take.
func (d *double) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.writes)
}

// limit is how long anything may take on a busy machine.
const limit = 4 * time.Minute

// until waits for requests until a condition holds.
func (d *double) until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.After(limit); !holds(); {
		select {
		case <-deadline:
			t.Fatalf("waited %v until %s", limit, what)
		case <-d.changed:
		}
	}
}

// rounds waits until so many looks at the whole table began.
func (d *double) rounds(t testing.TB, n int) {
	t.Helper()
	want := d.asked("Services") + n
	d.until(t, "the table was looked at", func() bool { return d.asked("Services") >= want })
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
