package lvscf

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// form says what a value looks like.
type form struct {
	kind  kind
	words []string // of choice
}

type kind uint8

const (
	text     kind = iota
	number        // decimal or 0x
	yesNo         // 0 or 1
	address       // of IPv4
	onDevice      // an address and a device
	choice        // one of some words
)

// globals are the keys above the blocks.
func globals() map[string]form {
	return map[string]form{
		"serial_no": {kind: number}, "primary": {kind: text}, "backup": {kind: text}, "primary_private": {kind: text}, "backup_private": {kind: text},
		"primary_shared": {kind: text}, "backup_shared": {kind: text}, "reservation_conflict_action": {choice, []string{"nothing", "preempt"}},
		"service": {choice, []string{"lvs", "fos"}}, "network": {choice, []string{"nat", "direct", "tunnel"}},
		"backup_active": {kind: yesNo}, "heartbeat": {kind: yesNo}, "heartbeat_port": {kind: text}, "keepalive": {kind: number}, "deadtime": {kind: number},
		"nat_router": {kind: onDevice}, "nat_nmask": {kind: address}, "monitor_links": {kind: number}, "hard_shutdown": {kind: yesNo},
		"syncdaemon": {kind: yesNo}, "syncd_iface": {kind: text}, "syncd_id": {kind: number},
		"tcp_timeout": {kind: number}, "tcpfin_timeout": {kind: number}, "udp_timeout": {kind: number},
		"active_cmd": {kind: text}, "inactive_cmd": {kind: text}, "rsh_command": {kind: text}, "ipvsadm": {kind: text}, "debug_level": {kind: text}, "sync": {kind: yesNo},
	}
}

// services are the keys of virtual and failover.
func services() map[string]form {
	return map[string]form{
		"active": {kind: yesNo}, "address": {kind: onDevice}, "vip_nmask": {kind: address}, "port": {kind: text}, "protocol": {choice, []string{"tcp", "udp"}}, "fwmark": {kind: number},
		"scheduler": {choice, []string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh"}}, "persistent": {kind: number}, "pmask": {kind: address},
		"send": {kind: text}, "expect": {kind: text}, "use_regex": {kind: yesNo}, "send_program": {kind: text}, "timeout": {kind: number}, "reentry": {kind: number},
		"quiesce_server": {kind: yesNo}, "load_monitor": {kind: text}, "sorry_server": {kind: address}, "client_monitor": {kind: text},
		"start_cmd": {kind: text}, "stop_cmd": {kind: text}, "master": {kind: text}, "dirs": {kind: text},
	}
}

// servers are the keys of server.
func servers() map[string]form {
	return map[string]form{"address": {kind: text}, "active": {kind: yesNo}, "weight": {kind: number}, "port": {kind: text}}
}

// judge says what a value wants to be, or "", and which number it is.
func (f form) judge(s string) (n int, want string) {
	switch f.kind {
	case number:
		v, err := strconv.ParseInt(s, 0, 32)
		if err != nil || v < 0 || strings.HasPrefix(s, "0") && len(s) > 1 && s[1] != 'x' {
			return 0, "a whole number, in decimal or behind 0x"
		}
		return int(v), ""
	case yesNo:
		if s != "0" && s != "1" {
			return 0, "0 or 1"
		}
		return int(s[0] - '0'), ""
	case address:
		if !isFour(s) {
			return 0, "an address of IPv4"
		}
	case onDevice:
		if w := strings.Fields(s); len(w) != 2 || !isFour(w[0]) {
			return 0, "an address of IPv4 and a device, such as 10.0.0.3 eth0:1"
		}
	case choice:
		if !slices.Contains(f.words, s) {
			return 0, "one of " + strings.Join(f.words, ", ")
		}
	case text:
		if s == "" {
			return 0, "something"
		}
	}
	return 0, ""
}

func isFour(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4()
}
