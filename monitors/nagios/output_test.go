package nagios

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestRead(t *testing.T) {
	for name, tt := range map[string]struct {
		in, text, long string
		perf           map[string]float64
	}{
		"empty":      {"", "", "", nil},
		"text":       {"OK - fine\n", "OK - fine", "", nil},
		"perf":       {"PING OK | rta=0.8ms;100;500;0 pl=0%;20;60;0;100\n", "PING OK", "", map[string]float64{"rta_ms": 0.8, "pl_percent": 0}},
		"long":       {"OK|a=1\none\ntwo\n", "OK", "one\ntwo\n", map[string]float64{"a": 1}},
		"long, perf": {"OK|a=1\none\ntwo | b=2c\nc=3 d=4KB\n", "OK", "one\ntwo\n", map[string]float64{"a": 1, "b_total": 2, "c": 3, "d_KB": 4}},
		"only there": {"OK\none|b=2\n", "OK", "one\n", map[string]float64{"b": 2}},
		"blank":      {"OK\n\n\n", "OK", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := read(tt.in)
			if o.text != tt.text || o.long != tt.long || !maps.Equal(perf(o.metrics), tt.perf) {
				t.Errorf("%+v", o)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"OK", "OK|a=1", "OK | 'a b'=1s;2;3;4;5\nlong\n| b=2", "|", "||", "|'", "|''''=1", "|a=,", "|=\x00\xff", "\n|\n|a=1e-999",
		"DISK OK - free space: / 3326 MB (56%); | /=2643MB;5948;5958;0;5968\n/ 15272 MB (77%);\n/boot 68 MB (69%);\n/home 69357 MB (27%);\n| /boot=68MB;88;93;0;98\n/home=69357MB;253404;253409;0;253414",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		o := read(in)
		if len(o.metrics) > maxMetrics || strings.Contains(o.text, "\n") || len(o.long) > len(in)+1 {
			t.Fatalf("%q: %+v", in, o)
		}
		for name, v := range perf(o.metrics) {
			if name == "" || !utf8.ValidString(name) || strings.ContainsAny(name, "\n\r") || math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%q: %q %v", in, name, v)
			}
		}
	})
}

func FuzzArgs(f *testing.F) {
	for _, seed := range []string{"", "-p 80", `-w '10 %' -c "a\"b" ''`, `\`, `'`, "é\\ x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var a, b args
		if !utf8.ValidString(in) || a.Set(in) != nil {
			return
		}
		if err := b.Set(a.String()); err != nil || !slices.Equal(a, b) {
			t.Fatalf("%q became %q, then %q (%v)", in, []string(a), []string(b), err)
		}
	})
}
