package keepalived

import (
	"fmt"
	"strings"
	"testing"
)

// large is a file of so many virtual servers with ten real servers each.
func large(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "virtual_server 10.%d.%d.1 80 {\n lvs_sched wlc\n lvs_method NAT\n protocol TCP\n delay_loop 5\n", i/256, i%256)
		for j := range 10 {
			fmt.Fprintf(&b, " real_server 10.%d.%d.%d 80 {\n  weight 1\n  HTTP_GET {\n   url {\n    path /\n   }\n  }\n }\n", i/256, i%256, j+2)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func BenchmarkRead(b *testing.B) {
	for _, c := range []struct{ name, src string }{
		{"1000 virtual servers", large(1000)},
		{"100000 unknown words", strings.Repeat("virtual_serverx\n", 100000)},
		{"100000 losses", "global_defs {\n" + strings.Repeat("lvs_flush\n", 100000) + "}\n"},
		{"20000 checks of one host", site("", "$C=TCP_CHECK { \\\n delay_loop ${N} \\\n }\n~SEQ(N, 1, 20000) $C\n")},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				read(c.src)
			}
		})
	}
}
