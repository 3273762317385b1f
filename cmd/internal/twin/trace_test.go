package twin

import (
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// recorded is where traces of mon lie; it is written by -record.
const recorded = "testdata/recorded.txt"

// A trace is kept as text: "= NAME START HASH", then a line for each record.
// Times are in seconds since the start; START is that in seconds since 1970.
// What is not said is as in the record before it of the same service and kind
// (words) or of any kind (variables).
//
//	TIME TAB KIND TAB SERVICE TAB N TAB TEXT TAB aWORD... (n for none) eVAR=VALUE... eVAR iSTDIN

// times are the variables that hold seconds since 1970, kept as @SECONDS.
var times = []string{"MON_LAST_FAILURE", "MON_FIRST_FAILURE", "MON_LAST_SUCCESS", "MON_FIRST_SUCCESS"}

// hash tells whether a trace is of the scenario as it stands.
func (s *scenario) hash() string {
	h := fnv.New32a()
	fmt.Fprint(h, s.config("1s"))
	for _, p := range s.services {
		fmt.Fprint(h, p.name, p.steps)
	}
	return fmt.Sprintf("%08x", h.Sum32())
}

// relative is a time since the start as text.
func relative(value string, start int64) string {
	if n := number(value); n > 1e9 {
		return "@" + strconv.FormatInt(n-start, 10)
	}
	return value
}

func absolute(value string, start int64) string {
	if rest, ok := strings.CutPrefix(value, "@"); ok {
		return strconv.FormatInt(number(rest)+start, 10)
	}
	return value
}

// relativeTo is r with all its times since start.
func (r record) relativeTo(start int64) record { return r.moved(relative, start) }

func (r record) moved(move func(string, int64) string, start int64) record {
	r.env, r.args = maps.Clone(r.env), slices.Clone(r.args)
	for _, name := range times {
		if v, ok := r.env[name]; ok {
			r.env[name] = move(v, start)
		}
	}
	if t := slices.Index(r.args, "-t"); r.kind == "alert" && t >= 0 && t+1 < len(r.args) {
		r.args[t+1] = move(r.args[t+1], start)
	}
	return r
}

// writeTraces writes the traces of all scenarios but late ones.
func writeTraces(t *testing.T, scenarios []*scenario, traces map[string]trace) {
	t.Helper()
	var b strings.Builder
	for _, s := range scenarios {
		if tr := traces[s.name]; !tr.late {
			b.WriteString(encode(s, tr.records))
		}
	}
	if err := os.WriteFile(filepath.FromSlash(recorded), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func encode(s *scenario, trace []record) string {
	var b strings.Builder
	start := trace[0].at
	fmt.Fprintf(&b, "= %s %d %s\n", s.name, start, s.hash())
	env, args := map[string]map[string]string{}, map[string][]string{}
	for _, r := range trace {
		r = r.relativeTo(start)
		f := []string{strconv.FormatInt(r.at-start, 10), r.kind, r.service, strconv.Itoa(r.n), quote(r.text)}
		if k := r.kind + r.service; !slices.Equal(args[k], r.args) {
			args[k] = r.args
			if len(r.args) == 0 {
				f = append(f, "n")
			}
			for _, a := range r.args {
				f = append(f, "a"+quote(a))
			}
		}
		if r.env != nil {
			f = append(f, news(env[r.service], r.withoutConstants(s.name))...)
			env[r.service] = r.withoutConstants(s.name)
		}
		if r.stdin != "" {
			f = append(f, "i"+quote(r.stdin))
		}
		b.WriteString(strings.TrimRight(strings.Join(f, "\t"), "\t") + "\n")
	}
	return b.String()
}

// withoutConstants are the variables that have another value than in every
// other record.
func (r record) withoutConstants(group string) map[string]string {
	all := constants(group)
	all["MON_SERVICE"] = r.service
	env := maps.Clone(r.env)
	maps.DeleteFunc(env, func(name, value string) bool {
		usual, ok := all[name]
		return ok && usual == value
	})
	return env
}

// news are the variables of env that are not as in old.
func news(old, env map[string]string) (f []string) {
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if v, ok := old[name]; !ok || v != env[name] {
			f = append(f, "e"+name+"="+quote(env[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if _, ok := env[name]; !ok {
			f = append(f, "e"+name)
		}
	}
	return f
}

// trace is what happened in a scenario.
type trace struct {
	hash    string
	records []record
	// late is set when the clock ticked between an event and what it led to:
	// what depends on seconds may then be different in a replay.
	late bool
}

// readTraces reads what was recorded.
func readTraces(t *testing.T) map[string]trace {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(recorded))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]trace{}
	for _, part := range strings.Split("\n"+string(text), "\n= ")[1:] {
		head, lines, _ := strings.Cut(part, "\n")
		f := strings.Fields(head)
		if len(f) != 3 {
			t.Fatalf("%s: %q", recorded, head)
		}
		all[f[0]] = trace{hash: f[2], records: decode(t, f[0], number(f[1]), lines)}
	}
	return all
}

func decode(t *testing.T, name string, start int64, lines string) (all []record) {
	t.Helper()
	env, args := map[string]map[string]string{}, map[string][]string{}
	for line := range strings.Lines(lines) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		for len(f) < 5 {
			f = append(f, "")
		}
		r := record{at: number(f[0]) + start, kind: f[1], service: f[2], n: int(number(f[3])), text: unquote(f[4]), args: args[f[1]+f[2]]}
		if r.kind == "began" || r.kind == "alert" {
			r.take(f[5:], env[r.service])
			env[r.service], args[r.kind+r.service] = r.env, r.args
			r.env = r.withConstants(name)
		}
		r = r.moved(absolute, start)
		all = append(all, r)
	}
	return all
}

// take reads the fields that say what is not as before.
func (r *record) take(fields []string, env map[string]string) {
	r.env = maps.Clone(env)
	if r.env == nil {
		r.env = map[string]string{}
	}
	var args []string
	for _, f := range fields {
		switch name, value, ok := strings.Cut(f[1:], "="); {
		case f == "n":
			args = []string{}
		case f[0] == 'a':
			args = append(args, unquote(f[1:]))
		case f[0] == 'i':
			r.stdin = unquote(f[1:])
		case ok:
			r.env[name] = unquote(value)
		default:
			delete(r.env, name)
		}
	}
	if args != nil {
		r.args = args
	}
}
