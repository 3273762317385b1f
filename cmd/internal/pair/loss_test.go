package pair

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// lose has a node lose this share of what comes in on a device, in percent; 0
// ends that. The kernel does it, by an XDP program of a few instructions, so that
// no other program's time comes into it; nftables and netem are not everywhere.
func (w *world) lose(t testing.TB, n, device string, percent float64) {
	t.Helper()
	must(t, w.enter(n, func() error {
		link, err := netlink.LinkByName(device)
		if err != nil {
			return err
		}
		if percent == 0 {
			return netlink.LinkSetXdpFdWithFlags(link, -1, nl.XDP_FLAGS_SKB_MODE)
		}
		fd, err := dropper(percent)
		if err != nil {
			return fmt.Errorf("load a program that loses packets: %w", err)
		}
		defer unix.Close(fd) // the interface keeps it
		return netlink.LinkSetXdpFdWithFlags(link, fd, nl.XDP_FLAGS_SKB_MODE)
	}))
}

// dropper loads a program that drops a packet where a number drawn at random is
// below the share: eBPF, RFC 9669.
func dropper(percent float64) (fd int, err error) {
	const (
		call, exit, move, less = 0x85, 0x95, 0xb7, 0xa6 // 0xa6: in 32 bits, without sign
		random                 = 7
		drop, pass             = 1, 2
	)
	var code []byte
	for _, i := range []struct {
		op  byte
		off int16
		imm uint32
	}{
		{call, 0, random},
		{less, 2, uint32(percent / 100 * math.MaxUint32)},
		{move, 0, pass}, {exit, 0, 0},
		{move, 0, drop}, {exit, 0, 0},
	} {
		code = append(code, i.op, 0)
		code = binary.NativeEndian.AppendUint16(code, uint16(i.off))
		code = binary.NativeEndian.AppendUint32(code, i.imm)
	}
	license := []byte("Apache-2.0\x00")
	attr := struct {
		kind, count   uint32
		code, license uint64
		rest          [96]byte
	}{kind: unix.BPF_PROG_TYPE_XDP, count: uint32(len(code) / 8), code: address(code), license: address(license)}
	got, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(code)
	runtime.KeepAlive(license)
	if errno != 0 {
		return 0, errno
	}
	return int(got), nil
}

func address(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(&b[0]))) }

func mentions(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// tells waits until a director tells that a service of group mond stands so, and
// fails the test if that took longer than within.
func (s *scene) tells(t *testing.T, d *director, service, status string, event time.Time, within time.Duration) {
	t.Helper()
	summary := ""
	until(t, d.name+" tells "+service+" "+status, func() bool {
		row, err := d.client.Service(t.Context(), "mond", service)
		summary = row.Summary
		return err == nil && string(row.Status) == status
	})
	took := time.Since(event)
	t.Logf("%s: %s %s after %v: %s", d.name, service, status, took.Round(time.Millisecond), summary)
	if took > within {
		t.Errorf("%s told %s %s after %v, want %v at most", d.name, service, status, took.Round(time.Millisecond), within)
	}
}

// linkLimit is within what a bad link is told: a second.
const linkLimit = time.Second + noise

// A link that works in one direction only, and links that lose half: no role
// changes, both directors tell of it.
func TestLoss(t *testing.T) {
	s := newScene(t)
	s.steady(t, "a")
	event := time.Now()
	s.w.lose(t, "b", "eth1", 100)
	s.tells(t, s.a, "link-one", "fail", event, linkLimit)
	s.tells(t, s.b, "link-one", "fail", event, linkLimit)

	event = time.Now()
	for _, device := range []string{"eth1", "eth2"} {
		s.w.lose(t, "a", device, 50)
		s.w.lose(t, "b", device, 50)
	}
	s.tells(t, s.a, "link-two", "fail", event, linkLimit)
	s.tells(t, s.b, "link-two", "fail", event, linkLimit)
	s.stays(t, "a", time.Second)
	s.same(t, "a", event)
}

// Each link alone, in each direction: half of all, a fifth, all.
func TestLossEach(t *testing.T) {
	seldom(t)
	s := newScene(t)
	s.steady(t, "a")
	begin := time.Now()
	for device, service := range map[string]string{"eth1": "link-one", "eth2": "link-two"} {
		for _, deaf := range []*director{s.a, s.b} {
			for _, percent := range []float64{100, 50, 20} {
				event := time.Now()
				s.w.lose(t, deaf.name, device, percent)
				within := linkLimit
				if percent < 50 {
					within = limit // how soon so many are missing is a matter of chance
				}
				t.Logf("%s hears %v %% less on %s", deaf.name, percent, device)
				s.tells(t, deaf, service, "fail", event, within)
				if percent == 100 {
					s.tells(t, s.other(deaf), service, "fail", event, within)
				}
				s.w.lose(t, deaf.name, device, 0)
				s.tells(t, deaf, service, "ok", time.Now(), limit)
				s.tells(t, s.other(deaf), service, "ok", time.Now(), limit)
			}
		}
	}
	s.same(t, "a", begin)
}

// Each link dead alone, and back.
func TestLinkDead(t *testing.T) {
	seldom(t)
	s := newScene(t)
	s.steady(t, "a")
	begin := time.Now()
	for device, service := range map[string]string{"eth1": "link-one", "eth2": "link-two"} {
		event := time.Now()
		s.w.ip(t, "b", "link set "+device+" down")
		s.tells(t, s.a, service, "fail", event, linkLimit)
		s.tells(t, s.b, service, "fail", event, linkLimit)
		s.w.ip(t, "b", "link set "+device+" up")
		s.tells(t, s.a, service, "ok", time.Now(), limit)
		s.tells(t, s.b, service, "ok", time.Now(), limit)
	}
	s.same(t, "a", begin)
}

func (s *scene) other(d *director) *director {
	if d == s.a {
		return s.b
	}
	return s.a
}

// same fails the test if anybody but this director answered since then, or both
// had the address.
func (s *scene) same(t *testing.T, name string, since time.Time) {
	t.Helper()
	for _, x := range s.ask.since(since) {
		if x.from != name {
			t.Errorf("%s answered, want %s: %s", x.from, name, s.ask.changes(since))
			break
		}
	}
	if both := s.watch.double(); both > 0 {
		t.Errorf("both had the address for %v", both)
	}
	if who := s.watch.who(); who != name {
		t.Errorf("%q have the address, want %s", who, name)
	}
}

// One link loses a little, or much, for an hour.
func TestSoakLoss(t *testing.T) {
	for _, percent := range []float64{1, 20} {
		t.Run(fmt.Sprint(percent), func(t *testing.T) {
			long := length(t, time.Hour)
			s := newStage(t, words{})
			s.one(t)
			s.w.lose(t, "a", "eth1", percent)
			s.w.lose(t, "b", "eth1", percent)
			s.endures(t, long, "link-one")
		})
	}
}
