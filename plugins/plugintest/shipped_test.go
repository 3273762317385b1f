package plugintest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
	"github.com/mondhq/mond/plugins/rpc"
)

// TestShippedPlugins tries every plugin of cmd/mond-plugins.
func TestShippedPlugins(t *testing.T) {
	t.Parallel()
	for _, path := range build(t) {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := asking(t, name)
			if name == "fake.alert" {
				path = apart(t, path)
			}
			o.Path, o.Mode, o.Limit = path, Resident, 2*time.Second
			if kindOf(name) == rpc.Alert {
				o.Limit = defaultLimit // nothing waits for it, unless the machine is slow
			}
			Run(t, o)
		})
	}
}

// build makes the shipped plugins, linked by name.
func build(t *testing.T) (links []string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "mond-plugins")
	makeProgram(t, program)
	list, err := exec.Command(program).Output()
	if err != nil {
		t.Fatalf("list the plugins: %v", err)
	}
	for name := range strings.FieldsSeq(string(list)) {
		if kindOf(name) == rpc.Unknown {
			continue
		}
		link := filepath.Join(filepath.Dir(program), name)
		if err := os.Symlink("mond-plugins", link); err != nil {
			t.Fatal(err)
		}
		links = append(links, link)
	}
	if len(links) == 0 {
		t.Fatalf("no plugins in:\n%s", list)
	}
	return links
}

// makeProgram builds mond-plugins, or links the one in the folder that TEST_PROGRAMS
// names, if it is set.
func makeProgram(t *testing.T, program string) {
	t.Helper()
	if bin := os.Getenv("TEST_PROGRAMS"); bin != "" {
		if err := os.Symlink(filepath.Join(bin, "plugins", "mond-plugins"), program); err != nil {
			t.Fatal(err)
		}
		return
	}
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/mond-plugins").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
}

// asking is what suits the shipped plugin of this name: a new one needs a line
// here.
func asking(t *testing.T, name string) Options {
	t.Helper()
	switch name {
	case "tcp.monitor":
		return Options{Args: []string{"-p", target(t, plainly), "-e", "hello", "-t", "1"}, Down: []string{"127.0.0.3"}, Silent: "127.0.0.2"}
	case "http.monitor":
		return Options{Args: []string{"-p", target(t, inHTTP), "--status", "200", "-t", "1"}, Down: []string{"127.0.0.3"}, Silent: "127.0.0.2"}
	case "ftp.monitor", "smtp.monitor":
		return Options{Args: []string{"-p", target(t, clerk), "-t", "1"}, Down: []string{"127.0.0.3"}, Silent: "127.0.0.2"}
	case "udp.monitor":
		port := datagrams(t, func(b []byte) []byte { return append([]byte("heard "), b...) })
		return Options{Args: []string{"-p", port, "-s", "hello", "-e", "heard hello", "-t", "1"}, Down: []string{"127.0.0.3"}, Silent: "127.0.0.2"}
	case "dns.monitor":
		return Options{Args: []string{"-p", datagrams(t, nobody), "-n", "no.example.com", "--rcode", "NXDOMAIN", "-t", "1"}, Down: []string{"127.0.0.3"}, Silent: "127.0.0.2"}
	case "nagios.monitor":
		return Options{Args: []string{"--plugin", "check_it", "--dir", nagios(t), "-t", "1"}, Down: []string{"127.0.0.3"}, Silent: "127.0.0.2"}
	case "file.monitor":
		dir := t.TempDir()
		write(t, filepath.Join(dir, "127.0.0.1"), "5\n")
		return Options{Args: []string{"--file", filepath.Join(dir, "{host}"), "--weight"}, Down: []string{"127.0.0.3"}}
	case "halink.monitor":
		return Options{Args: []string{"--cl-status", clStatus(t)}, Down: []string{"127.0.0.3"}}
	case "fping.monitor":
		mayPing(t)
		return Options{Args: []string{"-t", "1000", "-r1"}, Hosts: []string{"127.0.0.1", "127.0.0.2"}}
	case "ping.monitor":
		mayPing(t)
		return Options{Args: []string{"-c", "2", "-i", "10", "-t", "1"}}
	case "heartbeat.monitor":
		return Options{Args: beats(t), NoHosts: true}
	case "file.alert":
		return Options{Args: []string{filepath.Join(t.TempDir(), "told")}}
	case "exec.alert":
		return Options{Args: []string{"--", "/bin/cat"}}
	case "syslog.alert":
		return Options{Args: []string{"--server", sink(t)}}
	case "trap.alert":
		return Options{Args: []string{"-U", "trapper", "-P", "secret", sink(t)}}
	case "webhook.alert":
		return Options{Args: []string{"--ok", "204", hook(t)}}
	case "mail.alert":
		return Options{Args: []string{"--server", postOffice(t), "--tls", "none", "-f", "mond@localhost", "operator@localhost"}}
	case "fake.alert":
		return Options{Args: []string{"--group", "web", "--route", "192.0.2.0/24 src 10.0.0.3", "10.0.0.3/32/lo", "2001:db8::3/128/lo"}}
	case "lvs.alert":
		table := filepath.Join(t.TempDir(), "table")
		write(t, table, "-A -t 10.0.0.1:80 -s wlc\n")
		return Options{
			Args: []string{"-P", "tcp", "-V", "10.0.0.1:80", "-R", "192.168.0.1:80", "-W", "5", "-F", "nat", "--table", table},
			Kept: func() (string, error) { b, err := os.ReadFile(table); return string(b), err },
		}
	}
	if kindOf(name) != rpc.Unknown {
		t.Errorf("nobody said what %s is to be asked: add it to asking", name)
	}
	return Options{}
}

// beats is the other director of a pair, as far as a check hears it: packets
// that open. It returns the arguments of this one.
func beats(t *testing.T) []string {
	t.Helper()
	const secret = "auth 1\n1 a-secret-of-this-test\n"
	keys, err := wire.ParseKeys(secret)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "keys")
	write(t, file, secret)
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	here, err := net.ListenPacket("udp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	to := here.LocalAddr()
	here.Close() // the port is the monitor's now
	if err := ttl(c); err != nil {
		t.Fatal(err)
	}
	s := wire.NewSealer(wire.Identity{Cluster: "mond", Self: 2, Incarnation: 1}, keys)
	tick := time.NewTicker(50 * time.Millisecond)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range tick.C {
			var err error
			s.Seal(wire.KindBeat, 1, nil, []uint8{0}, func(_ uint8, packet []byte) { _, err = c.WriteTo(packet, to) })
			if errors.Is(err, net.ErrClosed) {
				return
			}
		}
	}()
	t.Cleanup(func() { c.Close(); <-done; tick.Stop() })
	return []string{"--node", "1", "--peer", "2", "--keys", file, "--link", fmt.Sprintf("lo=udp:%s,%s", to, c.LocalAddr())}
}

// ttl makes packets look as the peer sends them.
func ttl(c net.PacketConn) error {
	raw, err := c.(*net.UDPConn).SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, 255) })
	return errors.Join(err, failed)
}

// apart is a program of the same name that runs path in a network namespace of
// its own, with lo up: what changes addresses must not change this machine's.
func apart(t *testing.T, path string) string {
	t.Helper()
	if out, err := exec.Command("unshare", "--net", "true").CombinedOutput(); err != nil {
		why := fmt.Sprintf("a network namespace takes root and unshare (util-linux): %v %s", err, out)
		if os.Getenv("MOND_NOSKIP") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	text := fmt.Sprintf("#!/bin/sh\nexec unshare --net -- sh -c 'ip link set lo up; exec \"$0\" \"$@\"' %q \"$@\"\n", path)
	wrapper := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(wrapper, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return wrapper
}

// clStatus is a cl_status of a heartbeat that has one link, which is dead to
// 127.0.0.3.
func clStatus(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "cl_status")
	write(t, path, "#!/bin/sh\ncase $2 in 127.0.0.*) ;; *) exit 11 ;; esac\ncase $1 in\nnodestatus) echo active ;;\nlisthblinks) echo eth0 ;;\n*) case $2 in 127.0.0.3) echo dead ;; *) echo up ;; esac ;;\nesac\n")
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// datagrams is a UDP port at which 127.0.0.1 answers, 127.0.0.2 is silent and
// 127.0.0.3 is down.
func datagrams(t *testing.T, answer func([]byte) []byte) (port string) {
	t.Helper()
	for range 20 {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ = net.SplitHostPort(c.LocalAddr().String())
		silent, err := net.ListenPacket("udp", "127.0.0.2:"+port)
		if err != nil {
			c.Close() // somebody else has that one
			continue
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			buf := make([]byte, 65536)
			for {
				n, from, err := c.ReadFrom(buf)
				if err != nil {
					return
				}
				_, _ = c.WriteTo(answer(buf[:n]), from)
			}
		}()
		t.Cleanup(func() { c.Close(); silent.Close(); <-done })
		return port
	}
	t.Fatal("no UDP port is free on 127.0.0.1 and 127.0.0.2")
	return ""
}

// nobody answers a question of DNS: there is no such name.
func nobody(question []byte) []byte {
	answer := append([]byte(nil), question...)
	if len(answer) > 4 {
		answer[2], answer[3] = answer[2]|0x84, 3
	}
	return answer
}

// nagios is a folder with a plugin check_it.
func nagios(t *testing.T) (folder string) {
	t.Helper()
	return filepath.Dir(script(t, "check_it", `case "$2" in
	127.0.0.1) echo "IT OK - fine | time=0.5s"; exit 0 ;;
	127.0.0.2) exec sleep 60 ;;
	127.0.0.3) echo "IT CRITICAL - broken"; exit 2 ;;
esac
echo "IT UNKNOWN - who is $2?"
exit 3
`))
}

// mayPing leaves out what pings where this user may not.
func mayPing(t *testing.T) {
	t.Helper()
	for _, kind := range []int{unix.SOCK_RAW, unix.SOCK_DGRAM} {
		if fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP); err == nil {
			_ = unix.Close(fd)
			return
		}
	}
	const why = "pings take the capability cap_net_raw, or a group in the sysctl net.ipv4.ping_group_range"
	if os.Getenv("MOND_NOSKIP") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// sink takes UDP packets on loopback until the test ends, and drops them.
func sink(t *testing.T) (address string) {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().String()
}

// hook takes requests on loopback until the test ends.
func hook(t *testing.T) (url string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// postOffice takes mail on loopback until the test ends.
func postOffice(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			clerk(c)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// clerk takes the mails of one connection; a visitor who only greets may take
// it for an FTP server.
func clerk(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	say := func(line string) { fmt.Fprint(c, line, "\r\n") }
	say("220 post office")
	text := false
	for lines := bufio.NewScanner(c); lines.Scan(); {
		switch word, _, _ := strings.Cut(strings.ToUpper(lines.Text()), " "); {
		case text && lines.Text() == ".":
			text = false
			say("250 taken")
		case text:
		case word == "DATA":
			text = true
			say("354 go on")
		case word == "QUIT":
			say("221 bye")
			return
		default:
			say("250 well")
		}
	}
}
