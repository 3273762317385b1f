package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// writePID writes the process id to path and returns what removes it again;
// an empty path is no file.
func writePID(path string) (remove func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of the pidfile: %w", err)
	}
	text := strconv.Itoa(os.Getpid()) + "\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return nil, fmt.Errorf("write the pidfile: %w", err)
	}
	return func() {
		if now, err := os.ReadFile(path); err == nil && string(now) == text {
			clearPID(path)
		}
	}, nil
}

// clearPID removes the file or, where only root may remove it, empties it.
func clearPID(path string) {
	if os.Remove(path) != nil {
		_ = os.Truncate(path, 0) // a leftover is harmless
	}
}
