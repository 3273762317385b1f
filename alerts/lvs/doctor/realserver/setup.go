package realserver

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"text/template"

	"github.com/mondhq/mond/alerts/lvs/doctor"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

//go:embed check.sh
var check string

// Check is the script that prints the facts of a real server.
func Check() string { return check }

//go:embed setup.sh
var library string

// Want is what a real server is to be ready for.
type Want struct {
	VIP     netip.Addr
	Forward ipvs.Forward
	Tunnel  ipvs.Encapsulation
	// Real is the real server's own address. It says which family a tunnel's
	// outer packets have; zero is that of VIP. It is needed for IPv4 in IPv6 and
	// for GRE with checksums.
	Real netip.Addr
	// Gateway is the director's address among the real servers, for nat.
	Gateway netip.Addr
}

// Verb is what a script does when nothing else is said.
type Verb string

// The verbs.
const (
	Setup Verb = "setup"
	Undo  Verb = "undo"
)

// Validate says what makes no sense.
func (w Want) Validate() error {
	switch {
	case !w.VIP.IsValid() || w.VIP.IsUnspecified() || w.VIP.IsMulticast() || w.VIP.IsLoopback() || w.VIP.Zone() != "":
		return fmt.Errorf("%s is no virtual address", w.VIP)
	case w.Gateway.Zone() != "" || w.Real.Zone() != "":
		return errors.New("an address with a zone is not the same on another machine: say one without")
	case w.Forward == ipvs.NAT && !w.Gateway.IsValid():
		return errors.New("nat: say the director's address among the real servers (--gateway)")
	case w.Forward == ipvs.NAT && w.Gateway.Is4() != w.VIP.Is4():
		return fmt.Errorf("nat: the gateway %s is of another family than %s", w.Gateway, w.VIP)
	case w.Forward != ipvs.NAT && w.Gateway.IsValid():
		return fmt.Errorf("%s: a gateway is for nat only", w.Forward)
	case w.Forward == ipvs.Direct && w.Real.IsValid() && w.Real.Is4() != w.VIP.Is4():
		return fmt.Errorf("dr: the real server %s is of another family than %s", w.Real, w.VIP)
	case w.Forward == ipvs.Tunnel && w.Tunnel.Type == ipvs.GUE && w.Tunnel.Port == 0:
		return errors.New("gue: say its port")
	case w.Forward == ipvs.Tunnel && w.VIP.Is4() && w.outer6() && !w.Real.Is6():
		return errors.New("tun: say the real server's own IPv6 address")
	case w.summedGRE() && !w.Real.IsValid():
		return errors.New("gre with checksums: say the real server's own address")
	}
	return nil
}

// outer6 reports whether packets to the real are IPv6.
func (w Want) outer6() bool {
	if w.Real.IsValid() {
		return w.Real.Is6()
	}
	return w.VIP.Is6()
}

// summedGRE reports whether packets come in GRE with a checksum.
func (w Want) summedGRE() bool {
	return w.Forward == ipvs.Tunnel && w.Tunnel.Type == ipvs.GRE && w.Tunnel.Checksum != ipvs.NoChecksum
}

// steps are the things that w needs, in the words of the script.
func (w Want) steps() []string {
	if w.Forward == ipvs.NAT {
		return []string{"default " + familyOption(w.VIP.Is6()) + " " + w.Gateway.String()}
	}
	var s []string
	if w.Forward == ipvs.Tunnel {
		s = w.tunnelSteps()
	}
	if w.VIP.Is4() {
		s = append(s, "atleast net/ipv4/conf/all/arp_ignore 1", "atleast net/ipv4/conf/all/arp_announce 2")
	}
	return append(s, "addr "+doctor.Host(w.VIP).String()+" "+w.home())
}

// home is the interface for the virtual address: lo, or the tunnel's, which
// needs an IPv4 address of its own: without one the kernel drops what comes out
// of it even where rp_filter is loose.
func (w Want) home() string {
	if w.Forward == ipvs.Tunnel && w.VIP.Is4() {
		_, link := w.device()
		return link
	}
	return "lo"
}

func familyOption(six bool) string {
	if six {
		return "-6"
	}
	return "-4"
}

// device is the interface by which packets come out of the tunnel, and the
// module it is of. The kernel makes them with the module, and they take
// packets from anybody; only IPv4 in IPv6 and GRE with checksums have none: a
// device takes GRE either with or without, and those of the kernel without.
func (w Want) device() (module, link string) {
	six, outer6 := w.VIP.Is6(), w.outer6()
	switch {
	case w.summedGRE() && outer6:
		return "ip6_gre", summed6
	case w.summedGRE():
		return "ip_gre", summed
	case w.Tunnel.Type == ipvs.GRE && outer6:
		return "ip6_gre", "ip6gre0"
	case w.Tunnel.Type == ipvs.GRE:
		return "ip_gre", "gre0"
	case !outer6 && !six:
		return "ipip", "tunl0"
	case !outer6:
		return "sit", "sit0"
	case six:
		return "ip6_tunnel", "ip6tnl0"
	}
	return "ip6_tunnel", tunnel46
}

// Interfaces that are made, since the kernel has none.
const (
	tunnel46 = "mond46"   // for IPv4 in IPv6
	summed   = "mondgre"  // for GRE with checksums
	summed6  = "mondgre6" // for that over IPv6
)

// made reports whether an interface is one of those.
func made(link string) bool { return link == tunnel46 || link == summed || link == summed6 }

// makes is how ip makes the interface that is made for w.
func (w Want) makes() string {
	switch _, link := w.device(); link {
	case summed:
		return "gre local " + w.Real.String() + " icsum"
	case summed6:
		return "ip6gre local " + w.Real.String() + " remote :: icsum"
	}
	return "ip6tnl mode ipip6 local " + w.Real.String() + " remote ::"
}

func (w Want) tunnelSteps() []string {
	module, link := w.device()
	s := []string{"module " + module}
	if made(link) {
		s = append(s, "tunnel "+link+" "+w.Real.String())
	}
	s = append(s, "up "+link)
	if w.VIP.Is4() {
		s = append(s, "loose "+link)
	}
	if w.Tunnel.Type == ipvs.GUE {
		// fou takes both families; fou6 is for those who send
		s = append(s, "module fou", fmt.Sprintf("fou %s %d", familyOption(w.outer6()), w.Tunnel.Port))
	}
	return s
}

// agree says what one real server cannot be ready for at a time. What is made
// takes the packets to one address of it, and all that come there in GRE.
func agree(wants []Want) error {
	own := map[string]netip.Addr{}
	for _, w := range wants {
		_, link := w.device()
		if w.Forward != ipvs.Tunnel || !made(link) {
			continue
		}
		if old, there := own[link]; there && old != w.Real {
			return fmt.Errorf("%s and %s are two real servers with a tunnel of their own each: say which one it is for (--real)", old, w.Real)
		}
		own[link] = w.Real
	}
	for _, w := range wants {
		if w.Forward != ipvs.Tunnel || w.Tunnel.Type != ipvs.GRE || w.summedGRE() {
			continue
		}
		link := summed
		if w.outer6() {
			link = summed6
		}
		if real, there := own[link]; there && (!w.Real.IsValid() || w.Real == real) {
			return fmt.Errorf("gre with and without checksums to %s: the kernel takes only one of them at an address: say csum, or not, for all", real)
		}
	}
	return nil
}

// part is what one address needs.
type part struct {
	Name  string
	Steps []string
}

// Script is a program for sh that makes a real server ready for all that is
// wanted, or takes that away again. It needs nothing of mond.
func Script(verb Verb, wants []Want) (string, error) {
	if len(wants) == 0 {
		return "", errors.New("nothing is wanted of the real server")
	}
	if err := agree(wants); err != nil && verb == Setup {
		return "", err
	}
	var parts []part
	for _, w := range wants {
		if verb == Undo {
			w = Want{VIP: w.VIP, Forward: ipvs.Direct} // the record says the rest
		}
		if err := w.Validate(); err != nil {
			return "", err
		}
		at := slices.IndexFunc(parts, func(p part) bool { return p.Name == w.VIP.String() })
		if at < 0 {
			parts = append(parts, part{Name: w.VIP.String()})
			at = len(parts) - 1
		}
		for _, s := range w.steps() {
			if verb != Undo && !slices.Contains(parts[at].Steps, s) {
				parts[at].Steps = append(parts[at].Steps, s)
			}
		}
	}
	var names []string
	for _, p := range parts {
		names = append(names, p.Name)
	}
	slices.Reverse(names)
	var b bytes.Buffer
	err := head.Execute(&b, map[string]any{"Verb": string(verb), "Parts": parts, "Names": strings.Join(names, " ")})
	if err != nil {
		return "", err
	}
	return b.String() + "\n" + library, nil
}

var head = template.Must(template.New("head").Parse(`#!/bin/sh
# A real server's side of{{range .Parts}} {{.Name}}{{end}}, made by monctl realserver.
#
{{- if eq .Verb "undo"}}
# It takes away what setup made, and nothing else.
{{- else}}
#   sh FILE setup     make it so; what is so already is left alone
#   sh FILE undo      take away what setup made, and nothing else
#
# None of it outlives a boot. To keep it, install this file as
# /usr/local/sbin/lvs-realserver and let the system run it:
#   systemd     etc/realserver/lvs-realserver.service, which mond brings
#   ifupdown    in /etc/network/interfaces, below the interface to the director:
#                   up   /usr/local/sbin/lvs-realserver setup
#                   down /usr/local/sbin/lvs-realserver undo
{{- end}}
verb={{.Verb}}
names="{{.Names}}"

plan() {
{{- if eq .Verb "undo"}}
	die "this one only undoes: monctl realserver setup prints one that makes"
{{- end}}
{{- range .Parts}}
{{- if .Steps}}
	name={{.Name}}
{{- range .Steps}}
	use {{.}}
{{- end}}
{{- end}}
{{- end}}
}
`))
