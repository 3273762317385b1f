package ldirectord

import (
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert/converttest"
)

// head begins a file of one virtual service.
const head = "virtual = 10.0.0.3:80\n\treal = 192.168.0.1:80 gate\n"

// What ldirectord itself does with each of these was tried with 4.12.
func TestTraps(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		// want and not are parts of the result and of what is said of it;
		// errors are the messages of errors, and if there are any the file must
		// be refused.
		want, not, errors []string
	}{
		{"a blank line ends the section", head + "\n\tscheduler = rr\n", nil, nil, []string{"scheduler belongs to no virtual service", "the blank line above ended the section"}},
		{"fewer than four columns end it", "virtual = 10.0.0.3:80\n   real = 192.168.0.1:80 gate\n", nil, nil, []string{"real belongs to no virtual service"}},
		{"four columns are enough", "virtual = 10.0.0.3:80\n    real = 192.168.0.1:80 gate\n", []string{"real 192.168.0.1:80 weight 1"}, nil, nil},
		{"a tab is four columns", head, []string{"real 192.168.0.1:80 weight 1"}, nil, nil},
		{"a comment at the left edge does not end it", head + "# so\n\tscheduler = rr\n", []string{"scheduler rr"}, nil, nil},
		{"a line of blanks is refused", head + "      \n\tscheduler = rr\n", nil, nil, []string{"nothing but blanks"}},
		{"a global right behind a section", head + "quiescent = yes\n", []string{"on_fail quiesce"}, nil, nil},
		{"# between quotes", head + "\trequest = \"/a#b\"\n", nil, nil, []string{"request takes text in double quotes", "even between quotes"}},
		{"# behind a line", head + "\tscheduler = rr # fair\n", []string{"scheduler rr"}, []string{"fair"}, nil},
		{"bare thresholds", "virtual = 10.0.0.3:80\n\treal = 192.168.0.1:80 gate 2 l:10 u:20\n", []string{"weight 2 upper 20 lower 10"}, nil, nil},
		{"quoted thresholds are a request", "virtual = 10.0.0.3:80\n\treal = 192.168.0.1:80 gate 2 \"l:10\" \"u:20\"\n",
			[]string{"-u /l:10", "-m u:20", "not for a threshold"}, []string{"upper", "lower"}, nil},
		{"thresholds in the wrong order", "virtual = 10.0.0.3:80\n\treal = 192.168.0.1:80 gate 2 u:20 l:10\n", nil, nil, []string{`"l:10" is not understood`}},
		{"lower alone does nothing", "virtual = 10.0.0.3:80\n\treal = 192.168.0.1:80 gate 2 l:10\n", []string{"without u:N the server is never full"}, []string{" lower "}, nil},
		{"the file's fallbackcommand keeps its quotes", "fallbackcommand = \"/opt/fall back\"\n" + head, []string{`alert exec.alert "/opt/fall back" start 10.0.0.3:80 tcp`}, nil, nil},
		{"that of a section does not", head + "\tfallbackcommand = \"/opt/fall back\"\n", []string{"alert exec.alert /opt/fall back start 10.0.0.3:80 tcp", "upalert exec.alert /opt/fall back stop"}, nil, nil},
		{"fallbackcommand in the shell's words", head + "\tfallbackcommand = \"test -e /x && /opt/run\"\n", []string{`exec.alert -shell 'test -e /x && /opt/run "$$@"' start`}, nil, nil},
		{"quiescent is no by default", head, []string{"on_fail remove  # quiescent, ldirectord's default"}, nil, nil},
		{"quiescent servers taken out by hand stay out", "readdquiescent = no\nquiescent = yes\n" + head, []string{"on_fail quiesce", "readdquiescent = no: mond keeps the table", "even if somebody took it out"}, nil, nil},
		{"readdquiescent is no by default", "quiescent = yes\n" + head, []string{"on_fail quiesce", "readdquiescent, which is no by default: mond keeps the table"}, nil, nil},
		{"they come back", "readdquiescent = yes\nquiescent = yes\n" + head, []string{"on_fail quiesce"}, []string{"readdquiescent"}, nil},
		{"nothing is quiescent", "readdquiescent = yes\n" + head, []string{"on_fail remove", "readdquiescent = yes: no virtual service is quiescent"}, nil, nil},
		{"nothing is quiescent, nothing is said", head, []string{"on_fail remove"}, []string{"readdquiescent"}, nil},
		{"readdquiescent is yes or no", "readdquiescent = 1\n" + head, nil, nil, []string{"readdquiescent takes"}},
		{"a firewall mark has service none", "virtual = 7\n\treal = 192.168.0.1 gate\n", []string{"address fwmark 7", "service none checks nothing", "real 192.168.0.1 weight 1"}, []string{"    check "}, nil},
		{"protocol of a firewall mark", "virtual = 7\n\treal = 192.168.0.1 gate\n\tprotocol = tcp\n", nil, nil, []string{"of protocol fwm"}},
		{"protocol fwm of an address", head + "\tprotocol = fwm\n", nil, nil, []string{"protocol fwm is for"}},
		{"https is not verified, redirects are followed, 2xx", "virtual = 10.0.0.3:443\n\treal = 192.168.0.1:443 gate\n", []string{"check https-443", "--tls --insecure -u / --redirects 7 --status 200-299"}, nil, nil},
		{"HEAD has no body", head + "\thttpmethod = HEAD\n\treceive = \"ok\"\n", []string{"--method HEAD", "has no body", "never finds these servers well"}, []string{"-m ok"}, nil},
		{"simpletcp half-closes and knows \\n alone", head + "\tservice = simpletcp\n\trequest = \"a\\n\\tb\"\n\treceive = \"^ok$\"\n", []string{`-s 'a\n\\tb' --half-close -e (?m)^ok$$`}, nil, nil},
		{"dns of an address asks for its name", "virtual = 10.0.0.3:53\n\treal = 192.168.0.1:53 gate\n\trequest = \"192.0.2.7\"\n\treceive = \"a.b\"\n",
			[]string{"address udp 10.0.0.3:53", "dns.monitor -p $port -t 30s -n 192.0.2.7 --type PTR --answer a.b"}, nil, nil},
		{"dns of a name asks for its address", "virtual = 10.0.0.3:53\n\treal = 192.168.0.1:53 gate\n\tprotocol = tcp\n\trequest = \"www.example.com\"\n\treceive = \"^192\\.0\\.2\\.[78]$\"\n",
			[]string{`dns.monitor -p $port -t 30s --tcp -n www.example.com --answer '^192\.0\.2\.[78]\n?\z'`}, []string{"--type"}, nil}, // A is what dns.monitor asks for
		{"dns of an IPv6 address asks for its name", "virtual = 10.0.0.3:53\n\treal = 192.168.0.1:53 gate\n\trequest = \"2001:db8::7\"\n\treceive = \"a.b\"\n",
			[]string{"-n 2001:db8::7 --type PTR --answer a.b"}, nil, nil},
		{"dns without receive", "virtual = 10.0.0.3:53\n\treal = 192.168.0.1:53 gate\n\trequest = \"a.b\"\n", []string{"always down"}, nil, nil},
		{"connect by UDP is a ping", "virtual = 10.0.0.3:53\n\treal = 192.168.0.1:53 gate\n\tchecktype = connect\n", []string{"check ping", "fping.monitor -r 0 -t 5000"}, []string{"tcp.monitor"}, nil},
		{"gate forces the port of the virtual service", "virtual = 10.0.0.3:80\n\treal = 192.168.0.1:8080 gate\n", []string{"real 192.168.0.1:80 weight", "-p 8080", "port 8080 of 192.168.0.1"}, nil, nil},
		{"ipip too", "virtual = 10.0.0.3:80\n\treal = 192.168.0.1:8080 ipip\n", []string{"forward tun", "real 192.168.0.1:80 weight"}, nil, nil},
		{"masq does not", "virtual = 10.0.0.3:80\n\treal = 192.168.0.1:8080 masq\n", []string{"forward nat", "real 192.168.0.1:8080 weight", "-p $port"}, nil, nil},
		{"one real in two services is asked once", head + "\n" + strings.Replace(head, "10.0.0.3", "10.0.0.4", 1), []string{"virtual tcp-10.0.0.3-80", "virtual tcp-10.0.0.4-80"}, []string{"http-80-2"}, nil},
		{"asked differently it is asked twice", head + "\n" + strings.Replace(head, "10.0.0.3", "10.0.0.4", 1) + "\tfailurecount = 3\n", []string{"check http-80\n", "check http-80-2\n"}, nil, nil},
		{"timeout of old files", "timeout = 7\n" + head, []string{"timeout 7s  # line 1", "timeout is of old ldirectords"}, nil, nil},
		{"connecttimeout of old files", "connecttimeout = 7\n" + head, []string{"timeout 7s  # line 1", "connecttimeout is of old ldirectords"}, nil, nil},
		{"the limits stand in for each other", "checktimeout = 4\n" + head, []string{"timeout 4s  # line 1"}, nil, nil},
		{"the section's come first", "negotiatetimeout = 4\n" + head + "\tchecktimeout = 9\n", []string{"timeout 9s"}, nil, nil},
		{"checktype N", head + "\tchecktype = 3\n", []string{"check connect-80\n        interval 10s", "check http-80\n        interval 40s", "failure_interval 10s", "3 times it connects"}, nil, nil},
		{"checkcount counts pings", head + "\tchecktype = ping\n\tcheckcount = 3\n\tchecktimeout = 2\n", []string{"fping.monitor -r 2 -t 2000 -B 1", "timeout 7s"}, nil, nil},
		{"a section's interval wants fork", head + "\tcheckinterval = 3\n", []string{"interval 10s", "without fork = yes"}, nil, nil},
		{"and has it", "fork = yes\n" + head + "\tcheckinterval = 3\n", []string{"interval 3s"}, nil, nil},
		{"external", head + "\tchecktype = external\n\tcheckcommand = \"/opt/it works\"\n", []string{`nagios.monitor --dir /opt/ --plugin "it works" --host none --warning-fails -t 5s --args "10.0.0.3 80 $real 80"`}, nil, nil},
		{"load does nothing", head + "\tload = \"x\"\n", []string{"does nothing with it"}, nil, nil},
		{"Perl's end of text", head + "\treceive = \"^READY$\"\n", []string{`-m '^READY\n?\z'`}, nil, nil},
		{"what RE2 has not", head + "\treceive = \"a(?!b)\"\n", []string{"RE2, which does not have all of Perl's"}, []string{" -m "}, nil},
		{"a dollar is no parameter", head + "\trequest = \"/a$real\"\n", []string{"-u /a$$real"}, nil, nil},
		{"mail once", "emailalert = \"root\"\n" + head, []string{"alert mail.alert root\n", "upalert mail.alert root\n", "numalerts 1"}, nil, nil},
		{"mail at the start only", "emailalert = root\nemailalertstatus = starting\n" + head, []string{"no mails while ldirectord runs"}, []string{"mail.alert root"}, nil},
		{"family of real", "virtual = 10.0.0.3:80\n\treal6 = [2001:db8::1]:80 gate\n", nil, nil, []string{"real6 does not go with the family"}},
		{"IPv6 below virtual", "virtual = [2001:db8::3]:80\n", nil, nil, []string{"not of the family"}},
		{"names are looked up", "virtual = 10.0.0.3:http\n\treal = www1->www2:http gate\n\treal = www1:81 masq\n", []string{"real 192.168.0.1-192.168.0.2:80 weight 1 forward dr", "real 192.168.0.1:81 name www1 weight 1 forward nat"}, nil, nil},
		{"unknown names", "virtual = nowhere:80\n", nil, nil, []string{"look up nowhere: no such host"}},
		{"the same virtual twice", head + "\n" + head, nil, nil, []string{"the same virtual service stands at"}},
		{"without servers", "virtual = 10.0.0.3:80\n\tscheduler = rr\n", []string{"# virtual tcp-10.0.0.3-80", "it has no real server"}, []string{"\nvirtual"}, nil},
		{"spelling", "checkintervall = 3\n" + head, nil, nil, []string{`unknown directive "checkintervall"`, "did you mean checkinterval?"}},
		{"in the wrong place", "scheduler = rr\n" + head, nil, nil, []string{"scheduler is for a virtual service"}},
		{"numbers", "checkinterval = 0\ncheckcount = x\n" + head + "\tcheckport = 70000\n", nil, nil, []string{"checkinterval takes a whole number from 1", "checkcount takes", "to 65535"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			converttest.Trap(t, With(hosts{"www1": "192.168.0.1", "www2": "192.168.0.2"}).Read("www.cf", []byte(tt.src)), tt.want, tt.not, tt.errors)
		})
	}
}

// The guide's own example works as it stands.
func TestGuide(t *testing.T) {
	const guide = `timeout = 10
checkinterval = 10
virtual = 10.0.0.3:80
     protocol = tcp
     scheduler = wlc
     real = 192.168.0.1:80 gate 5
     real = 192.168.0.2:80 gate 5
     request = "/.testpage"
     receive = "test page"
`
	r := Format().Read("www.cf", []byte(guide))
	c := converttest.Means(t, r.File)
	if len(c.Virtuals) != 1 || len(c.Virtuals[0].Members) != 2 {
		t.Fatalf("virtual services: %+v", c.Virtuals)
	}
	v := c.Virtuals[0]
	if got := strings.Join(append(v.Rows[0].Target, v.Rows[0].More...), " "); got != "-P tcp -V 10.0.0.3:80 --service -s wlc" {
		t.Error(got)
	}
	for i, want := range []string{"192.168.0.1:80", "192.168.0.2:80"} {
		m := v.Members[i]
		if m.Addr.String() != want || v.Pool.Members[i].Weight != 5 || len(m.Checks) != 1 || m.Checks[0].Service != "http-80" {
			t.Errorf("real %d: %+v", i, m)
		}
	}
}

// Each of the services that ldirectord knows has a check that mond takes, or
// is reported.
func TestServices(t *testing.T) {
	for _, s := range services() {
		for _, protocol := range []string{"tcp", "udp"} {
			src := "virtual = 10.0.0.3:7\n\treal = 192.168.0.1:7 gate\n\tprotocol = " + protocol + "\n\tservice = " + s.name + "\n\tlogin = \"a b\"\n\tpasswd = \"c$d'e\"\n\tdatabase = \"f\"\n\tsecret = \"g\"\n\trequest = \"http://h/i\"\n\treceive = \"j\"\n"
			r := With(hosts{}).Read("www.cf", []byte(src))
			if err := r.Diagnostics.Err(); err != nil {
				t.Errorf("%s: %v", s.name, err)
			}
			c := converttest.Means(t, r.File)
			if checked := len(c.Virtuals[0].Members[0].Checks) > 0; checked != (s.name != "none") {
				t.Errorf("%s by %s: checked %v", s.name, protocol, checked)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{head, "virtual6 = [::1]:80\n real6 = [::2] masq 1 \"a\",\"b\" l:1 u:2\n", "virtual = 1\n\tchecktype = 3\n", "execute = x\n#\nsupervised\n", "virtual = a:b\n\treal = 1.2.3.4->1.2.3.9 gate\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 64<<10 {
			return
		}
		Is([]byte(src))
		r := With(hosts{}).Read("f", []byte(src))
		lines := strings.Count(src, "\n") + 1
		for _, d := range r.All() {
			if d.Pos.Line > lines || d.Pos.Line < 0 || d.Pos.Col < 0 || d.Pos.Col > len(src)+1 {
				t.Errorf("%v is nowhere", d.Pos)
			}
		}
		for _, s := range r.File.Statements {
			if s.Pos.Line > lines {
				t.Errorf("%v is nowhere", s.Pos)
			}
		}
		if text := config.Format(r.WithReport().Standalone()); len(text) > 1<<20+200*len(src)+(64<<10)*lines {
			t.Errorf("%d bytes of %d", len(text), len(src))
		}
	})
}
