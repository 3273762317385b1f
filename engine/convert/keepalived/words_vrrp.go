package keepalived

// notVRRP says what becomes of what is VRRP's.
const notVRRP = "mond speaks no VRRP: keepalived -P (VRRP only) may run on beside mond with the same file, while mond does what keepalived -C did"

// vrrpRoots begin the blocks of VRRP; each is lost as a whole.
func vrrpRoots() scope {
	static := "keepalived -P may go on to keep it, beside mond; or the network's own configuration does"
	return scope{
		"vrrp_instance":      {why: notVRRP, in: inVRRP, closed: true},
		"vrrp_sync_group":    {why: notVRRP, in: inSync, closed: true},
		"vrrp_script":        {why: notVRRP, in: inScript, closed: true},
		"vrrp_track_process": {why: notVRRP, in: inProcess, closed: true},
		"garp_group":         {why: notVRRP, in: inGARP, closed: true},
		"track_group":        {why: notVRRP, in: inTrackings, closed: true},
		"static_ipaddress":   {why: static, values: true},
		"static_routes":      {why: static, values: true},
		"static_rules":       {why: static, values: true},
	}
}

// vrrpScopes are the words in the blocks of VRRP and BFD. No reason is given
// for them one by one: they are known so that a word that is not is told.
func vrrpScopes() map[string]scope {
	values := func(s scope, words ...string) scope {
		for _, w := range words {
			s[w] = keyword{values: true}
		}
		return s
	}
	instance := values(lost("", `use_vmac use_vmac_addr vmac_xmit_base use_ipvlan unicast_fault_no_peer check_unicast_src old_unicast_checksum
		native_ipv6 state interface vrf dont_track_primary mcast_src_ip unicast_src_ip mcast_dst_ip track_src_ip virtual_router_id unicast_ttl
		version priority advert_int promote_secondaries linkbeat_use_polling accept no_accept skip_check_adv_addr strict_mode preempt nopreempt
		preempt_delay debug notify_backup notify_master notify_fault notify_stop notify_deleted notify notify_master_rx_lower_pri smtp_alert
		notify_priority_changes lvs_sync_daemon_interface garp_master_delay garp_master_refresh garp_master_repeat garp_master_refresh_repeat
		garp_lower_prio_delay garp_lower_prio_repeat down_timer_adverts garp_extra_if vmac_garp_intvl lower_prio_no_advert
		higher_prio_send_advert kernel_rx_buf_size owner_ignore_adverts no_virtual_ipaddress timer_expired_backup v3_checksum_as_v2`),
		"unicast_peer", "track_interface", "track_script", "track_file", "track_process", "track_bfd", "virtual_ipaddress", "virtual_ipaddress_excluded", "virtual_routes", "virtual_rules")
	instance["authentication"] = keyword{in: inAuth}
	instance["auth_hmac"] = keyword{in: inHMAC}
	return map[string]scope{
		inVRRP: instance,
		inAuth: lost("", "auth_type auth_pass"),
		inHMAC: lost("", "key active_key anti_replay time_window mode"),
		inSync: values(lost("", "notify_backup notify_master notify_fault notify_stop notify smtp_alert global_tracking sync_group_tracking_weight notify_priority_changes"),
			"group", "track_interface", "track_script", "track_file", "track_process", "track_bfd"),
		inGARP:      values(lost("", "garp_interval gna_interval interface"), "interfaces"),
		inScript:    lost("", "script interval timeout weight rise fall user init_fail"),
		inProcess:   lost("", "process param_match weight quorum quorum_max delay terminate_delay fork_delay full_command"),
		inTrackings: values(scope{}, "group"),
		inPeer:      lost("", "source_ip neighbor_ip neighbour_ip min_rx min_tx idle_tx multiplier passive ttl hoplimit max_hops weight vrrp checker multihop"),
	}
}

// vrrpGlobals are the words of global_defs that are VRRP's.
func vrrpGlobals() scope {
	return lost(notVRRP, `smtp_alert_vrrp dynamic_interfaces no_email_faults default_interface disable_local_igmp vrrp_mcast_group4 vrrp_mcast_group6
		vrrp_garp_master_delay vrrp_garp_master_repeat vrrp_garp_master_refresh vrrp_garp_master_refresh_repeat vrrp_garp_lower_prio_delay
		vrrp_garp_lower_prio_repeat vrrp_down_timer_adverts vrrp_garp_interval vrrp_gna_interval vrrp_min_garp vrrp_garp_extra_if vrrp_vmac_garp_intvl
		vrrp_lower_prio_no_advert vrrp_higher_prio_send_advert vrrp_version vrrp_iptables vrrp_ipsets vrrp_check_unicast_src vrrp_skip_check_adv_addr
		vrrp_strict vrrp_priority vrrp_no_swap vrrp_rt_priority vrrp_cpu_affinity vrrp_rlimit_rttime vrrp_rlimit_rtime vrrp_notify_fifo
		vrrp_notify_fifo_script vrrp_notify_priority_changes fifo_write_vrrp_states_on_reload enable_snmp_vrrp enable_snmp_rfc enable_snmp_rfcv2
		enable_snmp_rfcv3 vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs vrrp_netlink_monitor_rcv_bufs_force
		vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier vrrp_startup_delay log_unknown_vrids vmac_prefix vmac_addr_prefix vrrp_delay_after_boot
		vrrp_owner_ignore_adverts`)
}
