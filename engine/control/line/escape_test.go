package line

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestEscape compares with what the original made of the same bytes.
func TestEscape(t *testing.T) {
	text, err := os.ReadFile("testdata/esc.tsv")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		in, err := hex.DecodeString(f[0])
		if err != nil || len(f) != 3 {
			t.Fatal(f, err)
		}
		if got := string(appendEsc(nil, string(in), f[1] == "inquotes=1")); got != f[2] {
			t.Errorf("%q %s: %q, want %q", in, f[1], got, f[2])
		}
		n++
	}
	if n < 18 {
		t.Errorf("%d cases", n)
	}
}

// What is escaped has no blanks and quotes, and comes back as it was, unless it
// has backslashes.
func TestEscapeAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "s"))
		esc, escq := string(appendEsc(nil, s, false)), string(appendEsc(nil, s, true))
		if strings.ContainsAny(esc+escq, " \t\r\n\"'") {
			t.Errorf("%q %q", esc, escq)
		}
		if !strings.Contains(s, `\`) && (unescape(esc) != s || unescape(escq) != s) {
			t.Errorf("%q became %q %q", s, unescape(esc), unescape(escq))
		}
	})
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		`a\20b`: "a b", `\4`: `\4`, `\`: `\`, `\\`: `\\`, `\2`: `\2`, `\zz`: `\zz`, `\0A`: `\0A`, `\0a`: "\n", `\\20`: `\ `, `x\41\42`: "xAB",
	} {
		if got := unescape(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
