package lab

import (
	"net"
	"os"
	"testing"
	"time"
)

// BenchmarkChain is the yardstick for BenchmarkRefused: how long a datagram takes
// through three programs that do nothing but hand it on, and back. mond's monitor,
// engine and keeper are three programs too, so this is what the waking of idle Go
// programs costs on a kernel with one CPU, whatever they do. Datagrams are a
// second apart, as the checks are.
func BenchmarkChain(b *testing.B) {
	if os.Getenv("MOND_LAB") != "1" {
		b.Skip("needs a kernel with IPVS: scripts/lab exec runs it in one")
	}
	built.Do(func() { clusterScript(b, "up") })
	self, err := os.Executable()
	must(b, err)
	next := ""
	for _, at := range []string{"127.0.0.1:7003", "127.0.0.1:7002", "127.0.0.1:7001"} {
		cmd := director.command(b.Context(), self)
		cmd.Env = append(os.Environ(), relayAt+"="+at, relayTo+"="+next)
		must(b, cmd.Start())
		b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		next = at
	}
	var c net.Conn
	must(b, director.enter(func() (err error) { c, err = net.Dial("udp", next); return err }))
	for begin := time.Now(); ; <-time.After(100 * time.Millisecond) {
		if _, err := pass(c); err == nil {
			break
		} else if time.Since(begin) > limit {
			b.Fatalf("waited %v until the chain answers: %v", limit, err)
		}
	}
	var took []time.Duration
	for b.Loop() {
		<-time.After(time.Second)
		d, err := pass(c)
		must(b, err)
		took = append(took, d)
	}
	reportMedian(b, took)
}

// pass sends one datagram and waits for it.
func pass(c net.Conn) (time.Duration, error) {
	begin, b := time.Now(), []byte{'x'}
	if _, err := c.Write(b); err != nil {
		return 0, err
	}
	_ = c.SetReadDeadline(begin.Add(time.Second))
	_, err := c.Read(b)
	return time.Since(begin), err
}

// What makes this binary a link of the chain: where it listens, and the next link.
const (
	relayAt = "MOND_LAB_RELAY"
	relayTo = "MOND_LAB_RELAY_TO"
)

func TestMain(m *testing.M) {
	if at := os.Getenv(relayAt); at != "" {
		relay(at, os.Getenv(relayTo))
	}
	os.Exit(m.Run())
}

// relay hands each datagram on and the answer back, or answers itself where there
// is no next. It ends by a signal only.
func relay(at, to string) {
	l, err := net.ListenPacket("udp", at)
	if err != nil {
		panic(err)
	}
	hand := func() {}
	if to != "" {
		next, err := net.Dial("udp", to)
		if err != nil {
			panic(err)
		}
		hand = func() { _, _ = pass(next) }
	}
	for b := make([]byte, 1); ; {
		n, from, err := l.ReadFrom(b)
		if err != nil {
			continue // the next was not there yet
		}
		hand()
		_, _ = l.WriteTo(b[:n], from)
	}
}
