package lab

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/control"
)

// Where mond, run as root without a word about it, reads and keeps things.
const (
	configDir = "/etc/mon"
	stateDir  = "/var/lib/mond"
	socket    = "/run/mond/control.sock"
)

// daemon is a mond on the director.
type daemon struct {
	cmd    *exec.Cmd
	log    string
	ended  chan struct{} // closed when mond has ended
	err    error         // how, after that
	client *control.Client
}

// guide is the configuration of the LVS guide, word for word.
func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../engine/config/testdata/guide.cf")
	must(t, err)
	return string(text)
}

// quick is the guide's with a shorter interval.
func quick(t *testing.T) string {
	return strings.ReplaceAll(guide(t), "interval 10s", "interval 1s")
}

// install writes the configuration and forgets what an earlier mond kept.
func install(t *testing.T, text string) {
	t.Helper()
	must(t, os.RemoveAll(stateDir))
	must(t, os.MkdirAll(configDir, 0o755))
	must(t, os.WriteFile(configDir+"/mon.cf", []byte(text), 0o644))
}

// startMond starts mond on the director as its operator would, with more words
// if any.
func startMond(t *testing.T, words ...string) *daemon {
	t.Helper()
	return startMondIn(t, director, words...)
}

// startMondIn starts mond in a node, but for the spread of the first checks as
// its operator would, and waits until it answers.
func startMondIn(t *testing.T, n node, words ...string) *daemon {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), "log")
	must(t, err)
	defer log.Close()
	d := &daemon{log: log.Name(), ended: make(chan struct{}), client: control.Dial(socket)}
	d.cmd = n.command(t.Context(), append([]string{program(t, "mond"), "-r", "1s", "--log", "stderr"}, words...)...)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	must(t, d.cmd.Start())
	go func() {
		d.err = d.cmd.Wait()
		close(d.ended)
	}()
	t.Cleanup(func() { d.clear(t) })
	start := patience{limit: 5 * time.Minute, pause: usual().pause} // a large file takes minutes there
	start.until(t, d, "mond answers", func() bool {
		_, err := d.client.Daemon(t.Context())
		return err == nil
	})
	return d
}

// over is closed when mond has ended; without a mond it never is.
func (d *daemon) over() <-chan struct{} {
	if d == nil {
		return nil
	}
	return d.ended
}

// clear ends what the test has not, and shows the log if it failed.
func (d *daemon) clear(t *testing.T) {
	_ = d.cmd.Process.Kill()
	<-d.ended
	if t.Failed() {
		text, _ := os.ReadFile(d.log)
		t.Logf("log of mond:\n%s", text)
	}
}

// end ends mond with a signal and waits for it and for its plugins.
func (d *daemon) end(t *testing.T, sig syscall.Signal) {
	t.Helper()
	must(t, d.cmd.Process.Signal(sig))
	select {
	case <-d.ended:
	case <-time.After(limit):
		t.Fatalf("mond did not end within %v of a %v", limit, sig)
	}
	if sig == syscall.SIGTERM && d.err != nil {
		t.Errorf("mond ended with %v", d.err)
	}
	until(t, nil, "the plugins have ended, too", func() bool {
		return exec.Command("busybox", "pidof", "mond-plugins").Run() != nil
	})
}

// status waits until a service of the guide has a status.
func (d *daemon) status(t *testing.T, group, want string) {
	t.Helper()
	d.is(t, group+":http", want)
}

// checked waits until a service has been checked since mond was started.
func (d *daemon) checked(t *testing.T, group string) {
	t.Helper()
	d.seen(t, group+":http")
}

// is waits until a service, GROUP:SERVICE, has a status.
func (d *daemon) is(t *testing.T, key, want string) {
	t.Helper()
	group, service, _ := strings.Cut(key, ":")
	until(t, d, key+" is "+want, func() bool {
		s, err := d.client.Service(t.Context(), group, service)
		return err == nil && s.Status == want
	})
}

// seen waits until a service has been checked since mond was started.
func (d *daemon) seen(t *testing.T, key string) {
	t.Helper()
	group, service, _ := strings.Cut(key, ":")
	info, err := d.client.Daemon(t.Context())
	must(t, err)
	until(t, d, key+" has been checked", func() bool {
		s, err := d.client.Service(t.Context(), group, service)
		return err == nil && s.LastCheck != nil && s.LastCheck.After(info.Started)
	})
}
