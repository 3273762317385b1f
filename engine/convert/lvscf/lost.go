package lvscf

// failover is why what pulse reads is not carried over.
const failover = "which of two directors serves is decided by heartbeat.monitor, which wants lines of its own: etc/examples/pair.cf shows them"

// lost notes the keys that have no place in a configuration of mond.
func (c *conversion) lost() {
	for _, l := range []struct{ key, why string }{
		{"serial_no", "it counts the changes that Piranha's web pages made"},
		{"primary", failover}, {"backup", failover}, {"primary_private", failover}, {"backup_private", failover}, {"backup_active", failover},
		{"heartbeat", failover}, {"heartbeat_port", failover}, {"keepalive", failover}, {"deadtime", failover}, {"active_cmd", failover}, {"inactive_cmd", failover},
		{"primary_shared", "reservations of shared disks are not mond's business"}, {"backup_shared", "reservations of shared disks are not mond's business"},
		{"reservation_conflict_action", "reservations of shared disks are not mond's business"},
		{"nat_router", "the address that the real servers have as their gateway belongs into the fake.alert line of the public addresses: etc/examples/pair.cf shows one"},
		{"nat_nmask", "it belongs to nat_router"},
		{"rsh_command", "it copied files between the directors, and read the load of the real servers"},
		{"sync", "it copied this file to the other director"},
		{"ipvsadm", "mond speaks to the kernel itself"},
		{"debug_level", "see the option --log-level of mond"},
		{"hard_shutdown", "a check that ends does not end mond: it is started again, and the table stays meanwhile"},
	} {
		if v := c.file.values[l.key]; v.given() {
			c.lose(v, l.key, "%s", l.why)
		}
	}
	c.kernel()
	if v := c.file.values["monitor_links"]; v.n != 0 {
		c.lose(v, "monitor_links", "while the link is down the table stays as it is (local_fault); heartbeat.monitor looks at links by itself")
	} else if v.given() {
		c.lose(v, "monitor_links", "it is off")
	}
	if c.file.values["service"].text == "fos" {
		c.lose(c.file.values["service"], "service", "mond is no starter of services: the failover blocks are left out, and the virtual services, which it switches off, are comments")
	}
}

// kernel notes what the kernel is to be told once.
func (c *conversion) kernel() {
	v := c.file.values
	for _, key := range []string{"tcp_timeout", "tcpfin_timeout", "udp_timeout"} {
		switch d := v[key]; {
		case d.given() && d.n == 0:
			c.lose(d, key, "0 leaves the time limit of the kernel alone, as mond does")
		}
	}
	if v["syncdaemon"].n == 1 {
		return
	}
	for _, key := range []string{"syncdaemon", "syncd_iface", "syncd_id"} {
		if d := v[key]; d.given() {
			c.lose(d, key, "syncdaemon is off")
		}
	}
}

// virtualLosses notes what of a virtual service is not carried over.
func (c *conversion) virtualLosses(p *pool) {
	if p.mark == 0 || p.values["address"].given() {
		c.lose(p.values["address"], "address", "fake.alert holds addresses, on the director that serves: etc/examples/pair.cf shows how; a single director may have it configured")
	}
	for _, l := range []struct{ key, why string }{
		{"vip_nmask", "it belongs to the device of the address"},
		{"client_monitor", "mond checks with monitors of its own"},
		{"start_cmd", "it is for failover services"}, {"stop_cmd", "it is for failover services"},
		{"master", "it copied files between the directors"}, {"dirs", "it copied files between the directors"},
	} {
		if v := p.values[l.key]; v.given() {
			c.lose(v, l.key, "%s", l.why)
		}
	}
}
