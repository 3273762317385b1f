package link

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/plugins/role/boottime"
)

// speeds are those that a line can have, and termios's name for them. It is
// never changed.
var speeds = map[int]uint32{
	9600: unix.B9600, 19200: unix.B19200, 38400: unix.B38400, 57600: unix.B57600,
	115200: unix.B115200, 230400: unix.B230400, 460800: unix.B460800, 921600: unix.B921600,
}

// line is an open serial line. All but the counts is of one sender and one
// receiver.
type line struct {
	file *os.File
	raw  syscall.RawConn
	shut sync.Once
	// perByte is how long a byte takes: 10 bits, with start and stop.
	perByte time.Duration
	// free is when the line has carried what it was given.
	free time.Duration
	// frame and scratch are the sender's; put writes frame and sets err.
	frame, scratch []byte
	err            error
	put            func(fd uintptr) bool
	// rest is what was read and not looked at yet.
	in      [256]byte
	rest    []byte
	frames  deframer
	damaged atomic.Uint64
}

// openSerial opens a serial line and makes it raw: 8 bits, no parity, no flow
// control, no modem.
func openSerial(s Spec) (medium, error) {
	fd, err := unix.Open(s.Device, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the serial line %s: %w", s.Device, err)
	}
	if err := raw(fd, s.Baud); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("set up the serial line %s: %w", s.Device, err)
	}
	l := &line{file: os.NewFile(uintptr(fd), s.Device), perByte: 10 * time.Second / time.Duration(s.Baud), scratch: make([]byte, 0, maxFrame)}
	if l.raw, err = l.file.SyscallConn(); err != nil {
		l.close()
		return nil, err
	}
	l.put = func(fd uintptr) bool {
		var n int
		n, l.err = unix.Write(int(fd), l.frame)
		if l.err == nil && n < len(l.frame) {
			l.err = errFull // the zero before the next frame makes up for it
		}
		return true // never wait
	}
	return l, nil
}

func raw(fd, baud int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if errors.Is(err, unix.ENOTTY) {
		return errors.New("it is no terminal line")
	}
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | speeds[baud]
	t.Ispeed, t.Ospeed = speeds[baud], speeds[baud]
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return err
	}
	// What lay in it is of another time.
	return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
}

// ready: what was given before has been carried, by the clock and by what the
// driver says is left.
func (l *line) ready(int) bool { return boottime.Now() >= l.free && l.left() == 0 }

// left is how many bytes are still to be carried.
func (l *line) left() (n int) {
	if l.raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.TIOCOUTQ) }) != nil {
		return 0
	}
	return n
}

// send gives one packet to the line. One that comes while the line still
// carries another two is dropped.
func (l *line) send(packet []byte) error {
	l.frame = appendFrame(l.frame[:0], packet, l.scratch)
	takes := time.Duration(len(l.frame)) * l.perByte
	now := boottime.Now()
	if l.free-now > takes || l.left() > 2*len(l.frame) {
		return errFull
	}
	if err := l.raw.Write(l.put); err != nil {
		return err
	}
	switch l.err {
	case nil:
		l.free = max(l.free, now) + takes
	case unix.EAGAIN:
		return errFull
	}
	return l.err
}

func (l *line) receive(buf []byte) ([]byte, time.Duration, error) {
	for {
		for i, b := range l.rest {
			packet := l.frames.take(b)
			l.damaged.Store(l.frames.bad)
			if packet != nil {
				l.rest = l.rest[i+1:]
				return append(buf[:0], packet...), boottime.Now(), nil
			}
		}
		n, err := l.file.Read(l.in[:])
		l.rest = l.in[:n]
		switch {
		case n > 0:
		case err == nil, errors.Is(err, io.EOF), errors.Is(err, unix.EIO):
			return nil, 0, errors.New("the serial line was hung up")
		default:
			return nil, 0, err
		}
	}
}

func (l *line) counts() (overrun, refused uint64) { return 0, l.damaged.Load() }
func (l *line) carrier() bool                     { return true }
func (l *line) close()                            { l.shut.Do(func() { _ = l.file.Close() }) }
