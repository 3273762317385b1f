package escape_test

import (
	"strings"
	"testing"

	"github.com/mondhq/mond/monitors/tcp/escape"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		``:              "",
		`QUIT\r\n`:      "QUIT\r\n",
		`a\tb\0\\`:      "a\tb\x00\\",
		`\x00\xfF\x7e`:  "\x00\xff~",
		`plain text äö`: "plain text äö",
	} {
		var got escape.Text
		if err := got.Set(in); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v", in, got, err)
		}
	}
	for _, in := range []string{`\`, `a\`, `\x`, `\x1`, `\xg0`, `\q`, `\ä`} {
		var got escape.Text
		if err := got.Set(in); err == nil {
			t.Errorf("%s: no error, %q", in, got)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{``, `QUIT\r\n`, `\x00\xff`, `\`, `ä\t\\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var a, b escape.Text
		if a.Set(in) != nil {
			return
		}
		if err := b.Set(a.String()); err != nil || string(a) != string(b) {
			t.Fatalf("%q became %q, then %q (%v)", in, a, b, err)
		}
	})
}

func TestShow(t *testing.T) {
	for in, want := range map[string]string{
		"":                        `""`,
		"a\n\x00\xff":             `"a\n\x00\xff"`,
		strings.Repeat("x", 80):   `"` + strings.Repeat("x", 80) + `"`,
		strings.Repeat("x", 1000): `"` + strings.Repeat("x", 80) + `"...`,
	} {
		if got := escape.Show([]byte(in)); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
}
