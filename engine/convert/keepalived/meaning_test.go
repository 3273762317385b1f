package keepalived

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
	"github.com/mondhq/mond/engine/convert/keepalived/lang"
	"github.com/mondhq/mond/engine/opstatus"
	pools "github.com/mondhq/mond/engine/virtual"
)

// read reads a file as keepalived -i me does.
func read(conf string) convert.Result {
	return Options{lang.Options{ID: "me", Env: func(string) (string, bool) { return "", false }}}.Format().Read("k.conf", []byte(conf))
}

// lines are those of what r is made into, without the comments behind them.
func lines(r convert.Result) []string {
	var all []string
	for line := range strings.Lines(string(r.File.Standalone().Bytes())) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "  # ")
		all = append(all, line)
	}
	return all
}

// A check takes what it does not say from its real server, and that from the
// virtual server; what nobody says is keepalived's default.
func TestPlan(t *testing.T) {
	const tcp = "TCP_CHECK {\n}"
	for _, c := range []struct{ name, inVirtual, inReal, want string }{
		{"defaults", "", tcp, "interval 60s; suspect_interval 1s; fall 2; -t 5"},
		{"defaults of HTTP", "", "HTTP_GET {\nurl {\npath /\n}\n}", "interval 60s; suspect_interval 3s; fall 2; -t 5"},
		{"defaults of SSL", "", "SSL_GET {\nurl {\npath /\n}\n}", "interval 60s; suspect_interval 3s; fall 2; -t 5"},
		{"defaults of SMTP", "", "SMTP_CHECK {\n}", "interval 60s; suspect_interval 1s; fall 2; -t 5"},
		{"defaults of DNS: tried again after delay_loop", "delay_loop 7", "DNS_CHECK {\n}", "interval 7s; suspect_interval 7s; fall 4; -t 5"},
		{"defaults of UDP", "", "UDP_CHECK {\n}", "interval 60s; suspect_interval 1s; fall 2; -t 5"},
		{"defaults of PING", "", "PING_CHECK {\n}", "interval 60s; suspect_interval 1s; fall 2; -t 5000"},
		{"defaults of MISC: one failure is enough", "", "MISC_CHECK {\nmisc_path /bin/true\n}", "interval 60s; timeout 60s"},
		{"of the virtual server", "delay_loop 2.5\nconnect_timeout 1.5\nretry 2\ndelay_before_retry 0.5", tcp, "interval 2500ms; suspect_interval 500ms; fall 3; -t 1.5"},
		{"of the real server", "delay_loop 2\nretry 2\nconnect_timeout 2", "delay_loop 3\nretry 4\ndelay_before_retry 6\nconnect_timeout 7\n" + tcp, "interval 3s; suspect_interval 6s; fall 5; -t 7"},
		{"below the checker as well", "", tcp + "\ndelay_loop 3", "interval 3s; suspect_interval 1s; fall 2; -t 5"},
		{"of the checker", "delay_loop 2", "delay_loop 3\nTCP_CHECK {\ndelay_loop 4\nretry 0\nconnect_timeout 0.25\n}", "interval 4s; -t 0.25"},
		{"a virtual server's delay_before_retry is no default of DNS alone", "delay_loop 7\ndelay_before_retry 2", "DNS_CHECK {\n}", "interval 7s; suspect_interval 2s; fall 4; -t 5"},
		{"retry of the virtual server for MISC, too", "retry 3", "MISC_CHECK {\nmisc_path /bin/true\n}", "interval 60s; suspect_interval 1s; fall 4; timeout 60s"},
		{"MISC may take delay_loop of the virtual server", "delay_loop 9", "delay_loop 20\nMISC_CHECK {\nmisc_path /bin/true\ndelay_loop 30\n}", "interval 30s; timeout 9s"},
		{"misc_timeout", "", "MISC_CHECK {\nmisc_path /bin/true\nmisc_timeout 4\n}", "interval 60s; timeout 4s"},
		{"not below 10 ms", "delay_loop 0.000001\ndelay_before_retry 0", tcp, "interval 10ms; suspect_interval 10ms; fall 2; -t 5"},
		{"a long limit is the service's, too", "connect_timeout 70", tcp, "interval 60s; suspect_interval 1s; fall 2; -t 70; timeout 80s"},
		{"nb_get_retry", "", "HTTP_GET {\nnb_get_retry 5\nurl {\npath /\n}\n}", "interval 60s; suspect_interval 3s; fall 6; -t 5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(site(c.inVirtual, c.inReal))
			var got []string
			for _, line := range lines(r) {
				word, rest, _ := strings.Cut(line, " ")
				if slices.Contains([]string{"interval", "suspect_interval", "fall", "timeout"}, word) {
					got = append(got, line)
				}
				if _, limit, ok := strings.Cut(rest, " -t "); ok && word == "monitor" {
					limit, _, _ = strings.Cut(limit, " ")
					got = append(got, "-t "+limit)
				}
			}
			if s := strings.Join(got, "; "); s != c.want {
				t.Errorf("%s\nwant %s", s, c.want)
			}
			resolved(t, r)
		})
	}
}

// What comes of one line or two, and what is said of it.
func TestMeaning(t *testing.T) {
	const tcp = "TCP_CHECK {\n}"
	check := func(kind, inside string) string { return kind + " {\n" + inside + "\n}" }
	url := func(inside string) string { return check("HTTP_GET", check("url", "path /\n"+inside)) }
	for _, c := range []struct {
		name, conf string
		want       string // lines that must be there, with bars between them; one with ! before it must not be
		lost       string // the reason that must be among the losses
	}{
		{"weight", site("weight 7", ""), "real 198.51.100.1:80 weight 1", ""},
		{"weight of the virtual server", site("weight 7\nreal_server 198.51.100.2 80 {\n}", ""), "real 198.51.100.2:80 weight 7", ""},
		{"weight 0", site("", "weight 0"), "real 198.51.100.1:80 weight 0|!quorum 1 weight", ""},
		{"weight beyond", site("", "weight 70000"), "real 198.51.100.1:80 weight 65535", "the largest weight is 65535"},
		{"thresholds", site("", "uthreshold 9\nlthreshold 3"), "real 198.51.100.1:80 weight 1 upper 9 lower 3", ""},
		{"lower above upper", site("", "uthreshold 3\nlthreshold 9"), "real 198.51.100.1:80 weight 1 upper 3", "without a uthreshold that is no less"},
		{"scheduler with flags", site("lvs_sched mh\nmh-port\nflag-3", ""), "scheduler mh mh-port flag-3", ""},
		{"hashed", site("lvs_sched sh\nhashed", ""), "scheduler sh", "does nothing with it"},
		{"lb_algo, lb_kind", site("lb_algo lc\nlb_kind NAT", ""), "scheduler lc|forward nat", ""},
		{"tunnel", site("lvs_method TUN type gue port 6080 remcsum", ""), "forward tun gue 6080 remcsum|real 198.51.100.1 weight 1", ""},
		{"method of a real", site("", "lvs_method TUN type gre csum"), "forward nat|real 198.51.100.1 weight 1 forward tun gre csum", ""},
		{"persistence", site("persistence_timeout", ""), "persistent 360s", ""},
		{"persistence, mask, engine", strings.Replace(site("persistence_timeout 60\npersistence_granularity 255.255.0.0\npersistence_engine sip", ""), "TCP", "UDP", 1), "persistent 60s 255.255.0.0 sip", ""},
		{"the engine of TCP is nothing", site("persistence_timeout 60\npersistence_engine sip", ""), "persistent 60s", "of UDP only"},
		{"another engine", site("persistence_timeout 60\npersistence_engine x", ""), "persistent 60s", "mond knows sip"},
		{"a mask alone is persistence of 360 s", site("persistence_granularity 255.255.255.0", ""), "persistent 360s 255.255.255.0", ""},
		{"an engine alone is nothing", site("persistence_engine sip", ""), "!persistent 360s sip", "the kernel does not use it"},
		{"port 0 is persistence of 360 s", strings.Replace(site("", ""), "192.0.2.1 80", "192.0.2.1 0", 1), "address tcp 192.0.2.1:0|persistent 360s", ""},
		{"one packet", strings.Replace(site("ops", ""), "TCP", "UDP", 1), "address udp 192.0.2.1:80|one_packet", ""},
		{"one packet of TCP is none", site("ops", ""), "!one_packet", ""},
		{"no protocol is UDP", strings.Replace(site("", ""), "protocol TCP", "", 1), "address udp 192.0.2.1:80|virtual udp-192.0.2.1-80", ""},
		{"no scheduler, no method", strings.Replace(strings.Replace(site("", ""), "lvs_sched rr", "", 1), "lvs_method NAT", "", 1), "scheduler wlc|forward nat", ""},
		{"quorum", site("quorum 3\nhysteresis 1\nweight 2\nreal_server 198.51.100.2 80 {\n}\nreal_server 198.51.100.3 80 {\n}", ""), "quorum 3 weight hysteresis 1", ""},
		{"quorum above all weights", site("quorum 9", "weight 3"), "quorum 3 weight", ""},
		{"hysteresis of the quorum", site("quorum 2\nhysteresis 2", "weight 3"), "quorum 2 weight hysteresis 1", ""},
		{"inhibit_on_failure", site("inhibit_on_failure\nreal_server 198.51.100.2 80 {\ninhibit_on_failure off\n}", ""), "on_fail quiesce|real 198.51.100.2:80 weight 1 on_fail remove", ""},
		{"inhibit_on_failure of a real", site("", "inhibit_on_failure"), "on_fail remove|real 198.51.100.1:80 weight 1 on_fail quiesce", ""},
		{"alpha", site("alpha", tcp), "start pessimistic", ""},
		{"no alpha", site("", tcp), "start optimistic", ""},
		{"alpha of a checker", site("", check("TCP_CHECK", "alpha")), "start pessimistic", ""},
		{"alpha, but not of this real", site("alpha", "alpha off\n"+tcp), "start optimistic", ""},
		{"alpha of one real of two", site("real_server 198.51.100.2 80 {\nalpha\n"+tcp+"\n}", tcp), "start optimistic", "one start policy for all reals"},
		{"alpha of one that is not checked", site("real_server 198.51.100.2 80 {\nalpha\n}", tcp), "start optimistic", ""},
		{"sorry server", site("sorry_server 198.51.100.9 8080\nsorry_server_lvs_method DR", ""), "fallback 198.51.100.9 forward dr|!drain forever", ""},
		{"sorry server without a port", site("sorry_server 198.51.100.9", ""), "fallback 198.51.100.9:80", ""},
		{"sorry_server_inhibit", site("sorry_server 198.51.100.9 80\nsorry_server_inhibit", ""), "fallback 198.51.100.9:80|drain forever", "only while it serves"},
		{"the sorry server is a real server", site("sorry_server 198.51.100.1 80", ""), "!fallback 198.51.100.1:80", "one row cannot be both"},
		{"omega", site("omega", ""), "", "mond calls nobody when it ends"},
		{"ha_suspend", site("ha_suspend", ""), "", "table = by-role"},
		{"snmp_name", site("snmp_name a", "snmp_name b"), "", "mond speaks no SNMP"},
		{"warmup", site("warmup 0", tcp), "", "randstart"},

		{"mark", strings.Replace(strings.Replace(site("", ""), "192.0.2.1 80", "fwmark 5", 1), "protocol TCP", "", 1), "virtual fwmark-5|address fwmark 5|real 198.51.100.1:80 weight 1", ""},
		{"mark, direct: the row has no port, the check has", strings.NewReplacer("192.0.2.1 80", "fwmark 5", "NAT", "DR").Replace(site("", tcp)), "real 198.51.100.1 weight 1|monitor tcp.monitor -p 80 -t 5", ""},
		{"mark of IPv6 by its reals", strings.NewReplacer("192.0.2.1 80", "fwmark 5", "198.51.100.1", "2001:db8::1").Replace(site("", "")), "address fwmark6 5|real [2001:db8::1]:80 weight 1", ""},
		{"mark of IPv6 by ip_family", strings.NewReplacer("192.0.2.1 80", "fwmark 5", "NAT", "TUN").Replace(site("ip_family inet6", "")), "address fwmark6 5", ""},
		{"direct: the port of the row is the virtual server's, the check asks what is written", strings.NewReplacer("NAT", "DR", "198.51.100.1 80", "198.51.100.1 8080").Replace(site("", tcp)), "real 198.51.100.1 weight 1|monitor tcp.monitor -p 8080 -t 5", ""},
		{"direct, two ports of one host are one row", strings.Replace(site("real_server 198.51.100.1 81 {\n}", ""), "NAT", "DR", 1), "real 198.51.100.1 weight 1", "its row in the table is that of another"},
		{"a real without a port", strings.Replace(site("", tcp), "198.51.100.1 80", "198.51.100.1", 1), "real 198.51.100.1:80 weight 1|monitor tcp.monitor -p 80 -t 5", ""},
		{"no port anywhere", strings.NewReplacer("192.0.2.1 80", "fwmark 5", "198.51.100.1 80", "198.51.100.1").Replace(site("", tcp)), "!check tcp-0", "there is no port to ask"},
		{"group", "virtual_server_group A.B/c {\n192.0.2.10 80\n192.0.2.16-31 80\n192.0.2.64/29 80\n2001:db8::1-f 80\nfwmark 3\nfwmark 4 inet6\n}\n" + strings.NewReplacer("192.0.2.1 80", "group A.B/c", "NAT", "TUN").Replace(site("", "")),
			"virtual A.B-c|address tcp 192.0.2.10:80|address tcp 192.0.2.16-192.0.2.31:80|address tcp 192.0.2.64/29:80|address tcp [2001:db8::1-2001:db8::f]:80|address fwmark 3|address fwmark6 4", ""},
		{"the mask of a group is carried over, though keepalived loses it", "virtual_server_group G {\n192.0.2.10 80\n}\n" + strings.Replace(site("persistence_granularity 255.255.0.0", ""), "192.0.2.1 80", "group G", 1), "persistent 360s 255.255.0.0", ""},
		{"a group that nobody uses", "virtual_server_group G {\n192.0.2.10 80\n}\n" + site("", ""), "", "no virtual_server uses the group"},
		{"IPv6", strings.NewReplacer("192.0.2.1", "2001:db8::a", "198.51.100.1", "2001:db8::1").Replace(site("", tcp)), "virtual tcp-2001-db8--a-80|address tcp [2001:db8::a]:80|real [2001:db8::1]:80 weight 1", ""},

		{"where a checker connects to", site("", check("TCP_CHECK", "connect_ip 198.51.100.7\nconnect_port 81\nbindto 198.51.100.254\nbind_if eth1\nfwmark 0x10\nfwmark 9")),
			"monitor tcp.monitor -p 81 -t 5 --to 198.51.100.7 --source 198.51.100.254 --interface eth1 --mark 9|grant = tcp.monitor cap_net_raw", ""},
		{"bind_port", site("", check("TCP_CHECK", "bind_port 99")), "check tcp-80", "TIME_WAIT"},
		{"its own address is nothing new", site("", check("TCP_CHECK", "connect_ip 198.51.100.1")), "monitor tcp.monitor -p 80 -t 5", ""},
		{"several pages", site("", check("HTTP_GET", "url {\npath /a\n}\nurl {\npath /b\n}")), "check http-80|monitor http.monitor -p 80 -t 5 -u /a --status 200-299|check http-80-2|monitor http.monitor -p 80 -t 5 -u /b --status 200-299", ""},
		{"the nearest virtualhost", site("virtualhost v", "virtualhost r\n"+check("HTTP_GET", "virtualhost c\nurl {\npath /a\nvirtualhost u\n}\nurl {\npath /b\n}")), "monitor http.monitor -p 80 -t 5 -u /a --host u --status 200-299|monitor http.monitor -p 80 -t 5 -u /b --host c --status 200-299", ""},
		{"virtualhost of the real server", site("virtualhost v", "virtualhost r\n"+url("")), "monitor http.monitor -p 80 -t 5 -u / --host r --status 200-299", ""},
		{"codes", site("", url("status_code 200-205 301\nstatus_code 404")), "monitor http.monitor -p 80 -t 5 -u / --status 200-205,301,404", ""},
		{"digest", site("", url("digest 9B3A0C85A887A256D6939DA88AABD8CD")), "monitor http.monitor -p 80 -t 5 -u / --status 200-299 --digest md5:9b3a0c85a887a256d6939da88aabd8cd", ""},
		{"TLS", "SSL {\ncertificate /c\nkey /k\nca /a\npassword p\n}\n" + site("", check("SSL_GET", "enable_sni\nurl {\npath /\n}")), "check https-80|monitor http.monitor -p 80 -t 5 --https --insecure --cert /c --key /k -u / --status 200-299", "keepalived verifies no certificate"},
		{"expression", site("", url(`regex "^a\\.b (c+)"`)), `monitor http.monitor -p 80 -t 5 -u / --status 200-299 -m '^a\.b (c+)'`, ""},
		{"its end may be before the last newline", site("", url(`regex "ok$"`)), `monitor http.monitor -p 80 -t 5 -u / --status 200-299 -m 'ok\n?$$'`, ""},
		{"unless it is said", site("", url("regex \"ok$\"\nregex_options dollar_endonly")), "monitor http.monitor -p 80 -t 5 -u / --status 200-299 -m ok$$", ""},
		{"options", site("", url("regex ok$\nregex_options caseless multiline dotall ungreedy utf no_start_optimize")), `monitor http.monitor -p 80 -t 5 -u / --status 200-299 -m (?imsU)ok$$`, ""},
		{"an option that RE2 has not", site("", url("regex ok\nregex_options extended")), "monitor http.monitor -p 80 -t 5 -u / --status 200-299 -m ok", "RE2 has no such option"},
		{"an expression that RE2 has not", site("", url(`regex "(?<=a)b"`)), "monitor http.monitor -p 80 -t 5 -u / --status 200-299", "RE2 cannot do this"},
		{"no match", site("", url("regex bad\nregex_no_match")), "monitor http.monitor -p 80 -t 5 -u / --status 200-299 --not-match bad", ""},
		{"offsets", site("", url("regex a\nregex_min_offset 3")), "", "the whole body"},
		{"SMTP", site("", check("SMTP_CHECK", "")), "monitor smtp.monitor -p 80 -t 5 --ehlo smtpchecker.keepalived.org", ""},
		{"SMTP of hosts", site("", check("SMTP_CHECK", "helo_name me\nhost {\nconnect_port 25\n}\nhost {\nconnect_ip 198.51.100.8\nconnect_port 587\n}")), "check smtp-25|monitor smtp.monitor -p 25 -t 5 --ehlo me|check smtp-587|monitor smtp.monitor -p 587 -t 5 --to 198.51.100.8 --ehlo me|!check smtp-80", ""},
		{"DNS", site("", check("DNS_CHECK", "")), "monitor dns.monitor -p 80 -t 5 -n . --type SOA --rcode any --min-answers 0", ""},
		{"UDP", site("", check("UDP_CHECK", "payload 00 0a")), "monitor udp.monitor -p 80 -t 5 --hex 000a", ""},
		{"UDP with any answer", site("", check("UDP_CHECK", "require_reply")), "monitor udp.monitor -p 80 -t 5 --answer --max-length 255", ""},
		{"UDP with an answer", site("", check("UDP_CHECK", "require_reply 0X 1a\nmin_reply_length 4\nmax_reply_length 9")), "monitor udp.monitor -p 80 -t 5 --expect-hex 0X1a --min-length 4 --max-length 9", ""},
		{"ping", site("", check("PING_CHECK", "connect_timeout 0.5")), "monitor fping.monitor -t 500 -r 0", ""},
		{"BFD", "bfd_instance b {\nneighbor_ip 198.51.100.1\n}\n" + site("", check("BFD_CHECK", "name b")), "!check bfd", "mond speaks no BFD"},

		{"program", site("", check("MISC_CHECK", `misc_path "/opt/x y 'a b' $1"`)), `mondir = /usr/local/lib/mon/mon.d:mon.d:/opt|monitor x y "a b" $$1 ;;`, ""},
		{"what stands outside of the quotes is not given", site("", check("MISC_CHECK", "misc_path /opt/x y z")), "monitor x ;;", ""},
		{"two programs of one name", site("", check("MISC_CHECK", "misc_path /opt/x")+"\n"+check("MISC_CHECK", "misc_path /srv/x")), `monitor x ;;|monitor sh -c 'exec "$$0" "$$@"' /srv/x ;;|check misc-x-2`, ""},
		{"a program of PATH", site("", check("MISC_CHECK", "misc_path true")), `monitor sh -c 'exec "$$0" "$$@"' true ;;`, ""},
		{"misc_dynamic", site("", "weight 10\n"+check("MISC_CHECK", "misc_path /opt/x\nmisc_dynamic")), "weight_from exit|weight_limits max 2530%", ""},
		{"two that speak of the weight", site("", check("MISC_CHECK", "misc_path /opt/x\nmisc_dynamic")+"\n"+check("MISC_CHECK", "misc_path /opt/y\nmisc_dynamic")), "monitor x ;;|monitor y ;;", "one check of a real speaks of its weight"},
		{"user", site("", check("MISC_CHECK", "misc_path /opt/x\nuser nobody")), "", "its own user"},
		{"file that is down", "track_file f {\nfile /run/f\nweight 0\n}\n" + site("", check("FILE_CHECK", "track_file f")), "interval 1s|monitor file.monitor --file /run/f --missing zero --down-if-nonzero", ""},
		{"file that weighs", "track_file f {\nfile /run/f\n}\n" + site("", check("FILE_CHECK", "track_file f\nweight 3 reverse")), "monitor file.monitor --file /run/f --missing zero --delta=-3|weight_from perf delta as delta", ""},
		{"file by the old word", "vrrp_track_file f {\nfile /run/f\nweight 2\n}\n" + site("", check("FILE_CHECK", "track_file f")), "monitor file.monitor --file /run/f --missing zero --delta=2", ""},
		{"file 0 that is down", "track_file f {\nfile /run/f\n}\n" + site("", check("FILE_CHECK", "track_file f\nweight 0 reverse")), "", "file.monitor has no such thing"},

		{"scripts of the quorum", site("quorum_up \"/u a\" root\nquorum_down /d", ""), "period wd {Sun-Sat}|alert exec.alert -- /d|upalert exec.alert -- /u a|numalerts 1", "setpriv or sudo -u root"},
		{"only one of them", site("quorum_up /u", ""), "upalert exec.alert -- /u|no_comp_alerts|!numalerts 1", ""},
		{"scripts of a real", site("", "notify_up \"/u $HOME\"\nnotify_down \"/d 'x y'\"\n"+tcp), `alert exec.alert -- /d "x y"|upalert exec.alert -- /u $$HOME`, ""},
		{"mail", "global_defs {\nnotification_email {\nA B <a@example.net>\n}\nnotification_email_from k@example.net\nsmtp_server 192.0.2.5 26\nsmtp_helo_name me\n}\n" + site("", tcp), "alert mail.alert -f k@example.net --server 192.0.2.5:26 --helo me A B a@example.net", ""},
		{"mail of reals, not of virtual servers", "global_defs {\nnotification_email {\na@example.net\n}\n}\n" + site("", ""), "!alert mail.alert --server localhost:25 a@example.net", ""},
		{"mail of virtual servers", "global_defs {\nnotification_email {\na@example.net\n}\n}\n" + site("smtp_alert", ""), "alert mail.alert --server localhost:25 a@example.net|upalert mail.alert --server localhost:25 a@example.net", ""},
		{"mail switched off", "global_defs {\nsmtp_alert off\nnotification_email {\na@example.net\n}\n}\n" + site("", tcp), "!alert mail.alert --server localhost:25 a@example.net", ""},
		{"for checkers on", "global_defs {\nsmtp_alert off\nsmtp_alert_checker on\nnotification_email {\na@example.net\n}\n}\n" + site("", ""), "alert mail.alert --server localhost:25 a@example.net", ""},
		{"mail to nobody", site("smtp_alert", ""), "", "no notification_email"},
		{"namespace", "net_namespace_ipvs blue\n" + site("", ""), "netns blue", ""},
		{"timeouts", "global_defs {\nlvs_timeouts tcp 900 udp 30\n}\n" + site("", ""), "ipvs_timeouts = tcp=900,udp=30", ""},
		{"flush", "global_defs {\nlvs_flush\n}\n" + site("", ""), "", "mond never flushes"},
		{"sync daemon", "global_defs {\nlvs_sync_daemon eth0\n}\n" + site("", ""), "ipvs_sync = interface=eth0,syncid=0", ""},
		{"sync daemon, all said", "global_defs {\nlvs_sync_daemon eth0 VI_1 id 51 maxlen 1400 port 8849 ttl 2 group ff02::51\n}\n" + site("", ""), "ipvs_sync = interface=eth0,syncid=51,maxlen=1400,group=ff02::51,port=8849,ttl=2", ""},
		{"sync daemon of an instance", "global_defs {\nlvs_sync_daemon eth0 VI_1\n}\n" + site("", ""), "ipvs_sync = interface=eth0,syncid=0", ""},
		{"sync daemon with a strange word", "global_defs {\nlvs_sync_daemon eth0 id 3 speed 9\n}\n" + site("", ""), "!ipvs_sync = interface=eth0,syncid=3", ""},
		{"sync daemon with a strange group", "global_defs {\nlvs_sync_daemon eth0 group 10.0.0.1\n}\n" + site("", ""), "!ipvs_sync = interface=eth0,syncid=0", ""},
		{"VRRP", "vrrp_instance A {\nstate BACKUP\n}\n" + site("", ""), "", "keepalived -P"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(c.conf)
			all := lines(r)
			for line := range strings.SplitSeq(c.want, "|") {
				line, not := strings.CutPrefix(line, "!")
				if line != "" && slices.Contains(all, line) == not {
					t.Errorf("%s: there %v, want %v", line, !not == false, !not)
				}
			}
			if c.lost != "" && !slices.ContainsFunc(r.Losses, func(l convert.Loss) bool { return strings.Contains(l.Why, c.lost) && l.Pos.Line > 0 }) {
				t.Errorf("lost %v, want one that says %s", r.Losses, c.lost)
			}
			if t.Failed() {
				t.Logf("%s\n%s", r.Diagnostics, strings.Join(all, "\n"))
			}
			resolved(t, r)
		})
	}
}

// Reals that are checked in the same way share a check, others have their own;
// one host in two virtual servers is checked once if it is in the same way.
func TestShared(t *testing.T) {
	real := func(addr, checks string) string { return "real_server " + addr + " 80 {\n" + checks + "\n}\n" }
	vs := func(addr, reals string) string {
		return "virtual_server " + addr + " 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n" + reals + "}\n"
	}
	const tcp, slow = "TCP_CHECK {\n}", "TCP_CHECK {\ndelay_loop 99\n}"
	r := read(vs("192.0.2.1", real("198.51.100.1", tcp)+real("198.51.100.2", tcp)+real("198.51.100.3", slow)) +
		vs("192.0.2.2", real("198.51.100.1", tcp)+real("198.51.100.3", tcp)))
	var got []string
	for _, line := range lines(r) {
		if word, _, _ := strings.Cut(line, " "); word == "virtual" || word == "check" || word == "on" {
			got = append(got, line)
		}
	}
	want := []string{
		"virtual tcp-192.0.2.1-80", "check tcp-80", "on 198.51.100.1 198.51.100.2", "check tcp-80-2", "on 198.51.100.3",
		"virtual tcp-192.0.2.2-80", "check tcp-80", "on primary",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	c := resolved(t, r)
	n := 0
	for _, service := range c.Services {
		if service.Key.Group != config.VirtualGroup {
			n++
		}
	}
	if n != 4 { // .1 and .2 once, .3 in two ways
		t.Errorf("%d checks, want 4", n)
	}
}

// The exit status of a MISC_CHECK with misc_dynamic makes the weight that
// keepalived makes of it.
func TestMiscDynamic(t *testing.T) {
	for _, weight := range []int{1, 2, 3, 7, 10, 100, 253, 254, 65535} {
		r := read(site("", "weight "+itoa(weight)+"\nMISC_CHECK {\nmisc_path /opt/x\nmisc_dynamic\n}"))
		pool := resolved(t, r).Virtuals[0].Pool
		for status := range 256 {
			if status == 1 {
				continue // that is a failure
			}
			want, ask := weight, pools.Ask{}
			if status > 0 {
				want = status - 2
				ask = pools.Ask{Kind: pools.AskWeight, N: status - 2}
			}
			in := pools.Input{Members: []pools.Seen{{Checks: []pools.Verdict{{Status: opstatus.OK}}, Ask: ask}}}
			now := time.Unix(1e9, 0)
			out := pools.Decide(pool, pools.State{}, in, now)
			if got := out.State.Members[0].Weight; got != want {
				t.Errorf("weight %d, exit status %d: %d, want %d", weight, status, got, want)
			}
		}
	}
}

// A keepalived.conf is told by its content, and nothing else is.
func TestIs(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      bool
	}{
		{"virtual server", site("", ""), true},
		{"block on the next line", "! x\n\nglobal_defs\n{\n}\n", true},
		{"without a blank", "vrrp_instance{\n", true},
		{"what may stand before", "$A=b \\\n c d {\n@me $B=1\ninclude x/*.conf\nnet_namespace a\n~SEQ(N, 1, 2) x\n@me virtual_server 1 {\n", true},
		{"include only", "include x\n", false},
		{"empty", "", false}, {"comments", "# a\n", false},
		{"mon.cf", "hostgroup a b\n\nwatch a\n service b\n", false},
		{"mond's", "syntax = mond\n\nvirtual web\n    address tcp 10.0.0.3:80\n", false},
		{"an alias that says it", "alias x\n global_defs {\n", false},
		{"ldirectord.cf", "checktimeout=3\nvirtual=192.0.2.1:80\n real=198.51.100.1:80 gate\n", false},
		{"lvs.cf", "serial_no = 1\nvirtual web {\n active = 1\n}\n", false},
		{"TOML", "[virtual.web]\naddress = []\n", false},
		{"a brace alone", "{\n", false}, {"dollar alone", "$\n", false}, {"at", "@", false},
	} {
		if got := Is([]byte(c.src)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	for _, name := range []string{"keepalived-lvs.conf", "keepalived-vrrp.conf", "keepalived-templating.conf", "keepalived-2.4-extras.conf"} {
		src, err := os.ReadFile("testdata/" + name)
		if err != nil || !Is(src) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
