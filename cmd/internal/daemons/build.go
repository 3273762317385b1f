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
func Programs(t *testing.T) string {
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

// build builds them as scripts/build does.
func build() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "mond-bin-"); err != nil {
		return "", err
	}
	const module = "github.com/mondhq/mond/cmd/"
	out, err := exec.Command("go", "build", "-o", dir+"/", module+"mond", module+"monctl", module+"mond-plugins").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	plugins := filepath.Join(dir, "plugins")
	program := filepath.Join(plugins, "mond-plugins")
	err = errors.Join(os.Mkdir(plugins, 0o755), os.Rename(filepath.Join(dir, "mond-plugins"), program))
	if err != nil {
		return "", err
	}
	help, _ := exec.Command(program).Output() // it lists its names, and fails without one
	for line := range strings.Lines(string(help)) {
		if name, ok := strings.CutPrefix(line, "  "); ok {
			name, _, _ = strings.Cut(name, " ")
			err = errors.Join(err, os.Symlink("mond-plugins", filepath.Join(plugins, strings.TrimSpace(name))))
		}
	}
	return dir, err
}
