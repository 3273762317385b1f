package words

import (
	"strings"
	"testing"
)

func TestParseJob(t *testing.T) {
	many := NewParser() // what one list says is gone with the next
	for in, want := range map[string]string{
		"-P tcp -V 10.0.0.3:80 -R 192.168.0.1 -W 5 -F dr":                                                      "-P tcp -V 10.0.0.3:80 -R 192.168.0.1:80 -W 5 -F dr",
		"-Pudp -V10.0.0.3:53 -R192.168.0.1 -W5 -Fnat":                                                          "-P udp -V 10.0.0.3:53 -R 192.168.0.1:53 -W 5 -F nat",
		"-V 10.0.0.3:80 -R 192.168.0.1":                                                                        "-P tcp -V 10.0.0.3:80 -R 192.168.0.1:80 -W 1 -F dr",
		"-V 10.0.0.3:80 -R 192.168.0.1:8080 -F masq":                                                           "-P tcp -V 10.0.0.3:80 -R 192.168.0.1:8080 -W 1 -F nat",
		"-V [2001:db8::3]:80 -R 2001:db8::1 -F route -u":                                                       "-P tcp -V [2001:db8::3]:80 -R [2001:db8::1]:80 -W 1 -F dr",
		"-V [2001:db8::3]:80 -R [2001:db8::1] -F gate":                                                         "-P tcp -V [2001:db8::3]:80 -R [2001:db8::1]:80 -W 1 -F dr",
		"-V [2001:db8::3]:80 -R [2001:db8::1]:81 -F m":                                                         "-P tcp -V [2001:db8::3]:80 -R [2001:db8::1]:81 -W 1 -F nat",
		"-V 10.0.0.3:80 -R 2001:db8::1 -F ipip":                                                                "-P tcp -V 10.0.0.3:80 -R [2001:db8::1]:80 -W 1 -F tun",
		"-V fwmark:7 -R 192.168.0.1":                                                                           "-V fwmark:7 -R 192.168.0.1 -W 1 -F dr",
		"-V fwmark:7 -R 2001:db8::1 -W 0":                                                                      "-V fwmark6:7 -R 2001:db8::1 -W 0 -F dr",
		"-V [::ffff:10.0.0.3]:80 -R 192.168.0.1 --table /t":                                                    "-P tcp -V 10.0.0.3:80 -R 192.168.0.1:80 -W 1 -F dr --table /t",
		"-V 10.0.0.3:0 -R 192.168.0.1":                                                                         "-P tcp -V 10.0.0.3:0 -R 192.168.0.1 -W 1 -F dr",
		"-V fwmark:7 -R 2001:db8::1 -F tun":                                                                    "-V fwmark:7 -R 2001:db8::1 -W 1 -F tun",
		"-V fwmark6:7 -R 192.168.0.1 -F tun":                                                                   "-V fwmark6:7 -R 192.168.0.1 -W 1 -F tun",
		"-V 10.0.0.3:80 -R 10.0.0.4 -x 100 -y 0":                                                               "-P tcp -V 10.0.0.3:80 -R 10.0.0.4:80 -W 1 -F dr -x 100 -y 0",
		"-V 10.0.0.3:80 -R 10.0.0.4 --upper=100 --lower 50":                                                    "-P tcp -V 10.0.0.3:80 -R 10.0.0.4:80 -W 1 -F dr -x 100 -y 50",
		"-V 10.0.0.3:80 -R 10.0.0.4 -F tun --tun-type gue --tun-port 6080":                                     "-P tcp -V 10.0.0.3:80 -R 10.0.0.4:80 -W 1 -F tun --tun-type gue --tun-port 6080 --tun-csum none",
		"-V 10.0.0.3:80 -R 10.0.0.4 -F tun --tun-type gre --tun-csum csum":                                     "-P tcp -V 10.0.0.3:80 -R 10.0.0.4:80 -W 1 -F tun --tun-type gre --tun-csum csum",
		"-V 10.0.0.3:80 -R 10.0.0.4 -F tun --tun-type ipip":                                                    "-P tcp -V 10.0.0.3:80 -R 10.0.0.4:80 -W 1 -F tun --tun-type ipip",
		"-V 10.0.0.3-9:80 -R 10.0.0.40 --by-role":                                                              "-P tcp -V 10.0.0.3-10.0.0.9:80 -R 10.0.0.40:80 -W 1 -F dr --by-role",
		"-V 10.0.0.3-10.0.1.2:80 -R 10.0.0.40 --netns blue":                                                    "-P tcp -V 10.0.0.3-10.0.1.2:80 -R 10.0.0.40:80 -W 1 -F dr --netns blue",
		"-V 10.0.0.0/28:80 --service":                                                                          "-P tcp -V 10.0.0.0-10.0.0.15:80 --service -s wlc",
		"-V 10.0.0.9/32:80 --service -s rr":                                                                    "-P tcp -V 10.0.0.9:80 --service -s rr",
		"-V [2001:db8::3-9]:80 --service":                                                                      "-P tcp -V [2001:db8::3-2001:db8::9]:80 --service -s wlc",
		"-V [2001:db8::ff-102]:80 --service":                                                                   "-P tcp -V [2001:db8::ff-2001:db8::102]:80 --service -s wlc",
		"-V [2001:db8::/126]:80 --service":                                                                     "-P tcp -V [2001:db8::-2001:db8::3]:80 --service -s wlc",
		"-V [2001:db8::3]-[2001:db8::4]:80 --service":                                                          "-P tcp -V [2001:db8::3-2001:db8::4]:80 --service -s wlc",
		"-V 10.0.0.3:0 --service -p 60 -M 24 -s rr":                                                            "-P tcp -V 10.0.0.3:0 --service -s rr -p 60 -M 24",
		"-V 10.0.0.3:80 --service -p 60 -M 255.255.255.0":                                                      "-P tcp -V 10.0.0.3:80 --service -s wlc -p 60 -M 24",
		"-V 10.0.0.3:80 --service -p 60 --netmask /32":                                                         "-P tcp -V 10.0.0.3:80 --service -s wlc -p 60",
		"-V [2001:db8::3]:80 --service --persistent=60 -M 64":                                                  "-P tcp -V [2001:db8::3]:80 --service -s wlc -p 60 -M 64",
		"-P udp -V 10.0.0.3:5060 --service -p 9 --pe sip --ops":                                                "-P udp -V 10.0.0.3:5060 --service -s wlc -p 9 --pe sip -o",
		"-V 10.0.0.3:80 --service --scheduler mh --sched-flags flag-1,mh-port":                                 "-P tcp -V 10.0.0.3:80 --service -s mh -b mh-fallback,mh-port",
		"-V fwmark6:9 --service -s sh -b sh-port,flag-3 --by-role":                                             "-V fwmark6:9 --service -s sh -b sh-port,flag-3 --by-role",
		"--timeouts tcp=900,tcpfin=120,udp=300":                                                                "--timeouts tcp=900,tcpfin=120,udp=300",
		"--timeouts udp=300 --netns /proc/1/ns/net":                                                            "--timeouts udp=300 --netns /proc/1/ns/net",
		"--sync interface=eth1":                                                                                "--sync interface=eth1,syncid=1",
		"--sync mode=both,syncid=0,interface=eth1":                                                             "--sync interface=eth1,syncid=0",
		"--sync interface=eth1.7,syncid=255,mode=by-role,maxlen=1400,group=ff02::51,port=8900,ttl=3 --netns a": "--sync interface=eth1.7,syncid=255,mode=by-role,maxlen=1400,group=ff02::51,port=8900,ttl=3 --netns a",
	} {
		j, err := many.Parse(strings.Fields(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
		} else if got := strings.Join(j.Words(), " "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestParseJobErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":                                      "-V is missing",
		"-V 10.0.0.3:80":                        "-R is missing",
		"-R 10.0.0.3":                           "-V is missing",
		"-V 10.0.0.3 -R 10.0.0.4":               "say address:port",
		"-V 10.0.0.3:70000 -R 10.0.0.4":         "say address:port",
		"-V 2001:db8::3:x -R 10.0.0.4":          "in brackets",
		"-V www:80 -R 10.0.0.4":                 "in numbers",
		"-V 10.0.0.3:80 -R web1":                "in numbers",
		"-V 10.0.0.3:80 -R 10.0.0.4:0":          "port 0",
		"-V 10.0.0.3:80 -R 0.0.0.0":             "no address of a server",
		"-V 10.0.0.3:80 -R 10.0.0.4 -W 70000":   "0 to 65535",
		"-V 10.0.0.3:80 -R 10.0.0.4 -W -1":      "0 to 65535",
		"-V 10.0.0.3:80 -R 10.0.0.4 -F bridge":  "nat, tun or dr",
		"-V 10.0.0.3:80 -R 10.0.0.4:81 -F dr":   "only nat can",
		"-V 10.0.0.3:80 -R 10.0.0.4:81 -F tun":  "only nat can",
		"-V 10.0.0.3:80 -R 2001:db8::1 -F nat":  "another address family",
		"-P icmp -V 10.0.0.3:80 -R 10.0.0.4":    "tcp, udp or sctp",
		"-P tcp -V fwmark:7 -R 10.0.0.4":        "leave -P out",
		"-V fwmark:0 -R 10.0.0.4":               "above 0",
		"-V 10.0.0.3:80 -R 10.0.0.4 now":        `what is "now"`,
		"-V 10.0.0.3:80 -R 10.0.0.4 -z":         "no such option",
		"-V 10.0.0.3:80 -R fe80::1%eth0 -F tun": "zone",
		"-V 10.0.0.3:80 -R 10.0.0.4 --table=":   "say a file",

		"-V 10.0.0.3:80 --service -R 10.0.0.4":                                "-R: --service is about",
		"-V 10.0.0.3:80 --service -W 3":                                       "-W: --service is about",
		"-V 10.0.0.3:80 --service --tun-type gue":                             "--tun-type: --service",
		"-V 10.0.0.3:80 -R 10.0.0.4 -s rr":                                    "-s: without --service",
		"-V 10.0.0.3:80 -R 10.0.0.4 --pe sip":                                 "--pe: without --service",
		"-V 10.0.0.3:80 --service -s RR":                                      "a-z, 0-9 and _",
		"-V 10.0.0.3:80 --service -s abcdefghijklmnop":                        "up to 15",
		"-V 10.0.0.3:80 --service -p 0":                                       "from 1 to 2678400",
		"-V 10.0.0.3:80 --service -p 2678401":                                 "from 1 to 2678400",
		"-V 10.0.0.3:80 --service -M 24":                                      "needs -p",
		"-V 10.0.0.3:80 --service -p 60 -M 33":                                "from 1 to 32",
		"-V 10.0.0.3:80 --service -p 60 -M 0":                                 "prefix length",
		"-V 10.0.0.3:80 --service -p 60 -M 255.0.255.0":                       "without holes",
		"-V [2001:db8::3]:80 --service -p 60 -M 255.0.0.0":                    "for IPv6",
		"-V 10.0.0.3:80 --service --pe sip":                                   "needs -p",
		"-V 10.0.0.3:80 --service -o":                                         "UDP packets, not tcp",
		"-V 10.0.0.3:80 --service -b fast":                                    "unknown scheduler flag",
		"-V 10.0.0.3:80 --service -b sh-port":                                 "a flag of sh",
		"-V 10.0.0.3:0 --service":                                             "needs persistence",
		"-V 10.0.0.3:0 -R 10.0.0.4:80 -F nat":                                 "all ports",
		"-V 10.0.0.9-3:80 --service":                                          "ends before it begins",
		"-V 10.0.0.3-256:80 --service":                                        "0 to 255",
		"-V 10.0.0.3-2001:db8::1:80 --service":                                "in brackets",
		"-V [10.0.0.3-9]:80 --service":                                        "say address:port",
		"-V [2001:db8::1-10.0.0.1]:80 --service":                              "one family",
		"-V [2001:db8::1-g]:80 --service":                                     "0 to ffff",
		"-V 10.0.0.0-10.0.4.0:80 --service":                                   "more than 1024",
		"-V 10.0.0.0/21:80 --service":                                         "more than 1024",
		"-V [2001:db8::/64]:80 --service":                                     "more than 1024",
		"-V 10.0.0.3/28:80 --service":                                         "inside the network 10.0.0.0/28",
		"-V 10.0.0.0/33:80 --service":                                         "no network",
		"-V 0.0.0.0-3:80 --service":                                           "no address of a server",
		"-V fwmark6:0 --service":                                              "above 0",
		"-V fwmark6:7 -R 10.0.0.4":                                            "another address family",
		"-V fwmark:7 --service -p 60 -M 64":                                   "from 1 to 32",
		"-V 10.0.0.3:80 -R 10.0.0.4 -y 5":                                     "above the upper",
		"-V 10.0.0.3:80 -R 10.0.0.4 -x 4 -y 5":                                "above the upper",
		"-V 10.0.0.3:80 -R 10.0.0.4 -x -1":                                    "0 to 2147483647",
		"-V 10.0.0.3:80 -R 10.0.0.4 --tun-type gre":                           "say -F tun",
		"-V 10.0.0.3:80 -R 10.0.0.4 -F tun --tun-type gue":                    "without a port",
		"-V 10.0.0.3:80 -R 10.0.0.4 -F tun --tun-port 1":                      "only gue",
		"-V 10.0.0.3:80 -R 10.0.0.4 -F tun --tun-port 0":                      "1 to 65535",
		"-V 10.0.0.3:80 -R 10.0.0.4 -F tun --tun-csum csum":                   "only gue and gre",
		"-V 10.0.0.3:80 -R 10.0.0.4 -F tun --tun-csum sha":                    "none, csum or remcsum",
		"-V 10.0.0.3:80 -R 10.0.0.4 -F tun --tun-type vxlan":                  "ipip, gue or gre",
		"-V 10.0.0.3:80 -R 10.0.0.4 -F tun --tun-type gre --tun-csum remcsum": "only gue",
		"-V 10.0.0.3:80 -R 10.0.0.4 --netns a --table t":                      "leave one out",
		"-V 10.0.0.3:80 -R 10.0.0.4 --netns a/b":                              "absolute path",
		"--timeouts tcp=0":                                                    "from 1 to 2678400",
		"--timeouts tcp=9999999":                                              "from 1 to 2678400",
		"--timeouts tcp":                                                      "from 1 to 2678400",
		"--timeouts sctp=5":                                                   "say tcp=N",
		"--timeouts tcp=5,tcp=6":                                              "stands twice",
		"--timeouts tcp=5 --table t":                                          "no time limits",
		"--timeouts tcp=5 --service":                                          "leave one out",
		"--timeouts tcp=5 -V 10.0.0.3:80":                                     "the whole table",
		"--timeouts tcp=5 --by-role":                                          "the whole table",
		"--sync syncid=3":                                                     "interface=NAME is missing",
		"--sync eth1":                                                         "say interface",
		"--sync interface=":                                                   "is missing",
		"--sync interface=eth1,interface=eth2":                                "stands twice",
		"--sync interface=an-interface-too-long":                              "no interface",
		"--sync interface=eth1,syncid=256":                                    "0 to 255",
		"--sync interface=eth1,mode=master":                                   "both or by-role",
		"--sync interface=eth1,maxlen=1000":                                   "1024 to 65507",
		"--sync interface=eth1,group=10.0.0.1":                                "no multicast address",
		"--sync interface=eth1,group=all":                                     "a multicast address such as",
		"--sync interface=eth1,port=0":                                        "1 to 65535",
		"--sync interface=eth1,ttl=0":                                         "1 to 255",
		"--sync interface=eth1 --table t":                                     "no sync daemons",
		"--sync interface=eth1 --service":                                     "leave one out",
		"--sync interface=eth1 --timeouts tcp=5":                              "the whole table",
		"--sync interface=eth1 --by-role":                                     "the whole table",
	} {
		_, err := Parse(strings.Fields(in))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", in, err, want)
		}
	}
}

// What a job says of itself is read as the same job.
func FuzzParseJob(f *testing.F) {
	f.Add("-P tcp -V 10.0.0.3:80 -R 192.168.0.1 -W 5 -F dr")
	f.Add("-V [2001:db8::3]:80 -R [2001:db8::1]:8080 -F nat -u --table t")
	f.Add("-V fwmark:7 -R 2001:db8::1 -W 0")
	f.Add("-V 10.0.0.3-9:0 --service -s mh -p 60 -M 24 --pe sip -b mh-port --by-role --netns x")
	f.Add("-V [2001:db8::/120]:80 -R 10.0.0.1 -F tun --tun-type gue --tun-port 1 --tun-csum remcsum -x 5 -y 4")
	f.Add("--timeouts tcp=900,tcpfin=120,udp=300 --netns /n")
	f.Add("--sync interface=eth1,syncid=7,mode=by-role,maxlen=1400,group=ff02::51,port=8900,ttl=3 --netns /n")
	f.Fuzz(func(t *testing.T, text string) {
		j, err := Parse(strings.Fields(text))
		if err != nil {
			return
		}
		again, err := Parse(j.Words())
		if err != nil || again != j {
			t.Fatalf("%q: %v is read as %v, %v", text, j.Words(), again, err)
		}
	})
}

func TestVirtuals(t *testing.T) {
	j, err := Parse(strings.Fields("-V 10.0.0.254-10.0.1.1:80 -R 192.168.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for v := range j.Virtuals() {
		got = append(got, j.At(v).Target(v).String())
	}
	const want = "192.168.0.1:80 of tcp 10.0.0.254:80,192.168.0.1:80 of tcp 10.0.0.255:80,192.168.0.1:80 of tcp 10.0.1.0:80,192.168.0.1:80 of tcp 10.0.1.1:80"
	if strings.Join(got, ",") != want {
		t.Errorf("got %v", got)
	}
	for v := range j.Virtuals() {
		if v != j.First {
			t.Errorf("began with %v", v)
		}
		break
	}
}

func TestPlaces(t *testing.T) {
	for p, want := range map[Place]string{{}: "kernel", {File: "/t"}: "/t", {NetNS: "blue"}: "kernel, network namespace blue"} {
		if p.String() != want {
			t.Errorf("got %s, want %s", p, want)
		}
	}
	if (Place{}).Compare(Place{NetNS: "a"}) >= 0 || (Place{NetNS: "a"}).Compare(Place{File: "a"}) >= 0 {
		t.Error("the kernel's own is not first")
	}
}

func BenchmarkParse(b *testing.B) {
	args := strings.Fields("-P tcp -V 10.0.0.3:80 -R 192.168.0.1 -W 5 -F dr -x 100")
	p := NewParser()
	for b.Loop() {
		if _, err := p.Parse(args); err != nil {
			b.Fatal(err)
		}
	}
}
