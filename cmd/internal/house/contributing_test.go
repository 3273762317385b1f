package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the top of the checkout.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestFoldersNamedExist reads the newcomer's page at the top of
// CONTRIBUTING.md: every folder or file it names in backquotes must be there.
func TestFoldersNamedExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	page, _, _ := strings.Cut(string(text), "\n## ")
	found := 0
	for _, m := range regexp.MustCompile("`([a-z][a-zA-Z0-9_./-]*/[a-zA-Z0-9_./-]*)`").FindAllStringSubmatch(page, -1) {
		found++
		if _, err := os.Stat(filepath.Join(root(t), strings.TrimSuffix(m[1], "/..."))); err != nil {
			t.Errorf("CONTRIBUTING.md names %s: %v", m[1], err)
		}
	}
	if found < 8 {
		t.Errorf("the newcomer's page names %d folders; it should show the way through the house", found)
	}
}
