// Package origin is where the packets of a check come from: the options that
// say which address, interface, firewall mark and network namespace, and sockets
// that are made accordingly. All monitors that open sockets share it.
//
// It connects to nobody: monitors/tcp/reach and monitors/fping/echo do. A check
// that uses none of these options needs no capability and pays nothing for them.
// What this machine cannot do of what they ask for is its own fault and never
// that of a host: every error is a [monitor.Fault].
//
// Names are always resolved in this process's own namespace, whatever --netns
// says: it is the sockets of the check that are made in the other one.
package origin

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mondhq/mond/plugins/monitor"
)

// Origin says where packets come from. The zero value leaves all of it to the
// kernel.
type Origin struct {
	// Source is the address to come from.
	Source Address
	// Device is the network interface to send by.
	Device Device
	// Mark is the firewall mark of all packets; 0 is none.
	Mark Mark
	// Netns is the network namespace that sockets are made in; "" is our own.
	Netns Netns

	program string // as a line "grant" names it
}

// Declare declares --source, --interface, --mark and --netns.
func (o *Origin) Declare(fs *flag.FlagSet) {
	fs.Var(&o.Source, "source", "`address` of this machine to come from; to:ADDRESS is the one from which it speaks to that address")
	fs.Var(&o.Device, "interface", "network `interface` to send by, whatever the routes say")
	fs.Var(&o.Mark, "mark", "firewall mark of all packets, a `number` such as 7 or 0x6d000001; needs the capability cap_net_raw (before Linux 5.17: cap_net_admin)")
	o.DeclareNetns(fs)
	fs.Lookup("netns").Usage += ". Names are still resolved in our own"
}

// DeclareNetns declares --netns alone.
func (o *Origin) DeclareNetns(fs *flag.FlagSet) {
	o.program = fs.Name()
	fs.Var(&o.Netns, "netns", "`name` of the network namespace to ask from, or its path; needs the capability cap_sys_admin")
}

// Given reports whether sockets are more than usual ones with an address.
func (o *Origin) Given() bool { return o.Device != "" || o.Mark != 0 || o.Netns != "" }

// grant is what is to be done for a capability.
func (o *Origin) grant(capability string) string {
	return fmt.Sprintf("not permitted: it needs the capability %s, which \"grant = %s %s\" passes on if mond itself has it",
		capability, cmp.Or(o.program, "PROGRAM"), capability)
}

// fault is an error of this machine. It hides the number of a system's error: the
// text has all there is to tell, and others would make their own of it.
func fault(format string, args ...any) error { return monitor.Fault(fmt.Errorf(format, args...)) }

// Version tells the namespace and the interface of an Origin from others that
// have had their names: a socket that was made for one does not follow to the
// next. It is comparable.
type Version struct {
	netns uint64
	index uint32
}

// Address is an option's value: an IP address in figures, or that of this machine
// from which it speaks to another.
type Address struct {
	netip.Addr
	// Toward is the other, and Addr not valid.
	Toward netip.Addr
}

// toward begins a value that names the other address.
const toward = "to:"

// String is the value, empty without one.
func (a *Address) String() string {
	switch {
	case a.Toward.IsValid():
		return toward + a.Toward.String()
	case !a.IsValid():
		return ""
	}
	return a.Addr.String()
}

// Set reads an address.
func (a *Address) Set(text string) error {
	figures, other := strings.CutPrefix(text, toward)
	addr, err := netip.ParseAddr(figures)
	switch {
	case err != nil:
		return errors.New("want an IP address in figures")
	case other:
		*a = Address{Toward: addr.Unmap()}
	default:
		*a = Address{Addr: addr.Unmap()}
	}
	return nil
}

// Device is an option's value: the name of a network interface.
type Device string

// String is the name.
func (d *Device) String() string { return string(*d) }

// Set reads a name; the kernel's have 15 bytes at most.
func (d *Device) Set(text string) error {
	if text == "" || text == "." || text == ".." || len(text) > 15 || strings.ContainsAny(text, "/: \t\n") {
		return errors.New("want the name of a network interface, such as eth0")
	}
	*d = Device(text)
	return nil
}

// Mark is an option's value: a firewall mark, 0 as long as none was chosen.
type Mark uint32

// String is the mark in figures, empty without one.
func (m *Mark) String() string {
	if *m == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(*m), 10)
}

// Set reads a mark in decimal figures, or in hexadecimal ones after 0x.
func (m *Mark) Set(text string) error {
	figures, base := text, 10
	if hex, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok {
		figures, base = hex, 16
	}
	n, err := strconv.ParseUint(figures, base, 32)
	if err != nil || n == 0 {
		return errors.New("want a number from 1 to 4294967295, such as 7 or 0x6d000001")
	}
	*m = Mark(n)
	return nil
}

// Netns is an option's value: a network namespace, by its name as "ip netns"
// knows it or by the path of its file, such as /proc/4711/ns/net.
type Netns string

// String is the name or the path.
func (n *Netns) String() string { return string(*n) }

// Set reads a name or a path.
func (n *Netns) Set(text string) error {
	if strings.HasPrefix(text, "/") && !strings.ContainsRune(text, 0) {
		*n = Netns(text)
		return nil
	}
	if text == "" || text == "." || text == ".." || len(text) > 255 || strings.ContainsAny(text, "/\x00") {
		return errors.New("want the name of a network namespace as \"ip netns\" shows it, or an absolute path")
	}
	*n = Netns(text)
	return nil
}

// Path is the file of the namespace.
func (n Netns) Path() string {
	if strings.HasPrefix(string(n), "/") {
		return string(n)
	}
	return "/run/netns/" + string(n)
}
