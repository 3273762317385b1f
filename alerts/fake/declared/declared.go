// Package declared says on this machine which addresses are moved by roles, so
// that whoever else is asked to take one can refuse: only one source of roles may
// move an address. It is a hint for honest programs, no lock and no permission.
//
// A socket in the abstract namespace stands for each address. Such names are
// those of one network namespace, as addresses are, and go with the process that
// has them, however it ends: nothing is left to be cleaned. Anybody may have such
// a name, so only that of a process counts which could move addresses itself.
package declared

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// most is for how many addresses there are sockets; those beyond are moved all
// the same, and nobody is told.
const most = 1024

// Names are the addresses that this process declares. The zero value declares
// none. One goroutine uses it.
type Names struct {
	sockets map[netip.Addr]*net.UnixListener
	wait    sync.WaitGroup
}

// Declare declares these addresses and no others. The error is about those that
// another process declares, too, or that could not be declared.
func (n *Names) Declare(addresses []netip.Addr) error {
	addresses = addresses[:min(len(addresses), most)]
	for a, l := range n.sockets {
		if !slices.Contains(addresses, a) {
			_ = l.Close()
			delete(n.sockets, a)
		}
	}
	var bad []error
	for _, a := range addresses {
		if n.sockets[a] != nil {
			continue
		}
		l, err := net.ListenUnix("unix", name(a))
		if err != nil {
			bad = append(bad, fmt.Errorf("declare %s: %w", a, err))
			continue
		}
		if n.sockets == nil {
			n.sockets = map[netip.Addr]*net.UnixListener{}
		}
		n.sockets[a] = l
		n.wait.Go(func() { hangUp(l) })
	}
	return errors.Join(bad...)
}

// Close declares none any more.
func (n *Names) Close() {
	_ = n.Declare(nil)
	n.wait.Wait()
}

// hangUp answers who asks: that there is somebody is all there is to say.
func hangUp(l *net.UnixListener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return // it was closed
		}
		_ = c.Close()
	}
}

func name(a netip.Addr) *net.UnixAddr {
	return &net.UnixAddr{Net: "unix", Name: "@mond/role/" + a.WithZone("").String()}
}

// patience is how long it may take to ask: nothing is waited for but a machine
// that has much else to do.
const patience = 100 * time.Millisecond

// By is the process that declares an address, 0 for none. One whose number is not
// to be seen from here is -1.
func By(a netip.Addr) int {
	d := net.Dialer{Timeout: patience}
	c, err := d.Dial("unix", name(a).Name)
	if err != nil {
		return 0
	}
	defer c.Close()
	return owner(c.(*net.UnixConn)) //nolint:forcetypeassert // it was dialled as one
}

// owner is who listens, if it may move addresses.
func owner(c *net.UnixConn) int {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	var peer *unix.Ucred
	failed := raw.Control(func(fd uintptr) { peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	switch {
	case failed != nil || err != nil:
		return 0
	case peer.Pid == 0 && peer.Uid == 0:
		return -1
	case peer.Uid == 0 || mayMove(int(peer.Pid)):
		return int(peer.Pid)
	}
	return 0
}

// mayMove reports whether a process has CAP_NET_ADMIN.
func mayMove(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "CapPrm:"); ok {
			caps, _ := strconv.ParseUint(strings.TrimSpace(rest), 16, 64)
			return caps&(1<<unix.CAP_NET_ADMIN) != 0
		}
	}
	return false
}

// Refuse is [Refuse].
func (*Names) Refuse(addresses []netip.Addr) error { return Refuse(addresses) }

// Refuse is the error of who is asked to take one of these addresses, nil if
// roles move none of them.
func Refuse(addresses []netip.Addr) error {
	for _, a := range addresses {
		if pid := By(a); pid != 0 && pid != os.Getpid() {
			who := "a running fake.alert"
			if pid > 0 {
				who += " (process " + strconv.Itoa(pid) + ")"
			}
			return fmt.Errorf("%s is moved by the roles of mond here: %s declares it, and only one may move an address; use monctl failover, or set role_source in mond's configuration", a, who)
		}
	}
	return nil
}
