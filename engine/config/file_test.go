package config

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A file that was not read from a mon.cf is written as one, and read back as
// it was meant.
func TestAppend(t *testing.T) {
	f := &File{Name: "new"}
	f.Append(KindComment, "", "made by hand\nand by machine")
	f.Append(KindGlobal, "maxprocs", "20")
	f.Append(KindGlobal, "pidfile", "")
	f.Append(KindBlank, "", "")
	f.Append(KindTop, "hostgroup", "g a b")
	f.Append(KindMember, "", "c")
	f.Append(KindBlank, "", "")
	f.Append(KindTop, "watch", "g")
	f.Append(KindService, "service", "s")
	f.Append(KindEnv, "FOO", "bar")
	f.Append(KindService, "interval", "10s")
	f.Append(KindService, "monitor", `x.monitor "a b" \`)
	f.Append(KindService, "period", "")
	f.Append(KindPeriod, "alert", "mail.alert root")
	const want = `# made by hand and by machine
maxprocs = 20
pidfile =

hostgroup g a b
    c

watch g
    service s
        FOO=bar
        interval 10s
        monitor x.monitor "a b"
        period
            alert mail.alert root
`
	var b bytes.Buffer
	if _, err := f.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Fatal(diff)
	}
	again, diag := Parse("new", b.Bytes())
	if len(diag) > 0 {
		t.Fatal(printed(diag))
	}
	for i := range f.Statements {
		a, b := f.Statements[i], again.Statements[i]
		if a.Kind != b.Kind || a.Kind != KindComment && (a.Name != b.Name || a.Text != b.Text) {
			t.Errorf("%s %q %q was read back as %s %q %q", a.Kind, a.Name, a.Text, b.Kind, b.Name, b.Text)
		}
	}
	if c, diag := Resolve(f, bare()); len(diag) > 0 || c.Services[0].Monitor == nil {
		t.Error(printed(diag))
	}
}

// Whatever text is appended, it stays one statement.
func TestAppendedStaysOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, _ := Parse("f", []byte("watch g\n service s"))
		f.Append(KindService, "description", rapid.StringOf(rapid.SampledFrom([]rune("ab \\\r\n\t#\"'ä"))).Draw(t, "text"))
		f.Append(KindService, "interval", "10s")
		again, _ := Parse("f", f.Bytes())
		if len(again.Statements) != 4 || again.Statements[3].Name != "interval" {
			t.Fatalf("%q", f.Bytes())
		}
		if got, want := again.Statements[2].Text, f.Statements[2].Text; got != want {
			t.Fatalf("%q was read back as %q", want, got)
		}
	})
}

// Statements may come in any order from a program; nothing is taken for
// something else.
func TestResolveAnyOrder(t *testing.T) {
	words := newIndex(true)
	rapid.Check(t, func(t *rapid.T) {
		f := &File{Name: "f"}
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			k := rapid.SampledFrom(words.all).Draw(t, "keyword")
			kind := rapid.SampledFrom([]Kind{KindBlank, KindGlobal, KindTop, KindMember, KindService, KindPeriod, KindEnv, KindBad, Kind(99)}).Draw(t, "kind")
			f.Append(kind, k.Name, rapid.SampledFrom([]string{"", "a", "g a b", "10s", "1", "SELF:a", "none", "a: hr {1}"}).Draw(t, "text"))
		}
		c, diag := Resolve(f, bare())
		for range c.Commands() {
		}
		_ = printed(diag)
	})
}

func TestDiagnose(t *testing.T) {
	f, _ := Parse("f", []byte("a = 1\n\nwatch w\n service s\n  monitor x \\\n     -p 80\n"))
	d := f.Diagnose(Error, Pos{File: "f", Line: 6, Col: 9}, "no such port", "")
	if diff := cmp.Diff("f:6:9: error: no such port\n         -p 80\n            ^\n", printed(Diagnostics{d})); diff != "" {
		t.Error(diff)
	}
	for _, pos := range []Pos{
		{}, {File: "f"}, {File: "f", Line: 99, Col: 1}, {File: "g", Line: 1, Col: 1}, {File: "f", Line: 1, Col: 9999}, {File: "f", Line: 2},
	} {
		if got := printed(Diagnostics{f.Diagnose(Warning, pos, "m", "")}); !strings.HasPrefix(got, pos.String()+": warning: m\n") {
			t.Errorf("%v: %q", pos, got)
		}
	}
}
