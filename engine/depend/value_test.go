package depend

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/opstatus"
)

func mustParse(t testing.TB, text string) *Expr {
	t.Helper()
	e, err := ParseList(text, "self")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// world answers for services: "a:1" is good, "!a:1" is not; what follows "="
// is its own expression.
func world(t testing.TB, lines ...string) func(opstatus.Key) (bool, *Expr) {
	t.Helper()
	type entry struct {
		good bool
		own  *Expr
	}
	all := map[opstatus.Key]entry{}
	for _, line := range lines {
		name, own, depends := strings.Cut(line, " = ")
		e := entry{good: !strings.HasPrefix(name, "!")}
		if depends {
			e.own = mustParse(t, own)
		}
		all[key(strings.TrimPrefix(name, "!"))] = e
	}
	return func(k opstatus.Key) (bool, *Expr) { return all[k].good, all[k].own }
}

func TestValue(t *testing.T) {
	tests := []struct {
		name, root string
		limit      int
		world      []string
		want       string // the reason
	}{
		{"good", "a:1", 10, []string{"a:1"}, ""},
		{"failing", "a:1 && b:1", 10, []string{"a:1", "!b:1"}, "b:1 is failing"},
		{"unknown", "a:1", 10, nil, "a:1 is failing"},
		{"first of two", "a:1 && b:1", 10, nil, "a:1 is failing"},
		{"either", "a:1 || b:1", 10, []string{"!a:1", "b:1"}, ""},
		{"neither", "a:1 || b:1", 10, nil, "a:1 is failing"},
		{"negation", "!a:1", 10, []string{"a:1"}, "a:1 is not failing"},
		{"negation of either", "not (a:1 || b:1)", 10, []string{"b:1"}, "b:1 is not failing"},
		{"constant", "0 && a:1", 10, nil, "the expression says so, whatever the services do"},
		{"by another", "a:1", 10, []string{"a:1 = b:1", "!b:1"}, "b:1 is failing (a:1 depends on it)"},
		{"the nearest is named", "a:1", 10, []string{"a:1 = b:1", "b:1 = c:1", "!c:1"}, "c:1 is failing (b:1 depends on it)"},
		{"its own status comes first", "a:1", 10, []string{"!a:1 = b:1", "!b:1"}, "a:1 is failing"},
		{"all good", "a:1", 10, []string{"a:1 = b:1", "b:1 = c:1 && d:1", "c:1", "d:1"}, ""},
		{"at the limit", "a:1", 2, []string{"a:1 = b:1", "b:1 = c:1", "c:1"}, ""},
		{"over the limit", "a:1", 1, []string{"a:1 = b:1", "b:1 = c:1", "c:1"}, "dependencies of dependencies at b:1 go deeper than 1 (dep_recur_limit)"},
		{"cycle", "a:1", 10, []string{"a:1 = b:1", "b:1 = a:1"}, "a:1 depends on itself"},
		{"cycle is not negated", "!a:1", 10, []string{"a:1 = b:1", "b:1 = a:1"}, "a:1 depends on itself"},
		{"cycle spoils the other side", "a:1 || b:1", 10, []string{"a:1 = a:1", "b:1"}, "a:1 depends on itself"},
		{"cycle that does not matter", "b:1 || a:1", 10, []string{"a:1 = a:1", "b:1"}, ""},
		{"twice, not a cycle", "a:1 && b:1", 10, []string{"a:1 = c:1", "b:1 = c:1", "c:1 = d:1", "d:1"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ok, reason := Value(mustParse(t, tt.root), tt.limit, world(t, tt.world...))
			if diff := cmp.Diff(tt.want, reason); diff != "" || ok != (tt.want == "") {
				t.Error(ok, diff)
			}
		})
	}
	if ok, reason := Value(nil, 0, nil); !ok || reason != "" {
		t.Error("no expression is not true")
	}
}

// Every service of a layer depends on all of the next: 10 to the 20 ways.
func TestValueOfManyWays(t *testing.T) {
	const layers, width = 20, 10
	var lines []string
	layer := func(n int) string {
		var all []string
		for i := range width {
			all = append(all, fmt.Sprintf("l%d:%d", n, i))
		}
		return strings.Join(all, " && ")
	}
	for n := range layers {
		for i := range width {
			lines = append(lines, fmt.Sprintf("l%d:%d = %s", n, i, layer(n+1)))
		}
	}
	for i := range width {
		lines = append(lines, fmt.Sprintf("l%d:%d", layers, i))
	}
	asked := 0
	answer := world(t, lines...)
	ok, reason := Value(mustParse(t, "l0:0"), layers, func(k opstatus.Key) (bool, *Expr) {
		asked++
		return answer(k)
	})
	if !ok || asked > layers*width*width+width {
		t.Errorf("got %v (%s) after %d questions", ok, reason, asked)
	}
}

func TestCycles(t *testing.T) {
	tests := []struct {
		name  string
		edges []string
		want  []string
	}{
		{"none", []string{"a:1 b:1 c:1", "b:1 c:1"}, nil},
		{"itself", []string{"a:1 b:1 a:1"}, []string{"a:1"}},
		{"two", []string{"b:1 a:1", "a:1 b:1"}, []string{"a:1 b:1"}},
		{"shortest of a knot", []string{"a:1 b:1", "b:1 c:1", "c:1 a:1 d:1", "d:1 a:1"}, []string{"a:1 b:1 c:1"}},
		{"two knots, one behind the other", []string{"x:1 y:1 c:1", "y:1 x:1", "c:1 b:1", "b:1 c:1", "a:1 x:1"}, []string{"b:1 c:1", "x:1 y:1"}},
		{"by service within a group", []string{"a:2 a:1", "a:1 a:2"}, []string{"a:1 a:2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			edges := map[opstatus.Key][]opstatus.Key{}
			for _, line := range tt.edges {
				all := keys(line)
				edges[all[0]] = all[1:]
			}
			var want [][]opstatus.Key
			for _, line := range tt.want {
				want = append(want, keys(line))
			}
			if diff := cmp.Diff(want, Cycles(edges)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCyclesOfALongChain(t *testing.T) {
	edges := map[opstatus.Key][]opstatus.Key{}
	name := func(i int) opstatus.Key { return opstatus.Key{Group: "g", Service: fmt.Sprintf("%06d", i)} }
	const n = 50_000
	for i := range n {
		edges[name(i)] = []opstatus.Key{name((i + 1) % n)}
	}
	if c := Cycles(edges); len(c) != 1 || len(c[0]) != n {
		t.Errorf("got %d cycles", len(c))
	}
}

// Every cycle found is one, and there is one exactly if some service can be
// reached from itself.
func TestRandomCycles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := keys("a:1 a:2 b:1 b:2 c:1 c:2 d:1")
		edges := map[opstatus.Key][]opstatus.Key{}
		for _, k := range names {
			edges[k] = rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 2, rapid.ID[opstatus.Key]).Draw(t, k.String())
		}
		cycles := Cycles(edges)
		for _, c := range cycles {
			for i, k := range c {
				if !slices.Contains(edges[k], c[(i+1)%len(c)]) {
					t.Fatalf("%v is no cycle of %v", c, edges)
				}
			}
		}
		if found := len(cycles) > 0; found != looped(edges, names) {
			t.Errorf("%v: found %v", edges, cycles)
		}
	})
}

// looped closes the relation the slow way.
func looped(edges map[opstatus.Key][]opstatus.Key, names []opstatus.Key) bool {
	reach := map[[2]opstatus.Key]bool{}
	for k, to := range edges {
		for _, n := range to {
			reach[[2]opstatus.Key{k, n}] = true
		}
	}
	for _, via := range names {
		for _, a := range names {
			for _, b := range names {
				if reach[[2]opstatus.Key{a, via}] && reach[[2]opstatus.Key{via, b}] {
					reach[[2]opstatus.Key{a, b}] = true
				}
			}
		}
	}
	for _, k := range names {
		if reach[[2]opstatus.Key{k, k}] {
			return true
		}
	}
	return false
}
