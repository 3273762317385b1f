package keepalived

import (
	"net/netip"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert/keepalived/lang"
)

// rootWords stand outside of all blocks.
func rootWords() scope {
	const process = "it is about the processes of keepalived; the unit of mond is the place for the like"
	return merge(scope{
		"global_defs":          {in: inGlobal},
		"SSL":                  {in: inSSL},
		"virtual_server_group": {take: takeGroup, values: true},
		"virtual_server":       {take: takeVirtual, in: inVirtual},
		"track_file":           {take: takeTrack, in: inTrack},
		"vrrp_track_file":      {take: takeTrack, in: inTrack},
		"bfd_instance":         {why: "mond speaks no BFD: let FRR speak it and trap mond, or rely on the other checks", in: inPeer, closed: true},

		"net_namespace":            {why: "start mond in it: NetworkNamespacePath= in its unit, or ip netns exec"},
		"net_namespace_ipvs":       {take: takeNetns},
		"namespace_with_ipsets":    {why: "mond uses no ipsets"},
		"use_pid_dir":              {why: process},
		"instance":                 {why: "a second mond has a configuration, statedir and controlsocket of its own"},
		"child_wait_time":          {why: process},
		"linkbeat_use_polling":     {why: notVRRP},
		"linkbeat_interfaces":      {why: notVRRP, values: true},
		"interface_up_down_delays": {why: notVRRP, values: true},
	}, vrrpRoots())
}

func takeNetns(r *reader, n *lang.Node) {
	if n.Args() == 0 {
		r.w.Lose(n.Pos, shown(n), "without a name it is the namespace that keepalived is started in: mond's, as it stands")
		return
	}
	r.netns = opt[string]{n.Arg(0), true, n.Pos}
}

// sslWords stand in SSL.
func sslWords() scope {
	return scope{
		"password":    {why: "http.monitor reads keys without a password: openssl pkey -in KEY -out NEW takes it away"},
		"ca":          {why: "keepalived verifies no certificate whatever it says here; to verify them, put --ca FILE in the place of --insecure"},
		"certificate": wordTo(func(r *reader) *opt[string] { return &r.ssl.cert }),
		"key":         wordTo(func(r *reader) *opt[string] { return &r.ssl.key }),
	}
}

// globalWords stand in global_defs. Those for which something is done are first.
func globalWords() scope {
	m := func(r *reader) *mail { return &r.mail }
	carried := scope{
		"notification_email":      {take: takeMails, values: true},
		"notification_email_from": wordTo(func(r *reader) *opt[string] { return &m(r).from }),
		"smtp_server":             {take: takeServer},
		"smtp_helo_name":          wordTo(func(r *reader) *opt[string] { return &m(r).helo }),
		"smtp_alert":              yesTo(func(r *reader) *opt[bool] { return &m(r).all }),
		"smtp_alert_checker":      yesTo(func(r *reader) *opt[bool] { return &m(r).checker }),
		"lvs_timeouts":            {take: takeTimeouts},
		"lvs_sync_daemon":         {take: takeSync},
	}
	all := []scope{carried, vrrpGlobals()}
	for _, l := range lostGlobals() {
		all = append(all, lost(l[0], l[1]))
	}
	return merge(all...)
}

func takeMails(r *reader, n *lang.Node) {
	for _, line := range n.Nodes {
		for _, w := range line.Words {
			r.mail.to = append(r.mail.to, w.Text)
		}
	}
	if len(r.mail.to) == 0 {
		r.w.Warnf(n.Pos, "", "notification_email without an address")
	}
}

// takeServer reads HOST [PORT].
func takeServer(r *reader, n *lang.Node) {
	if n.Args() == 0 {
		r.missing(n, "a host")
		return
	}
	host := n.Arg(0)
	port, ok := r.port(n, 1)
	if !ok {
		return
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == 0 {
		port = 25
	}
	r.mail.server = opt[string]{host + ":" + itoa(port), true, n.Pos}
}

// takeTimeouts reads tcp N, tcpfin N and udp N; 0 leaves one as it is.
func takeTimeouts(r *reader, n *lang.Node) {
	if n.Args() < 2 {
		r.w.Warnf(n.Pos, ignored, "lvs_timeouts without a time")
		return
	}
	set := map[string]int{"tcp": 0, "tcpfin": 0, "udp": 0}
	for i := 0; i < n.Args(); i += 2 {
		if _, ok := set[n.Arg(i)]; !ok {
			r.w.Warnf(n.At(i), "it is one of tcp, tcpfin and udp", "lvs_timeouts: unknown word %q", n.Arg(i))
			return
		}
		v, ok := r.number(n, i+1, 0, maxTimeout)
		if !ok {
			return
		}
		set[n.Arg(i)] = v
	}
	r.limits = opt[config.IPVSTimeouts]{config.IPVSTimeouts{TCP: set["tcp"], TCPFin: set["tcpfin"], UDP: set["udp"]}, true, n.Pos}
}

// takeSync reads INTERFACE [INSTANCE] [id N] [maxlen N] [port N] [ttl N]
// [group ADDRESS].
func takeSync(r *reader, n *lang.Node) {
	if n.Args() == 0 {
		r.missing(n, "an interface")
		return
	}
	s, first := config.IPVSSync{Interface: n.Arg(0)}, 1
	numbers := map[string]struct {
		into        *int
		least, most int
	}{"id": {&s.ID, 0, 255}, "maxlen": {&s.MaxLen, 1024, 65507}, "port": {&s.Port, 1, 65535}, "ttl": {&s.TTL, 1, 255}}
	named := false
	if _, known := numbers[n.Arg(1)]; n.Args() > 1 && !known && n.Arg(1) != "group" {
		first, named = 2, true
	}
	id := false
	for i := first; i < n.Args(); i += 2 {
		word := n.Arg(i)
		w, known := numbers[word]
		switch {
		case word == "group":
			if s.Group = r.multicast(n, i+1); s.Group == "" {
				return
			}
		case !known:
			r.w.Warnf(n.At(i), "it is one of id, maxlen, port, ttl and group", "lvs_sync_daemon: unknown word %q", word)
			return
		default:
			v, ok := r.number(n, i+1, w.least, w.most)
			if !ok {
				return
			}
			*w.into = v
			id = id || word == "id"
		}
	}
	if named && !id {
		r.w.Warnf(n.Pos, "write it after syncid=", "lvs_sync_daemon without id: with keepalived it is the virtual_router_id of %s, here 0", n.Arg(1))
	}
	r.sync = opt[config.IPVSSync]{s, true, n.Pos}
}

// multicast reads an address of a group; "" if it is none.
func (r *reader) multicast(n *lang.Node, i int) string {
	if n.Args() <= i {
		r.missing(n, "an address")
		return ""
	}
	a, err := netip.ParseAddr(n.Arg(i))
	if err != nil || !a.IsMulticast() || a.Zone() != "" || a.Is4In6() {
		r.w.Warnf(n.At(i), ignored, "%s: %q is no multicast address", n.Name(), n.Arg(i))
		return ""
	}
	return a.String()
}

// lostGlobals are words of global_defs that nothing is done for, by reason.
func lostGlobals() [][2]string {
	return [][2]string{
		{"mond never flushes: what is not of its configuration is not its to remove, and a table emptied at start drops every connection", "lvs_flush"},
		{"mond leaves the table as it is when it ends, so that clients are served on; to clear it, ipvsadm -C by hand", "lvs_flush_on_stop lvs_flush_onstop"},
		{"mond makes no rules of the firewall: each address of a group is a row of the table; or mark packets by rules of your own and write address fwmark N", "nftables nftables_priority nftables_ifindex nftables_ipvs nftables_ipvs_priority nftables_ipvs_start_fwmark nftables_counters"},
		{"write the events by exec.alert, whose program gets them one by one and in order", "lvs_notify_fifo lvs_notify_fifo_script notify_fifo notify_fifo_script"},
		{"mond tells nobody of what was well from the start; a startupalert in the period does", "rs_init_notifies"},
		{"each check mails for itself, once for an outage and once when it is over", "no_checker_emails"},
		{"mond keeps every failure that counts in its history, and shows the last one", "checker_log_all_failures"},
		{"mail.alert has one limit for a whole delivery, 1m unless its --timeout says otherwise", "smtp_connect_timeout"},
		{"mails name the group and service; mail.alert -S and --subject choose another subject", "router_id"},
		{noUser, "script_user"},
		{"mond runs what its configuration names, as its own user; who may write those programs is the file system's to say", "enable_script_security set_supplementary_groups"},
		{"the unit of mond is the place: ExecStartPre= and ExecStopPost=", "startup_script startup_script_timeout shutdown_script shutdown_script_timeout"},
		{"the unit of mond is the place: Nice=, CPUAffinity=, CPUSchedulingPolicy=, LimitRTTIME=, LimitMEMLOCK=, UMask=", "max_auto_priority min_auto_priority_delay checker_priority checker_no_swap checker_rt_priority checker_cpu_affinity checker_rlimit_rttime checker_rlimit_rtime bfd_priority bfd_no_swap bfd_rt_priority bfd_cpu_affinity bfd_rlimit_rttime bfd_rlimit_rtime umask"},
		{"it is about the processes of keepalived", "process_names process_name vrrp_process_name checker_process_name lvs_process_name bfd_process_name"},
		{notSNMP, "snmp_socket enable_traps enable_snmp_checker enable_snmp_keepalived snmp_vs_stats_update_interval snmp_rs_stats_update_interval"},
		{"mond speaks no D-Bus: monctl and the API on its socket are the way in", "enable_dbus dbus_service_name dbus_no_interface_name"},
		{"mond sizes its own sockets", "lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs lvs_netlink_monitor_rcv_bufs_force process_monitor_rcv_bufs process_monitor_rcv_bufs_force"},
		{"mond always judges a new configuration before it takes it", "reload_check_config"},
		{"a timer of systemd or cron may run monctl reload", "reload_time_file reload_repeat reload_file"},
		{"mond always says which file is missing", "include_check"},
		{"mond keeps no copy of its configuration; monctl check --expand shows it", "config_save_dir tmp_config_directory"},
		{"monctl shows what mond knows; it writes no such file", "data_use_instance json_version json_dump_file state_dump_file stats_dump_file use_symlink_paths"},
		{"nothing of mond's depends on it", "random_seed iproute_etc_dir iproute_usr_dir thread_timer_expired"},
	}
}
