package pair

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// removes is what networkd says when it takes the address.
var removes = regexp.MustCompile(`Removing foreign address [^:]*: ` + regexp.QuoteMeta(vip) + `/32 `)

// TestNetworkd starts systemd-networkd, as an upgrade does, on a director that
// holds: it takes what it did not set from its interfaces, leased addresses even
// with KeepConfiguration=static, and they are put back.
func TestNetworkd(t *testing.T) {
	seldom(t)
	want(t, "systemd", "/lib/systemd/systemd-networkd")
	for keep, takes := range map[string]bool{"no": true, "static": true, "yes": false} {
		t.Run("KeepConfiguration="+keep, func(t *testing.T) {
			s := newScene(t)
			s.steady(t, "a")
			for range 3 {
				before := s.a.putBack(t)
				event := time.Now()
				log := s.networkd(t, keep)
				if took := removes.MatchString(log); took != takes {
					t.Errorf("networkd removes the address: %v, want %v", took, takes)
				}
				s.serves(t, "a")
				gap, _, _ := s.ask.gap(event)
				n := s.a.putBack(t) - before
				t.Logf("put back %d times; the client had no answer for %v", n, gap)
				if takes != (n > 0) {
					t.Errorf("put back %d times", n)
				}
			}
			s.stays(t, "a", 4*time.Second)
		})
	}
}

// networkd runs on a until it has set up eth0, and a second longer, and returns
// its log of that.
func (s *scene) networkd(t *testing.T, keep string) string {
	t.Helper()
	script, err := filepath.Abs("testdata/networkd.sh")
	must(t, err)
	cmd := s.w.command("a", "unshare", "-m", "-p", "--fork", "--kill-child", "sh", script, lanA+"/24", keep)
	path := filepath.Join(t.TempDir(), "log")
	log, err := os.Create(path)
	must(t, err)
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	read := func() []byte { text, _ := os.ReadFile(path); return text }
	until(t, "networkd has set up eth0", func() bool { return bytes.Contains(read(), []byte("eth0: State changed: configuring -> configured")) })
	rest(time.Second)
	return string(read())
}

// putBack is how many addresses that others removed it has put back.
func (d *director) putBack(t *testing.T) (n uint64) {
	t.Helper()
	text, err := d.client.Show(t.Context(), "fake.alert", "vip json")
	must(t, err)
	var groups []struct {
		PutBack uint64 `json:"put_back"`
	}
	if err := json.Unmarshal([]byte(text), &groups); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, g := range groups {
		n += g.PutBack
	}
	return n
}
