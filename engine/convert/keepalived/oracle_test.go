package keepalived

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/convert/keepalived/lang"
)

// oracle is the real keepalived, which judges files.
func oracle(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("keepalived")
	if err != nil {
		path = "/usr/sbin/keepalived"
		_, err = os.Stat(path)
	}
	if err != nil {
		if os.Getenv("MOND_NOSKIP") != "" {
			t.Fatal("no keepalived: install the Debian package keepalived (scripts/deps does)")
		}
		t.Skip("no keepalived: install the Debian package keepalived")
	}
	return path
}

// judge is what keepalived -t says of a file. It runs in a network namespace
// of its own, for a PING_CHECK makes it change a sysctl. Its exit status says
// nothing: Debian's is 143 for some good files.
func judge(t *testing.T, program, conf string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "k.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-t", "-i", "me", "-f", path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Setpgid: true}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		if os.Getenv("MOND_NOSKIP") != "" {
			t.Fatal(err)
		}
		t.Skipf("%s cannot be started in a namespace of its own: %v", program, err)
	}
	var all []string
	for s := bufio.NewScanner(strings.NewReader(string(out))); s.Scan(); {
		if line := s.Text(); line != "" && !quiet.MatchString(line) {
			all = append(all, line)
		}
	}
	return all
}

// quiet is what keepalived says of the machine, not of the file.
var quiet = regexp.MustCompile(`^Terminated|SECURITY VIOLATION|default user '|script_security|is not executable|Unable to access script|cannot access|Cannot find script|Disabling (track )?script`)

// site is a virtual server with lines in it and in its real server.
func site(inVirtual, inReal string) string {
	return "virtual_server 192.0.2.1 80 {\n lvs_sched rr\n lvs_method NAT\n protocol TCP\n" + inVirtual + "\n real_server 198.51.100.1 80 {\n weight 1\n" + inReal + "\n }\n}\n"
}

// stricter are the files of which keepalived -t says nothing, though what it
// makes of them is not what they say.
var stricter = []string{
	"granularity of bits", // for IPv4 it is the mask 0.0.0.24
	"group that is not",   // the virtual server is left out
}

// keepalived and the reader complain of the same files.
func TestOracle(t *testing.T) {
	program := oracle(t)
	vs := func(lines string) string { return site(lines, "TCP_CHECK {\n}") }
	rs := func(lines string) string { return site("", lines) }
	in := func(check, lines string) string { return site("", check+" {\n"+lines+"\n}") }
	url := func(lines string) string { return in("HTTP_GET", "url {\npath /\n"+lines+"\n}") }
	for _, c := range []struct{ name, conf string }{
		{"plain", vs("")}, {"unknown keyword", vs("nonsense 1")}, {"unknown in a checker", in("TCP_CHECK", "payload 00")}, {"unknown root", vs("") + "nonsense\n"},
		{"no real server", "virtual_server 192.0.2.1 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n}\n"},
		{"bad address", "virtual_server 192.0.2.x 80 {\nreal_server 198.51.100.1 80 {\n}\n}\n"}, {"bad port", "virtual_server 192.0.2.1 65536 {\nreal_server 198.51.100.1 80 {\n}\n}\n"},
		{"no scheduler", strings.Replace(vs(""), "lvs_sched rr", "", 1)}, {"no method", strings.Replace(vs(""), "lvs_method NAT", "", 1)}, {"no protocol", strings.Replace(vs(""), "protocol TCP", "", 1)},
		{"scheduler", vs("lvs_sched xyz")}, {"every scheduler", vs("lvs_sched mh\nmh-port\nmh-fallback\nlvs_sched twos")}, {"sh-port without sh", vs("sh-port")}, {"flag-1", vs("flag-1")},
		{"method", vs("lvs_method tun")}, {"gue without port", vs("lvs_method TUN type gue")}, {"gue", vs("lvs_method TUN type gue port 6080 csum")}, {"gre", vs("lvs_method TUN type gre csum")},
		{"gre with remcsum", vs("lvs_method TUN type gre remcsum")}, {"ipip with csum", vs("lvs_method TUN type ipip csum")},
		{"delay_loop", vs("delay_loop 0.000001")}, {"delay_loop 0", vs("delay_loop 0")}, {"delay_loop negative", vs("delay_loop -1")}, {"delay_loop word", vs("delay_loop x")},
		{"retry 0 above", vs("retry 0")}, {"retry 0 below", in("TCP_CHECK", "retry 0")}, {"warmup 0", vs("warmup 0")}, {"connect_timeout", vs("connect_timeout 0")},
		{"weight 0", rs("weight 0")}, {"weight 65535", rs("weight 65535")}, {"weight 65536", rs("weight 65536")}, {"weight 0 above", vs("weight 0")},
		{"protocol in small letters", vs("protocol udp")}, {"protocol icmp", vs("protocol icmp")}, {"ops with tcp", vs("ops")}, {"ops with udp", strings.Replace(vs("ops"), "protocol TCP", "protocol UDP", 1)},
		{"persistence", vs("persistence_timeout")}, {"persistence 0", vs("persistence_timeout 0")}, {"granularity", vs("persistence_granularity 255.255.255.0")}, {"granularity of bits", vs("persistence_granularity 24")},
		{"quorum", vs("quorum 1\nhysteresis 0")}, {"quorum 0", vs("quorum 0")}, {"quorum above all weights", vs("quorum 2")}, {"hysteresis", vs("quorum 1\nhysteresis 1")},
		{"port 0", strings.Replace(vs(""), "192.0.2.1 80", "192.0.2.1 0", 1)}, {"port 0 with persistence", strings.Replace(vs("persistence_timeout 10"), "192.0.2.1 80", "192.0.2.1", 1)},
		{"mark", strings.Replace(strings.Replace(vs(""), "192.0.2.1 80", "fwmark 5", 1), "protocol TCP", "", 1)}, {"mark with protocol", strings.Replace(vs(""), "192.0.2.1 80", "fwmark 5", 1)},
		{"mark, direct, with port", strings.Replace(strings.Replace(strings.Replace(vs(""), "192.0.2.1 80", "fwmark 5", 1), "protocol TCP", "", 1), "NAT", "DR", 1)},
		{"direct, another port", strings.Replace(strings.Replace(vs(""), "NAT", "DR", 1), "198.51.100.1 80", "198.51.100.1 81", 1)}, {"nat, another port", strings.Replace(vs(""), "198.51.100.1 80", "198.51.100.1 81", 1)},
		{"family", strings.Replace(vs(""), "198.51.100.1", "2001:db8::1", 1)}, {"family by tunnel", strings.Replace(strings.Replace(vs(""), "NAT", "TUN", 1), "198.51.100.1", "2001:db8::1", 1)},
		{"twice", vs("real_server 198.51.100.1 80 {\n}")}, {"ip_family", vs("ip_family inet")}, {"ip_family of the other", vs("ip_family inet6")}, {"ip_family x", vs("ip_family x")},
		{"sorry", vs("sorry_server 198.51.100.9 80\nsorry_server_inhibit\nsorry_server_lvs_method DR")}, {"inhibit without sorry", vs("sorry_server_inhibit")},
		{"ha_suspend", vs("ha_suspend")}, {"hashed", strings.Replace(vs("hashed"), "rr", "sh", 1)}, {"scripts", vs("quorum_up \"/bin/true a\" root\nquorum_down /bin/true")},
		{"script twice", vs("quorum_up /bin/true\nquorum_up /bin/false")}, {"smtp_alert maybe", vs("smtp_alert maybe")}, {"smtp_alert off", rs("smtp_alert off")},
		{"virtual server in another", vs("virtual_server 192.0.2.2 80 {\n}")}, {"block after a value", rs("alpha {\n}")},
		{"group", "virtual_server_group G {\n192.0.2.10 80\n192.0.2.16-31 80\n192.0.2.64/29 80\n}\n" + strings.Replace(vs(""), "192.0.2.1 80", "group G", 1)},
		{"group that is not", strings.Replace(vs(""), "192.0.2.1 80", "group G", 1)}, {"empty group", "virtual_server_group G {\n}\n" + vs("")},
		{"range backward", "virtual_server_group G {\n192.0.2.31-16 80\n192.0.2.1 80\n}\n" + vs("")}, {"net with host bits", "virtual_server_group G {\n192.0.2.65/29 80\n192.0.2.1 80\n}\n" + vs("")},
		{"range of IPv6", "virtual_server_group G {\n2001:db8::1-f 80\n}\n" + vs("")}, {"range of two addresses", "virtual_server_group G {\n192.0.2.1-192.0.3.1 80\n}\n" + vs("")},
		{"connect_ip", in("TCP_CHECK", "connect_ip 198.51.100.2\nconnect_port 81\nbindto 198.51.100.3\nbind_port 5\nbind_if lo\nfwmark 3")}, {"connect_ip x", in("TCP_CHECK", "connect_ip x")}, {"connect_port 0", in("TCP_CHECK", "connect_port 0")},
		{"url without path", in("HTTP_GET", "url {\nstatus_code 200\n}")}, {"no url", in("HTTP_GET", "")}, {"codes", url("status_code 200 300-305")}, {"code 99", url("status_code 99")}, {"codes backward", url("status_code 300-200")},
		{"digest", url("digest 9b3a0c85a887a256d6939da88aabd8cd")}, {"short digest", url("digest 9b3a")}, {"http_protocol", in("SSL_GET", "http_protocol 1.1\nenable_sni\nurl {\npath /\n}")}, {"http_protocol 2", in("HTTP_GET", "http_protocol 2\nurl {\npath /\n}")},
		{"dns", in("DNS_CHECK", "type AAAA\nname aa.example")}, {"dns type", in("DNS_CHECK", "type X")}, {"udp", in("UDP_CHECK", "payload 00 01 02\nrequire_reply 0X xX\nmin_reply_length 1\nmax_reply_length 65535")},
		{"udp lengths", in("UDP_CHECK", "min_reply_length 65536")}, {"udp payload", in("UDP_CHECK", "payload 0g")}, {"ping", in("PING_CHECK", "")}, {"smtp", in("SMTP_CHECK", "helo_name a.example")},
		{"misc", in("MISC_CHECK", "misc_path \"/bin/true x\"\nmisc_timeout 3\nmisc_dynamic\nuser root")}, {"misc without path", in("MISC_CHECK", "misc_timeout 3")},
		{"file", "track_file f {\nfile /run/f\nweight 2\n}\n" + in("FILE_CHECK", "track_file f\nweight 0")}, {"file that is not", in("FILE_CHECK", "track_file f")},
		{"definitions", "$A=80\n" + vs("delay_loop ${A}")}, {"undefined", vs("delay_loop $B")}, {"condition", vs("@me delay_loop 5\n@other nonsense")},
		{"} too many", vs("") + "}\n"}, {"} missing", strings.TrimSuffix(vs(""), "}\n")}, {"{ alone", "{\n" + vs("")}, {"quote", vs("virtualhost \"a")},
		{"globals", "global_defs {\nrouter_id a\nnotification_email {\na@example.net\n}\nnotification_email_from b@example.net\nsmtp_server 127.0.0.1 25\nlvs_timeouts tcp 5\nlvs_flush\nprocess_names\n}\n" + vs("")},
		{"a global that is not", "global_defs {\nrouter_idd a\n}\n" + vs("")}, {"vrrp keyword", "vrrp_instance A {\nstate BACKUP\ninterface lo\ndont_track_primary\nvirtual_router_id 5\npriority 9\nnonsense\nvirtual_ipaddress {\n192.0.2.9\n}\n}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			theirs := judge(t, program, c.conf)
			ours := Options{lang.Options{ID: "me"}}.Format().Read("k.conf", []byte(c.conf)).Diagnostics
			if slices.Contains(stricter, c.name) {
				if len(theirs) > 0 || len(ours) == 0 {
					t.Errorf("we are no stricter: keepalived says %v, we say %v", theirs, ours)
				}
				return
			}
			if (len(theirs) > 0) != (len(ours) > 0) {
				t.Errorf("keepalived says: %s\nwe say: %v\n%s", strings.Join(theirs, "\n"), ours, c.conf)
			}
		})
	}
}

// What definitions, conditions and sequences make of a file is what keepalived
// makes of it.
func TestOracleLanguage(t *testing.T) {
	program := oracle(t)
	for i := range 20 {
		conf := files.Example(i)
		theirs := unknown(judge(t, program, conf))
		doc := lang.Parse("k.conf", []byte(conf), lang.Options{ID: "me"})
		ours := flat(doc.Nodes)
		if d := cmp.Diff(theirs, ours); d != "" {
			t.Errorf("(-keepalived +ours):\n%s\n%s", d, conf)
		}
	}
}

// flat are the first words of all lines, and the braces that keepalived takes
// for such where it expects none.
func flat(nodes []*lang.Node) []string {
	var all []string
	for _, n := range nodes {
		all = append(all, fmt.Sprintf("%q", n.Name()))
		if n.Block {
			all = append(append(all, flat(n.Nodes)...), `"}"`)
		}
	}
	return all
}

// unknown are the words that keepalived does not know, as its first process
// says.
func unknown(lines []string) []string {
	var all []string
	for _, line := range lines {
		if !strings.HasPrefix(line, "(Line ") {
			continue
		}
		if _, word, ok := strings.Cut(line, ") Unknown keyword '"); ok {
			all = append(all, fmt.Sprintf("%q", strings.TrimSuffix(word, "'")))
		}
	}
	return all
}

// files are made of lines whose first words nobody knows.
var files = rapid.Custom(func(t *rapid.T) string {
	pick := func(what string, from ...string) string { return rapid.SampledFrom(from).Draw(t, what) }
	var b strings.Builder
	b.WriteString("$A=one\n$B=x${A}\n$M=first \\\n  second${A} \\\n  third\n")
	for range rapid.IntRange(5, 15).Draw(t, "lines") {
		name := pick("name", "A", "B", "C", "N")
		word := pick("word", "w", "w${A}", "${B}z", "$A", "$B", "w${N}", "\"q ${A}\"", "w#c", "w !c", "w\"a b\"", "$M", "${M}", "w ${M}", "w$N,$A", "w${C}", "k$C")
		number := func() string { return pick("number", "-2", "0", "1", "3", "7", "0x5") }
		switch pick("kind", "word", "word", "word", "define", "lines", "seq", "seq3", "hex", "lst", "sets", "if", "nested") {
		case "word":
			fmt.Fprintln(&b, word)
		case "define":
			fmt.Fprintf(&b, "$%s=%s\n", name, pick("value", "v", "v${A}", "u v", "$A"))
			if name != "N" {
				fmt.Fprintf(&b, "$A=one\n$B=x${A}\n")
			}
		case "lines":
			fmt.Fprintf(&b, "$M=m%d \\\n n${A} \\\n\t o\n", b.Len())
		case "seq":
			fmt.Fprintf(&b, "~SEQ(N, %s, %s) %s\n", number(), number(), word)
		case "seq3":
			fmt.Fprintf(&b, "~SEQ(N,1,%s , 9) s${N}\n", pick("step", "2", "5"))
		case "hex":
			fmt.Fprintf(&b, "~SEQx(N, %s, 11) h${N}\n", pick("from", "8", "0", "0xa"))
		case "lst":
			fmt.Fprintf(&b, "~LST(N, a, b, %s) l${N}\n", name)
		case "sets":
			fmt.Fprintf(&b, "~LST({N, C}, {a, b}, {c}, %s) l${N}-${C}\n", name)
		case "if":
			fmt.Fprintf(&b, "%s%s %s\n", pick("at", "@", "@^"), pick("id", "me", "you"), word)
		case "nested":
			fmt.Fprintf(&b, "~SEQ(N, 1, 2) ~SEQ(C, 1, 2) t${N}${C}\n")
		}
	}
	return b.String()
})
