package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/mondhq/mond/"

// pkg is what `go list` says of a package.
type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string
	Doc        string
	Standard   bool
	GoFiles    []string
}

// packages lists the packages of the module.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,Doc,Standard,GoFiles", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderrOf(err))
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func stderrOf(err error) []byte {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.Stderr
	}
	return nil
}

// local is an import path within the module, or "".
func local(path string) string {
	rest, ok := strings.CutPrefix(path, module)
	if !ok {
		return ""
	}
	return rest
}

func under(path string, trees ...string) bool {
	return slices.ContainsFunc(trees, func(t string) bool { return path == t || strings.HasPrefix(path, t+"/") })
}

// std reports whether path is of the standard library.
func std(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// pure packages take the time as an argument and touch nothing outside.
var pure = []string{
	"engine/period", "engine/depend", "engine/schedule", "engine/opstatus", "engine/policy", "engine/virtual", "engine/report",
	"alerts/lvs/doctor", "alerts/fake/hold", "monitors/heartbeat/member", "monitors/heartbeat/wire",
}

// impure are what they may not import.
var impure = []string{"os", "net", "log", "log/slog", "os/exec", "syscall", "math/rand", "math/rand/v2"}

// contracts import the standard library and each other only.
var contracts = []string{
	"plugins/monitor", "plugins/alert", "plugins/classic", "plugins/job", "plugins/getopt", "plugins/resolve",
	"plugins/role", "plugins/alert/told", "plugins/alert/wording", "plugins/credential", "plugins/trap", "plugins/spelling", "plugins/perfdata",
}

// rules say what an import breaks, or nothing.
var rules = []struct {
	name   string
	breaks func(from, to, path string) bool
}{
	{"nobody imports cmd", func(from, to, _ string) bool { return under(to, "cmd") && !under(from, "cmd") }},
	{"children of engine never import engine", func(from, to, _ string) bool { return to == "engine" && strings.HasPrefix(from, "engine/") }},
	{"engine and its children never import the plugin host", func(from, to, _ string) bool {
		return under(from, "engine") && under(to, "plugins/host", "plugins/rpc", "plugins/serve")
	}},
	{"plugins never import engine", func(from, to, _ string) bool { return under(from, "plugins") && under(to, "engine") }},
	{"monitors and alerts never import engine", func(from, to, _ string) bool {
		return under(from, "monitors", "alerts") && under(to, "engine")
	}},
	{"pure packages touch nothing outside", func(from, _, path string) bool {
		return slices.Contains(pure, from) && slices.Contains(impure, path)
	}},
	{"contracts import the standard library only", func(from, to, path string) bool {
		return slices.Contains(contracts, from) && !std(path) && !slices.Contains(contracts, to) && to != "plugins/procgroup"
	}},
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		from := local(p.ImportPath)
		for _, path := range p.Imports {
			for _, r := range rules {
				if r.breaks(from, local(path), path) {
					t.Errorf("%s imports %s: %s", from, path, r.name)
				}
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment: say what it is for, and what not", local(p.ImportPath))
		}
	}
}
