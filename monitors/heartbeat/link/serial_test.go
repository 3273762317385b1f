package link

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/plugins/role/boottime"
)

// nullModem is two serial lines whose other ends are joined: what one says the
// other hears, after spoil had its way with it.
type nullModem struct {
	names  [2]string
	master [2]*os.File
	work   sync.WaitGroup
}

func newNullModem(t *testing.T, spoil func([]byte) []byte) *nullModem {
	t.Helper()
	m := &nullModem{}
	for i := range m.master {
		fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			t.Fatal(err)
		}
		n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
		if err != nil {
			t.Fatal(err)
		}
		m.names[i] = fmt.Sprintf("/dev/pts/%d", n)
		m.master[i] = os.NewFile(uintptr(fd), m.names[i])
	}
	for i := range m.master {
		m.work.Go(func() {
			buf := make([]byte, 300)
			for {
				n, err := m.master[i].Read(buf)
				if err != nil && !os.IsTimeout(err) && n == 0 {
					if pe, ok := err.(*os.PathError); ok && pe.Err == unix.EIO { // nobody has the line open
						select {
						case <-time.After(time.Millisecond):
							continue
						}
					}
					return
				}
				_, _ = m.master[1-i].Write(spoil(buf[:n]))
			}
		})
	}
	t.Cleanup(m.hangUp)
	return m
}

func (m *nullModem) hangUp() {
	for _, f := range m.master {
		_ = f.Close()
	}
	m.work.Wait()
}

func (m *nullModem) words(i int) string { return "tty=serial:" + m.names[i] + ",921600" }

func TestSerial(t *testing.T) {
	m := newNullModem(t, func(b []byte) []byte { return b })
	a, b := begin(t, nil, 0, m.words(0)), begin(t, nil, 0, m.words(1))
	a.opened()
	b.opened()
	b.gets(a, "from a, with \x00 in it")
	a.gets(b, string(make([]byte, MaxPacket)))
}

// TestSerialNoise: of a line that drops bytes some packets come, and all that
// come are whole.
func TestSerialNoise(t *testing.T) {
	n := 0
	m := newNullModem(t, func(b []byte) []byte {
		var out []byte
		for _, c := range b {
			if n++; n%97 != 0 {
				out = append(out, c)
			}
		}
		return out
	})
	a, b := begin(t, nil, 0, m.words(0)), begin(t, nil, 0, m.words(1))
	a.opened()
	b.gets(a, "a packet of some forty bytes, more or less")
	b.until("damaged frame", func(s State) bool { a.Send([]byte("a packet of some forty bytes, more or less")); return s.Refused > 0 })
	for len(b.came) > 0 {
		if p := string(<-b.came); p != "a packet of some forty bytes, more or less" {
			t.Errorf("%q came", p)
		}
	}
}

// TestSerialHangUp: a line that is hung up is reported and opened again.
func TestSerialHangUp(t *testing.T) {
	m := newNullModem(t, func(b []byte) []byte { return b })
	a := begin(t, nil, 0, m.words(0))
	a.opened()
	m.hangUp()
	a.until("closed line", func(s State) bool { return !s.Open && s.Err != nil })
}

// TestSerialBudget: a line takes no more than it carries, so that what it
// carries is new.
func TestSerialBudget(t *testing.T) {
	m := newNullModem(t, func(b []byte) []byte { return b })
	s, err := Parse("tty=serial:" + m.names[0] + ",9600")
	if err != nil {
		t.Fatal(err)
	}
	way, err := openSerial(s)
	if err != nil {
		t.Fatal(err)
	}
	l := way.(*line)
	defer l.close()
	packet := make([]byte, 150)
	began, sent := boottime.Now(), 0
	for range 100 {
		if l.send(packet) == nil {
			sent++
		}
	}
	// 150 bytes take 160 ms: one, and another that waits behind it.
	if took := boottime.Now() - began; sent > 3+int(took/(150*time.Millisecond)) || sent < 1 {
		t.Errorf("%d packets were taken in %v", sent, took)
	}
	if l.ready(150) {
		t.Error("it is ready at once")
	}
}
