package daemons

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// programs are made once a process, when a test first needs them.
var programs struct {
	once sync.Once
	dir  string
	err  error
}

// Programs is a folder with mond, monctl and plugins/ as scripts/build makes
// them. A package that uses it ends in [Main].
func Programs(t testing.TB) string {
	t.Helper()
	programs.once.Do(func() { programs.dir, programs.err = build() })
	if programs.err != nil {
		t.Fatal(programs.err)
	}
	return programs.dir
}

// Main runs the tests of a package and removes what Programs made; a TestMain
// exits with it.
func Main(m *testing.M) int {
	code := m.Run()
	if programs.dir != "" {
		_ = os.RemoveAll(programs.dir)
	}
	return code
}

// build makes a folder with the programs, linked as scripts/build does.
func build() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "mond-bin-"); err != nil {
		return "", err
	}
	return dir, Build(dir)
}

// Build puts mond, monctl and plugins/ into dir. They are copied from the folder
// that TEST_PROGRAMS names, if it is set, which saves the tests of several packages
// some minutes; else they are built.
func Build(dir string) error {
	plugins := filepath.Join(dir, "plugins")
	program := filepath.Join(plugins, "mond-plugins")
	if err := os.Mkdir(plugins, 0o755); err != nil {
		return err
	}
	if err := obtain(dir, program); err != nil {
		return err
	}
	help, _ := exec.Command(program).Output() // it lists its names, and fails without one
	var failed error
	for line := range strings.Lines(string(help)) {
		if name, ok := strings.CutPrefix(line, "  "); ok {
			name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
			failed = errors.Join(failed, os.Symlink("mond-plugins", filepath.Join(plugins, name)))
		}
	}
	return failed
}

// obtain copies or builds the three programs.
func obtain(dir, plugins string) error {
	if bin := os.Getenv("TEST_PROGRAMS"); bin != "" {
		return errors.Join(
			copyProgram(filepath.Join(bin, "mond"), filepath.Join(dir, "mond")),
			copyProgram(filepath.Join(bin, "monctl"), filepath.Join(dir, "monctl")),
			copyProgram(filepath.Join(bin, "plugins", "mond-plugins"), plugins))
	}
	const module = "github.com/mondhq/mond/cmd/"
	out, err := exec.Command("go", "build", "-o", dir+"/", module+"mond", module+"monctl", module+"mond-plugins").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return os.Rename(filepath.Join(dir, "mond-plugins"), plugins)
}

func copyProgram(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("TEST_PROGRAMS: %w; run scripts/build", err)
	}
	return os.WriteFile(to, text, 0o755)
}
