package link

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"eth1=udp:10.1.0.1,10.1.0.2":                  "eth1=udp:10.1.0.1:6694,10.1.0.2:6694",
		"a=udp:10.1.0.1:7000,10.1.0.2:7001":           "a=udp:10.1.0.1:7000,10.1.0.2:7001",
		"a=udp:2001:db8::1,2001:db8::2":               "a=udp:[2001:db8::1]:6694,[2001:db8::2]:6694",
		"a=udp:[2001:db8::1]:7000,[2001:db8::2]":      "a=udp:[2001:db8::1]:7000,[2001:db8::2]:6694",
		"a=udp:fe80::1%eth1,fe80::2%eth1":             "a=udp:[fe80::1%eth1]:6694,[fe80::2%eth1]:6694",
		"a=udp:::ffff:10.1.0.1,10.1.0.2":              "a=udp:10.1.0.1:6694,10.1.0.2:6694",
		"a=mcast:eth0,239.1.2.3":                      "a=mcast:eth0,239.1.2.3:6694",
		"a=mcast:eth0,[ff12::6694]:7000":              "a=mcast:eth0,[ff12::6694]:7000",
		"a=mcast:eth0,ff12::6694":                     "a=mcast:eth0,[ff12::6694]:6694",
		"a=bcast:eth0":                                "a=bcast:eth0:6694",
		"a=bcast:eth0.100:7000":                       "a=bcast:eth0.100:7000",
		"tty=serial:/dev/ttyS0":                       "tty=serial:/dev/ttyS0,115200",
		"tty=serial:/dev/ttyS0,9600":                  "tty=serial:/dev/ttyS0,9600",
		"":                                            "want NAME=udp:",
		"eth1":                                        "want NAME=udp:",
		"=udp:10.1.0.1,10.1.0.2":                      "is no name for a link",
		"a b=udp:10.1.0.1,10.1.0.2":                   "is no name for a link",
		strings.Repeat("a", 33) + "=bcast:eth0":       "is no name for a link",
		"a=tcp:10.1.0.1,10.1.0.2":                     "is no kind of link",
		"a=udp:10.1.0.1":                              "want udp:LOCAL,PEER",
		"a=udp:lvs1,lvs2":                             "names are not looked up",
		"a=udp:10.1.0.1,fe80::1%eth0":                 "not of one family",
		"a=udp:10.1.0.1,10.1.0.1":                     "both ends",
		"a=udp:0.0.0.0,10.1.0.1":                      "not the address of one station",
		"a=udp:10.1.0.1,239.1.2.3":                    "not the address of one station",
		"a=udp:10.1.0.1,255.255.255.255":              "not the address of one station",
		"a=udp:fe80::1,fe80::2":                       "link-local address",
		"a=udp:10.1.0.1:0,10.1.0.2":                   "no UDP port",
		"a=udp:10.1.0.1:65536,10.1.0.2":               "no UDP port",
		"a=udp:10.1.0.1:694,10.1.0.2":                 "heartbeat's own",
		"a=udp:2001:db8:1:2:3:4:5:6:7000,2001:db8::2": "[ADDRESS]:PORT",
		"a=mcast:eth0":                                "want mcast:",
		"a=mcast:eth0,224.0.0.1":                      "no group that is free",
		"a=mcast:eth0,ff02::1":                        "no group that is free",
		"a=mcast:eth0,10.0.0.1":                       "no group that is free",
		"a=mcast:0123456789abcdef,239.1.1.1":          "no name of a network interface",
		"a=bcast:":                                    "no name of a network interface",
		"a=bcast:eth0:x":                              "no UDP port",
		"a=serial:ttyS0":                              "is no serial line",
		"a=serial:/dev/ttyS0,300":                     "is no speed",
		"a=serial:/dev/ttyS0,":                        "is no speed",
	} {
		s, err := Parse(text)
		got := s.String()
		if err != nil {
			got = err.Error()
		}
		if err == nil && got != want || !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// FuzzParse: what parses is written so that it reads the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"eth1=udp:10.1.0.1,10.1.0.2", "a=udp:[2001:db8::1]:7,[fe80::1%eth0]", "a=mcast:eth0,ff12::1", "a=bcast:eth0:7", "a=serial:/dev/ttyS0,9600", "a=udp:::,::1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(s.String())
		if err != nil || again != s {
			t.Errorf("%q: %s reads as %s (%v)", text, s, again, err)
		}
	})
}
