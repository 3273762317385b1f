package config

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lexed is a logical line in short.
type lexed struct {
	Kind  Kind
	Text  string
	Place string
}

func lexAll(src string) []lexed {
	l := lexer{src: src, file: "f", line: 1}
	var all []lexed
	for {
		st, ok := l.next()
		if !ok {
			return all
		}
		all = append(all, lexed{st.Kind, st.Text, st.At(-1).String()})
	}
}

func TestLexer(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      []lexed
	}{
		{"empty", "", nil},
		{"no end of line", "a b", []lexed{{KindBad, "a b", "f:1:1"}}},
		{"indent", "\t a \n", []lexed{{KindBad, "a", "f:1:3"}}},
		{"blank lines", "\n \t\r\n", []lexed{{KindBlank, "", "f:1:1"}, {KindBlank, "", "f:2:1"}}},
		{"comment", "  # x \\\na\n", []lexed{{KindComment, `# x \`, "f:1:3"}, {KindBad, "a", "f:2:1"}}},
		{"continued", "one \\\n   two\nx", []lexed{{KindBad, "one two", "f:1:1"}, {KindBad, "x", "f:3:1"}}},
		{"blanks after the backslash", "one\\ \t\n  two\n", []lexed{{KindBad, "onetwo", "f:1:1"}}},
		{"comment inside", "a \\\n # c\n  b \\\n#\n  c\n", []lexed{{KindBad, "a b c", "f:1:1"}}},
		{"empty line ends it", "a \\\n\nb\n", []lexed{{KindBad, "a", "f:1:1"}, {KindBad, "b", "f:3:1"}}},
		{"nothing before it", "\\\n\\\n a\n", []lexed{{KindBad, "a", "f:3:2"}}},
		{"only backslashes", "\\\n\\\n\nb", []lexed{{KindBlank, "", "f:1:1"}, {KindBad, "b", "f:4:1"}}},
		{"CRLF", "a \\\r\n  b\r\n\r\nc\r\n", []lexed{{KindBad, "a b", "f:1:1"}, {KindBlank, "", "f:3:1"}, {KindBad, "c", "f:4:1"}}},
		{"no trailing comment", "a # b", []lexed{{KindBad, "a # b", "f:1:1"}}},
		{"backslash inside", `a \b`, []lexed{{KindBad, `a \b`, "f:1:1"}}},
		{"any bytes", "\x00\xff\n\x80", []lexed{{KindBad, "\x00\xff", "f:1:1"}, {KindBad, "\x80", "f:2:1"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, lexAll(tt.src)); diff != "" {
				t.Error(diff)
			}
			f, _ := Parse("f", []byte(tt.src))
			if got := string(f.Bytes()); got != tt.src {
				t.Errorf("printed as %q", got)
			}
		})
	}
}

// Every word of a continued line has its own place.
func TestContinuedPlaces(t *testing.T) {
	f, diag := Parse("f", []byte("watch w\n service s\n  monitor a \\\n# no\n     b c \\\n\td\n"))
	if len(diag) > 0 {
		t.Fatal(printed(diag))
	}
	st := &f.Statements[2]
	if st.Text != "a b c d" {
		t.Fatalf("text %q", st.Text)
	}
	want := map[int]string{-1: "f:3:3", 0: "f:3:11", 2: "f:5:6", 4: "f:5:8", 6: "f:6:2"}
	for off, place := range want {
		if got := st.At(off).String(); got != place {
			t.Errorf("byte %d is at %s, want %s", off, got, place)
		}
		line, mark := st.line(off)
		if pos := st.At(off); mark != pos.Col-1 || off >= 0 && line[mark] != st.Text[off] {
			t.Errorf("byte %d is shown in %q at %d", off, line, mark)
		}
	}
}

// A huge line is refused, in little time and memory, and still printed.
func TestHugeLines(t *testing.T) {
	word := []byte("host ")
	for _, head := range []string{"hostgroup g ", "#"} {
		src := append([]byte(head), bytes.Repeat(word, 100<<20/len(word))...)
		f, diag := Parse("f", src)
		if head != "#" && (diag.Errors() != 1 || len(diag[0].Line) > 200) {
			t.Errorf("%s: %d errors", head, diag.Errors())
		}
		if !bytes.Equal(f.Bytes(), src) {
			t.Errorf("%s: not printed as it was", head)
		}
	}
}

// A long line is read, and what is wrong in it shown in an excerpt.
func TestLongLine(t *testing.T) {
	src := "hostgroup g " + strings.Repeat("host.example ", 100_000) + "# comment\n\nwatch g\n service s\n"
	f, diag := Parse("f", []byte(src))
	c, more := Resolve(f, nowhere())
	diag = append(diag, more...)
	if n := len(c.Group("g").Hosts); n != 100_002 {
		t.Errorf("%d hosts", n)
	}
	var last Diagnostic
	for _, d := range diag {
		if strings.Contains(d.Message, "#") {
			last = d
		}
	}
	if len(last.Line) > 160 || last.Line[last.Mark] != '#' {
		t.Errorf("shown %q at %d", last.Line, last.Mark)
	}
}

// Many continued lines do not take time by their square.
func TestManyContinued(t *testing.T) {
	src := "watch w\n service s\n  monitor x \\\n" + strings.Repeat("  arg \\\n", 200_000) + "  end\n"
	f, _ := Parse("f", []byte(src))
	c, diag := Resolve(f, nowhere())
	if diag.HasErrors() {
		t.Fatal(printed(diag))
	}
	m := c.Services[0].Monitor
	if n := len(m.Args); n != 200_001 || m.ArgPos[n-1].Line != 200_004 {
		t.Errorf("%d arguments, the last at %v", n, m.ArgPos[n-1])
	}
}
