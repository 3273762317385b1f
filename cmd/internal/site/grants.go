package site

import "maps"

// defaultGrants are the capabilities that shipped programs may be given
// although the configuration does not say so: what they are for needs them.
func defaultGrants() map[string][]string {
	return map[string][]string{
		"fake.alert":    {"cap_net_admin", "cap_net_raw"}, // holds addresses and tells the network of them
		"fping.monitor": {"cap_net_raw"},                  // sends ICMP where the kernel has no sockets for it
		// Listens for carriers and neighbours; the others are for beats below 50 ms.
		"heartbeat.monitor": {"cap_net_raw", "cap_sys_nice", "cap_ipc_lock"},
		"lvs.alert":         {"cap_net_admin"}, // edits the kernel's IPVS table
		"ping.monitor":      {"cap_net_raw"},
	}
}

// Grants are those that the configuration names and, for programs that it does
// not name, the default ones. Of these only what may reports true for: nobody
// asked for them, so that mond cannot give them is not worth a warning.
func Grants(named map[string][]string, may func(capability string) bool) map[string][]string {
	all := maps.Clone(named)
	if all == nil {
		all = map[string][]string{}
	}
	for program, list := range defaultGrants() {
		if _, ok := named[program]; ok {
			continue
		}
		for _, name := range list {
			if may(name) {
				all[program] = append(all[program], name)
			}
		}
	}
	return all
}
