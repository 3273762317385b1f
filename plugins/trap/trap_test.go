package trap

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestPacket compares with the packet that Mon::Client was seen to send.
func TestPacket(t *testing.T) {
	trap := Trap{
		User: "u'x", Password: "p w", Group: "db", Service: "trap", Status: 3, HasStatus: true,
		Time: time.Unix(1700000000, 0), Summary: "a \"b\" c\\d", Detail: "one\ntwo\xc3\xa9",
	}
	want := "pro='0.3807'\nusr='u\\27x'\npas='p\\20w'\nspc='0'\nseq='0'\ntyp='trap'\ngrp='db'\nsvc='trap'\nsta='3'\nspc='0'\n" +
		"tsp='1700000000'\nsum='a\\20\\22b\\22\\20c\\\\d'\ndtl='one\\0atwo\\c3\\a9'\n"
	if d := cmp.Diff(want, string(trap.Append(nil))); d != "" {
		t.Error(d)
	}
	trap.User = ""
	if b := trap.Append(nil); bytes.Contains(b, []byte("pas=")) || bytes.Contains(b, []byte(`p\20w`)) {
		t.Errorf("a password without a user is sent: %s", b)
	}
}

// TestEscapes are the cases that were taken from mon's own function.
func TestEscapes(t *testing.T) {
	rows := []struct{ text, want string }{
		{"a b", `a\20b`},
		{"tab\t", `tab\09`},
		{"nl\n", `nl\0a`},
		{"q'q", `q\27q`},
		{`d"d`, `d\22d`},
		{`back\slash`, `back\\slash`},
		{"\x7f", `\7f`},
		{"\u00e9", `\c3\a9`},
		{"~!@#$%^&*()", "~!@#$%^&*()"},
		{"=", "="},
	}
	for _, r := range rows {
		t.Run(r.want, func(t *testing.T) {
			if got := string(escape(nil, r.text)); got != r.want {
				t.Errorf("%q gives %s", r.text, got)
			}
			if got := unescape([]byte(r.want)); got != r.text {
				t.Errorf("%s gives %q", r.want, got)
			}
		})
	}
	for text, want := range map[string]string{`\`: `\`, `\2`: `\2`, `\2G`: `\2G`, `\2A`: `\2A`, `\\20`: `\20`, `\\\20`: `\ `} {
		if got := unescape([]byte(text)); got != want {
			t.Errorf("%s gives %q, want %q", text, got, want)
		}
	}
}

func TestWrittenIsRead(t *testing.T) {
	text := rapid.StringN(0, 40, 200)
	bytes := rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) })
	rapid.Check(t, func(t *rapid.T) {
		want := Trap{
			Protocol: Protocol, User: "u" + text.Draw(t, "user"), Password: bytes.Draw(t, "password"), Type: "t" + text.Draw(t, "type"),
			Sequence: int(rapid.Int32().Draw(t, "seq")), Group: text.Draw(t, "group"), Service: bytes.Draw(t, "service"), Host: text.Draw(t, "host"),
			Status: int(rapid.Int32().Draw(t, "status")), HasStatus: true, OpStatus: rapid.IntRange(0, 9).Draw(t, "opstatus"),
			Time: time.Unix(rapid.Int64Range(0, 1<<40).Draw(t, "time"), 0), Summary: bytes.Draw(t, "summary"), Detail: bytes.Draw(t, "detail"),
		}
		got, problems := Parse(want.Append(nil))
		if d := cmp.Diff(want, got); d != "" || len(problems) > 0 || got.Check() != nil {
			t.Errorf("%v %v\n%s", problems, got.Check(), d)
		}
	})
}

func TestParseWhatOthersSend(t *testing.T) {
	rows := []struct {
		name, packet string
		want         Trap
		problems     []string
		err          error
	}{
		{"without quotes", "pro=0.3807\ngrp=db\nsvc=trap\nsta=1", Trap{Protocol: "0.3807", Group: "db", Service: "trap", Status: 1, HasStatus: true, OpStatus: -1}, nil, nil},
		{"one quote", "pro=0.4\ngrp='db\nsta='3", Trap{Protocol: "0.4", Group: "'db", Status: 3, HasStatus: true, OpStatus: -1}, nil, nil},
		{"carriage returns", "pro='1'\r\nsta='0'\r\n", Trap{Protocol: "1", HasStatus: true, OpStatus: -1}, nil, nil},
		{"the last counts", "pro=1\nsta=1\nsta=0\n", Trap{Protocol: "1", HasStatus: true, OpStatus: -1}, nil, nil},
		{"an equals sign", "pro=1\nsta=1\nsum='a=b'\n", Trap{Protocol: "1", Status: 1, HasStatus: true, OpStatus: -1, Summary: "a=b"}, nil, nil},
		{"odd lines", "pro=1\nhello\n=x\na b=c\nxyz=1\nsta=2\ntsp=now\nspc=x\naut=1\n\nseq=\n",
			Trap{Protocol: "1", Status: 2, HasStatus: true, OpStatus: -1},
			[]string{`line 2: "hello" is not TAG='VALUE'`, `line 3: "=x" is not TAG='VALUE'`, `line 4: "a b=c" is not TAG='VALUE'`, `line 5: there is no tag "xyz"`, `line 7: time: "now" is no number of seconds`, `line 8: opstatus: "x" is no number`, `line 11: sequence: "" is no number`}, nil},
		{"nothing", "", Trap{OpStatus: -1}, nil, ErrProtocol},
		{"old", "pro=0.38\nsta=1", Trap{Protocol: "0.38", Status: 1, HasStatus: true, OpStatus: -1}, nil, ErrProtocol},
		{"not a number", "pro=NaN\nsta=1", Trap{Protocol: "NaN", Status: 1, HasStatus: true, OpStatus: -1}, nil, ErrProtocol},
		{"no status", "pro=0.3807\n", Trap{Protocol: "0.3807", OpStatus: -1}, nil, ErrStatus},
		{"a status that is 0 somehow", "pro=0.3807\nsta='0\n", Trap{Protocol: "0.3807", OpStatus: -1}, []string{`line 2: status: "'0" is not 0`}, ErrStatus},
		{"a status in words", "pro=0.3807\nsta=0 errors\n", Trap{Protocol: "0.3807", OpStatus: -1}, []string{`line 2: status: "0 errors" is not 0`}, ErrStatus},
		{"a status with words", "pro=0.3807\nsta=3 errors\n", Trap{Protocol: "0.3807", Status: 3, HasStatus: true, OpStatus: -1}, nil, nil},
		{"a status that is none", "pro=0.3807\nsta=ok\n", Trap{Protocol: "0.3807", OpStatus: -1}, []string{`line 2: status: "ok" is no number`}, ErrStatus},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			got, problems := Parse([]byte(r.packet))
			var said []string
			for _, p := range problems {
				said = append(said, p.String())
			}
			if d := cmp.Diff(r.want, got) + cmp.Diff(r.problems, said); d != "" {
				t.Error(d)
			}
			if err := got.Check(); !errors.Is(err, r.err) {
				t.Errorf("check says %v", err)
			}
		})
	}
	_, problems := Parse([]byte(strings.Repeat("x\n", 1000)))
	if len(problems) != maxProblems {
		t.Errorf("%d problems are told", len(problems))
	}
}

func TestFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(160, 400).Draw(t, "limit")
		text := func(name string) string {
			return string(rapid.SliceOfN(rapid.SampledFrom([]byte("a \\\n\xff")), 0, 300).Draw(t, name))
		}
		trap := Trap{Group: "g", Service: "s", Summary: text("summary"), Detail: text("detail")}
		cut := trap.Fit(limit)
		size := len(cut.Append(nil))
		if size > limit {
			t.Errorf("%d bytes are more than %d", size, limit)
		}
		if len(trap.Append(nil)) <= limit && cut != trap {
			t.Errorf("cut without need: %+v", cut)
		}
		if cut.Detail != trap.Detail && (size < limit-6 && cut.Detail != "") {
			t.Errorf("%d bytes of %d are used", size, limit)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("pro='0.3807'\nusr=''\nspc='0'\nseq='0'\ntyp='trap'\ngrp='db'\nsvc='trap'\nsta='3'\nspc='0'\ntsp='1'\nsum='a\\20b'\ndtl='\\0a'\n"))
	f.Add([]byte("sta='3x\nsum=\\\\\n"))
	f.Add([]byte("pro==\n'='\nsta=-"))
	f.Fuzz(func(t *testing.T, packet []byte) {
		trap, _ := Parse(packet)
		trap.Protocol = Protocol
		if trap.User == "" {
			trap.Password = ""
		}
		if trap.Type == "" {
			trap.Type = "trap"
		}
		trap.HasStatus = true
		if again, problems := Parse(trap.Append(nil)); len(problems) > 0 || !again.Time.Equal(trap.Time) || !same(trap, again) {
			t.Errorf("%q was read as %+v and then as %+v (%v)", packet, trap, again, problems)
		}
	})
}

func same(a, b Trap) bool {
	a.Time, b.Time = time.Time{}, time.Time{}
	return a == b
}

func BenchmarkParse(b *testing.B) {
	packet := Trap{Group: "web", Service: "http", Status: 1, Summary: "web1 web2", Detail: strings.Repeat("web1: connection refused\n", 10)}.Append(nil)
	b.SetBytes(int64(len(packet)))
	for b.Loop() {
		Parse(packet)
	}
}
