package depend

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/opstatus"
)

func key(s string) opstatus.Key {
	k, _ := opstatus.ParseKey(s)
	return k
}

func keys(s string) []opstatus.Key {
	var all []opstatus.Key
	for f := range strings.FieldsSeq(s) {
		all = append(all, key(f))
	}
	return all
}

// good says that the services listed are good.
func good(s string) func(opstatus.Key) bool {
	up := map[opstatus.Key]bool{}
	for _, k := range keys(s) {
		up[k] = true
	}
	return func(k opstatus.Key) bool { return up[k] }
}

func TestParse(t *testing.T) {
	tests := []struct {
		name, text, printed, keys string
		up                        string
		want                      bool
	}{
		{"one", "db:mysql", "db:mysql", "db:mysql", "db:mysql", true},
		{"self", "SELF:ping&&SELF:ssh", "www:ping&&www:ssh", "www:ping www:ssh", "www:ping", false},
		{"self only as a group", "MYSELF:SELF && SELF:SELF", "MYSELF:SELF && www:SELF", "MYSELF:SELF www:SELF", "", false},
		{"each once, in order", "b:1 || a:1 or b:1 && c:1", "b:1 || a:1 or b:1 && c:1", "b:1 a:1 c:1", "a:1", true},
		{"letters of a name", "a-b.c_D:1.x-Y_", "a-b.c_D:1.x-Y_", "a-b.c_D:1.x-Y_", "", false},
		{"no blanks", "!(a:1&&!b:1)||c:1", "!(a:1&&!b:1)||c:1", "a:1 b:1 c:1", "a:1", false},
		{"words that begin a name", "android:1 and not:1 or or:1", "android:1 and not:1 or or:1", "android:1 not:1 or:1", "or:1", true},
		{"&& before ||", "a:1 || b:1 && c:1", "a:1 || b:1 && c:1", "a:1 b:1 c:1", "a:1", true},
		{"and before or", "a:1 or b:1 and c:1", "a:1 or b:1 and c:1", "a:1 b:1 c:1", "a:1", true},
		{"|| before and", "a:1 || b:1 and c:1", "a:1 || b:1 and c:1", "a:1 b:1 c:1", "a:1", false},
		{"! before &&", "! a:1 && b:1", "! a:1 && b:1", "a:1 b:1", "", false},
		{"&& before not", "not a:1 && b:1", "not a:1 && b:1", "a:1 b:1", "", true},
		{"not of a parenthesis", "not (a:1) && b:1", "not (a:1) && b:1", "a:1 b:1", "", false},
		{"not inside", "a:1 && not b:1 || c:1", "a:1 && not b:1 || c:1", "a:1 b:1 c:1", "a:1 c:1", false},
		{"constants", "1 && a:1 or 0", "1 && a:1 or 0", "a:1", "a:1", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := Parse(tt.text, "www")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.printed, e.String()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(keys(tt.keys), e.Keys()); diff != "" {
				t.Error(diff)
			}
			if got := e.Eval(good(tt.up)); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestNilIsTrue(t *testing.T) {
	var e *Expr
	if !e.Eval(nil) || e.Keys() != nil || e.String() != "" {
		t.Error("a nil Expr is not an empty one")
	}
	if !new(Expr).Eval(nil) {
		t.Error("the zero Expr is not true")
	}
}

func TestParseList(t *testing.T) {
	for _, text := range []string{"SELF:ping db:1 || db:2", "SELF:ping, db:1 || db:2", "(SELF:ping)(db:1 || db:2)"} {
		e, err := ParseList(text, "www")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(keys("www:ping db:1 db:2"), e.Keys()); diff != "" {
			t.Error(diff)
		}
		if !e.Eval(good("www:ping db:2")) || e.Eval(good("db:1 db:2")) {
			t.Errorf("%q is not the conjunction of its parts", text)
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	const join = "write && or || between services"
	tests := []struct {
		text string
		want SyntaxError
	}{
		{"a:1 b:2", SyntaxError{Col: 5, Msg: `unexpected "b:2"`, Hint: join}},
		{"a:1, b:2", SyntaxError{Col: 4, Msg: `unexpected ","`, Hint: join}},
		{"a:1 (b:2)", SyntaxError{Col: 5, Msg: `unexpected "("`, Hint: join}},
		{"a:1 !b:2", SyntaxError{Col: 5, Msg: `unexpected "!"`, Hint: join}},
		{"", SyntaxError{Col: 1, Msg: "ends where a service is wanted", Hint: "write GROUP:SERVICE or SELF:SERVICE"}},
		{"a:1 &&", SyntaxError{Col: 7, Msg: "ends where a service is wanted", Hint: "write GROUP:SERVICE or SELF:SERVICE"}},
		{"a:1 && || b:1", SyntaxError{Col: 8, Msg: `unexpected "||"`, Hint: "a service is wanted before it"}},
		{"a:1 & b:1", SyntaxError{Col: 5, Msg: `unexpected "&"`, Hint: "write &&"}},
		{"a:1 | b:1", SyntaxError{Col: 5, Msg: `unexpected "|"`, Hint: "write ||"}},
		{"a:1 AND b:1", SyntaxError{Col: 5, Msg: `"AND" is not a service`, Hint: `write "and" in small letters`}},
		{"ping", SyntaxError{Col: 1, Msg: `"ping" is not a service`, Hint: "write GROUP:ping or SELF:ping"}},
		{"2", SyntaxError{Col: 1, Msg: `"2" is not a service`, Hint: "the only numbers are 1 and 0"}},
		{"a: 1", SyntaxError{Col: 3, Msg: `no service after "a:"`, Hint: "write GROUP:SERVICE without blanks"}},
		{"a:1:2", SyntaxError{Col: 4, Msg: `a second colon after "a:1"`, Hint: "write GROUP:SERVICE"}},
		{":1", SyntaxError{Col: 1, Msg: `unexpected ":"`, Hint: "write GROUP:SERVICE without blanks"}},
		{"(a:1 && b:1", SyntaxError{Col: 1, Msg: `"(" is never closed`}},
		{"a:1)", SyntaxError{Col: 4, Msg: `unexpected ")"`, Hint: "there is nothing to close, or nothing before it"}},
		{"()", SyntaxError{Col: 2, Msg: `unexpected ")"`, Hint: "there is nothing to close, or nothing before it"}},
		{"a:1 == é", SyntaxError{Col: 5, Msg: `unexpected "="`, Hint: "operators are && || ! and or not ( )"}},
		{"é", SyntaxError{Col: 1, Msg: `unexpected "é"`, Hint: "operators are && || ! and or not ( )"}},
	}
	for _, tt := range tests {
		_, err := Parse(tt.text, "www")
		var got *SyntaxError
		if !errors.As(err, &got) {
			t.Errorf("%q: got %v", tt.text, err)
			continue
		}
		tt.want.Text = tt.text
		if diff := cmp.Diff(&tt.want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestSyntaxErrorText(t *testing.T) {
	_, err := ParseList("a:1, b", "www")
	want := `dependency "a:1, b": column 6: "b" is not a service; write GROUP:b or SELF:b`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestDepth(t *testing.T) {
	for _, open := range []string{"(", "!", "not ", "not(", "!("} {
		for _, n := range []int{maxDepth / 2, maxDepth + 1, 1 << 20} {
			text := strings.Repeat(open, n) + "a:1" + strings.Repeat(")", n*strings.Count(open, "("))
			if _, err := Parse(text, ""); (err == nil) != (n < maxDepth) {
				t.Errorf("%d times %q: %.80v", n, open, err)
			}
		}
	}
	long := "a:1" + strings.Repeat(" && a:1 || a:1 and a:1", 1<<15)
	if e, err := Parse(long, ""); err != nil || !e.Eval(good("a:1")) {
		t.Error("a long chain is not read")
	}
}

// tree is an expression to print, and a simpler idea of its value.
type tree struct {
	op   string // "" for a name
	name string
	args []*tree
}

// levels are the precedences of Perl.
var levels = map[string]int{"or": 0, "and": 1, "not": 2, "||": 3, "&&": 4, "!": 5, "": 6}

func drawTree(t *rapid.T, depth int) *tree {
	op := rapid.SampledFrom([]string{"", "!", "&&", "||", "not", "and", "or"}).Draw(t, "op")
	if depth == 0 {
		op = ""
	}
	n := &tree{op: op}
	switch op {
	case "":
		n.name = rapid.SampledFrom([]string{"a:1", "a:2", "SELF:1", "b-c.d:e_f", "0", "1"}).Draw(t, "name")
	case "!", "not":
		n.args = []*tree{drawTree(t, depth-1)}
	default:
		n.args = []*tree{drawTree(t, depth-1), drawTree(t, depth-1)}
	}
	return n
}

// print writes n where an operand of at least level is wanted.
func (n *tree) print(level int) string {
	own := levels[n.op]
	if own < level {
		return "(" + n.print(0) + ")"
	}
	switch n.op {
	case "":
		return n.name
	case "!":
		return "!" + n.args[0].print(own)
	case "not":
		operand := n.args[0].print(own)
		if strings.HasPrefix(operand, "(") {
			operand = "(" + operand + ")" // not would take the first only
		}
		return "not " + operand
	}
	return n.args[0].print(own) + " " + n.op + " " + n.args[1].print(own+1)
}

func (n *tree) value(up func(opstatus.Key) bool) bool {
	switch n.op {
	case "!", "not":
		return !n.args[0].value(up)
	case "&&", "and":
		return n.args[0].value(up) && n.args[1].value(up)
	case "||", "or":
		return n.args[0].value(up) || n.args[1].value(up)
	}
	return n.name == "1" || n.name != "0" && up(key(strings.Replace(n.name, "SELF", "b-c.d", 1)))
}

func TestRandomTrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawTree(t, 6)
		text := n.print(0)
		e, err := Parse(text, "b-c.d")
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(e.String(), "other")
		if err != nil {
			t.Fatal(err)
		}
		up := good(strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"a:1", "a:2", "b-c.d:1", "b-c.d:e_f"})).Draw(t, "up"), " "))
		if want := n.value(up); e.Eval(up) != want || again.Eval(up) != want {
			t.Errorf("%q: want %v", text, want)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "SELF:ping && (db:mysql or db:pgsql)", "a:1 b:2", "not (a:1) || !b:2 and 1", "a:1, b:2", "((((", "a::b", "é:x", "!!0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text, "www")
		list, listErr := ParseList(text, "www")
		if err == nil {
			again, err := Parse(e.String(), "www")
			if err != nil || again.String() != e.String() || !cmp.Equal(again.Keys(), e.Keys()) {
				t.Errorf("%q is printed as %q: %v", text, e, err)
			}
			if listErr != nil || list.Eval(good("")) != e.Eval(good("")) {
				t.Errorf("%q is another thing as a list: %v", text, listErr)
			}
			return
		}
		var s *SyntaxError
		if !errors.As(err, &s) || s.Col < 1 || s.Col > len(text)+1 || s.Msg == "" {
			t.Errorf("bad error %#v", err)
		}
	})
}
