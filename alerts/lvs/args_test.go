package lvs

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/mondhq/mond/plugins/getopt"
)

func TestParseJob(t *testing.T) {
	for in, want := range map[string]string{
		"-P tcp -V 10.0.0.3:80 -R 192.168.0.1 -W 5 -F dr":   "-P tcp -V 10.0.0.3:80 -R 192.168.0.1:80 -W 5 -F dr",
		"-Pudp -V10.0.0.3:53 -R192.168.0.1 -W5 -Fnat":       "-P udp -V 10.0.0.3:53 -R 192.168.0.1:53 -W 5 -F nat",
		"-V 10.0.0.3:80 -R 192.168.0.1":                     "-P tcp -V 10.0.0.3:80 -R 192.168.0.1:80 -W 1 -F dr",
		"-V 10.0.0.3:80 -R 192.168.0.1:8080 -F masq":        "-P tcp -V 10.0.0.3:80 -R 192.168.0.1:8080 -W 1 -F nat",
		"-V [2001:db8::3]:80 -R 2001:db8::1 -F route -u":    "-P tcp -V [2001:db8::3]:80 -R [2001:db8::1]:80 -W 1 -F dr",
		"-V [2001:db8::3]:80 -R [2001:db8::1] -F gate":      "-P tcp -V [2001:db8::3]:80 -R [2001:db8::1]:80 -W 1 -F dr",
		"-V [2001:db8::3]:80 -R [2001:db8::1]:81 -F m":      "-P tcp -V [2001:db8::3]:80 -R [2001:db8::1]:81 -W 1 -F nat",
		"-V 10.0.0.3:80 -R 2001:db8::1 -F ipip":             "-P tcp -V 10.0.0.3:80 -R [2001:db8::1]:80 -W 1 -F tun",
		"-V fwmark:7 -R 192.168.0.1":                        "-V fwmark:7 -R 192.168.0.1 -W 1 -F dr",
		"-V fwmark:7 -R 2001:db8::1 -W 0":                   "-V fwmark:7 -R 2001:db8::1 -W 0 -F dr",
		"-V [::ffff:10.0.0.3]:80 -R 192.168.0.1 --table /t": "-P tcp -V 10.0.0.3:80 -R 192.168.0.1:80 -W 1 -F dr --table /t",
	} {
		j, err := parseJob(strings.Fields(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
		} else if got := strings.Join(j.words(), " "); got != want {
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
		"-V 10.0.0.3:0 -R 10.0.0.4":             "port 0",
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
		"-V 10.0.0.3:80 -R 10.0.0.4 -x":         "no such option",
		"-V 10.0.0.3:80 -R fe80::1%eth0 -F tun": "zone",
		"-V 10.0.0.3:80 -R 10.0.0.4 --table=":   "say a file",
	} {
		_, err := parseJob(strings.Fields(in))
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
	f.Fuzz(func(t *testing.T, text string) {
		j, err := parseJob(strings.Fields(text))
		if err != nil {
			return
		}
		again, err := parseJob(j.words())
		if err != nil || again != j {
			t.Fatalf("%q: %v is read as %v, %v", text, j.words(), again, err)
		}
	})
}

// The resident keeper is made without arguments, a mistake has some.
func TestValidate(t *testing.T) {
	for in, wrong := range map[string]bool{
		"":                           false,
		"-V 10.0.0.3:80 -R 10.0.0.4": false,
		"-V 10.0.0.3:80":             true,
		"word":                       true,
	} {
		fs := flag.NewFlagSet(Name, flag.ContinueOnError)
		a := New()(fs).(*lvsAlert)
		if _, err := getopt.Parse(fs, strings.Fields(in)); err != nil {
			t.Fatal(err)
		}
		if err := a.Validate(); (err != nil) != wrong {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestSockets(t *testing.T) {
	if got := sockets("/state"); !slices.Equal(got, []string{"/state/lvs.sock"}) {
		t.Errorf("with a state directory: %v", got)
	}
	if got := sockets(""); len(got) != 3 || got[0] != "/run/mond/lvs.sock" {
		t.Errorf("without: %v", got)
	}
}
