package lvscf

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert/converttest"
)

// file is an lvs.cf of one virtual service of one server, with more lines.
func file(global, virtual, server string) string {
	return "network = direct\n" + global + "virtual web {\n active = 1\n address = 10.0.0.3 eth0:1\n" + virtual +
		" server one {\n  address = 192.168.0.1\n  active = 1\n" + server + " }\n}\n"
}

func TestTraps(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		// want and not are parts of the result and of what is said of it; with
		// errors the file must be refused.
		want, not, errors []string
	}{
		{"defaults", file("", "", ""), []string{"address tcp 10.0.0.3:80", "scheduler wlc  # Piranha's default", "real 192.168.0.1:80 name one weight 1", "on_fail remove",
			"interval 10s  # timeout, Piranha's default", "timeout 10s", "rise 18  # reentry, Piranha's default",
			`tcp.monitor -p $port -t 10s --ping -s 'GET / HTTP/1.0\r\n\r\n' --expect-prefix HTTP`, "ramp 100s steps 5 doubling"}, nil, nil},
		{"one way of forwarding", file("", "", ""), []string{"forward dr  # network, line 1"}, nil, nil},
		{"NAT by default", strings.Replace(file("", "", ""), "network = direct\n", "", 1), []string{"forward nat  # network, Piranha's default"}, nil, nil},
		{"tunnel", strings.Replace(file("", "", ""), "direct", "tunnel", 1), []string{"forward tun"}, nil, nil},
		{"numbers in hexadecimal", file("", " fwmark = 0x10\n", ""), []string{"address fwmark 16", "real 192.168.0.1 name"}, nil, nil},
		{"octal is none", file("", " timeout = 010\n", ""), nil, nil, []string{"timeout takes a whole number"}},
		{"no blanks round the =", file("", " timeout=10\n", ""), nil, nil, []string{`unknown key "timeout=10"`}},
		{"unknown key", file("keepaliv = 2\n", "", ""), nil, nil, []string{`lvs.cf:2:1: error: unknown key "keepaliv"`, "did you mean keepalive?"}},
		{"key of another block", file("", "", "  scheduler = rr\n"), nil, nil, []string{`unknown key "scheduler"`}},
		{"comment at the start of a line only", file("", " send = \"#x\"\n", "") + "# end\n", []string{`-s \#x`}, nil, nil},
		{"either quotes", file("", " send = 'a \"b\"'\n", ""), []string{`-s 'a "b"'`}, nil, nil},
		{"quote that is not closed", file("", " send = \"a\n", ""), nil, nil, []string{"a quote that is not closed"}},
		{"booleans are 0 and 1", file("heartbeat = yes\n", "", ""), nil, nil, []string{"heartbeat takes 0 or 1"}},
		{"block that is not closed", "virtual a {\n active = 1\n", nil, nil, []string{"virtual a is never closed"}},
		{"server outside", "server a {\n}\n", nil, nil, []string{"server does not belong here"}},
		{"} too many", file("", "", "") + "}\n", nil, nil, []string{"closes nothing"}},
		{"no address", "virtual a {\n active = 1\n}\n", nil, nil, []string{"virtual a has no address"}},
		{"address without a device", file("", " address = 10.0.0.4\n", ""), nil, nil, []string{"an address of IPv4 and a device"}},
		{"a mask of one host", file("", " persistent = 60\n pmask = 255.255.255.255\n", ""), []string{"persistent 60s  #"}, []string{"60s 255"}, nil},
		{"mask", file("", " persistent = 60\n pmask = 255.255.0.0\n", ""), []string{"persistent 60s 255.255.0.0"}, nil, nil},
		{"timeout is interval and limit", file("", " timeout = 6\n reentry = 15\n", ""), []string{"interval 6s", "timeout 6s", "-t 6s", "rise 3"}, nil, nil},
		{"only send", file("", " port = 7\n send = \"x\\n\"\n", ""), []string{`--ping -s 'x\n'`}, []string{"--expect-prefix", "--answer"}, nil},
		{"expect *", file("", " port = 7\n expect = *\n", ""), []string{"--ping --answer"}, nil, nil},
		{"neither, not port 80", file("", " port = 7\n", ""), []string{"-t 10s --ping\n"}, []string{"-s "}, nil},
		{"regex", file("", " expect = \"^HTTP/1.[01]\"\n use_regex = 1\n", ""), []string{"-e ^HTTP/1.[01]"}, nil, nil},
		{"regex in the first 254 octets", file("", " expect = \"^HTTP/1.[01]\"\n use_regex = 1\n", ""), []string{"nanny looks for it in what it reads first, 254 octets at most; mond in the whole answer"}, nil, nil},
		{"expect of 254 octets", file("", " expect = \""+strings.Repeat("x", 253)+"\\n\"\n", ""), []string{"--expect-prefix '" + strings.Repeat("x", 253)}, []string{"nanny reads"}, nil},
		{"expect of 255 octets", file("", " expect = \""+strings.Repeat("x", 255)+"\"\n", ""), []string{"--expect-prefix " + strings.Repeat("x", 255), "nanny reads 254 octets of an answer and never has these 255"}, nil, nil},
		{"regex that RE2 has not", file("", " expect = \"(\"\n use_regex = 1\n", ""), []string{"--answer", "which is less than nanny wants"}, nil, nil},
		{"send_program", file("", " send_program = \"/opt/x %h %p 100%h $H\"\n expect = \"o'k\"\n", ""),
			[]string{"/opt/x $real $port 100%h $$H", "here it is a failure", "nagios.monitor --dir /bin --plugin sh --host none"}, []string{"tcp.monitor"}, nil},
		{"UDP", file("", " protocol = udp\n port = 53\n send = \"x\"\n expect = \"y\"\n", ""), []string{"check ping", "fping.monitor", "udp.monitor -p $port -t 10s -s x -e ^y"}, []string{"tcp.monitor"}, nil},
		{"quiesce_server", file("", " quiesce_server = 1\n", ""), []string{"on_fail quiesce"}, nil, nil},
		{"sorry_server", file("", " sorry_server = 10.9.9.9\n", ""), []string{"fallback 10.9.9.9:80 weight 1", "on primary"}, nil, nil},
		{"load by uptime", file("rsh_command = ssh\n", " load_monitor = uptime\n", ""), []string{"weight_from perf load as load", "check_by_ssh"}, nil, nil},
		{"load by another program", file("", " load_monitor = rup\n", ""), []string{"load_monitor = rup: mond has no monitor"}, []string{"weight_from perf"}, nil},
		{"an inactive virtual service", strings.Replace(file("", "", ""), "active = 1", "active = 0", 1), []string{"# virtual web", "it is not active"}, []string{"\nvirtual"}, nil},
		{"active is 0 by default", strings.Replace(file("", "", ""), " active = 1\n", "", 1), []string{"# virtual web", "active = 0, Piranha's default"}, []string{"\nvirtual"}, nil},
		{"an inactive server", file("", " server two {\n  address = 192.168.0.2\n }\n", ""), []string{"#     real 192.168.0.2:80"}, []string{"\n    real 192.168.0.2"}, nil},
		{"service = fos", file("service = fos\n", "", "") + "failover f {\n}\n", []string{"# virtual web", "failover f: a service that is started on one of two machines"}, []string{"\nvirtual"}, nil},
		{"direct keeps the port", file("", "", "  port = 8080\n"), []string{"real 192.168.0.1:80", "-p 8080", "port 8080 of server one"}, nil, nil},
		{"names of several addresses", file("", "", "") + strings.NewReplacer("network = direct\n", "", "virtual web", "virtual b", "10.0.0.3", "10.0.0.4", "192.168.0.1", "192.168.0.2").Replace(file("", "", "")),
			[]string{"192.168.0.1:80 name one", "another address has that name", "real 192.168.0.2:80 weight"}, nil, nil},
		{"several names of an address", file("", "", "") + strings.NewReplacer("network = direct\n", "", "virtual web", "virtual b", "10.0.0.3", "10.0.0.4", "server one", "server two").Replace(file("", "", "")),
			[]string{"192.168.0.1:80 name one"}, []string{"name two", "tcp-80-2"}, nil},
		{"hard_shutdown", file("hard_shutdown = 1\n", "", ""), []string{"hard_shutdown = 1: a check that ends does not end mond: it is started again"}, nil, nil},
		{"no hard_shutdown", file("hard_shutdown = 0\n", "", ""), []string{"hard_shutdown = 0: a check that ends does not end mond"}, nil, nil},
		{"heartbeat", file("heartbeat = 1\n", "", ""), []string{"heartbeat = 1: which of two directors serves", "heartbeat.monitor"}, nil, nil},
		{"monitor_links", file("monitor_links = 1\n", "", ""), []string{"local_fault link eth0", "monitor_links = 1: while the link is down"}, nil, nil},
		{"timeouts of the kernel", file("tcp_timeout = 900\n", "", ""), []string{"ipvs_timeouts = tcp=900"}, nil, nil},
		{"syncdaemon", file("syncdaemon = 1\n", "", ""), []string{"ipvs_sync = interface=eth0,syncid=0"}, []string{"ipvsadm --start-daemon"}, nil},
		{"syncdaemon elsewhere", file("syncdaemon = 1\nsyncd_iface = eth1\nsyncd_id = 7\n", "", ""), []string{"ipvs_sync = interface=eth1,syncid=7"}, nil, nil},
		{"syncdaemon with a wrong id", file("syncdaemon = 1\nsyncd_id = 700\n", "", ""), []string{"ipvs_sync = interface=eth0,syncid=0", "syncd_id 700 is left out"}, nil, nil},
		{"syncdaemon off", file("syncdaemon = 0\nsyncd_iface = eth1\n", "", ""), []string{"syncdaemon is off"}, []string{"ipvs_sync"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			converttest.Trap(t, Format().Read("lvs.cf", []byte(tt.src)), tt.want, tt.not, tt.errors)
		})
	}
}

// Every key is carried over or reported: the result of a file with it differs
// from that of one without.
func TestEveryKeyCounts(t *testing.T) {
	value := map[kind]string{text: "x", number: "7", yesNo: "1", address: "10.1.1.1", onDevice: "10.1.1.1 eth1:1"}
	for where, known := range map[string]map[string]form{"global": globals(), "virtual": services(), "server": servers()} {
		for _, key := range slices.Sorted(maps.Keys(known)) {
			v := value[known[key].kind]
			if known[key].kind == choice {
				v = known[key].words[len(known[key].words)-1]
			}
			if key == "port" {
				v = "81"
			}
			if where == "server" && key == "address" {
				v = "10.1.1.1"
			}
			at := map[string]string{where: " " + key + " = " + v + "\n"}
			base := file("", "", "")
			if key == "pmask" || key == "use_regex" {
				at["virtual"] += " persistent = 9\n expect = \"x\"\n"
				base = file("", " persistent = 9\n expect = \"x\"\n", "")
			}
			src := file(at["global"], at["virtual"], at["server"])
			strip := strings.NewReplacer("0", "", "1", "", "2", "", "3", "", "4", "", "5", "", "6", "", "7", "", "8", "", "9", "")
			if was, is := strip.Replace(converttest.Report(t, Format().Read("f", []byte(base)))), strip.Replace(converttest.Report(t, Format().Read("f", []byte(src)))); was == is && key != "active" && key != "address" && key != "weight" {
				t.Errorf("%s %s = %s does nothing", where, key, v)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{file("", "", ""), file("service = fos\n", " port = 0x50\n send_program = \"a %h\"\n", " port = 1\n"), "virtual a {\n{\n}}\n", "primary = x\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 64<<10 {
			return
		}
		Is([]byte(src))
		r := Format().Read("f", []byte(src))
		lines := strings.Count(src, "\n") + 1
		for _, d := range r.All() {
			if d.Pos.Line > lines || d.Pos.Line < 0 || d.Pos.Col < 0 || d.Pos.Col > len(src)+1 {
				t.Errorf("%v is nowhere", d.Pos)
			}
		}
		if text := config.Format(r.WithReport().Standalone()); len(text) > 1<<20+400*len(src) {
			t.Errorf("%d bytes of %d", len(text), len(src))
		}
	})
}
