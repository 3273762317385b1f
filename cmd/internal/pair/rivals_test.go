package pair

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// others are two directors under another program, each in namespaces of its own
// (cmd/internal/beside/testdata/node.sh is their first process).
type others struct {
	a, b      *other
	end, give string // what a shell on a says for that
}

type other struct {
	w          *world
	node, name string
	dir        string
	program    []string
	cmd        *exec.Cmd
}

func newOther(t *testing.T, w *world, node string, program ...string) *other {
	t.Helper()
	o := &other{w: w, node: node, name: "dir" + node, dir: shortDir(t), program: program}
	o.write(t, "bin/none", "", 0o755) // programs of ours: none
	return o
}

func (o *other) write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(o.dir, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(text), mode))
	return path
}

func (o *other) start(t *testing.T) {
	t.Helper()
	script, err := filepath.Abs("../beside/testdata/node.sh")
	must(t, err)
	o.cmd = o.w.command(o.node, append([]string{"unshare", "-m", "-u", "-i", "-p", "--fork", "--kill-child", "sh", script, o.name, o.dir}, o.program...)...)
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, o.cmd.Start())
	t.Cleanup(func() { o.clear(t) })
}

func (o *other) clear(t *testing.T) {
	o.kill()
	_ = o.cmd.Process.Kill()
	_ = o.cmd.Wait()
	if !t.Failed() {
		return
	}
	for _, name := range []string{"log", "out"} {
		text, _ := os.ReadFile(filepath.Join(o.dir, name))
		t.Logf("%s, %s:\n%s", o.name, name, text)
	}
}

// first is the first process of its namespace: the kernel kills all others with it.
func (o *other) first() int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", o.cmd.Process.Pid))
	child, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return child
}

func (o *other) kill() {
	if pid := o.first(); pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// say runs a line of shell there.
func (o *other) say(t *testing.T, line string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	out, err := exec.CommandContext(ctx, "nsenter", "-t", strconv.Itoa(o.first()), "-m", "-u", "-i", "-p", "-n", "sh", "-c", line).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

func (m *others) start(t *testing.T)   { m.a.start(t); m.b.start(t) }
func (m *others) ready(*witness) bool  { return true }
func (m *others) freeze()              { m.a.kill() }
func (m *others) kill()                { m.a.kill() }
func (m *others) daemon()              { m.a.kill() }
func (m *others) stop(t *testing.T)    { m.a.say(t, m.end) }
func (m *others) standby(t *testing.T) { m.a.say(t, m.give) }

// keepalivedConf is for a name and a priority.
const keepalivedConf = `global_defs {
    router_id %s
    vrrp_version 3
}
vrrp_instance web {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority %d
    advert_int 0.1
    virtual_ipaddress {
        ` + vip + `/24 dev eth0
    }
}
`

// keepalived holds the address itself.
func keepalived(t *testing.T, w *world) machines {
	t.Helper()
	want(t, "keepalived", "/usr/sbin/keepalived")
	node := func(name string, priority int) *other {
		o := newOther(t, w, name, "sh", "-c")
		conf := o.write(t, "keepalived.conf", fmt.Sprintf(keepalivedConf, o.name, priority), 0o644)
		o.program = append(o.program, "keepalived -P -n -l -D -p /run/k.pid -r /run/kv.pid -f "+conf+" &")
		return o
	}
	return &others{a: node("a", 150), b: node("b", 100), end: "kill $(cat /run/k.pid)"}
}

const haCf = `logfile %s
udpport 694
keepalive 100ms
deadtime 500ms
warntime 300ms
initdead 2
ucast eth0 ` + lanA + `
ucast eth0 ` + lanB + `
ucast eth1 ` + cableA1 + `
ucast eth1 ` + cableB1 + `
auto_failback off
node dira dirb
crm off
`

// heartbeat holds the address by its own scripts.
func heartbeat(t *testing.T, w *world) machines {
	t.Helper()
	const ha = "/usr/libexec/heartbeat/heartbeat"
	want(t, "heartbeat", ha)
	node := func(name string) *other {
		o := newOther(t, w, name, ha)
		must(t, os.CopyFS(filepath.Join(o.dir, "ha.d"), os.DirFS("/etc/ha.d")))
		o.write(t, "ha.d/ha.cf", fmt.Sprintf(haCf, filepath.Join(o.dir, "log")), 0o644)
		o.write(t, "ha.d/haresources", "dira IPaddr::"+vip+"/24/eth0\n", 0o644)
		o.write(t, "ha.d/authkeys", "auth 1\n1 sha1 of-this-test\n", 0o600)
		return o
	}
	return &others{a: node("a"), b: node("b"), end: ha + " -k", give: "/usr/share/heartbeat/hb_standby all"}
}

// want fails the test where a Debian package is missing, or leaves it out.
func want(t *testing.T, pkg, file string) {
	t.Helper()
	if _, err := os.Stat(file); err == nil {
		return
	} else if os.Getenv("MOND_NOSKIP") != "" {
		t.Fatalf("%v: it is in the Debian package %s", err, pkg)
	}
	t.Skipf("%s is missing: it is in the Debian package %s", file, pkg)
}
