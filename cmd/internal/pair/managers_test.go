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

// TestNetworkManager has NetworkManager manage the interface of a director that
// holds: it leaves alone what others set when it starts and when it is restarted,
// and takes it when its own profile is applied anew. Then it is put back.
func TestNetworkManager(t *testing.T) {
	seldom(t)
	want(t, "network-manager", "/usr/sbin/NetworkManager")
	s := newScene(t)
	s.steady(t, "a")
	say := s.networkManager(t)
	for _, tt := range []struct {
		word  string
		takes bool
	}{{"start", false}, {"restart", false}, {"reapply", true}, {"up", true}} {
		before, event := s.a.putBack(t), time.Now()
		say(tt.word)
		rest(2 * time.Second) // it goes on for a while
		s.serves(t, "a")
		gap, _, _ := s.ask.gap(event)
		n := s.a.putBack(t) - before
		t.Logf("%s: put back %d times; the client had no answer for %v", tt.word, n, gap)
		if tt.takes != (n > 0) {
			t.Errorf("%s: put back %d times, want some: %v", tt.word, n, tt.takes)
		}
	}
	s.stays(t, "a", 4*time.Second)
}

// networkManager is ready to run on a; what it returns has it do a word and waits
// until that is done.
func (s *scene) networkManager(t *testing.T) (say func(word string)) {
	t.Helper()
	script, err := filepath.Abs("testdata/networkmanager.sh")
	must(t, err)
	cmd := s.w.command("a", "unshare", "-m", "-p", "--fork", "--kill-child", "sh", script, lanA+"/24")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	path := filepath.Join(t.TempDir(), "log")
	log, err := os.Create(path)
	must(t, err)
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	words, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	read := func() []byte { text, _ := os.ReadFile(path); return text }
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("NetworkManager:\n%s", read())
		}
	})
	return func(word string) {
		t.Helper()
		_, err := words.Write([]byte(word + "\n"))
		must(t, err)
		until(t, "NetworkManager has done "+word, func() bool { return bytes.Contains(read(), []byte("done "+word+"\n")) })
	}
}
