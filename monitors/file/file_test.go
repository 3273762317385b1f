package filemon

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/monitor"
)

func configure(args ...string) (monitor.Monitor, error) {
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	m := New(fs)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	return m, m.(monitor.Validator).Validate()
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"five": "5\n", "none": "0", "minus": "-3 # because\n", "part": "0.5", "empty": "", "blank": " \n", "word": "many",
		"nan": "NaN", "hex": "0x10", "much": "70000", "huge": strings.Repeat("9", 400), "long": strings.Repeat("x", 100_000),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	perf := func(name string, v float64) map[string]float64 { return map[string]float64{name: v} }
	for name, tt := range map[string]struct {
		file, options string
		state         string // ok, warn, fail or blind
		perf          map[string]float64
		want          string // a part of the detail
	}{
		"only read":          {"five", "", "ok", nil, "5 stands in DIR/five"},
		"weight":             {"five", "--weight", "ok", perf("weight", 5), "5 stands in"},
		"weight 0":           {"none", "--weight", "ok", perf("weight", 0), ""},
		"weight, negative":   {"minus", "--weight", "warn", nil, "-3 stands in DIR/minus, which is no weight: want 0 to 65535"},
		"weight, too much":   {"much", "--weight", "warn", nil, "which is no weight"},
		"delta":              {"five", "--delta 2", "ok", perf("delta", 10), ""},
		"delta, reverse":     {"five", "--delta -1", "ok", perf("delta", -5), ""},
		"delta, negative":    {"minus", "--delta 1", "ok", perf("delta", -3), ""},
		"delta, too much":    {"five", "--delta 20000", "warn", nil, "beyond what weights change by"},
		"down":               {"five", "--down-if-nonzero", "fail", nil, "5 stands in DIR/five, want 0"},
		"not down":           {"none", "--down-if-nonzero", "ok", nil, ""},
		"down and a weight":  {"none", "--down-if-nonzero --weight", "ok", perf("weight", 0), ""},
		"part":               {"part", "--weight", "ok", perf("weight", 0.5), ""},
		"missing":            {"nosuch", "--weight", "fail", nil, "there is no file DIR/nosuch"},
		"missing, zero":      {"nosuch", "--weight --missing zero", "ok", perf("weight", 0), "there is no DIR/nosuch"},
		"missing, blind":     {"nosuch", "--missing blind", "blind", nil, "not judged: there is no file"},
		"no folder":          {"no/such", "--missing zero --down-if-nonzero", "ok", nil, ""},
		"empty":              {"empty", "--weight", "blind", nil, "DIR/empty holds no number: it is empty"},
		"blank":              {"blank", "--weight", "blind", nil, "it is empty"},
		"a word":             {"word", "--weight", "blind", nil, `DIR/word holds no number but "many"`},
		"not a number":       {"nan", "--weight", "blind", nil, "holds no number"},
		"in hex":             {"hex", "--weight", "blind", nil, "holds no number"},
		"beyond all numbers": {"huge", "--weight", "blind", nil, "holds no number"},
		"long":               {"long", "--weight", "blind", nil, "holds no number"},
		"a pipe":             {"pipe", "--weight", "blind", nil, "DIR/pipe is no regular file"},
		"a folder":           {".", "--weight", "blind", nil, "is no regular file"},
		"below a file":       {"five/x", "--weight", "blind", nil, "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := configure(append([]string{"--file", dir + "/" + tt.file}, strings.Fields(tt.options)...)...)
			if err != nil {
				t.Fatal(err)
			}
			r := m.Check(t.Context(), monitor.Request{Hosts: []string{"web"}})
			state := "ok"
			switch {
			case r.Blind():
				state = "blind"
			case r.Failing():
				state = "fail"
			case r.Warn:
				state = "warn"
			}
			if detail := strings.ReplaceAll(r.Detail, dir, "DIR"); state != tt.state || !strings.Contains(detail, tt.want) || len(detail) > 500 {
				t.Errorf("%s: %s", state, detail)
			}
			if len(r.Hosts) == 1 {
				if d := cmp.Diff(tt.perf, r.Hosts[0].Perf); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

func TestHostInThePath(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "web1.weight"), []byte("7"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := configure("--file", dir+"/{host}.weight", "--weight")
	if err != nil {
		t.Fatal(err)
	}
	r := m.Check(t.Context(), monitor.Request{Hosts: []string{"web1", "web2", "../web1", "..", ""}})
	if r.Summary != "web2" || len(r.Hosts) != 2 || r.Hosts[0].Perf["weight"] != 7 || strings.Count(r.Detail, "cannot be a part of a path") != 3 {
		t.Errorf("%+v", r)
	}
}

func TestOptions(t *testing.T) {
	for args, want := range map[string]string{
		"":                                     "say which file",
		"--file x":                             "want an absolute path",
		"--file /x --weight --delta 1":         "only one of them",
		"--file /x --delta 0":                  "other than 0",
		"--file /x --delta NaN":                "want a number",
		"--file /x --delta 1e99":               "want a number",
		"--file /x --missing maybe":            "want fail, zero or blind",
		"--file /x --delta -2 --missing blind": "",
	} {
		_, err := configure(strings.Fields(args)...)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"5\n", "-0.5 x", "", "1e9", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := number(text, "/x")
		if err != nil && !monitor.Local(err) || err == nil && v != v || err != nil && len(err.Error()) > 500 {
			t.Errorf("%v, %v", v, err)
		}
	})
}
