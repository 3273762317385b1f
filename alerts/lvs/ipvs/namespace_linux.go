package ipvs

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// namespace is a network namespace with a name: the file that stands for it,
// and which one that was when it was opened. A socket keeps its namespace
// alive when the name is gone, so that edits would go where nobody looks. The
// zero value is our own namespace.
type namespace struct {
	name, path string
	dev, ino   uint64
}

// netnsDir is where iproute2 keeps the names.
const netnsDir = "/run/netns"

// OpenKernelIn opens the kernel's table in the network namespace name, which
// is one of `ip netns` or, with a slash, a file; [ErrNoNamespace] if it is not
// there. To enter one takes CAP_SYS_ADMIN. When the namespace is no longer the
// one of that name every call fails with ErrNoNamespace.
func OpenKernelIn(name string) (*Kernel, error) {
	k, err := openNamed(name)
	return k, wrap("open the IPVS table of network namespace "+name, Virtual{}, netip.AddrPort{}, err)
}

func openNamed(name string) (*Kernel, error) {
	space, err := locate(name)
	if err != nil {
		return nil, err
	}
	ns, err := netns.GetFromPath(space.path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoNamespace, err)
	}
	defer ns.Close()
	if err := enter(ns, space.path); err != nil {
		return nil, err
	}
	k, err := openIn(ns, space)
	if err != nil {
		return nil, err
	}
	if _, err := k.rawServices(); err != nil {
		k.closeSockets()
		return nil, k.explain(err, ErrNoKernel)
	}
	return k, nil
}

// enter tries whether ns can be entered, on a thread that ends with the try:
// what opens sockets there does not say why it failed.
func enter(ns netns.NsHandle, path string) error {
	tried := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked
		tried <- unix.Setns(int(ns), unix.CLONE_NEWNET)
	}()
	err := <-tried
	switch {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: to enter a network namespace it needs CAP_SYS_ADMIN too (grant = lvs.alert cap_net_admin,cap_sys_admin)", ErrPermission)
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%w: %s stands for none", ErrNoNamespace, path)
	case err != nil:
		return fmt.Errorf("enter network namespace %s: %w", path, err)
	}
	return nil
}

// locate finds the file of a name.
func locate(name string) (namespace, error) {
	space := namespace{name: name, path: name}
	if !strings.Contains(name, "/") {
		space.path = filepath.Join(netnsDir, name)
	}
	var st syscall.Stat_t
	if err := syscall.Stat(space.path, &st); err != nil {
		return space, fmt.Errorf("%w: %s: %w", ErrNoNamespace, space.path, err)
	}
	space.dev, space.ino = uint64(st.Dev), st.Ino // its type depends on the architecture
	return space, nil
}

// there reports whether the name still stands for the namespace.
func (n namespace) there() error {
	if n == (namespace{}) {
		return nil
	}
	now, err := locate(n.name)
	if err == nil && now != n {
		err = fmt.Errorf("%w: %s is another one now", ErrNoNamespace, n.path)
	}
	return err
}
