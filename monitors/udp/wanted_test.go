package udp

import (
	"strings"
	"testing"
)

func TestWanted(t *testing.T) {
	long := serve(t, "127.0.0.1:0", func(int, []byte) []string { return []string{strings.Repeat("x", 16384)} })
	bytes := serve(t, "127.0.0.1:0", func(int, []byte) []string { return []string{"\x0a\xbc\x1f\x00"} })
	for name, tt := range map[string]struct {
		port    uint16
		options string
		ok      bool
		want    string
	}{
		"begins":         {bytes, "--expect-hex 0abc", true, "answered 4 bytes"},
		"any digits":     {bytes, "--expect-hex 0a:xX:1X", true, "answered 4 bytes"},
		"another":        {bytes, "--expect-hex 0abd -t 1 -r 0", false, `the answer does not begin with 0abd: "\n\xbc`},
		"too short":      {bytes, "--expect-hex 0abc1f00ff -t 1 -r 0", false, "the answer does not begin with 0abc1f00ff"},
		"least":          {bytes, "--min-length 4", true, "answered 4 bytes"},
		"too few":        {bytes, "--min-length 5 -t 1 -r 0", false, "the answer has 4 bytes, --min-length is 5"},
		"most":           {bytes, "--max-length 4", true, "answered 4 bytes"},
		"too many":       {bytes, "--max-length 3 -t 1 -r 0", false, "the answer has more bytes than --max-length 3"},
		"as long as any": {long, "--max-length 16383 -t 1 -r 0", false, "the answer has more bytes than --max-length 16383"},
		"together":       {bytes, "--expect-hex 0a --min-length 4 --max-length 4 -e \\x1f", true, "answered 4 bytes"},
		"must come":      {closed(t), "--min-length 0 -t 1 -r 0", false, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, "127.0.0.1", tt.port, strings.Fields(tt.options)...)
			if r.Blind() || r.Failing() == tt.ok || !strings.Contains(r.Detail, tt.want) {
				t.Errorf("%v, exit %d: %s", r.Cause, r.Exit, r.Detail)
			}
		})
	}
}

func TestNibbles(t *testing.T) {
	for text, want := range map[string]string{
		"0A": "0a", "xx": "XX", "1x x2": "1XX2", "0a:bc": "0abc",
		"0": "!", "": "!", "0g": "!", "0a-": "!",
	} {
		var n nibbles
		err := n.Set(text)
		if want == "!" && err == nil || want != "!" && (err != nil || n.String() != want) {
			t.Errorf("%q: %q, %v", text, n.String(), err)
		}
	}
	for _, args := range [][]string{{"--min-length", "5", "--max-length", "4"}, {"--expect-hex", "0a0b", "--max-length", "1"}, {"--min-length", "-1"}, {"--max-length", "16384"}} {
		if _, err := configure(append([]string{"-p", "1"}, args...)...); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}

func FuzzNibbles(f *testing.F) {
	for _, seed := range []string{"0a", "xX:1f", "0", "\xff\xff"} {
		f.Add(seed, []byte("\x0a"))
	}
	f.Fuzz(func(t *testing.T, text string, b []byte) {
		var n, again nibbles
		if n.Set(text) != nil {
			return
		}
		if again.Set(n.String()) != nil || n.match(b) != again.match(b) || n.match(b) && len(b) < len(n) {
			t.Errorf("%q is %q", text, n.String())
		}
	})
}
