package copying

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// Kernel asks the kernel. The zero value is ready.
type Kernel struct{}

var _ Source = Kernel{}

// Look implements [Source]. Each look is on a thread of its own in the namespace,
// which ends with it.
func (Kernel) Look(netns string, s ipvs.Sync) (Facts, error) {
	type answer struct {
		facts Facts
		err   error
	}
	if netns == "" {
		return look(s)
	}
	done := make(chan answer, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked
		err := enter(netns)
		var f Facts
		if err == nil {
			f, err = look(s)
		}
		done <- answer{f, err}
	}()
	a := <-done
	return a.facts, a.err
}

// enter brings this thread into a namespace, which is one of ip netns or, with a
// slash, a file.
func enter(name string) error {
	path := name
	if !strings.Contains(name, "/") {
		path = filepath.Join("/run/netns", name)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%w: %w", ipvs.ErrNoNamespace, err)
	}
	defer f.Close()
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter network namespace %s: %w", path, err)
	}
	return nil
}

const sysctls = "/proc/sys/net/ipv4/vs/"

func look(s ipvs.Sync) (Facts, error) {
	s = s.Filled()
	f := Facts{BackupOnly: number("backup_only") > 0, Refresh: number("sync_refresh_period")}
	link, err := netlink.LinkByName(s.Link)
	if _, missing := errors.AsType[netlink.LinkNotFoundError](err); missing {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("look at interface %s: %w", s.Link, err)
	}
	f.Index = link.Attrs().Index
	f.Up = link.Attrs().Flags&net.FlagUp != 0 && link.Attrs().RawFlags&unix.IFF_RUNNING != 0
	if f.Addresses, err = addresses(link); err != nil {
		return f, err
	}
	if f.Default, err = leads(link); err != nil {
		return f, err
	}
	f.Sockets = sockets(s)
	return f, nil
}

// number is a sysctl of IPVS; one that is not there is 0.
func number(name string) int {
	text, _ := os.ReadFile(sysctls + name)
	n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return n
}

func addresses(link netlink.Link) (out []netip.Prefix, err error) {
	list, err := netlink.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("list the addresses of %s: %w", link.Attrs().Name, err)
	}
	for _, a := range list {
		if ip, ok := netip.AddrFromSlice(a.IP); ok {
			ones, _ := a.Mask.Size()
			out = append(out, netip.PrefixFrom(ip.Unmap(), ones))
		}
	}
	return out, nil
}

// leads reports whether a default route leads through link.
func leads(link netlink.Link) (bool, error) {
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := netlink.RouteListFiltered(family, &netlink.Route{LinkIndex: link.Attrs().Index, Dst: nil}, netlink.RT_FILTER_OIF|netlink.RT_FILTER_DST)
		if err != nil {
			return false, fmt.Errorf("list the routes through %s: %w", link.Attrs().Name, err)
		}
		if len(routes) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// sockets reads what /proc tells of the daemons' sockets.
func sockets(s ipvs.Sync) Sockets {
	udp, joined := "/proc/thread-self/net/udp", "/proc/thread-self/net/igmp"
	if s.Group.Is6() {
		udp, joined = udp+"6", joined+"6"
	}
	table, err1 := os.ReadFile(udp)
	groups, err2 := os.ReadFile(joined)
	if err1 != nil || err2 != nil {
		return Sockets{}
	}
	out := Sockets{Known: true, Joined: member(groups, s)}
	out.read(table, s)
	return out
}

// maxThreads is how many ports from the first on the daemons may use: sync_ports.
const maxThreads = 64

// read reads /proc/net/udp or udp6.
func (o *Sockets) read(table []byte, s ipvs.Sync) {
	for line := range bytes.Lines(table) {
		f := strings.Fields(string(line))
		if len(f) < 13 {
			continue
		}
		local, ok1 := hexAddr(f[1])
		remote, ok2 := hexAddr(f[2])
		if !ok1 || !ok2 {
			continue
		}
		if isSync(local, s) && remote.Port() == 0 {
			drops, _ := strconv.ParseUint(f[12], 10, 64)
			o.Drops += drops
		}
		if isSync(remote, s) {
			o.From = local.Addr()
		}
	}
}

// isSync reports whether a is one that the daemons send to.
func isSync(a netip.AddrPort, s ipvs.Sync) bool {
	return a.Addr() == s.Group && a.Port() >= s.Port && int(a.Port()) < int(s.Port)+maxThreads
}

// member reports whether the interface has joined the group, by /proc/net/igmp
// or igmp6.
func member(groups []byte, s ipvs.Sync) bool {
	device := ""
	for line := range bytes.Lines(groups) {
		f := strings.Fields(string(line))
		if s.Group.Is6() {
			if len(f) > 2 && f[1] == s.Link && f[2] == fmt.Sprintf("%x", s.Group.AsSlice()) {
				return true
			}
			continue
		}
		switch {
		case len(f) > 1 && line[0] != '\t':
			device = f[1]
		case len(f) > 0 && device == s.Link:
			if a, ok := hexIP(f[0]); ok && a == s.Group {
				return true
			}
		}
	}
	return false
}

// hexAddr reads ADDRESS:PORT as /proc/net/udp has it: words of the address in
// the machine's order, in hexadecimal.
func hexAddr(s string) (netip.AddrPort, bool) {
	ip, port, _ := strings.Cut(s, ":")
	a, ok := hexIP(ip)
	n, err := strconv.ParseUint(port, 16, 16)
	return netip.AddrPortFrom(a, uint16(n)), ok && err == nil
}

func hexIP(s string) (netip.Addr, bool) {
	if len(s) != 8 && len(s) != 32 {
		return netip.Addr{}, false
	}
	var b []byte
	for i := 0; i < len(s); i += 8 {
		n, err := strconv.ParseUint(s[i:i+8], 16, 32)
		if err != nil {
			return netip.Addr{}, false
		}
		b = binary.NativeEndian.AppendUint32(b, uint32(n))
	}
	return netip.AddrFromSlice(b)
}
