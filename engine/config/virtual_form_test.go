package config

import (
	"fmt"
	"strings"
	"testing"
)

// Two virtual services that check the same real in the same way have one service
// of it; where what a parameter stands for makes a difference it is told.
func TestSharedChecks(t *testing.T) {
	const pool = "\nvirtual %s\n    address tcp 10.0.0.%d:%d\n    real 192.168.0.1 weight %d name www\n    check alive\n        interval 10s\n        monitor %s\n"
	for _, tt := range []struct {
		monitor      string
		port, weight int // of the second
		other        string
		differs      bool
	}{
		{monitor: "http.monitor -u /", port: 443, weight: 7},
		{monitor: "http.monitor -p $port", port: 80, weight: 7},
		{monitor: "http.monitor -p $port", port: 443, weight: 5, differs: true},
		{monitor: "http.monitor -p ${port} -u /$$", port: 443, weight: 5, differs: true},
		{monitor: "http.monitor -u /$weight", port: 443, weight: 5},
		{monitor: "http.monitor -u /$weight", port: 80, weight: 7, differs: true},
		{monitor: "http.monitor -u /$real/$name/$watch/$host", port: 443, weight: 7},
		{monitor: "http.monitor -u /$virtual", port: 80, weight: 5, differs: true},
		{monitor: "http.monitor -u /$vip", port: 80, weight: 5, differs: true},
		{monitor: "http.monitor -u /", port: 80, weight: 5, other: "http.monitor -u /a", differs: true},
		{monitor: "http.monitor -u 80", port: 80, weight: 5, other: "http.monitor -u $port"},
	} {
		if tt.other == "" {
			tt.other = tt.monitor
		}
		src := "syntax = mond\n" + fmt.Sprintf(pool, "one", 3, 80, 5, tt.monitor) + fmt.Sprintf(pool, "two", 4, tt.port, tt.weight, tt.other)
		f, diag := Parse("mon.cf", []byte(src))
		f, more := Expand(t.Context(), f, bare())
		c, most := Resolve(f, bare())
		text := printed(append(append(diag, more...), most...))
		if differs := strings.Contains(text, "differs from that of virtual one"); differs != tt.differs {
			t.Errorf("%s beside %s, port %d, weight %d: differs %v, want %v\n%s", tt.monitor, tt.other, tt.port, tt.weight, differs, tt.differs, text)
		}
		if want := 3; !tt.differs && (len(c.Services) != want || len(diag)+len(more) > 0) {
			t.Errorf("%s beside %s: %d services, want %d\n%s", tt.monitor, tt.other, len(c.Services), want, text)
		}
	}
}
