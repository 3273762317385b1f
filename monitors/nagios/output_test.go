package nagios

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
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

func TestPerf(t *testing.T) {
	for in, want := range map[string]map[string]float64{
		"":                                      nil,
		"   ":                                   nil,
		"time=0,003s;;;0,000":                   {"time_s": 0.003},
		"a=1,234.5":                             {"a": 1234.5},
		"'a b'=1":                               {"a b": 1},
		"'it''s = here'=2MB;;;0;9":              {"it's = here_MB": 2},
		"/=1234MB;2000;3000;0;4000 /home=5GB":   {"/_MB": 1234, "/home_GB": 5},
		"'C:\\ used'=1.5%":                      {`C:\ used_percent`: 1.5},
		"load1=-0.5;; load5=+1e3;1:5;@10:20;;":  {"load1": -0.5, "load5": 1000},
		"x=5EB":                                 {"x_EB": 5},
		"y=2E":                                  {"y_E": 2},
		"u=U v=1":                               {"v": 1},
		"junk v=1":                              {"v": 1},
		"=1 v=2":                                {"v": 2},
		"''=1 v=2":                              {"v": 2},
		"'open=1 v=2":                           nil,
		"'a'b=1 v=2":                            {"v": 2},
		"a= b=; c=;1 d=.5":                      {"d": 0.5},
		"a=1e999 b=NaN c=Inf d=0x10":            {"d_x10": 0},
		"a=1\tb=2\r\nc=3":                       {"a": 1, "b": 2, "c": 3},
		"a=1 a=2":                               {"a": 2},
		"multi::ping::rta=1us;2":                {"multi::ping::rta_us": 1},
		"größe=1":                               {"größe": 1},
		strings.Repeat("a=1 ", 1000) + "z=1":    {"a": 1},
		"'" + strings.Repeat("'", 5000) + "'=1": {strings.Repeat("'", 2500): 1},
	} {
		if diff := cmp.Diff(want, perf(parsePerf(in))); diff != "" {
			t.Errorf("%.60q: %s", in, diff)
		}
	}
}

// Whatever is written by the guidelines is read back.
func TestPerfProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.StringMatching(`[a-zA-Z0-9 /=:'_%-]{1,20}`).Draw(t, "label")
		value := rapid.Float64Range(-1e12, 1e12).Draw(t, "value")
		unit := rapid.SampledFrom([]string{"", "s", "ms", "us", "%", "B", "MB", "c"}).Draw(t, "unit")
		figure := strings.ToUpper(formatted(value))
		if rapid.Bool().Draw(t, "comma") {
			figure = strings.Replace(figure, ".", ",", 1)
		}
		limits := rapid.SampledFrom([]string{"", ";", ";1;2", ";1:2;~:3;0;9", ";;;;"}).Draw(t, "limits")
		word := "'" + strings.ReplaceAll(label, "'", "''") + "'=" + figure + unit + limits
		want := []metric{{label, unit, value}, {"next", "", 1}}
		if got := parsePerf(word + " next=1"); !slices.Equal(got, want) {
			t.Fatalf("%s: %+v", word, got)
		}
	})
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

func formatted(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
