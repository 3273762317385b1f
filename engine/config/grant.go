package config

import (
	"slices"
	"strings"
)

// grant reads PROGRAM CAP[,CAP...], or PROGRAM none: then the program is named
// and given nothing, whatever it is given when it is not named.
func grant(r *resolver, st *Statement) {
	program, list, off := cutWord(st.Text)
	if list == "" {
		r.diag.errorf(st, -1, "write grant = PROGRAM CAPABILITY[,CAPABILITY...], or none for the capabilities", "grant without a program and its capabilities")
		return
	}
	g := &r.c.Globals
	if g.Grants == nil {
		g.Grants = map[string][]string{}
	}
	if strings.EqualFold(list, "none") {
		g.Grants[program] = []string{}
		return
	}
	for _, w := range fields(strings.ReplaceAll(list, ",", " ")) {
		name := strings.ToLower(w.Text)
		if !slices.Contains(capabilities(), name) {
			r.diag.errorf(st, off+w.Off, valueHint(w.Text, didYouMean(w.Text, capabilities())), "unknown capability %s", quote(w.Text))
			continue
		}
		if !slices.Contains(g.Grants[program], name) {
			g.Grants[program] = append(g.Grants[program], name)
		}
	}
}

// capabilities are those of Linux, in the order of their numbers.
func capabilities() []string {
	return []string{
		"cap_chown", "cap_dac_override", "cap_dac_read_search", "cap_fowner", "cap_fsetid", "cap_kill", "cap_setgid",
		"cap_setuid", "cap_setpcap", "cap_linux_immutable", "cap_net_bind_service", "cap_net_broadcast", "cap_net_admin",
		"cap_net_raw", "cap_ipc_lock", "cap_ipc_owner", "cap_sys_module", "cap_sys_rawio", "cap_sys_chroot",
		"cap_sys_ptrace", "cap_sys_pacct", "cap_sys_admin", "cap_sys_boot", "cap_sys_nice", "cap_sys_resource",
		"cap_sys_time", "cap_sys_tty_config", "cap_mknod", "cap_lease", "cap_audit_write", "cap_audit_control",
		"cap_setfcap", "cap_mac_override", "cap_mac_admin", "cap_syslog", "cap_wake_alarm", "cap_block_suspend",
		"cap_audit_read", "cap_perfmon", "cap_bpf", "cap_checkpoint_restore",
	}
}
