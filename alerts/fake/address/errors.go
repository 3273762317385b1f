package address

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// What callers tell apart, beside [fs.ErrExist] and [fs.ErrNotExist].
var (
	// ErrPermission: the capability is missing.
	ErrPermission = errors.New("not permitted: it takes root, or the capability cap_net_admin (grant = fake.alert cap_net_admin,cap_net_raw)")
	// ErrNoDevice: there is no such interface.
	ErrNoDevice = errors.New("there is no such interface")
	// ErrInUse: the address is held by somebody else on this machine.
	ErrInUse = errors.New("address in use")
	// ErrDown: the interface was not set up.
	ErrDown = errors.New("the interface is down")
)

// explain says what was tried, on what, and what to do.
func explain(s Step, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%v %v: %w", s.Op, s.Thing, cause(s, err))
}

func cause(s Step, err error) error {
	errno, _ := errors.AsType[unix.Errno](err)
	a, isAddress := s.Thing.(Address)
	switch {
	case errno == unix.EPERM:
		return ErrPermission
	case errno == unix.EEXIST:
		return fmt.Errorf("%w: %w", fs.ErrExist, existing(isAddress))
	case s.Op == Remove && (errno == unix.EADDRNOTAVAIL || errno == unix.ESRCH || errno == unix.ENOENT || errno == unix.ENODEV):
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case errno == unix.ENODEV:
		return fmt.Errorf("%w (see ip link)", ErrNoDevice)
	case errno == unix.EACCES && isAddress && a.Prefix.Addr().Is6():
		return fmt.Errorf("IPv6 is switched off on it: sysctl net.ipv6.conf.%s.disable_ipv6=0: %w", a.Device, err)
	case errno == unix.ENETDOWN:
		return fmt.Errorf("%w: %w: ip link set it up", ErrDown, err)
	case errno == unix.ENETUNREACH || errno == unix.EHOSTUNREACH:
		return fmt.Errorf("%w: is its gateway on the network of the interface? Otherwise say onlink, and dev", err)
	}
	return err
}

func existing(isAddress bool) error {
	if isAddress {
		return errors.New("it is there already")
	}
	return errors.New("one like it is there already, and not this group's: remove that, or give this another metric or priority")
}
