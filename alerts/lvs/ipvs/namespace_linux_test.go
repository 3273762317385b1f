package ipvs

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// What is no namespace, and what is another one now, is told.
func TestNamespace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "blue")
	if _, err := locate(path); !errors.Is(err, ErrNoNamespace) {
		t.Errorf("nothing there: %v", err)
	}
	write := func() {
		if err := os.WriteFile(path+".new", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write()
	space, err := locate(path)
	if err != nil || space.there() != nil {
		t.Fatal(err, space.there())
	}
	if _, err := OpenKernelIn(path); !errors.Is(err, ErrNoNamespace) && !errors.Is(err, ErrPermission) {
		t.Errorf("a file that is none: %v", err)
	}
	write()
	if err := space.there(); !errors.Is(err, ErrNoNamespace) {
		t.Errorf("another one of that name: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := space.there(); !errors.Is(err, ErrNoNamespace) {
		t.Errorf("gone: %v", err)
	}
	if err := (namespace{}).there(); err != nil {
		t.Errorf("our own: %v", err)
	}
}
