package config

import (
	"fmt"
	"strings"
	"testing"
)

// large is a file of n services, in watches of ten.
func large(n int) string {
	var b strings.Builder
	b.WriteString("alertdir = /usr/lib/mon/alert.d\nmondir = /usr/lib/mon/mon.d\n\n")
	for g := range n / 10 {
		fmt.Fprintf(&b, "hostgroup g%d host%d.example other%d.example\n\nwatch g%d\n", g, g, g, g)
		for s := range 10 {
			fmt.Fprintf(&b, "    service s%d\n        description service %d\n        interval 10s\n", s, s)
			b.WriteString("        monitor http.monitor -p 80 -u \"/a b\"\n        period wd {Mon-Fri} hr {9am-4pm}\n")
			b.WriteString("            alertevery 1h\n            alert mail.alert root\n            upalert mail.alert root\n")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func BenchmarkLoad10000(b *testing.B) {
	src := []byte(large(10_000))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		f, diag := Parse("mon.cf", src)
		c, more := Resolve(f, bare())
		if len(diag)+len(more) > 0 || len(c.Services) != 10_000 {
			b.Fatal(printed(append(diag, more...)))
		}
	}
}
