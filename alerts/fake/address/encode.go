package address

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Numbers that golang.org/x/sys/unix has no names for (linux/rtnetlink.h,
// linux/if_addr.h, linux/fib_rules.h).
const (
	ifaProto     = 11
	fraProtocol  = 21
	routeOnlink  = 4
	ruleToTable  = 1
	mainTable    = 254
	headerLength = 16
)

// attribute adds one of kind to b, aligned.
func attribute(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func number(b []byte, kind uint16, n uint32) []byte {
	return attribute(b, kind, binary.NativeEndian.AppendUint32(nil, n))
}

func text(b []byte, kind uint16, s string) []byte {
	return attribute(b, kind, append([]byte(s), 0))
}

// family is the address family of ip.
func family(ip netip.Addr) byte {
	if ip.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// message is struct ifaddrmsg and its attributes.
func (a Address) message(op Op) (kind, flags uint16, body []byte) {
	ip := a.Prefix.Addr()
	scope := byte(unix.RT_SCOPE_UNIVERSE)
	if a.Index == Loopback && ip.Is4() {
		scope = unix.RT_SCOPE_HOST
	}
	body = append(body, family(ip), byte(a.Prefix.Bits()), 0, scope)
	body = binary.NativeEndian.AppendUint32(body, uint32(a.Index))
	body = attribute(body, unix.IFA_LOCAL, ip.AsSlice())
	body = attribute(body, unix.IFA_ADDRESS, ip.AsSlice())
	if op == Remove {
		return unix.RTM_DELADDR, 0, body
	}
	if a.Broadcast.Is4() {
		body = attribute(body, unix.IFA_BROADCAST, a.Broadcast.AsSlice())
	}
	if a.Label != "" {
		body = text(body, unix.IFA_LABEL, a.Label)
	}
	body = number(body, unix.IFA_FLAGS, a.flags())
	valid, preferred := a.lifetimes()
	info := binary.NativeEndian.AppendUint32(nil, preferred)
	info = binary.NativeEndian.AppendUint32(info, valid)
	body = attribute(body, unix.IFA_CACHEINFO, append(info, make([]byte, 8)...))
	if a.Mark != 0 {
		body = attribute(body, ifaProto, []byte{a.Mark})
	}
	return unix.RTM_NEWADDR, how(op), body
}

// how are the flags that make or replace.
func how(op Op) uint16 {
	if op == Renew {
		return unix.NLM_F_CREATE | unix.NLM_F_REPLACE
	}
	return unix.NLM_F_CREATE | unix.NLM_F_EXCL
}

// message is struct rtmsg and its attributes.
func (r Route) message(op Op) (kind, flags uint16, body []byte) {
	table, small := r.Table, byte(0)
	if table == 0 {
		table = mainTable
	}
	if table < 256 {
		small = byte(table)
	}
	var rflags uint32
	if r.Onlink {
		rflags = routeOnlink
	}
	bits := 0
	if r.To.IsValid() {
		bits = r.To.Bits()
	}
	body = append(body, r.family, byte(bits), 0, 0, small, protocol(r.Mark), r.scope(), r.kind())
	body = binary.NativeEndian.AppendUint32(body, rflags)
	body = number(body, unix.RTA_TABLE, table)
	if bits > 0 {
		body = attribute(body, unix.RTA_DST, r.To.Addr().AsSlice())
	}
	if r.Via.IsValid() {
		body = attribute(body, unix.RTA_GATEWAY, r.Via.AsSlice())
	}
	if r.Index != 0 {
		body = number(body, unix.RTA_OIF, uint32(r.Index))
	}
	if r.Source.IsValid() {
		body = attribute(body, unix.RTA_PREFSRC, r.Source.AsSlice())
	}
	if r.Metric != 0 {
		body = number(body, unix.RTA_PRIORITY, r.Metric)
	}
	if m := r.metrics(); len(m) > 0 {
		body = attribute(body, unix.RTA_METRICS|unix.NLA_F_NESTED, m)
	}
	if op == Remove {
		return unix.RTM_DELROUTE, 0, body
	}
	return unix.RTM_NEWROUTE, how(Add), body
}

// protocol is the number of a route or a rule: its mark, or that of ip(8) for what
// people add by hand. It counts for a removal as well, so that what a routing
// daemon or another program added stays.
func protocol(mark uint8) byte {
	if mark == 0 {
		return unix.RTPROT_BOOT
	}
	return mark
}

func (r Route) metrics() (m []byte) {
	if r.MTU != 0 {
		m = number(m, unix.RTAX_MTU, r.MTU)
	}
	if r.MSS != 0 {
		m = number(m, unix.RTAX_ADVMSS, r.MSS)
	}
	return m
}

// message is struct fib_rule_hdr and its attributes.
func (r Rule) message(op Op) (kind, flags uint16, body []byte) {
	table, small := r.Table, byte(0)
	if table < 256 {
		small = byte(table)
	}
	body = append(body, r.family, bitsOf(r.To), bitsOf(r.From), 0, small, 0, 0, ruleToTable, 0, 0, 0, 0)
	body = number(body, unix.FRA_TABLE, table)
	body = attribute(body, fraProtocol, []byte{protocol(r.Mark)})
	for _, a := range []struct {
		kind uint16
		to   netip.Prefix
	}{{unix.FRA_DST, r.To}, {unix.FRA_SRC, r.From}} {
		if bitsOf(a.to) > 0 {
			body = attribute(body, a.kind, a.to.Addr().AsSlice())
		}
	}
	if r.In != "" {
		body = text(body, unix.FRA_IIFNAME, r.In)
	}
	if r.Out != "" {
		body = text(body, unix.FRA_OIFNAME, r.Out)
	}
	if r.Marked {
		body = number(body, unix.FRA_FWMARK, r.FirewallMark)
		body = number(body, unix.FRA_FWMASK, r.FirewallMask)
	}
	if r.Priority != 0 {
		body = number(body, unix.FRA_PRIORITY, r.Priority)
	}
	if op == Remove {
		return unix.RTM_DELRULE, 0, body
	}
	return unix.RTM_NEWRULE, how(Add), body
}

func bitsOf(p netip.Prefix) byte {
	if !p.IsValid() {
		return 0
	}
	return byte(p.Bits())
}
