package pair

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mails is a service that fails all the time and tells by mail of it each second,
// to a server that never says a word; it is in the watch of the directors.
const mails = `    service broken
        interval 1s
        monitor file.monitor --file DIR/none --missing fail
        period wd {Sun-Sat}
            alertevery 1s
            alert mail.alert --server 127.0.0.1:2525 root
`

// many are services whose checks cost little.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "\nhostgroup t%d h%d\n\nwatch t%d\n    service up\n        interval 1s\n        monitor file.monitor --file DIR/zero\n        period wd {Sun-Sat}\n            numalerts 1\n", i, i, i)
	}
	return b.String()
}

// mute is a mail server in a node that accepts and never says a word.
func mute(t testing.TB, w *world, n string) {
	t.Helper()
	var l net.Listener
	must(t, w.enter(n, func() (err error) {
		l, err = net.Listen("tcp", "127.0.0.1:2525")
		return err
	}))
	go func() {
		for {
			if _, err := l.Accept(); err != nil { // and never closed before the test ends
				return
			}
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
}

// What operators of mon can do, a mail server that hangs, and a reload leave the addresses where they are, and a takeover as fast as it is; with 1,000 services in a soak.
func TestSteering(t *testing.T) {
	services := 100
	if soaks() {
		services = 1000
	}
	s := newStage(t, words{watches: mails + many(services)})
	mute(t, s.w, "a")
	for _, d := range []*director{s.a, s.b} {
		must(t, os.WriteFile(d.path("zero"), []byte("0\n"), 0o644))
	}
	s.serving(t)
	s.steady(t, "a")
	until(t, "a service has failed", func() bool {
		row, err := s.a.client.Service(t.Context(), "directors", "broken")
		return err == nil && row.Status == "fail"
	})
	s.a.monctl(t, "ack", "directors:broken", "known")
	s.a.monctl(t, "disable", "directors:role")
	s.a.monctl(t, "reload")
	s.a.monctl(t, "stop")
	if answer := s.a.moncmd(t, s.w, "reset"); !strings.Contains(answer, "reset") {
		t.Errorf("moncmd reset: %s", answer)
	}
	s.stays(t, "a", 4*time.Second) // a lease, and one more second
	go func() { _ = exec.Command(program(t, "monctl"), "--socket", s.a.path("sock"), "reload").Run() }()
	event := time.Now()
	until(t, "the reload has begun", func() bool { return time.Since(event) > 20*time.Millisecond })
	event = time.Now()
	s.off(t)
	s.took(t, event, "b", 510*time.Millisecond+noise)
}

// The disk of a director that holds hangs, at last that of both: leases are
// renewed, and a takeover is as fast as without.
func TestDiskHangs(t *testing.T) {
	seldom(t)
	s := newStage(t, words{watches: mails})
	a, b := newDisk(t, s.a.path("state")), newDisk(t, s.b.path("state"))
	mute(t, s.w, "a")
	s.one(t)
	a.freeze(t)
	s.stays(t, "a", 8*time.Second)
	b.freeze(t)
	s.stays(t, "a", 4*time.Second)
	event := time.Now()
	s.dark(t)
	s.took(t, event, "b", 510*time.Millisecond+noise)
	s.stays(t, "b", 4*time.Second)
	t.Log(s.b.monctl(t, "vip"))
}

// disk is a filesystem of its own, which can be made to hang.
type disk struct{ dir string }

// newDisk mounts one, on a file.
func newDisk(t testing.TB, dir string) *disk {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 32<<20))
	run(t, "mkfs.ext4", "-q", "-F", image)
	run(t, "mount", "-o", "loop", image, dir)
	t.Cleanup(func() { run(t, "umount", dir) })
	return &disk{dir}
}

// freeze has every write to it wait, until the test ends: before its programs are
// ended, which would not end.
func (d *disk) freeze(t testing.TB) {
	t.Helper()
	run(t, "fsfreeze", "--freeze", d.dir)
	t.Cleanup(func() { run(t, "fsfreeze", "--unfreeze", d.dir) })
}

func run(t testing.TB, words ...string) {
	t.Helper()
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, out)
	}
}
