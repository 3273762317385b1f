package tree

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gotoml "github.com/pelletier/go-toml/v2"
	"pgregory.net/rapid"
)

// show is the tree on few lines: what a test compares.
func show(d *Doc, n *Node, indent string) string {
	var b strings.Builder
	for _, c := range n.Above {
		fmt.Fprintf(&b, "%s%s\n", indent, c)
	}
	line, col := d.Place(n.Off)
	fmt.Fprintf(&b, "%s%s@%d:%d %s", indent, n.Key, line, col, n.Kind)
	if n.Kind != Array && n.Kind != Table {
		fmt.Fprintf(&b, " %q", n.Text)
	}
	if n.Beside != "" {
		fmt.Fprintf(&b, " %s", n.Beside)
	}
	b.WriteString("\n")
	for _, e := range n.List {
		b.WriteString(show(d, e, indent+"  "))
	}
	for _, c := range n.Below {
		fmt.Fprintf(&b, "%s  %s\n", indent, c)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	const src = `# head
# more

# of a
a = "x"  # beside a
b.c = 0x1F
"quoted.key" = { d = 'y', e = [1, 2.5] }
l = [ # beside nothing
  # above one
  "one", # beside one
  # above two
  # twice
  'two' # beside two
  # below
]

# of t

# really
[t.u]  # beside t.u
d = 2026-01-01
[[t.list]]
x = true
[[t.list]]
[t.list.sub]
# end
`
	d, problems := Parse(src)
	if problems != nil {
		t.Fatal(problems)
	}
	want := `# head
# more
@1:1 a table
  # of a
  a@5:5 a string "x" # beside a
  b@6:1 a table
    c@6:7 an integer "0x1F"
  quoted.key@7:16 a table
    d@7:22 a string "y"
    e@7:31 a list
      @7:32 an integer "1"
      @7:35 a float "2.5"
  l@8:5 a list
    # beside nothing
    # above one
    @10:3 a string "one" # beside one
    # above two
    # twice
    @13:3 a string "two" # beside two
    # below
  t@20:2 a table
    # of t
    
    # really
    u@20:4 a table # beside t.u
      d@21:5 a date or time "2026-01-01"
    list@22:5 a list
      @22:5 a table
        x@23:5 true or false "true"
      @24:5 a table
        sub@25:9 a table
  # end
`
	got := strings.Join(d.Head, "\n") + "\n" + show(d, d.Root, "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if text, start := d.Lines(strings.Index(src, "[ #"), strings.Index(src, "]\n\n# of t")+1); !strings.HasPrefix(text, "l = [") || !strings.HasSuffix(text, "\n]") || src[start] != 'l' {
		t.Errorf("%q", text)
	}
}

func TestProblems(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"key twice", "a = 1\nb = 2\na = 3\na = 4", "3:1 a is given (1:1); 4:1 a is given (1:1)"},
		{"table twice", "[a.b]\nx = 1\n[a.b]\nx = 2\n[a]", "3:4 a.b is defined (1:4)"},
		{"dotted, then table", "a.b = 1\n[a]", "2:2 a is defined (1:1)"},
		{"into a header's table", "[a.b]\n[a]\nb.c = 1", "3:1 b is defined (1:4)"},
		{"inline is whole", "a = {}\n[a.b]", "2:2 a is a table (1:1)"},
		{"inline twice", "a = { b = 1, b = 2 }", "1:14 b is given (1:7)"},
		{"list and lists", "a = []\n[[a]]\n[b]\n[[b]]", "2:3 a is defined (1:1); 4:3 b is defined (3:2)"},
		{"value is no table", "a = 1\n[a.b]\n[a.c]", "2:2 a is an integer (1:1); 3:2 a is an integer (1:1)"},
		{"no value", "a = 1\nb =\n", "2:4 unexpected character U+000A at start of value"},
		{"no quotes", "a = 20s", "1:7 strings must be quoted"},
		{"no end", `a = "b`, "1:6 unterminated basic string"},
		{"nothing", "[", "1:1 expected key but reached end of input"},
		{"latin 1", "a = \"\xe4\"", "1:6 invalid UTF-8 character in basic string"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, problems := Parse(tt.src)
			var all []string
			place := func(off int) string {
				line, col := d.Place(off)
				return fmt.Sprintf("%d:%d", line, col)
			}
			for _, p := range problems {
				text := place(p.Off) + " " + p.Message
				if p.First >= 0 {
					text += " (" + place(p.First) + ")"
				}
				all = append(all, text)
			}
			if got := strings.Join(all, "; "); got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

// Every byte of a string is known by its place.
func TestParts(t *testing.T) {
	for _, src := range []string{
		`"plain"`, `'lit\eral'`, `"a\tb\"c\u00e4d\U0001F600e\x41"`, "\"\"\"\nab\ncd\\\n   ef\\\"\"\"\"", "'''\r\nab\r\ncd'''", `""`, `''''''`, "\"\"\"\\\n  \"\"\"",
	} {
		d, problems := Parse("k = " + src)
		if problems != nil {
			t.Fatal(src, problems)
		}
		checkParts(t, d, d.Root.List[0])
	}
}

type failer interface {
	Helper()
	Errorf(format string, args ...any)
}

// checkParts compares each byte of a string with the one that stands at its
// place, but for those that an escape stands for.
func checkParts(t failer, d *Doc, n *Node) {
	t.Helper()
	parts := n.Parts()
	for i, p := range parts {
		end := len(n.Text)
		if i+1 < len(parts) {
			end = parts[i+1].At
		}
		if p.At > end || p.Off < n.Off || p.Off+end-p.At > n.End {
			t.Errorf("part %+v of %q", p, d.Src)
			return
		}
		got, _, _ := strings.Cut(d.Src[p.Off:p.Off+end-p.At], `\`)
		if d.Src[n.Off] == '\'' {
			got = d.Src[p.Off : p.Off+end-p.At]
		}
		got, _, _ = strings.Cut(got, "\r") // a line end is one byte of the text
		if !strings.HasPrefix(n.Text[p.At:end], got) {
			t.Errorf("part %+v of %q is %q", p, d.Src, got)
		}
	}
}

// What is quoted is read back, whatever it is, and its bytes are in place.
func TestQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.OneOf(rapid.SampledFrom([]rune("ab\\'\"\n\r\t #\x7f\x00ä=.")), rapid.Rune())).Draw(t, "text")
		key := rapid.String().Draw(t, "key")
		quote := rapid.SampledFrom([]func(string) string{Quote, QuoteLines}).Draw(t, "form")
		src := Key(key) + " = " + quote(text) + " # end"
		d, problems := Parse(src)
		if problems != nil || len(d.Root.List) != 1 {
			t.Fatalf("%q: %v", src, problems)
		}
		if n := d.Root.List[0]; n.Key != key || n.Text != text || n.Beside != "# end" {
			t.Fatalf("%q was read as %q = %q", src, n.Key, n.Text)
		} else {
			checkParts(t, d, n)
		}
	})
}

// line is a line of a document that may or may not be allowed where it stands.
func line(t *rapid.T) string {
	key := func() string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3).Draw(t, "key"), ".")
	}
	switch rapid.IntRange(0, 4).Draw(t, "line") {
	case 0:
		return "[" + key() + "]"
	case 1:
		return "[[" + key() + "]]"
	case 2:
		return key() + " = { " + key() + " = 1, " + key() + " = [{ a = 1 }] }"
	case 3:
		return key() + " = []"
	}
	return key() + " = 1"
}

// A document is refused if and only if go-toml's own decoder refuses it.
func TestDefinedAsElsewhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lines []string
		for range rapid.IntRange(1, 6).Draw(t, "lines") {
			lines = append(lines, line(t))
		}
		src := strings.Join(lines, "\n")
		_, problems := Parse(src)
		err := gotoml.Unmarshal([]byte(src), new(map[string]any))
		if (err != nil) != (problems != nil) {
			t.Fatalf("%s\n%v\n%v", src, problems, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "a = 1", "[a]\nb = [1, # c\n2]", "a = \"\"\"\n\\\n x\"\"\"", "[[a]]\n[a.b]", "a = {b.c = 1, b.d = [[], {}]}", "# c\n\n#d\nx = 1979-05-27T07:32:00Z", "\"\\u00e4\" = inf", "a = [\n#c\n]", "[a]\n[a", "x = [1,\n#c\n#[d\n[2]]",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		d, problems := Parse(src)
		for _, p := range problems {
			if p.Off < 0 || p.Off > len(src) || p.Message == "" {
				t.Fatalf("%+v", p)
			}
			d.Place(p.Off)
		}
		walk(t, d, d.Root)
		if err := gotoml.Unmarshal([]byte(src), new(map[string]any)); err == nil && problems != nil {
			t.Fatalf("%q: go-toml reads what is refused here: %v", src, problems)
		}
	})
}

func walk(t *testing.T, d *Doc, n *Node) {
	for _, e := range n.List {
		if e.Off < 0 || e.End < e.Off || e.End > len(d.Src) {
			t.Fatalf("%q: %+v", d.Src, e)
		}
		switch e.Kind {
		case String:
			checkParts(t, d, e)
		case Array:
			if e.made == byValue && (d.Src[e.Off] != '[' || d.Src[e.End-1] != ']') {
				t.Fatalf("%q: list %+v", d.Src, e)
			}
		case Table:
			if e.made == byValue && (d.Src[e.Off] != '{' || d.Src[e.End-1] != '}') {
				t.Fatalf("%q: table %+v", d.Src, e)
			}
		}
		walk(t, d, e)
	}
}
