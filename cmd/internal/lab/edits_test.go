package lab

import (
	"slices"
	"strings"
	"testing"
)

// Every kind of row, by lvs.alert as mon runs it: put in, put in again and
// taken out, with the writes that the kernel saw.
func TestEdits(t *testing.T) {
	newCluster(t)
	tape := newTape(t)
	for _, row := range []struct{ name, virtual, args, want string }{
		{"dr", "-t 10.0.0.5:80", "-P tcp -V 10.0.0.5:80 -R 192.168.0.1 -W 5 -F dr", "-r 192.168.0.1:80 -g -w 5"},
		{"nat", "-t 10.0.0.5:81", "-P tcp -V 10.0.0.5:81 -R 192.168.0.1:8080 -W 65535 -F nat", "-r 192.168.0.1:8080 -m -w 65535"},
		{"tun", "-t 10.0.0.5:82", "-P tcp -V 10.0.0.5:82 -R 192.168.0.1 -W 0 -F tun", "-r 192.168.0.1:82 -i -w 0 --tun-type ipip"},
		{"udp", "-u 10.0.0.5:53", "-P udp -V 10.0.0.5:53 -R 192.168.0.1 -W 5 -F dr", "-r 192.168.0.1:53 -g -w 5"},
		{"IPv6 dr", "-t [2001:db8::5]:80", "-P tcp -V [2001:db8::5]:80 -R 2001:db8::1 -W 5 -F dr", "-r [2001:db8::1]:80 -g -w 5"},
		{"IPv6 udp tun", "-u [2001:db8::5]:53", "-P udp -V [2001:db8::5]:53 -R 2001:db8::1 -W 5 -F tun", "-r [2001:db8::1]:53 -i -w 5 --tun-type ipip"},
		{"IPv4 by IPv6", "-t 10.0.0.5:83", "-P tcp -V 10.0.0.5:83 -R 2001:db8::1 -W 5 -F tun", "-r [2001:db8::1]:83 -i -w 5 --tun-type ipip"},
	} {
		t.Run(row.name, func(t *testing.T) {
			director.run(t, "ipvsadm -A "+row.virtual+" -s rr")
			empty := table(t)
			full := slices.Sorted(slices.Values(append(slices.Clone(empty), "-a "+row.virtual+" "+row.want)))
			tape.writes(t)
			alert(t, "-u "+row.args)
			tape.wantWrites(t, newDest)
			wantTable(t, full)
			alert(t, "-u "+row.args)
			tape.wantWrites(t)
			alert(t, row.args)
			tape.wantWrites(t, delDest)
			wantTable(t, empty)
		})
	}
}

func wantTable(t *testing.T, want []string) {
	t.Helper()
	if got := table(t); !slices.Equal(got, want) {
		t.Errorf("the table is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// alert runs lvs.alert as mon does, on the director.
func alert(t *testing.T, args string) {
	t.Helper()
	director.run(t, program(t, "plugins/lvs.alert")+" -s http -g www1 -h www1.domain.com -t 1 "+args)
}

// Clients are served through rows that lvs.alert made, however the packets
// travel.
func TestForwarding(t *testing.T) {
	newCluster(t)
	director.run(t, "ipvsadm -A -t [2001:db8::3]:80 -s rr")
	const http = "-P tcp -V 10.0.0.3:80 -R 192.168.0.1 -W 5 -F "
	const http6, url6 = "-P tcp -V [2001:db8::3]:80 -R 2001:db8::1 -F ", "http://[2001:db8::3]/"
	for _, kind := range []struct{ name, args, url, route, unroute string }{
		{"dr", http + "dr", virtualURL, "", ""},
		{"tun", http + "tun", virtualURL, "", ""},
		{"nat", http + "nat", virtualURL, "route replace 10.0.0.0/24 via 192.168.0.254", "route replace 10.0.0.0/24 dev eth0"},
		{"IPv6 dr", http6 + "dr", url6, "", ""},
		{"IPv6 tun", http6 + "tun", url6, "", ""},
		{"IPv6 nat", http6 + "nat", url6, "-6 route replace 2001:db8::100/128 via 2001:db8::254", "-6 route delete 2001:db8::100/128"},
	} {
		t.Run(kind.name, func(t *testing.T) {
			if kind.route != "" {
				rs1.run(t, "ip "+kind.route)
				defer rs1.run(t, "ip "+kind.unroute)
			}
			alert(t, "-u "+kind.args)
			wantAnswers(t, kind.url, 5, rs1)
			alert(t, kind.args)
		})
	}
}
