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

// templated is a file of n services that are made of templates, in watches of
// ten.
func templated(n int) string {
	var b strings.Builder
	b.WriteString("syntax = mond\nalertdir = /usr/lib/mon/alert.d\nmondir = /usr/lib/mon/mon.d\n\ntemplate web name\n    service $name\n        description service $name of $watch\n        interval 10s\n")
	b.WriteString("        monitor http.monitor -p 80 -u \"/a b\"\n        use people\n\ntemplate people to=root\n    period wd {Mon-Fri} hr {9am-4pm}\n        alertevery 1h\n        alert mail.alert $to\n        upalert mail.alert $to\n\n")
	for g := range n / 10 {
		fmt.Fprintf(&b, "hostgroup g%d host%d.example other%d.example\n\nwatch g%d\n", g, g, g, g)
		for s := range 10 {
			fmt.Fprintf(&b, "    use web name=s%d\n", s)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func BenchmarkExpand10000(b *testing.B) {
	src := []byte(templated(10_000))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		f, diag := Parse("mon.cf", src)
		f, more := Expand(b.Context(), f, bare())
		c, most := Resolve(f, bare())
		if len(diag)+len(more)+len(most) > 0 || len(c.Services) != 10_000 {
			b.Fatal(printed(append(append(diag, more...), most...)))
		}
	}
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

// pooled is a file of n virtual services of ten reals each, with two checks:
// one that they share and one of their own.
func pooled(n int) string {
	var b strings.Builder
	b.WriteString("syntax = mond\nalertdir = /usr/lib/mon/alert.d\nmondir = /usr/lib/mon/mon.d\n\n")
	for v := range n {
		fmt.Fprintf(&b, "virtual v%d\n    address tcp 10.%d.%d.3:80\n    quorum 3\n    drain 10m\n", v, v/250, v%250)
		for r := range 10 {
			fmt.Fprintf(&b, "    real 192.%d.%d.%d weight 5\n", v/250, v%250, r+1)
		}
		b.WriteString("    period wd {Mon-Fri} hr {9am-4pm}\n        alert mail.alert root\n")
		b.WriteString("    check http\n        interval 10s\n        fall 3\n        monitor http.monitor -p $port -u \"/a b\"\n        period\n            alert mail.alert root\n")
		b.WriteString("    check ping\n        monitor fping.monitor\n\n")
	}
	return b.String()
}

func BenchmarkVirtual1000(b *testing.B) {
	src := []byte(pooled(1000))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		f, diag := Parse("mon.cf", src)
		f, more := Expand(b.Context(), f, bare())
		c, most := Resolve(f, bare())
		if len(diag)+len(more)+len(most) > 0 || len(c.Services) != 21_000 || len(c.Virtuals) != 1000 {
			b.Fatal(printed(append(append(diag, more...), most...)))
		}
	}
}

// shared is a file of n virtual services of the same ten reals each, which are
// looked at once for all of them.
func shared(n int) string {
	var b strings.Builder
	b.WriteString("syntax = mond\nalertdir = /usr/lib/mon/alert.d\nmondir = /usr/lib/mon/mon.d\n\ntemplate all\n    scheduler wlc\n")
	for r := range 10 {
		fmt.Fprintf(&b, "    real 192.168.0.%d weight 5\n", r+1)
	}
	b.WriteString("    check http\n        interval 10s\n        fall 3\n        monitor http.monitor -p $port -u /\n")
	for v := range n {
		fmt.Fprintf(&b, "\nvirtual v%d\n    address tcp 10.%d.%d.3:80\n    use all\n", v, v/250, v%250)
	}
	return b.String()
}

func BenchmarkVirtualShared1000(b *testing.B) {
	src := []byte(shared(1000))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		f, diag := Parse("mon.cf", src)
		f, more := Expand(b.Context(), f, bare())
		c, most := Resolve(f, bare())
		if len(diag)+len(more)+len(most) > 0 || len(c.Services) != 1010 || len(c.Virtuals) != 1000 {
			b.Fatal(len(c.Services), printed(append(append(diag, more...), most...)))
		}
	}
}
