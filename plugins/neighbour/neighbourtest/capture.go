package neighbourtest

import (
	"encoding/binary"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Capture sees all frames that a machine receives on an interface.
type Capture struct {
	wire *Wire
	file *os.File
}

// Capture begins to see frames; it ends with the test.
func (w *Wire) Capture(machine int, link string) *Capture {
	w.t.Helper()
	c := &Capture{wire: w}
	err := w.Inside(machine, func() error {
		l, err := netInterface(link)
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		c.file = os.NewFile(uintptr(fd), "capture")
		all := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: l})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.file.Close() })
	return c
}

// Next waits for a frame that is wanted; nil if none came in time.
func (c *Capture) Next(wait time.Duration, wanted func(frame []byte) bool) []byte {
	c.wire.t.Helper()
	if err := c.file.SetReadDeadline(time.Now().Add(wait)); err != nil {
		c.wire.t.Fatal(err)
	}
	for {
		b := make([]byte, 2048)
		n, err := c.file.Read(b)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case errors.Is(err, unix.ENETDOWN):
			continue
		case err != nil:
			c.wire.t.Fatal(err)
		}
		if wanted(b[:n]) {
			return b[:n]
		}
	}
}

func netInterface(name string) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	err = unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, r)
	return int(r.Uint32()), err
}
