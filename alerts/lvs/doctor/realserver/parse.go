// Package realserver is the other side of a virtual service: a script that
// prints the facts of a real server ([Check]), what those facts mean
// ([Parse], [Judge]), and a script that makes a real server ready or takes
// that away again ([Script]).
//
// The scripts need sh and iproute2 and nothing of mond, since real servers
// run anything. This package runs nothing itself.
package realserver

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/doctor"
)

// Facts are what the script printed.
type Facts struct {
	Host    string
	Kernel  string
	Links   []doctor.Link
	Addrs   []doctor.Addr
	Default []doctor.Route
	Sysctls doctor.Sysctls
	Sockets []Socket
	GUE     []GUEPort
	// Read says which kinds of facts could be read, of: link addr route4
	// route6 fou fou6 sysctl socket.
	Read map[string]bool
	// bigEndian is the order of octets in the machine's words.
	bigEndian bool
}

// Socket is one that listens.
type Socket struct {
	UDP  bool
	Addr netip.AddrPort
	// Six: it is of IPv6; bound to any address it takes IPv4, too.
	Six bool
}

// GUEPort is a port at which the kernel takes encapsulated packets.
type GUEPort struct {
	Port uint16
	Six  bool
}

// Size limits: nothing that a real server prints is as large.
const (
	longestLine = 64 << 10
	mostLines   = 200_000
)

// Parse reads what the script printed. Lines that it does not know are of a
// newer one, and are passed over.
func Parse(r io.Reader) (*Facts, error) {
	f := &Facts{Sysctls: doctor.Sysctls{}, Read: map[string]bool{}}
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, longestLine)
	began, ended, section := false, false, ""
	for n := 1; scan.Scan(); n++ {
		if n > mostLines {
			return nil, fmt.Errorf("more than %d lines: that is not what monctl realserver check prints", mostLines)
		}
		switch word, rest, _ := strings.Cut(scan.Text(), " "); word {
		case "realserver":
			began = true
		case "end":
			ended = true
		case "begin":
			section = rest
		case "read", "unread":
			f.Read[rest] = word == "read"
			section = ""
		default:
			f.line(section, scan.Text())
		}
	}
	switch {
	case scan.Err() != nil:
		return nil, fmt.Errorf("read the facts of a real server: %w", scan.Err())
	case !began:
		return nil, errors.New("these are no facts of a real server: run there what `monctl realserver check` prints, and keep its output")
	case !ended:
		return nil, errors.New("the facts of the real server are cut off: there is no line `end`")
	}
	return f, nil
}

// line takes one line of what a program said.
func (f *Facts) line(section, text string) {
	words := strings.Fields(text)
	switch section {
	case "machine":
		if len(words) == 3 {
			f.Host, f.Kernel, f.bigEndian = words[0], words[1], isBigEndian(words[2])
		}
	case "link":
		f.readLink(words)
	case "addr":
		f.readAddr(words)
	case "route4", "route6":
		f.readRoute(words, section == "route6")
	case "fou", "fou6":
		f.readFou(words)
	case "sysctl":
		if path, value, ok := strings.Cut(strings.TrimPrefix(text, "/proc/sys/"), ":"); ok {
			f.Sysctls[path] = value
		}
	case "socket":
		f.readSocket(words)
	}
}

// isBigEndian tells machines whose words begin with the higher octet.
func isBigEndian(machine string) bool {
	return slices.Contains([]string{"s390", "s390x", "ppc", "ppc64", "mips", "mips64", "sparc64", "parisc", "armeb"}, machine)
}

// readLink takes a line of ip -o link: "2: eth0@if3: <UP,LOWER_UP> mtu 1500 ...".
func (f *Facts) readLink(w []string) {
	if len(w) < 3 {
		return
	}
	name, _, _ := strings.Cut(strings.TrimSuffix(w[1], ":"), "@")
	if !plainName(name) {
		return
	}
	flags := strings.Split(strings.Trim(w[2], "<>"), ",")
	l := doctor.Link{Name: name, Up: slices.Contains(flags, "UP"), Carrier: slices.Contains(flags, "LOWER_UP")}
	l.ARP = !slices.Contains(flags, "LOOPBACK") && !slices.Contains(flags, "NOARP")
	l.MTU, _ = strconv.Atoi(after(w, "mtu"))
	if at := slices.IndexFunc(w, func(s string) bool { return strings.HasPrefix(s, "link/") }); at >= 0 {
		l.Kind = strings.TrimPrefix(w[at], "link/")
		l.ARP = l.ARP && l.Kind == "ether"
		if at+1 < len(w) {
			l.MAC = w[at+1]
		}
	}
	f.Links = append(f.Links, l)
}

// plainName reports whether a name means nothing to a shell: it will stand in
// commands that a person copies, and comes from another machine.
func plainName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return !strings.ContainsRune("._-:+", c) && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	})
}

// readAddr takes a line of ip -o addr: "1: lo inet 10.0.0.3/32 scope global lo ...".
func (f *Facts) readAddr(w []string) {
	if len(w) < 4 {
		return
	}
	text := w[3]
	if !strings.Contains(text, "/") { // of a point-to-point link: ADDR peer ADDR/LEN
		text += map[bool]string{true: "/128", false: "/32"}[strings.Contains(text, ":")]
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || !plainName(w[1]) {
		return
	}
	f.Addrs = append(f.Addrs, doctor.Addr{
		Link: w[1], Prefix: p, Tentative: slices.Contains(w, "tentative"), Duplicate: slices.Contains(w, "dadfailed"),
	})
}

// readRoute takes a line of ip route, if it is a default route.
func (f *Facts) readRoute(w []string, six bool) {
	if len(w) == 0 || w[0] != "default" {
		return
	}
	gateway, _ := netip.ParseAddr(after(w, "via"))
	if after(w, "via") == "inet6" {
		gateway, _ = netip.ParseAddr(after(w, "inet6"))
	}
	f.Default = append(f.Default, doctor.Route{Gateway: gateway, Link: after(w, "dev"), Six: six})
}

// after is the word after another one.
func after(w []string, word string) string {
	if at := slices.Index(w, word); at >= 0 && at+1 < len(w) {
		return w[at+1]
	}
	return ""
}

// readFou takes a line of ip fou: "port 6080 gue", or "port 6080 gue -6". ip
// shows the ports of both families, whichever it is asked for.
func (f *Facts) readFou(w []string) {
	port, err := strconv.ParseUint(after(w, "port"), 10, 16)
	p := GUEPort{Port: uint16(port), Six: slices.Contains(w, "-6")}
	if err == nil && slices.Contains(w, "gue") && !slices.Contains(f.GUE, p) {
		f.GUE = append(f.GUE, p)
	}
}

// readSocket takes a line "/proc/net/tcp: 0: 00000000:0050 00000000:0000 0A ...":
// addresses are words of 32 bits in the machine's order, in hexadecimal.
func (f *Facts) readSocket(w []string) {
	if len(w) < 5 {
		return
	}
	table := strings.TrimSuffix(strings.TrimPrefix(w[0], "/proc/net/"), ":")
	udp, six := strings.HasPrefix(table, "udp"), strings.HasSuffix(table, "6")
	if udp != (w[4] == "07") {
		return
	}
	host, portText, ok := strings.Cut(w[2], ":")
	port, err := strconv.ParseUint(portText, 16, 16)
	octets, hexErr := hex.DecodeString(host)
	if !ok || err != nil || hexErr != nil || len(octets)%4 != 0 {
		return
	}
	for i := 0; i < len(octets) && !f.bigEndian; i += 4 {
		slices.Reverse(octets[i : i+4])
	}
	a, ok := netip.AddrFromSlice(octets)
	if !ok {
		return
	}
	f.Sockets = append(f.Sockets, Socket{UDP: udp, Addr: netip.AddrPortFrom(a.Unmap(), uint16(port)), Six: six})
}
