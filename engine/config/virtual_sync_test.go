package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestIPVSSync(t *testing.T) {
	const pools = "\nvirtual a\n    address tcp 10.0.0.3:80\n    real 192.168.0.1\nvirtual b\n    address tcp 10.0.0.4:80\n    real 192.168.0.2\n" +
		"virtual c\n    netns blue\n    address tcp 10.0.0.4:80\n    real 192.168.0.2\n"
	for in, want := range map[string]string{
		"interface=eth1":                     "interface=eth1,syncid=1",
		"syncid=0, interface=eth1,mode=both": "interface=eth1,syncid=0",
		"interface=eth1.7,syncid=255,mode=by-role,maxlen=1400,group=ff02::51,port=8900,ttl=3": "interface=eth1.7,syncid=255,mode=by-role,maxlen=1400,group=ff02::51,port=8900,ttl=3",
	} {
		_, c, diag := whole(t, "a.cf", "syntax = mond\nipvs_sync = "+in+pools)
		if len(diag) != 0 {
			t.Errorf("%s: %v", in, diag)
			continue
		}
		var rows []string
		for _, v := range c.Virtuals {
			for _, r := range v.Rows {
				if words := slices.Concat(r.Target, r.More); slices.Contains(words, "--sync") {
					rows = append(rows, v.Name+" "+strings.Join(words, " "))
				}
			}
		}
		if want := []string{"a --sync " + want, "c --sync " + want + " --netns blue"}; !slices.Equal(rows, want) {
			t.Errorf("%s: %q, want %q", in, rows, want)
		}
	}
}

func TestIPVSSyncErrors(t *testing.T) {
	const pool = "\nvirtual a\n    address tcp 10.0.0.3:80\n    real 192.168.0.1\n"
	for in, want := range map[string]string{
		"":                           "ipvs_sync",
		"syncid=7":                   "without an interface",
		"eth1":                       `unknown word "eth1"`,
		"interface=a/b":              `invalid interface "a/b"`,
		"interface=a,interface=b":    "stands twice",
		"interface=a,syncid=256":     `"256" is no syncid`,
		"interface=a,mode=master":    `unknown mode "master"`,
		"interface=a,maxlen=1000":    `"1000" is no maxlen`,
		"interface=a,group=1.2.3.":   "no multicast address",
		"interface=a,group=10.2.3.4": "no multicast address",
		"interface=a,port=0":         `"0" is no port`,
		"interface=a,ttl=256":        `"256" is no ttl`,
		"interface=a\nvirtual x\n    address tcp 10.0.0.9:80\n" + "    forward tun\n    real 2001:db8::1\n#": "the kernel copies no connections",
	} {
		_, _, diag := whole(t, "a.cf", "syntax = mond\nipvs_sync = "+in+pool)
		if !strings.Contains(fmt.Sprint(diag), want) {
			t.Errorf("%s: %v, want an error with %q", in, diag, want)
		}
	}
}
