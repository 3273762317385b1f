package perfdata

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// named are metrics by their names.
func named(metrics []Metric) map[string]float64 {
	if len(metrics) == 0 {
		return nil
	}
	p := map[string]float64{}
	for _, m := range metrics {
		p[m.Name()] = m.Value
	}
	return p
}

func TestParse(t *testing.T) {
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
		if diff := cmp.Diff(want, named(Parse(in, 64))); diff != "" {
			t.Errorf("%.60q: %s", in, diff)
		}
	}
}

// Whatever is written by the guidelines is read back.
func TestParseProperty(t *testing.T) {
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
		want := []Metric{{label, unit, value}, {"next", "", 1}}
		if got := Parse(word+" next=1", 2); !slices.Equal(got, want) {
			t.Fatalf("%s: %+v", word, got)
		}
	})
}

func formatted(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// none is what a figure is that is not there.
func none() float64 { return math.NaN() }

func wantFigure(t *testing.T, what string, v float64, ok bool, want float64) {
	t.Helper()
	if ok == math.IsNaN(want) || ok && v != want {
		t.Errorf("%s: %v %v, want %v", what, v, ok, want)
	}
}

// A figure is found by its label, with whatever unit, and by its whole name.
func TestLookup(t *testing.T) {
	figures := named(Parse("load=1 'free space'=2MB used=30% hits=4c rta=0.5ms temperature=21C 'it''s'=6", 64))
	for label, want := range map[string]float64{
		"load": 1, "free space": 2, "used": 30, "hits": 4, "rta": 0.5, "it's": 6,
		"temperature_C": 21, "free space_MB": 2, "used_percent": 30, "temperature": none(), "free": none(), "": none(),
	} {
		v, ok := Lookup(figures, label)
		wantFigure(t, label, v, ok, want)
	}
	if _, ok := Lookup(nil, "load"); ok {
		t.Error("found among none")
	}
}

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		text, label string
		want        float64
	}{
		{"load=0.5", "load", 0.5},
		{"OK (load=2) fine", "load", 2},
		{"OK|load=3;4;5", "load", 3},
		{"load=1,5", "load", 1.5},
		{"load=3, other=4", "load", 3},
		{"other=3,load=4", "load", 4},
		{"one\nload=-2%\n", "load", -2},
		{"load=1e3", "load", 1000},
		{"load=5EB", "load", 5},
		{"'free space'=7MB", "free space", 7},
		{"free space=7MB", "free space", 7},
		{"'it''s a load'=8", "it's a load", 8},
		{"free space='free space'=9", "free space", none()},
		{"a'free space'=9", "free space", none()},
		{"upload=9", "load", none()},
		{"upload=9 load=1", "load", 1},
		{"load=load=4", "load", none()},
		{"load=U load=6", "load", 6},
		{"load =5", "load", none()},
		{"load=1.2.3", "load", none()},
		{"load=x", "load", none()},
		{"load=", "load", none()},
		{"load", "load", none()},
		{"", "load", none()},
	} {
		v, ok := Find(tt.text, tt.label)
		wantFigure(t, tt.label+" in "+tt.text, v, ok, tt.want)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "a=1", "'a b'=1s;2;3;4;5 a=2", "'", "''''=1", "a=,", "=\x00\xff", "a=1e-999"} {
		f.Add(seed, "a")
	}
	f.Fuzz(func(t *testing.T, in, label string) {
		all := Parse(in, 3)
		if len(all) > 3 {
			t.Fatalf("%q: %+v", in, all)
		}
		for _, m := range all {
			if m.Label == "" || !utf8.ValidString(m.Name()) || strings.ContainsAny(m.Name(), "\n\r") || math.IsNaN(m.Value) || math.IsInf(m.Value, 0) {
				t.Fatalf("%q: %+v", in, m)
			}
		}
		if v, ok := Find(in, label); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
			t.Fatalf("%q of %q: %v", label, in, v)
		}
	})
}
