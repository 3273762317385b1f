package lang

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree is files in memory.
type memory map[string]string

func (m memory) Glob(pattern string) ([]string, error) {
	var all []string
	for _, name := range sorted(m) {
		ok, err := path.Match(pattern, name)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, name)
		}
	}
	return all, nil
}

func sorted(m memory) []string {
	var all []string
	for name := range m {
		i := 0
		for i < len(all) && all[i] < name {
			i++
		}
		all = append(all[:i], append([]string{name}, all[i:]...)...)
	}
	return all
}

func (m memory) Read(name string, most int64) ([]byte, error) {
	text, ok := m[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text[:min(int64(len(text)), most)]), nil
}

// shown is the tree in one line: words with bars between them, blocks in braces.
func shown(nodes []*Node) string {
	var parts []string
	for _, n := range nodes {
		var words []string
		for _, w := range n.Words {
			words = append(words, w.Text)
		}
		s := strings.Join(words, "|")
		if n.Block {
			s += " {" + shown(n.Nodes) + "}"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}

func said(d *Document) string {
	var all []string
	for _, p := range d.Problems {
		all = append(all, fmt.Sprintf("%d:%d:%d %s%s", p.Grade, p.Pos.Line, p.Pos.Col, p.What, p.Message))
	}
	return strings.Join(all, "\n")
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, src, want, says string }{
		{"words", "a b\tc\n  d\n", "a|b|c; d", ""},
		{"comments", "a # b\n! c\nd!e\n#\nf \"#g\" #h\n", "a; d; f|#g", ""},
		{"an escaped hash", `a\#b`, "a#b", "1:1:2 keepalived 2.2.7 takes what follows the backslash for a comment after all"},
		{"quotes", `a "b c" d"e f"g ""`, "a|b c|d|e f|g|", ""},
		{"a quote that is never closed", "a \"b\nc", "a; c", "2:1:3 a quote that is never closed"},
		{"block", "a {\nb\nc d {\n}\n}\ne", "a {b; c|d {}}; e", ""},
		{"block on the next line", "a b\n{\nc\n}", "a|b {c}", ""},
		{"blocks in one line", "a { b { c } d } e", "a {b {c}; d}; e", ""},
		{"braces within a word", "a{b}c", "a {b}; c", ""},
		{"braces in quotes", `regex "a{2}" {x}`, "regex|a{2} {x}", ""},
		{"a { too many", "{\na\n}", "", "2:1:1 unexpected {"},
		{"a second block", "a {\n}\n{\nb\n}", "a {}", "2:3:1 unexpected {"},
		{"a } too many", "a {\n}\n}\nb", "a {}; b", "2:3:1 a } too many"},
		{"never closed", "a {\n b {\n c\n", "a {b {c}}", "2:2:2 a block that is never closed\n2:1:1 a block that is never closed"},

		{"id", "@me a\n@you b\n@^me c\n@^you d\n@me\n", "a; d", ""},
		{"id before a definition", "@me $A=1\n@you $A=2\nx $A", "x|1", ""},

		{"definition", "$A=b c\na $A d\n${A}e\nf$A,g\n$A.h\n", "a|b|c|d; b|ce; fb|c,g; $A.h", ""},
		{"redefined", "$A=1\na $A\n$A=2\na $A\n", "a|1; a|2", ""},
		{"in another", "$B=1\n$A=x${B}y\na $A", "a|x1y", ""},
		{"defined later", "$A=x${B}y\n$B=1\na $A", "a|x1y", ""},
		{"not defined", "a ${B}\n", "a|$ {B}", "1:1:3 $B is not defined: keepalived leaves it as it is"},
		{"blanks before =", "$A =1", "$A|=1", "1:1:1 $A is not defined: keepalived leaves it as it is"},
		{"several lines", "$A= \\\n b { \\\n  c ${N} \\\n }\n$N=1\n$A\n$N=2\n$A", "b {c|1}; b {c|2}", ""},
		{"several lines behind words", "$A=b \\\n c\nx $A", "x|b; c", ""},
		{"several lines within words", "$A=b \\\n c\nx ${A} y", "x|$ {A}; y", ""},
		{"several lines end at a blank one", "$A=b \\\n\nx\n$A", "x; b", ""},
		{"several in several", "$B=1 \\\n 2\n$A=a \\\n $B \\\n b\n$A", "a; 1; 2; b", ""},
		{"a comment that a definition brings", "a ${_HASH} b\n\"${_HASH}\" ${_BANG}", "a; #", ""},
		{"instance", "a ${_INSTANCE}", "a|me", ""},
		{"environment", "a ${_ENV HOME}", "a|/home/x", "0:1:3 ${_ENV HOME}the value is that of now; keepalived reads it at each start"},
		{"random", "a ${_RANDOM 3 9}", "a|3", "0:1:3 ${_RANDOM 3 9}keepalived takes another number at each start; this is the least, 3: choose one"},

		{"sequence", "~SEQ(N, 1, 3) a${N}", "a1; a2; a3", ""},
		{"to a number", "~SEQ(N, 3) a${N}\n~SEQ(N, -2) b${N}\n~SEQ(N,0) c$N", "a1; a2; a3; b-1; b-2; c1; c0", ""},
		{"steps", "~SEQ(N, 0, 5, 11) a$N", "a0; a5; a10", ""},
		{"downward", "~SEQ(N, 10, -5, 0) a ${N}", "a|10; a|5; a|0", ""},
		{"hexadecimal", "~SEQx(N, 0x9, 11) ${N}", "9; a; b", ""},
		{"by a definition", "$E=3\n~SEQ(N, 2, $E) ${N}", "2; 3", ""},
		{"in a definition", "$S=~SEQ(N, 1, 2) ${N}\n$S", "1; 2", ""},
		{"nested", "~SEQ(N, 1, 2) ~SEQ(M, 1, 2) ${N}${M}", "11; 12; 21; 22", ""},
		{"over several lines", "$A=a \\\n b${N}\n~SEQ(N, 1, 2) $A", "a; b1; a; b2", ""},
		{"with a block", "~SEQ(N, 1, 2) r ${N} { w }", "r|1 {w}; r|2 {w}", ""},
		{"list", "~LST(M, 40, 44) a ${M}", "a|40; a|44", ""},
		{"list of sets", "~LST({P, Q}, {1,2}, {3}) a ${P}-${Q}", "a|1-2; a|3-", ""},
		{"bad sequences", "~SEQ(N) a\n~SEQ(N, 1, 0, 3) a\n~SEQ(N, x) a\n~SEQx(N, -1) a\n~LST(A) b\n~LST(A, {1, 2}) c\n~LST(1, 2) d", "",
			strings.TrimSpace(strings.Repeat("2:%d:1 a sequence that keepalived cannot read\n", 7))},
		{"the last number", "~SEQ(N, 9223372036854775806, 9223372036854775807) ${N}", "9223372036854775806; 9223372036854775807", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Parse("k.conf", []byte(c.src), Options{ID: "me", Env: func(string) (string, bool) { return "/home/x", true }, Files: memory{}})
			if got := shown(d.Nodes); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
			want := c.says
			if n := strings.Count(want, "%d"); n > 0 {
				var lines []any
				for i := range n {
					lines = append(lines, i+1)
				}
				want = fmt.Sprintf(want, lines...)
			}
			if got := said(d); !strings.HasPrefix(got, want) || want == "" && got != "" {
				t.Errorf("said %s\nwant %s", got, want)
			}
		})
	}
}

// A word that a definition of several lines brings stands where it is defined,
// and knows where it is used.
func TestPlaces(t *testing.T) {
	d := Parse("k.conf", []byte("$N=1\n$A= \\\n  real ${N} \\\n  end\nx {\n  $A\n}\n"), Options{})
	real, end := d.Nodes[0].Nodes[0], d.Nodes[0].Nodes[1]
	for _, c := range []struct {
		name, got, want string
	}{
		{"word", real.Pos.String(), "k.conf:3:3"},
		{"value", real.At(0).String(), "k.conf:3:8"},
		{"used", real.Pos.Uses()[0].Pos.String(), "k.conf:6:3"},
		{"name", real.Pos.Uses()[0].Template, "$A"},
		{"second line", end.Pos.String(), "k.conf:4:3"},
		{"end", d.Nodes[0].End.String(), "k.conf:7:1"},
	} {
		if c.got != c.want {
			t.Errorf("%s at %s, want %s", c.name, c.got, c.want)
		}
	}
}

func TestInclude(t *testing.T) {
	files := memory{
		"etc/d/1.conf": "one\ninclude more/*.x\n", "etc/d/more/a.x": "a\n", "etc/d/more/b.x": "b", "etc/d/2.conf": "two $V\n",
		"etc/loop.conf": "include loop.conf\nx\n", "etc/end.conf": "x\ninclude end.conf",
	}
	for _, c := range []struct{ name, src, want, says string }{
		{"relative, sorted, nested", "include d/*.conf\nend", "one; a; b; two|$V; end", "1:1:5 $V"},
		{"definitions go on", "$V=9\ninclude d/2.conf", "two|9", ""},
		{"a definition names it", "$D=d\ninclude ${D}/2.conf", "two|$V", "1:1:5 $V"},
		{"alternatives", "include d/more/{b,a}.x", "b; a", ""},
		{"missing", "include none.conf\nx", "x", "1:1:9 there is no file etc/none.conf"},
		{"missing, and must be there", "includem none.conf\nx", "x", "2:1:10 there is no file etc/none.conf"},
		{"no match", "include z*.conf\nx", "x", ""},
		{"no match, and must", "includew z*.conf\nx", "x", "1:1:10 no file matches"},
		{"itself", "include loop.conf", "", "2:1:9 files include each other more than 16 deep"},
		{"itself at the end", "include end.conf", strings.TrimSuffix(strings.Repeat("x; ", 16), "; "), "2:2:9 files include each other more than 16 deep"},
		{"another word", "included x", "included|x", ""},
		{"a bad pattern", "include [z", "", "2:1:9 include [z: syntax error in pattern"},
		{"too many alternatives", "include {a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", "", "2:1:9 too many alternatives"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Parse("etc/k.conf", []byte(c.src), Options{Files: files})
			if got := shown(d.Nodes); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
			if got := said(d); !strings.HasPrefix(got, c.says) || c.says == "" && got != "" {
				t.Errorf("said %s\nwant %s", got, c.says)
			}
		})
	}
}

// Whatever a file would become, it ends at a limit, with an error.
func TestLimits(t *testing.T) {
	doubling := func(n int) string {
		s := "$A0=x\n"
		for i := range n {
			s += fmt.Sprintf("$A%d=${A%d}${A%d}\n", i+1, i, i)
		}
		return s + fmt.Sprintf("y ${A%d}\n", n)
	}
	for _, c := range []struct{ name, src, says string }{
		{"a long sequence", "~SEQ(N, 1, 9000000000000000000) a ${N}", "more than 1000 lines"},
		{"one without a line", "~SEQ(N, 1, 9000000000000000000)", "more than 1000 lines"},
		{"sequences in each other", strings.Repeat("~SEQ(N, 1, 1000) ", 20) + "a", "more than 1000 lines"},
		{"a definition of itself", "$A=$A\nb $A", "definitions"},
		{"one that grows", "$A=x ${A} ${A}\nb $A", "definitions and sequences make more than"},
		{"two of each other", "$A=$B\n$B=$A\nx $A", "definitions"},
		{"of several lines", "$A=x \\\n $A\n$A", "more than 1000 lines"},
		{"doubled", doubling(40), "definitions and sequences make more than"},
		{"a long line", strings.Repeat("x", 70000), "a line of more than"},
		{"many lines", strings.Repeat("x\n", 2000), "more than 1000 lines"},
		{"deep", strings.Repeat("a {\n", 100), "blocks more than 64 deep"},
		{"a long file", strings.Repeat("# \n", 100000), "more than 262144 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Parse("k.conf", []byte(c.src), Options{Files: memory{}, Limits: Limits{Bytes: 1 << 18, Lines: 1000}})
			n := len(d.Problems)
			if n == 0 || !strings.Contains(d.Problems[n-1].Message, c.says) || d.Problems[n-1].Grade != Error {
				t.Errorf("said %s\nwant %s", said(d), c.says)
			}
		})
	}
}

func TestEscaped(t *testing.T) {
	for _, c := range []struct {
		src, want string
		ok        bool
	}{
		{`path "a b" c`, "path|a b|c", true},
		{`path 'a b'"c d"e`, "path|a bc de", true},
		{`path "a\"b" \\ \x41\102\n\cA\E`, "path|a\"b|\\|AB\n\x01\x1b", true},
		{`path 'a`, "path", false},
		{`path a\`, "path", false},
		{`regex "^a\\.b$"`, "regex|^a\\.b$", true},
		{`regex "\xq"`, "regex|xq", true},
	} {
		words, ok := (&Node{text: text{s: c.src, marks: []mark{{}}}}).Escaped()
		var all []string
		for _, w := range words {
			all = append(all, w.Text)
		}
		if d := cmp.Diff(c.want, strings.Join(all, "|")); d != "" || ok != c.ok {
			t.Errorf("%s: %v %s", c.src, ok, d)
		}
	}
}

// FuzzParse: nothing makes the reading panic or last, and places lie inside the
// files.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"a {\n b \"c\" # d\n}\n", "$A=x \\\n y${A}\n$A\n", "~SEQ(N, 1, 0x3) a ${N}\n~LST({A,B},{1,2}) ${A}${B}{}", "@me a\n@^me b\ninclude {x,y}*\n",
		"${_RANDOM 1 2} ${_ENV X} ${_HASH}\\#\\", "a\"b{c}\"}d{",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		files := memory{"x1": string(src), "y": "q {\n"}
		d := Parse("k", src, Options{ID: "me", Files: files, Limits: Limits{Bytes: 1 << 16, Line: 1 << 12, Lines: 4096, Files: 50}})
		files["k"] = string(src)
		for _, p := range d.Problems {
			lines := strings.Split(files[p.Pos.File], "\n")
			if p.Pos.Line < 0 || p.Pos.Line > len(lines) || p.Pos.Line > 0 && (p.Pos.Col < 1 || p.Pos.Col > len(lines[p.Pos.Line-1])+1) {
				t.Errorf("%+v lies outside of its file", p)
			}
		}
		inside(t, d.Nodes, files)
	})
}

func inside(t *testing.T, nodes []*Node, files memory) {
	t.Helper()
	for _, n := range nodes {
		for _, w := range n.Words {
			lines := strings.Split(files[w.Pos.File], "\n")
			if w.Pos.Line < 1 || w.Pos.Line > len(lines) || w.Pos.Col < 1 || w.Pos.Col > len(lines[w.Pos.Line-1]) {
				t.Errorf("word %q at %s lies outside of its file", w.Text, w.Pos)
			}
		}
		if _, ok := n.Escaped(); ok && len(n.Words) == 0 {
			t.Error("a line without words")
		}
		inside(t, n.Nodes, files)
	}
}
