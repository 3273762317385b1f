package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// nobody is the user of these tests.
func nobody(t *testing.T) (uid, gid int) {
	t.Helper()
	needRoot(t)
	a, err := findAccount("nobody")
	must(t, err)
	return a.uid, a.gid
}

// openSite is a site that another user can start: it reads the programs and
// the configuration, and writes to a table in a folder of its own.
func openSite(t *testing.T, uid int) *testSite {
	t.Helper()
	s := newSite(t)
	must(t, os.Chmod(binDir, 0o755)) //nolint:gosec // the programs under test
	must(t, os.Chmod(s.dir, 0o755))  //nolint:gosec // nothing secret in it
	must(t, os.Mkdir(s.path("t"), 0o755))
	s.makeTable(virtual)
	must(t, os.Rename(s.tableFile(), s.path("t/table")))
	must(t, os.Chown(s.path("t/table"), uid, -1))
	must(t, os.Chown(s.path("t"), uid, -1))
	return s
}

// configureOpen is configure for openSite: everything mond keeps is in a
// folder that it makes.
func (s *testSite) configureOpen(grants, body string) {
	s.t.Helper()
	text := strings.Replace(s.head(), "statedir = "+s.dir, "statedir = "+s.path("state"), 1)
	text = strings.Replace(text, "logdir = "+s.dir, "logdir = "+s.path("log.d"), 1) + grants
	text += strings.ReplaceAll(body, s.tableFile(), s.path("t/table"))
	must(s.t, os.WriteFile(s.path("mon.cf"), []byte(text), 0o644)) //nolint:gosec // mond reads it as another user
}

// standing is what the kernel says of one thread.
type standing struct{ Uid, Gid, Eff, Prm, Inh, Amb string }

// threads are the different standings of a process's threads; none, if it has
// ended.
func threads(t *testing.T, pid int) []standing {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	must(t, err)
	var all []standing
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		if s := standingOf(string(text)); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

func standingOf(status string) standing {
	f := map[string]string{}
	for line := range strings.Lines(status) {
		name, rest, _ := strings.Cut(line, ":")
		f[name] = strings.Join(strings.Fields(rest), " ")
	}
	return standing{f["Uid"], f["Gid"], f["CapEff"], f["CapPrm"], f["CapInh"], f["CapAmb"]}
}

// mask is how /proc shows a set, less what this machine's root has not.
func mask(want ...cap.Value) string {
	var bits uint64
	have := permitted()
	for _, v := range want {
		if slices.Contains(have, v) {
			bits |= 1 << v
		}
	}
	return fmt.Sprintf("%016x", bits)
}

func four(id int) string { return strings.TrimSpace(strings.Repeat(strconv.Itoa(id)+" ", 4)) }

// checkMond expects mond itself to hold the three for others only.
func (s *testSite) checkMond(uid, gid int) {
	s.t.Helper()
	three := mask(kept()...)
	want := []standing{{four(uid), four(gid), mask(), three, three, mask()}}
	if diff := cmp.Diff(want, threads(s.t, s.cmd.Process.Pid)); diff != "" {
		s.t.Errorf("threads of mond (-want +got):\n%s", diff)
	}
}

// checkPlugin waits until a plugin runs with just these capabilities.
func (s *testSite) checkPlugin(name string, uid, gid int, caps ...cap.Value) {
	s.t.Helper()
	set, three := mask(caps...), mask(kept()...)
	want := []standing{{four(uid), four(gid), set, set, three, set}}
	var last string
	defer func() {
		if s.t.Failed() {
			s.t.Logf("%s (-want +got):\n%s", name, last)
		}
	}()
	s.until(name+" runs with "+fmt.Sprint(caps), func() bool {
		pid := s.plugin(name)
		last = cmp.Diff(want, threads(s.t, pid))
		return pid != 0 && last == ""
	})
}

// inTable reports whether the real is in the site's table.
func (s *testSite) inTable(real string) bool {
	text, _ := os.ReadFile(s.path("t/table"))
	return strings.Contains(string(text), "-r "+real+" ")
}

// tcpWatch makes tcp.monitor run.
func tcpWatch(port string) string {
	return "\nhostgroup tcp 127.0.0.1\n\nwatch tcp\n    service tcp\n        interval 200ms\n        monitor tcp.monitor -p " + port + "\n        period wd {Sun-Sat}\n            alert file.alert out\n"
}

func TestUserKeepsThreeCapabilities(t *testing.T) {
	uid, gid := nobody(t)
	s, w := openSite(t, uid), newWeb(t)
	body := s.watch("www1", w.port(), virtual, real1, "") + tcpWatch(w.port())
	s.configureOpen("", body)
	s.start("--user", "nobody")
	s.status("www1", "http", "ok")
	s.status("tcp", "tcp", "ok")
	s.until("the real is in the table", func() bool { return s.inTable(real1) })
	s.checkMond(uid, gid)
	s.checkPlugin("tcp.monitor", uid, gid)
	s.checkPlugin("http.monitor", uid, gid)
	s.checkPlugin("lvs.alert", uid, gid, cap.NET_ADMIN)
	if out, err := s.monctl("status"); err != nil || !strings.Contains(out, "www1") {
		t.Errorf("monctl status as root: %v\n%s", err, out)
	}
	s.checkOwners(uid)
	s.configureOpen("grant = lvs.alert none\n", body)
	s.signal(syscall.SIGHUP)
	s.checkPlugin("lvs.alert", uid, gid)
	s.configureOpen("grant = lvs.alert cap_net_admin,cap_net_raw\ngrant = tcp.monitor cap_net_raw,cap_net_bind_service\n", body)
	s.signal(syscall.SIGHUP)
	s.checkPlugin("lvs.alert", uid, gid, cap.NET_ADMIN) // they ask for no more
	s.checkPlugin("tcp.monitor", uid, gid, cap.NET_RAW)
	s.status("mond", "config", "ok")
	s.checkMond(uid, gid)
	s.stop()
	if text, err := os.ReadFile(s.path("pid")); err == nil && len(text) > 0 {
		t.Errorf("the pidfile still says %q", text)
	}
	s.start("--user", "nobody") // where everything lies already
	s.checkMond(uid, gid)
	s.stop()
}

// checkOwners expects everything that mond has made to be the user's, and the
// site's own folder not.
func (s *testSite) checkOwners(uid int) {
	s.t.Helper()
	if got := owner(s.t, s.dir); got != 0 {
		s.t.Errorf("the folder that was there belongs to %d", got)
	}
	for _, name := range []string{"state", "log.d", "plugins", "sock", "pid"} {
		_ = filepath.WalkDir(s.path(name), func(path string, _ fs.DirEntry, err error) error {
			must(s.t, err)
			if got := owner(s.t, path); got != uid {
				s.t.Errorf("%s belongs to %d, want %d", path, got, uid)
			}
			return nil
		})
	}
	if _, err := os.Stat(s.path("state/mond.db")); err != nil {
		s.t.Error(err)
	}
}

// As systemd starts it: another user from the first moment, with ambient
// capabilities, which no plugin may inherit.
func TestAmbientCapabilitiesStayInMond(t *testing.T) {
	uid, gid := nobody(t)
	s, w := openSite(t, uid), newWeb(t)
	s.configureOpen("", s.watch("www1", w.port(), virtual, real1, "")+tcpWatch(w.port()))
	must(t, os.Chown(s.dir, uid, gid))
	s.attr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}} //nolint:gosec // an id
	for _, v := range kept() {
		if slices.Contains(permitted(), v) {
			s.attr.AmbientCaps = append(s.attr.AmbientCaps, uintptr(v))
		}
	}
	s.start("--user", "nobody") // it is already: nothing to become
	s.until("the real is in the table", func() bool { return s.inTable(real1) })
	s.checkMond(uid, gid)
	s.checkPlugin("tcp.monitor", uid, gid)
	s.checkPlugin("lvs.alert", uid, gid, cap.NET_ADMIN)
	s.stop()
}

// A plain user has nothing to pass on, and is not told so of grants that
// nobody wrote.
func TestPlainUserWorks(t *testing.T) {
	uid, gid := nobody(t)
	s, w := openSite(t, uid), newWeb(t)
	s.configureOpen("", s.watch("www1", w.port(), virtual, real1, ""))
	must(t, os.Chown(s.dir, uid, gid))
	s.attr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}} //nolint:gosec // an id
	s.start()
	s.until("the real is in the table", func() bool { return s.inTable(real1) })
	want := []standing{{four(uid), four(gid), mask(), mask(), mask(), mask()}}
	if diff := cmp.Diff(want, threads(t, s.plugin("lvs.alert"))); diff != "" {
		t.Errorf("lvs.alert (-want +got):\n%s", diff)
	}
	s.stop()
	if log, _ := os.ReadFile(s.log); strings.Contains(string(log), "capabilities") {
		t.Errorf("it complains of capabilities:\n%s", log)
	}
}

func TestRootStays(t *testing.T) {
	needRoot(t)
	s, w := newSite(t), newWeb(t)
	s.makeTable(virtual)
	s.configure(s.watch("www1", w.port(), virtual, real1, ""))
	s.start()
	s.until("the real is in the table", func() bool { return s.in(real1) })
	if got := threads(t, s.cmd.Process.Pid); len(got) != 1 || got[0].Uid != four(0) {
		t.Errorf("threads of mond: %+v", got)
	}
	s.stop()
	if log, _ := os.ReadFile(s.log); strings.Count(string(log), "mond stays root") != 1 {
		t.Errorf("it does not say once that it stays root:\n%s", log)
	}
}

func TestUserIsRefused(t *testing.T) {
	uid, gid := nobody(t)
	grp, err := user.LookupGroupId(strconv.Itoa(gid))
	must(t, err)
	foreign := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}} //nolint:gosec // an id
	for _, tt := range []struct {
		name, user string
		attr       *syscall.SysProcAttr
		prepare    func(s *testSite)
		before     []string // words that run mond
		want       string
	}{
		{name: "unknown", user: "no-such-user", want: "unknown user no-such-user"},
		{name: "not root", user: "daemon", attr: foreign, want: "only root can become another user"},
		{name: "a folder of another", user: "nobody:" + grp.Name, prepare: func(s *testSite) { must(s.t, os.Mkdir(s.path("state"), 0o755)) }, want: "chown it to that user"},
		{name: "state of another", user: "nobody", prepare: func(s *testSite) {
			must(s.t, os.Mkdir(s.path("state"), 0o755))
			must(s.t, os.WriteFile(s.path("state/mond.db"), nil, 0o600))
			must(s.t, os.Chown(s.path("state"), uid, gid))
		}, want: "another user kept state there"},
		{name: "the kernel refuses", user: "nobody", before: []string{"setpriv", "--bounding-set=-setgid"}, want: "take the groups of user nobody: the kernel refused"},
		{name: "the kernel refuses later", user: "nobody", before: []string{"setpriv", "--bounding-set=-setuid"}, want: "become user nobody: the kernel refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openSite(t, uid)
			s.configureOpen("", tcpWatch("1"))
			if tt.prepare != nil {
				tt.prepare(s)
			}
			words := append(tt.before, filepath.Join(binDir, "mond"), "-c", s.path("mon.cf"), "--log", "stderr", "--user", tt.user)
			cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
			cmd.SysProcAttr = tt.attr
			out, err := cmd.CombinedOutput()
			if exit(err) != 1 || !strings.Contains(string(out), tt.want) {
				t.Errorf("%v, want %q in:\n%s", err, tt.want, out)
			}
		})
	}
}
