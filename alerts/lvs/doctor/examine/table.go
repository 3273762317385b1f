package examine

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/alerts/lvs/doctor"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// table reads the kernel's table, its daemons and timeouts: over netlink, or
// from /proc for those who may not.
func (r *reader) table(ctx context.Context) {
	if !r.facts.IPVS {
		return
	}
	rows, err := tableByNetlink(ctx)
	if err == nil {
		r.facts.Table = rows
		r.daemons()
		return
	}
	text, readErr := readFile(procNet + "ip_vs")
	if readErr == nil {
		r.facts.Table, readErr = ParseTable(text)
	}
	if readErr != nil {
		r.unread("the table", errors.Join(err, readErr))
		return
	}
	r.unread("encapsulations, sync daemons and timeouts of IPVS", err)
}

func tableByNetlink(ctx context.Context) ([]doctor.Row, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	k, err := ipvs.OpenKernel()
	if err != nil {
		return nil, err
	}
	defer k.Close()
	services, err := k.Services(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]doctor.Row, 0, len(services))
	for _, s := range services {
		reals, err := k.Destinations(ctx, s.Virtual)
		if errors.Is(err, ipvs.ErrNoService) {
			continue // removed since
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, doctor.Row{Service: s, Reals: reals})
	}
	return rows, nil
}

// The kernel's numbers (linux/ip_vs.h).
const (
	cmdGetDaemon = 11
	cmdGetConfig = 13

	attrDaemon     = 3
	attrTCP        = 4
	attrTCPFin     = 5
	attrUDP        = 6
	daemonState    = 1
	daemonLink     = 2
	daemonSyncID   = 3
	stateMaster    = 1
	genlHeaderSize = 4
)

// daemons reads the sync daemons and the timeouts.
func (r *reader) daemons() {
	family, err := netlink.GenlFamilyGet("IPVS")
	if err != nil {
		r.unread("sync daemons and timeouts of IPVS", err)
		return
	}
	r.facts.Daemons = []doctor.Daemon{}
	answers, err := ask(family, cmdGetDaemon, unix.NLM_F_DUMP)
	if err != nil {
		r.unread("sync daemons of IPVS", err)
	}
	for _, a := range answers {
		if d, ok := parseDaemon(a); ok {
			r.facts.Daemons = append(r.facts.Daemons, d)
		}
	}
	answers, err = ask(family, cmdGetConfig, 0)
	if err != nil || len(answers) == 0 {
		r.unread("timeouts of IPVS", errors.Join(err))
		return
	}
	r.facts.Timeouts = parseTimeouts(answers[0])
}

func ask(family *netlink.GenlFamily, command uint8, flags int) ([][]byte, error) {
	req := nl.NewNetlinkRequest(int(family.ID), flags)
	req.AddData(&nl.Genlmsg{Command: command, Version: 1})
	return req.Execute(unix.NETLINK_GENERIC, 0)
}

// attributes reads the attributes of an answer by their number.
func attributes(answer []byte) map[uint16][]byte {
	out := map[uint16][]byte{}
	list, err := nl.ParseRouteAttr(answer)
	if err != nil {
		return out
	}
	for _, a := range list {
		out[a.Attr.Type&^(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER)] = a.Value
	}
	return out
}

func number32(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return nl.NativeEndian().Uint32(b)
}

func parseDaemon(answer []byte) (doctor.Daemon, bool) {
	if len(answer) < genlHeaderSize {
		return doctor.Daemon{}, false
	}
	a := attributes(attributes(answer[genlHeaderSize:])[attrDaemon])
	state := number32(a[daemonState])
	return doctor.Daemon{
		Master: state == stateMaster, Link: strings.TrimRight(string(a[daemonLink]), "\x00"), SyncID: number32(a[daemonSyncID]),
	}, state != 0
}

func parseTimeouts(answer []byte) *doctor.Timeouts {
	if len(answer) < genlHeaderSize {
		return nil
	}
	a := attributes(answer[genlHeaderSize:])
	return &doctor.Timeouts{TCP: number32(a[attrTCP]), TCPFin: number32(a[attrTCPFin]), UDP: number32(a[attrUDP])}
}

// ParseTable reads the table as /proc/net/ip_vs shows it, which everybody may
// read: without encapsulations and engines, and with times of persistence in
// the kernel's ticks, of which only that they are not 0 is to be relied on.
func ParseTable(text []byte) ([]doctor.Row, error) {
	rows := []doctor.Row{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		switch {
		case len(words) < 2 || words[0] == "IP" || words[0] == "Prot":
		case words[0] == "->" && words[1] == "RemoteAddress:Port":
		case words[0] == "->":
			if len(rows) == 0 {
				return nil, fmt.Errorf("a real server without a virtual service: %q", line)
			}
			d, err := parseReal(words[1:])
			if err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
			last := &rows[len(rows)-1]
			last.V6 = last.Mark != 0 && d.Addr.Addr().Is6()
			last.Reals = append(last.Reals, d)
		default:
			s, err := parseService(words)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
			rows = append(rows, doctor.Row{Service: s})
		}
	}
	return rows, nil
}

func parseService(words []string) (s ipvs.Service, err error) {
	if len(words) < 3 {
		return s, errors.New("want a protocol, an address and a scheduler")
	}
	protocols := map[string]ipvs.Protocol{"TCP": ipvs.TCP, "UDP": ipvs.UDP, "SCTP": ipvs.SCTP}
	if words[0] == "FWM" {
		mark, err := strconv.ParseUint(words[1], 16, 32)
		if err != nil {
			return s, err
		}
		s.Mark = uint32(mark)
	} else if s.Protocol = protocols[words[0]]; s.Protocol == 0 {
		return s, fmt.Errorf("no protocol %q", words[0])
	} else if s.Addr, err = parseAddrPort(words[1]); err != nil {
		return s, err
	}
	s.Scheduler = words[2]
	for i, w := range words {
		switch w {
		case "ops":
			s.OnePacket = true
		case "persistent":
			if i+1 < len(words) {
				ticks, _ := strconv.ParseUint(words[i+1], 10, 32)
				s.Persist = uint32(ticks)
			}
		}
	}
	return s, nil
}

// forwards are the kernel's words.
var forwards = map[string]ipvs.Forward{"Masq": ipvs.NAT, "Local": ipvs.Local, "Tunnel": ipvs.Tunnel, "Route": ipvs.Direct}

func parseReal(words []string) (d ipvs.Destination, err error) {
	if len(words) < 3 {
		return d, errors.New("want an address, a method and a weight")
	}
	if d.Addr, err = parseAddrPort(words[0]); err != nil {
		return d, err
	}
	forward, ok := forwards[words[1]]
	if !ok {
		return d, fmt.Errorf("no forwarding method %q", words[1])
	}
	weight, err := strconv.ParseUint(words[2], 10, 32)
	d.Forward, d.Weight = forward, uint32(weight)
	return d, err
}

// parseAddrPort reads 0A000003:0050 or [2001:0db8:...:0003]:0050.
func parseAddrPort(s string) (netip.AddrPort, error) {
	at := strings.LastIndexByte(s, ':')
	if at < 0 {
		return netip.AddrPort{}, fmt.Errorf("%q: no port", s)
	}
	port, err := strconv.ParseUint(s[at+1:], 16, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	host := s[:at]
	if strings.HasPrefix(host, "[") {
		a, err := netip.ParseAddr(strings.Trim(host, "[]"))
		return netip.AddrPortFrom(a, uint16(port)), err
	}
	octets, err := hex.DecodeString(host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	a, ok := netip.AddrFromSlice(octets)
	if !ok || !a.Is4() {
		return netip.AddrPort{}, fmt.Errorf("%q: no address", host)
	}
	return netip.AddrPortFrom(a, uint16(port)), nil
}
