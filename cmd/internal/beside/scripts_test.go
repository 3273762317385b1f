package beside

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// script runs a script of etc with fake, mond and monctl in its PATH, in a
// network namespace, and returns its exit status and what it said.
func script(t *testing.T, netns, dir string, env []string, words ...string) (status int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ip", append([]string{"netns", "exec", netns}, words...)...)
	cmd.Env = append([]string{"PATH=" + built(t) + ":/usr/sbin:/usr/bin:/sbin:/bin"}, env...)
	cmd.Dir = dir
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited { //nolint:errorlint // as exec has it
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), strings.TrimSpace(out.String()), strings.TrimSpace(said.String())
}

// TestInitScript: the LSB statuses, and everything twice.
func TestInitScript(t *testing.T) {
	needs(t, "iproute2", "/sbin/ip")
	s := newSite(t)
	dir := t.TempDir()
	for path, text := range mondFiles() {
		text = strings.NewReplacer("@DIR@", dir, "/usr/local/sbin/", built(t)+"/", "/run/mond", dir+"/run-mond").Replace(text)
		write(t, filepath.Join(dir, path), text, 0o755)
	}
	env := []string{"MOND_DEFAULTS=" + dir + "/mond.default", "MOND_INIT=" + etc(t, "init.d/mond"), "MOND_RUN=" + dir + "/run", "MOND_SOCKET=" + dir + "/run-mond.sock"}
	want := func(status int, text, name string, args ...string) {
		t.Helper()
		got, out, said := script(t, s.ns("A"), dir, env, append([]string{etc(t, name)}, args...)...)
		if got != status || out != text {
			t.Errorf("%s %q: exit status %d, want %d; %q, want %q; %s", name, args, got, status, out, text, said)
		}
	}
	const mond, lvs = "init.d/mond", "ha.d/resource.d/lvs"
	t.Cleanup(func() { // whatever failed, it ends
		cmd := exec.Command(etc(t, mond), "stop")
		cmd.Env = append(env, "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
		_ = cmd.Run()
	})
	want(2, "", mond)
	want(2, "", mond, "frobnicate")
	want(3, "stopped", mond, "status")
	want(7, "stopped", mond, "monitor")
	want(0, "", mond, "stop")
	want(7, "", mond, "reload")
	want(3, "stopped", lvs, "status")
	want(0, "", mond, "start")
	want(0, "running", mond, "status")
	want(0, "running", "ha.d/resource.d/mond", "status")
	want(0, "", mond, "start")
	want(3, "stopped", lvs, "status")   // mond runs, but this director does not serve
	want(0, "", lvs, "here:x", "start") // it waits for the first check
	want(0, "running", lvs, "status")
	want(0, "running", lvs, "here:x", "status")
	want(3, "stopped", lvs, "here:nosuch", "status")
	want(0, "", lvs, "stop")
	want(0, "running", mond, "status")
	want(0, "", mond, "reload")
	want(0, "", mond, "restart")
	want(0, "", mond, "stop")
	want(3, "stopped", mond, "status")
	want(0, "", lvs, "start") // it starts mond
	want(0, "running", mond, "status")
	want(0, "", mond, "stop")
	want(3, "stopped", lvs, "status")

	// Dead, and the pidfile is there, with the number of another process.
	write(t, filepath.Join(dir, "run-mond.pid"), fmt.Sprintln(os.Getpid()), 0o644)
	want(1, "stopped", mond, "status")
	want(0, "", mond, "stop")
	want(3, "stopped", mond, "status")
	write(t, filepath.Join(dir, "mon.cf"), "frobnicate\n", 0o644)
	want(1, "", mond, "start")
	if err := os.Remove(filepath.Join(dir, "mon.cf")); err != nil {
		t.Fatal(err)
	}
	want(6, "", mond, "start")
}

// TestFakeScript: the resource script on the real kernel.
func TestFakeScript(t *testing.T) {
	needs(t, "iproute2", "/sbin/ip")
	s := newSite(t)
	dir := t.TempDir()
	want := func(status int, text string, args ...string) {
		t.Helper()
		got, out, said := script(t, s.ns("A"), dir, []string{"HOME=" + dir}, append([]string{etc(t, "ha.d/resource.d/fake"), "--run", dir}, args...)...)
		if got != status || out != text {
			t.Errorf("fake %q: exit status %d, want %d; %q, want %q; %s", args, got, status, out, text, said)
		}
	}
	spec := vip + "/24/eth0:lvs/10.66.0.255"
	want(3, "stopped", spec, "status")
	want(0, "", spec, "start")
	want(0, "", spec, "start")
	want(0, "running", spec, "status")
	want(0, "running", vip, "status")
	s.ask(vip)
	if got := s.seen(vip); got != s.nodes["A"].mac {
		t.Errorf("the client sees it at %q", got)
	}
	if line := run(t, "ip", "-n", s.ns("A"), "addr", "show", "eth0"); !strings.Contains(line, "scope global secondary noprefixroute eth0:lvs") {
		t.Errorf("the address: %s", line)
	}
	want(1, "", vip+"/24/eth9", "start")
	want(0, "", spec, "stop")
	want(0, "", spec, "stop")
	want(3, "stopped", spec, "status")
	if s.has("A", vip) || !s.has("A", "10.66.0.1") {
		t.Error("the address is there, or the machine's own is not")
	}

	// The first address of a network takes no other one with it.
	run(t, "ip", "netns", "exec", s.ns("A"), "sysctl", "-qw", "net.ipv4.conf.all.promote_secondaries=0", "net.ipv4.conf.eth0.promote_secondaries=0")
	want(0, "", "10.77.0.5/24/eth0", "start")
	want(0, "", "10.77.0.6/24/eth0", "start")
	want(0, "", "10.77.0.5/24/eth0", "stop")
	want(3, "stopped", "10.77.0.5/24/eth0", "status")
	want(0, "running", "10.77.0.6/24/eth0", "status")
	want(0, "", "10.77.0.6/24/eth0", "stop")

	// Without carrier nobody can be told, and the other director is to have it.
	s.ip(s.ns("B"), "link set eth1 down")
	want(1, "", "192.168.66.50/32/eth1", "start")
	want(3, "stopped", "192.168.66.50/32/eth1", "status")
	s.ip(s.ns("B"), "link set eth1 up")

	// A group over two interfaces, with a route: all of it, or none.
	group := []string{"--route", "192.0.2.0/24 src " + vip, vip + "/32/eth0", "192.168.66.50/32/eth1", "2001:db8::50/128/eth0"}
	want(0, "", append(group, "start")...)
	want(0, "running", append(group, "status")...)
	if routes := run(t, "ip", "-n", s.ns("A"), "route"); !strings.Contains(routes, "192.0.2.0/24 dev eth0") {
		t.Errorf("no route: %s", routes)
	}
	if v6 := run(t, "ip", "-n", s.ns("A"), "-6", "addr", "show", "eth0"); !strings.Contains(v6, "2001:db8::50/128 scope global nodad deprecated") {
		t.Errorf("IPv6: %s", v6)
	}
	want(0, "", append(group, "stop")...)
	want(3, "stopped", append(group, "status")...)
	if routes := run(t, "ip", "-n", s.ns("A"), "route"); strings.Contains(routes, "192.0.2.0/24") {
		t.Errorf("the route stayed: %s", routes)
	}
	want(1, "", vip+"/32/eth0", "192.168.66.50/32/eth9", "start")
	if s.has("A", vip) {
		t.Error("half of a group is there")
	}

	// Who has it already, is asked where that is wanted.
	s.ip(s.ns("B"), "addr add "+vip+"/32 dev eth0")
	want(1, "", "--conflict", "refuse", vip+"/32/eth0", "start")
	want(3, "stopped", vip+"/32/eth0", "status")
	want(0, "", vip+"/32/eth0", "start")
	want(0, "", vip+"/32/eth0", "stop")
}

// TestAgents: the OCF agents against the specification's DTD, and fakeip by the
// tester of resource-agents.
func TestAgents(t *testing.T) {
	needs(t, "resource-agents", "/usr/sbin/ocf-tester")
	needs(t, "libxml2-utils", "/usr/bin/xmllint")
	s := newSite(t)
	dir := t.TempDir()
	for _, name := range []string{"fakeip", "director"} {
		status, xml, said := script(t, s.ns("A"), dir, nil, etc(t, "ocf/mond/"+name), "meta-data")
		if status != 0 || said != "" {
			t.Fatalf("%s meta-data: exit status %d, %s", name, status, said)
		}
		path := filepath.Join(dir, name+".xml")
		// The DTD by its file, not by the name in the document.
		write(t, path, strings.ReplaceAll(xml, `<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">`, ""), 0o644)
		if out, err := exec.CommandContext(t.Context(), "xmllint", "--noout", "--nonet", "--dtdvalid", "/usr/share/resource-agents/ra-api-1.dtd", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	// Every parameter of IPaddr2 is one of fakeip's.
	theirs, err := os.ReadFile("/usr/lib/ocf/resource.d/heartbeat/IPaddr2")
	if err != nil {
		t.Fatal(err)
	}
	ours, _ := os.ReadFile(filepath.Join(dir, "fakeip.xml"))
	for line := range strings.Lines(string(theirs)) {
		if _, after, ok := strings.Cut(line, `<parameter name="`); ok {
			if name, _, _ := strings.Cut(after, `"`); !strings.Contains(string(ours), `name="`+name+`"`) {
				t.Errorf("fakeip has no parameter %s", name)
			}
		}
	}
	status, out, said := script(t, s.ns("A"), dir, []string{"OCF_ROOT=/usr/lib/ocf", "HOME=" + dir}, "ocf-tester", "-n", "vip",
		"-o", "ip="+vip, "-o", "nic=eth0", "-o", "cidr_netmask=24", "-o", "iflabel=x", "-o", "arp_count=5", etc(t, "ocf/mond/fakeip"))
	if status != 0 {
		t.Errorf("ocf-tester: exit status %d\n%s\n%s", status, out, said)
	}
	if s.has("A", vip) {
		t.Error("the address stayed")
	}
}

// TestAgentStatuses: what Pacemaker acts on.
func TestAgentStatuses(t *testing.T) {
	needs(t, "iproute2", "/sbin/ip")
	s := newSite(t)
	dir := t.TempDir()
	for _, tt := range []struct {
		status int
		action string
		env    string
	}{
		{7, "monitor", "ip=" + vip},
		{0, "stop", "ip=" + vip},
		{6, "start", ""},
		{6, "start", "ip=" + vip + " iflabel=x"},
		{2, "start", "ip=lvs1"},
		{3, "promote", "ip=" + vip},
		{1, "start", "ip=" + vip + " nic=eth9"},
		{0, "start", "ip=" + vip + " nic=eth0"},
		{0, "monitor", "ip=" + vip},
		{0, "validate-all", "ip=" + vip},
		{0, "stop", "ip=" + vip},
		{7, "monitor", "ip=" + vip},
		{0, "start", "ip=10.66.0.60 network_namespace=" + s.ns("B") + " nic=eth0"},
		{0, "monitor", "ip=10.66.0.60 network_namespace=" + s.ns("B")},
		{7, "monitor", "ip=10.66.0.60"},
		{0, "stop", "ip=10.66.0.60 network_namespace=" + s.ns("B")},
	} {
		env := []string{"HOME=" + dir}
		for _, kv := range strings.Fields(tt.env) {
			env = append(env, "OCF_RESKEY_"+kv)
		}
		if got, out, said := script(t, s.ns("A"), dir, env, etc(t, "ocf/mond/fakeip"), tt.action); got != tt.status {
			t.Errorf("%s, %s: exit status %d, want %d: %s %s", tt.env, tt.action, got, tt.status, out, said)
		}
	}
}
