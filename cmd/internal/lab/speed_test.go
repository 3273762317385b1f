package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkRefused is how long it takes from the packet that refuses a check to
// the request that takes its real server out of the table: through mond's
// monitor, engine and keeper, and through keepalived beside it in one boot. What
// counts is the ratio: the kernel is slow, most of all where idle Go programs wake
// each other (BenchmarkChain). Checks are a second apart: at a tenth
// of that they alone take all of its one CPU.
func BenchmarkRefused(b *testing.B) {
	if os.Getenv("MOND_LAB") != "1" {
		b.Skip("needs a kernel with IPVS: scripts/lab exec runs it in one")
	}
	built.Do(func() { clusterScript(b, "up") })
	refusals, writes := newEar(b, "eth0"), newTapeEar(b)
	rs2.web(b, "down")
	defer rs2.web(b, "up")
	for name, start := range map[string]func(*testing.B) (end func()){"keepalived": benchKeepalived, "mond": benchMond} {
		b.Run(name, func(b *testing.B) {
			director.run(b, "ipvsadm -C")
			down := listen(b, rs2)
			end := start(b)
			defer end()
			var took []time.Duration
			for b.Loop() {
				untilRows(b, row1, row2)
				refusals.drain(b)
				writes.drain(b)
				down()
				deleted := writes.wait(b, writes.deletes)
				took = append(took, latency(b, refusals.heard(b, isRefusal), deleted))
				down = listen(b, rs2)
			}
			down()
			reportMedian(b, took)
		})
	}
}

// reportMedian reports the median and the best of what was measured.
func reportMedian(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "us/median")
	b.ReportMetric(float64(took[0].Microseconds()), "us/best")
}

// listen serves port 80 of a node, as far as checks by TCP see, without any
// program: those that a script starts would take the one CPU from what is
// measured. It ends at once.
func listen(t testing.TB, n node) (end func()) {
	t.Helper()
	var l net.Listener
	must(t, n.enter(func() (err error) {
		l, err = net.Listen("tcp", ":80")
		return err
	}))
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	return func() { _ = l.Close() }
}

func untilRows(t testing.TB, rows ...string) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	want := append([]string{service}, rows...)
	slices.Sort(want)
	for deadline := time.After(limit); !slices.Equal(director.table(t), want); {
		select {
		case <-deadline:
			t.Fatalf("waited %v until the table is %q; it is %q", limit, want, director.table(t))
		case <-tick.C:
		}
	}
}

// latency is the time from the last refusal before the deletion to that.
func latency(t testing.TB, refusals, deletions []time.Time) time.Duration {
	t.Helper()
	if len(deletions) != 1 {
		t.Fatalf("%d rows were deleted, want one", len(deletions))
	}
	before := slices.DeleteFunc(refusals, func(at time.Time) bool { return at.After(deletions[0]) })
	if len(before) == 0 {
		t.Fatal("no check was refused before the row was deleted")
	}
	return deletions[0].Sub(before[len(before)-1])
}

func benchMond(b *testing.B) func() {
	must(b, os.RemoveAll(stateDir))
	must(b, os.MkdirAll(configDir, 0o755))
	must(b, os.WriteFile(configDir+"/mon.cf", []byte("syntax = mond\n\nvirtual web\n"+indent(twoReals)+indent(`
		check tcp
		interval 1s
		timeout 1s
		monitor tcp.monitor -p 80`)), 0o644))
	cmd := director.command(b.Context(), program(b, "mond"), "-r", "1s", "--log", "stderr")
	must(b, cmd.Start())
	return func() {
		must(b, cmd.Process.Signal(syscall.SIGTERM))
		_ = cmd.Wait()
	}
}

func benchKeepalived(b *testing.B) func() {
	dir := b.TempDir()
	var reals strings.Builder
	for _, address := range []string{"192.168.0.1", "192.168.0.2"} {
		fmt.Fprintf(&reals, "  real_server %s 80 {\n    weight 5\n    TCP_CHECK {\n      connect_timeout 5\n      retry 0\n      delay_loop 1\n      warmup 0\n    }\n  }\n", address)
	}
	config := filepath.Join(dir, "keepalived.conf")
	must(b, os.WriteFile(config, []byte("virtual_server 10.0.0.3 80 {\n  delay_loop 1\n  lvs_sched wlc\n  lvs_method DR\n  protocol TCP\n"+reals.String()+"}\n"), 0o644))
	cmd := director.command(b.Context(), "keepalived", "-C", "-n", "-f", config, "-p", filepath.Join(dir, "pid"), "-c", filepath.Join(dir, "checkers.pid"))
	must(b, cmd.Start())
	return func() {
		must(b, cmd.Process.Signal(syscall.SIGTERM))
		_ = cmd.Wait()
	}
}

// ear hears the packets of a device of the director, with their times.
type ear struct {
	socket int
	tape   *tape
}

func newEar(t testing.TB, device string) *ear {
	t.Helper()
	e := &ear{}
	must(t, director.enter(func() error { return e.open(device) }))
	t.Cleanup(func() { _ = unix.Close(e.socket) })
	return e
}

func (e *ear) open(device string) error {
	d, err := net.InterfaceByName(device)
	if err != nil {
		return err
	}
	e.socket, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	return errors.Join(unix.SetsockoptInt(e.socket, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20),
		unix.SetsockoptInt(e.socket, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.Bind(e.socket, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: d.Index}))
}

// newTapeEar hears netlink, as a tape does.
func newTapeEar(b *testing.B) *ear {
	p := newTape(b)
	e := newEar(b, "tape")
	e.tape = p
	return e
}

func (e *ear) drain(t testing.TB) { e.heard(t, func([]byte) bool { return false }) }

// wait waits for a packet that is wanted. It starts no program meanwhile: the
// kernel has one CPU.
func (e *ear) wait(t testing.TB, wanted func(packet []byte) bool) []time.Time {
	t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		if at := e.heard(t, wanted); len(at) > 0 {
			return at
		}
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(e.socket), Events: unix.POLLIN}}, int(time.Until(deadline).Milliseconds()))
		if err != nil && err != unix.EINTR {
			t.Fatal(err)
		}
	}
	t.Fatalf("waited %v for a packet", limit)
	return nil
}

// heard are the times of the packets since the last call that are wanted.
func (e *ear) heard(t testing.TB, wanted func(packet []byte) bool) (at []time.Time) {
	t.Helper()
	buf, control := make([]byte, 1<<16), make([]byte, 128)
	for {
		n, c, _, _, err := unix.Recvmsg(e.socket, buf, control, 0)
		if err == unix.EAGAIN {
			return at
		}
		must(t, err)
		if !wanted(buf[:n]) {
			continue
		}
		messages, err := unix.ParseSocketControlMessage(control[:c])
		must(t, err)
		for _, m := range messages {
			if m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
				at = append(at, time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:]))))
			}
		}
	}
}

// isRefusal reports whether an IP packet is a reset from rs2's web server.
func isRefusal(p []byte) bool {
	const reset = 0x04
	if len(p) < 40 || p[0]>>4 != 4 || p[9] != unix.IPPROTO_TCP || !net.IP(p[12:16]).Equal(net.IPv4(192, 168, 0, 2)) {
		return false
	}
	tcp := p[int(p[0]&15)*4:]
	return binary.BigEndian.Uint16(tcp) == 80 && tcp[13]&reset != 0
}

// deletes reports whether a netlink message deletes a real server.
func (e *ear) deletes(p []byte) bool { return slices.Contains(e.tape.requests(p), delDest) }
