package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mondhq/mond/alerts/fake"
	"github.com/mondhq/mond/cmd/internal/site"
	"github.com/mondhq/mond/engine/auth"
	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/monitors/heartbeat"
	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

func TestMain(m *testing.M) { os.Exit(daemons.Main(m)) }

// TestExamplesLoad reads the configurations that are shipped as examples: no
// errors, and no warnings but those about their surroundings.
func TestExamplesLoad(t *testing.T) {
	for _, name := range []string{"etc/mon.cf", "etc/mond.cf", "etc/mond.toml", "etc/demo.cf", "etc/examples/virtual.cf", "etc/examples/virtual.toml", "etc/examples/pair.cf", "etc/examples/pair.toml", "etc/examples/witness.cf"} {
		loadExample(t, name)
	}
	text, err := os.ReadFile(filepath.Join(root(t), "etc/auth.cf"))
	if err != nil {
		t.Fatal(err)
	}
	if _, problems := auth.ParseRules("etc/auth.cf", string(text)); len(problems) > 0 {
		t.Error(problems)
	}
}

func loadExample(t *testing.T, name string) *config.Config {
	t.Helper()
	cfg, diags := config.Load(t.Context(), filepath.Join(root(t), name), config.Options{Readers: site.Readers()})
	diags = slices.DeleteFunc(diags, func(d config.Diagnostic) bool { return unasked(cfg, &d) })
	if cfg == nil || len(diags) > 0 {
		var text strings.Builder
		_ = diags.Write(&text)
		t.Fatalf("%s:\n%s", name, &text)
	}
	return cfg
}

// unasked: d wants an interval for a service of heartbeat.monitor, which needs
// none. Who looks the program up knows that, and says nothing.
func unasked(cfg *config.Config, d *config.Diagnostic) bool {
	return cfg != nil && slices.ContainsFunc(cfg.Services, func(s *config.Service) bool {
		return s.Monitor != nil && s.Monitor.Program == heartbeat.Name && d.Unscheduled(s)
	})
}

// TestExamplesAgree: the examples in TOML are those in mon.cf, with templates.
func TestExamplesAgree(t *testing.T) {
	for cf, other := range map[string]string{"etc/mon.cf": "etc/mond.toml", "etc/examples/virtual.cf": "etc/examples/virtual.toml", "etc/examples/pair.cf": "etc/examples/pair.toml"} {
		if what, _ := toml.Difference(loadExample(t, cf), loadExample(t, other)); what != "" {
			t.Errorf("%s and %s: %s", cf, other, what)
		}
	}
}

// TestPairIsOne: the file of the second director, made as the comments of
// etc/examples/pair.cf say, means the same to both: no alarm about configurations
// that differ.
func TestPairIsOne(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "etc/examples/pair.cf"))
	if err != nil {
		t.Fatal(err)
	}
	second := strings.NewReplacer(
		"--node 1 --peer 2 --name lvs1 --peer-name lvs2", "--node 2 --peer 1 --name lvs2 --peer-name lvs1",
		"10.1.0.1,10.1.0.2", "10.1.0.2,10.1.0.1", "192.168.0.251,192.168.0.252", "192.168.0.252,192.168.0.251",
		"--priority 100 10", "--priority 50 10", "--priority 50 --failback", "--priority 100 --failback",
	).Replace(string(text))
	var sums []uint64
	for i, text := range []string{string(text), second} {
		path := filepath.Join(t.TempDir(), "pair.cf")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, diags := config.Load(t.Context(), path, config.Options{})
		if cfg == nil {
			t.Fatal(diags)
		}
		for _, d := range cfg.TakeRoles(is(heartbeat.Name), is(fake.Name)) {
			t.Error(d.Message)
		}
		for _, group := range []string{"web", "nat"} {
			key := opstatus.Key{Group: "mond", Service: "role-" + group}
			if cfg.Service(key) == nil {
				t.Errorf("file %d tells nobody of %s", i+1, key)
			}
		}
		sums = append(sums, cfg.Hash())
	}
	if second == string(text) || sums[0] != sums[1] {
		t.Errorf("the two files are not one configuration: %x", sums)
	}
}

func is(name string) func(string) bool { return func(program string) bool { return program == name } }

// TestReadme checks the configurations that README.md shows, as a reader would.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	monctl, shown := filepath.Join(daemons.Programs(t), "monctl"), 0
	for i, block := range strings.Split(string(text), "\n```\n") {
		if i%2 == 0 || !strings.HasPrefix(block, "syntax = mond\n") {
			continue
		}
		shown++
		path := filepath.Join(t.TempDir(), "mon.cf")
		if err := os.WriteFile(path, []byte(block+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), monctl, "check", path).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s\n%s", err, block, out)
		}
	}
	if shown < 3 {
		t.Errorf("README.md shows %d configurations", shown)
	}
}

// TestManualPagesAreCurrent compares etc/man with what the programs write.
func TestManualPagesAreCurrent(t *testing.T) {
	bin, pages := daemons.Programs(t), t.TempDir()
	write := func(name, program string, args ...string) {
		out, err := exec.CommandContext(t.Context(), filepath.Join(bin, program), args...).Output()
		if err != nil {
			t.Fatalf("%s %v: %v", program, args, err)
		}
		if name != "" {
			if err := os.WriteFile(filepath.Join(pages, name), out, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("mond.8", "mond", "--man")
	write("mon.cf.5", "monctl", "man", "mon.cf")
	write("mond.toml.5", "monctl", "man", "mond.toml")
	write("", "monctl", "man", "monctl", pages)
	entries, err := os.ReadDir(pages)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		want, _ := os.ReadFile(filepath.Join(pages, e.Name()))
		got, err := os.ReadFile(filepath.Join(root(t), "etc/man", e.Name()))
		if err != nil || string(got) != string(want) {
			t.Errorf("etc/man/%s is not current (%v): run scripts/man", e.Name(), err)
		}
	}
}
