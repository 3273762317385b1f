package origin

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/plugins/monitor"
)

// Prepare gives a new socket, which is not bound yet, its interface and its mark.
// It is for sockets that were made in the right namespace.
func (o *Origin) Prepare(fd int) error {
	if o.Device != "" {
		if err := o.attach(fd, string(o.Device)); err != nil {
			return err
		}
	}
	if o.Mark == 0 {
		return nil
	}
	err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(o.Mark))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM):
		return fault("set the firewall mark %d (--mark): %s (before Linux 5.17: cap_net_admin)", o.Mark, o.grant("cap_net_raw"))
	}
	return fault("set the firewall mark %d (--mark): %v", o.Mark, err)
}

// Settled is o with the source address that it leads to now: the routes say which
// that is.
func (o *Origin) Settled() (Origin, error) {
	if !o.Source.Toward.IsValid() {
		return *o, nil
	}
	at := *o
	at.Source = Address{}
	a, err := at.local(o.Source.Toward)
	if err != nil {
		return at, fault("find the address that this machine speaks to %s from (--source)%s: %v", o.Source.Toward, o.Netns.where(), err)
	}
	at.Source.Addr = a
	return at, nil
}

// local asks the kernel which source it would take. Nothing is sent.
func (o *Origin) local(to netip.Addr) (netip.Addr, error) {
	family, peer := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: 9})
	if to.Is4() {
		peer.(*unix.SockaddrInet4).Addr = to.As4()
	} else {
		family, peer = unix.AF_INET6, &unix.SockaddrInet6{Port: 9, Addr: to.As16()}
	}
	fd, err := o.Socket(family, unix.SOCK_DGRAM, 0, to.Zone())
	if err != nil {
		return netip.Addr{}, err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Connect(fd, peer); err != nil {
		return netip.Addr{}, err
	}
	name, err := unix.Getsockname(fd)
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(a.Addr), err
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(a.Addr), err
	}
	return netip.Addr{}, err
}

// attach ties a socket to an interface.
func (o *Origin) attach(fd int, device string) error {
	err := unix.BindToDevice(fd, device)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENODEV):
		return fault("send by the interface %s (--interface): there is none of that name%s", device, o.Netns.where())
	case errors.Is(err, unix.EPERM):
		return fault("send by the interface %s (--interface): %s", device, o.grant("cap_net_raw"))
	}
	return fault("send by the interface %s (--interface): %v", device, err)
}

// where is the place for an error, empty for our own.
func (n Netns) where() string {
	if n == "" {
		return ""
	}
	return " in the network namespace " + string(n)
}

// Control is Prepare for a [net.Dialer] and the like. The Origin must have no
// Netns.
func (o *Origin) Control(c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = o.Prepare(int(fd)) }); e != nil {
		return e
	}
	return err
}

// Socket makes a socket in the namespace, as socket(2) does, and prepares it. It
// is closed on exec. zone is the interface that the zone of an address names,
// "" without one: in another namespace its number is not to be had here.
func (o *Origin) Socket(family, kind, protocol int, zone string) (fd int, err error) {
	if zone != "" && o.Device != "" && zone != string(o.Device) {
		return -1, fault("the address is one of the interface %s, and --interface says %s", zone, o.Device)
	}
	if fd, err = o.socket(family, kind|unix.SOCK_CLOEXEC, protocol); err != nil {
		return -1, err
	}
	if zone != "" && o.Device == "" {
		err = o.attach(fd, zone)
	}
	if err == nil {
		err = o.Prepare(fd)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// socket makes a socket in the namespace.
func (o *Origin) socket(family, kind, protocol int) (fd int, err error) {
	if o.Netns == "" { // as in most checks, which are not to pay for the others
		fd, err = unix.Socket(family, kind, protocol)
		return fd, os.NewSyscallError("socket", err)
	}
	err = o.In(func() (err error) {
		fd, err = unix.Socket(family, kind, protocol)
		return os.NewSyscallError("socket", err)
	})
	return fd, err
}

// In runs f in the namespace, in a goroutine and thread of its own; without one
// it just runs it. What f does must not block and must not start goroutines: they
// would be elsewhere. An error of f comes back as it is.
func (o *Origin) In(f func() error) error {
	if o.Netns == "" {
		return f()
	}
	done := make(chan error, 1)
	go func() { done <- o.visit(f) }() // ends at once; see visit for its thread
	return <-done
}

// visit runs f in the namespace. The thread is locked while it is elsewhere. If it
// cannot come back it stays locked, so that the runtime ends it with this
// goroutine: no other one ever runs in a namespace that is not its own.
func (o *Origin) visit(f func() error) error {
	runtime.LockOSThread()
	home, err := o.enter()
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	err = f()
	if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
		runtime.UnlockOSThread()
	}
	return err
}

// Around is In on the caller's own thread, which is locked: for the start of a
// program, see plugins/procgroup. It comes back before it returns, however often
// it must try: the kernel refuses that only for want of memory.
//
// The thread hands CAP_SYS_ADMIN on to no program any more: what a monitor may do
// to enter a namespace is not for what it runs there.
func (o *Origin) Around(f func() error) error {
	err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_LOWER, unix.CAP_SYS_ADMIN, 0, 0)
	if err != nil && !errors.Is(err, unix.EINVAL) { // before Linux 4.3 none was handed on
		return fault("keep the capability cap_sys_admin back from a program: %v", err)
	}
	if o.Netns == "" {
		return f()
	}
	home, err := o.enter()
	if err != nil {
		return err
	}
	defer home.Close()
	err = f()
	for unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) != nil {
		time.Sleep(time.Millisecond)
	}
	return err
}

// enter takes the calling thread, which is locked, into the namespace. home is
// the one that it comes from.
func (o *Origin) enter() (home *os.File, err error) {
	there, err := o.open()
	if err != nil {
		return nil, err
	}
	defer there.Close()
	if home, err = os.Open("/proc/thread-self/ns/net"); err != nil {
		return nil, fault("enter the network namespace %s (--netns): our own one cannot be remembered: %v", o.Netns, err)
	}
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		_ = home.Close()
		return nil, o.refused(err)
	}
	return home, nil
}

// open opens the file of the namespace. It is opened for every socket, so that a
// namespace that was made anew under its name is the one that is used.
func (o *Origin) open() (*os.File, error) {
	what := fmt.Sprintf("enter the network namespace %s (--netns)", o.Netns)
	f, err := os.OpenFile(o.Netns.Path(), os.O_RDONLY|unix.O_NONBLOCK, 0) // it may be a pipe
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault("%s: there is none: %s does not exist", what, o.Netns.Path())
	case err != nil:
		return nil, monitor.Fault(fmt.Errorf("%s: %w", what, err))
	}
	return f, nil
}

// refused is the error of a namespace that cannot be entered.
func (o *Origin) refused(err error) error {
	what := fmt.Sprintf("enter the network namespace %s (--netns)", o.Netns)
	switch {
	case errors.Is(err, unix.EPERM):
		return fault("%s: %s", what, o.grant("cap_sys_admin"))
	case errors.Is(err, unix.EINVAL):
		return fault("%s: %s is not the file of a network namespace", what, o.Netns.Path())
	}
	return fault("%s: %v", what, err)
}
