package toml

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/config"
)

// large is a mon.cf of n services, in watches of ten.
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

// The same 10,000 services in both languages.
func BenchmarkLoad10000(b *testing.B) {
	cf := []byte(large(10_000))
	f, _ := config.Parse("mon.cf", cf)
	text, diag := Format(f)
	if diag.HasErrors() {
		b.Fatal(printed(diag))
	}
	for _, lang := range []struct {
		name string
		src  []byte
		read config.Reader
	}{{"mon.cf", cf, config.Parse}, {"toml", text, Parse}} {
		b.Run(lang.name, func(b *testing.B) {
			b.SetBytes(int64(len(lang.src)))
			b.ReportAllocs()
			for b.Loop() {
				f, diag := lang.read("f", lang.src)
				whole, more := config.Expand(b.Context(), f, bare())
				c, again := config.Resolve(whole, bare())
				if len(diag)+len(more)+len(again) > 0 || len(c.Services) != 10_000 {
					b.Fatal(printed(append(append(diag, more...), again...)))
				}
			}
		})
	}
}
