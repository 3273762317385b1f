package config

import "github.com/mondhq/mond/engine/virtual"

// virtualWords stand in a virtual service, above its checks.
func virtualWords() []Keyword {
	rows := append(tableWords(), poolWords()...)
	for i := range rows {
		rows[i].Since, rows[i].Gated = mond, true
	}
	return rows
}

// tableWords say what the rows of the kernel's table are.
func tableWords() []Keyword {
	const options = " [weight N] [name NAME] [forward METHOD] [upper N] [lower N] [on_fail ACTION]"
	return []Keyword{
		{Name: "check", Args: "[NAME]", Form: FormRecord, Repeat: true, Help: "Begins a check: a service for each real server, NAME of the hostgroup of the real. Without a name it is that of the monitor and its option -p, such as http-80.",
			apply: wasRead},
		{Name: "address", Args: "tcp|udp|sctp ADDRESS:PORT | fwmark N | fwmark6 N", Form: FormText, Repeat: true, Help: "An address that clients connect to. ADDRESS may be FIRST-LAST or NET/LEN, which is a virtual service for each of them; one of IPv6 stands in brackets. Port 0 is every port and wants persistent. fwmark is for packets that the firewall marked.",
			apply: wasRead},
		{Name: "scheduler", Args: "NAME [FLAG...]", Form: FormText, Default: "wlc", Help: "The kernel's scheduler: rr wrr lc wlc lblc lblcr sh dh sed nq fo ovf mh twos. Flags are sh-fallback and sh-port, mh-fallback and mh-port, or flag-1 to flag-3.",
			apply: scheduler},
		{Name: "forward", Args: "nat | dr | tun [ipip | gue PORT | gre] [nocsum|csum|remcsum]", Form: FormText, Default: "dr", Help: "How packets reach the reals.",
			apply: virtualForward},
		{Name: "persistent", Args: "TIMEVAL [/LEN | NETMASK] [sip]", Form: FormText, Default: "not", Help: "How long a client comes back to the same real; clients of one network together if a mask is given. sip tells clients by their call.",
			apply: persistent},
		{Name: "one_packet", Form: FormFlag, Help: "Schedules each packet of UDP by itself.",
			apply: func(r *resolver, st *Statement) { r.virt.onePacket, r.virt.onePacketAt = true, st }},
		{Name: "netns", Args: "NAME", Form: FormText, Default: "that of mond", Help: "The network namespace whose table it is.",
			apply: netns},
		{Name: "real", Args: "ADDRESS[:PORT]" + options, Form: FormText, Repeat: true, Help: "A real server, or one for each address of FIRST-LAST. Its port is that of the virtual service, its weight 1. Its checks are services of the hostgroup NAME, which is its address (with - for :) unless it is given. upper and lower are the kernel's thresholds of connections; forward and on_fail are its own.",
			apply: wasRead},
		{Name: "standby", Args: "TIER ADDRESS[:PORT]" + options, Form: FormText, Repeat: true, Help: "A real server that serves when the reals, and standby servers of a lower tier, cannot. TIER is 1 to 8.",
			apply: wasRead},
		{Name: "fallback", Args: "ADDRESS[:PORT]" + options, Form: FormText, Repeat: true, Help: "A server that answers when nobody else can.",
			apply: wasRead},
	}
}

// poolWords say how it is decided which rows there are.
func poolWords() []Keyword {
	return []Keyword{
		{Name: "start", Args: "adopt|pessimistic|optimistic", Form: FormText, Default: "adopt", Help: "What holds for a real that no check has judged yet: what the table has; out; or in.",
			apply: startPolicy},
		{Name: "need", Args: "all|any|NUMBER", Form: FormCounts, Default: "all", Help: "How many checks of a real must be good.",
			apply: need},
		{Name: "quorum", Args: "NUMBER [weight|members] | NUMBER% , then [hysteresis NUMBER] or [down NUMBER]", Form: FormCounts, Default: "any good real", Help: "What the reals must muster, by weight unless said otherwise. When they cannot, a standby tier or the fallback serves, and the service of the pool fails. With hysteresis H it is lost below NUMBER-H and back at NUMBER+H; with down D it is lost below D and back at NUMBER.",
			apply: quorum(func(p *virtual.Pool) *virtual.Gate { return &p.Quorum })},
		{Name: "standby_quorum", Args: "as quorum", Form: FormCounts, Default: "any good server", Help: "What a standby tier must muster to serve.",
			apply: quorum(func(p *virtual.Pool) *virtual.Gate { return &p.StandbyQuorum })},
		{Name: "return", Args: "TIMEVAL", Form: FormTime, Default: "0s", Help: "How long a better tier must be able to serve before it takes over from a standby tier.",
			apply: poolReturn},
		{Name: "panic", Args: "below AMOUNT [until AMOUNT]", Form: FormText, Default: "never", Help: "When less than that is good the checks are not believed: all reals are in, until enough are good again. An amount is as in quorum.",
			apply: poolPanic},
		{Name: "eject", Args: "at most NUMBER | at most NUMBER%", Form: FormText, Default: "all", Help: "How many reals may be out at a time because of their checks.",
			apply: eject},
		{Name: "on_fail", Args: "remove|quiesce|drain|ignore", Form: FormText, Default: "remove", Help: "What becomes of a real whose checks fail: out of the table; weight 0; the same until it is idle, then out; or nothing.",
			apply: poolOnFail},
		{Name: "drain", Args: "TIMEVAL|forever [idle TIMEVAL] | none", Form: FormText, Default: "none", Help: "A real that is taken out in good order gets weight 0 and goes when it had no connection for the time of idle (1s), or at the deadline.",
			apply: drain},
		{Name: "ramp", Args: "TIMEVAL [steps NUMBER] [linear|doubling]", Form: FormText, Default: "none", Help: "The weight of a real that returns grows to the whole over this time, in 5 steps unless said otherwise.",
			apply: ramp},
		{Name: "warn", Args: "PERCENT%", Form: FormText, Default: "100%", Help: "The weight of a real whose checks warn.",
			apply: poolWarn},
		{Name: "weight_limits", Args: "[min PERCENT%] [max PERCENT%] [ignore PERCENT%] [step PERCENT%] [every TIMEVAL]", Form: FormText, Default: "max 100%; for a load, min 100% max 1000% ignore 25% every 20s", Help: "Bounds of the weights that checks ask for (see weight_from), in percent of the weight of the real; the least change that counts; and the most it may move at a time.",
			apply: weightLimits},
		{Name: "maintenance_dir", Args: "DIR", Form: FormText, Default: "the variable maintenance_dir", Help: "A directory under cfbasedir. A file in it that is named as a real (its address, address:port or name) takes it out.",
			apply: virtualMaintenanceDir},
		{Name: "maintenance_at", Args: "REAL PERIOD", Form: FormText, Repeat: true, Help: "While the time is in the period the real is out. REAL is its name, address or address:port, or * for all.",
			apply: maintenanceAt},
		{Name: "local_fault", Args: "link INTERFACE | source ADDRESS | gateway ADDRESS", Form: FormText, Repeat: true, Help: "Something of this machine without which no check of the pool means anything: while it is not so the pool stays as it was.",
			apply: virtualFault},
	}
}

// checkWords stand in a check beside those of a service.
func checkWords() []Keyword {
	rows := []Keyword{
		{Name: "on", Args: "primary|standby|fallback|all|REAL...", Form: FormWords, Default: "all", Help: "Which servers it is for. REAL is the name, address or address:port of one.",
			apply: wasRead},
		{Name: "through", Form: FormFlag, Help: "The check goes through the director: to the virtual address, with a firewall mark of its own for each real, so that the address and the way back of the real are proven too. Its monitor gets --mark, --to and --source, and the capability cap_net_raw unless grant names it.",
			apply: wasRead},
	}
	for i := range rows {
		rows[i].Since, rows[i].Gated = mond, true
	}
	return rows
}

// wasRead is the meaning of what [Expand] read, since services follow from it.
func wasRead(*resolver, *Statement) {}
