package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// shown is how many lines of a daemon's warnings are shown.
const shown = 3

// grumble is a daemon's standard error: its first lines go to out, all are
// counted. A machine that is too busy makes mond warn of every check.
type grumble struct {
	out io.Writer

	mu    sync.Mutex
	lines int
}

// Write takes whole lines, as daemons write them.
func (g *grumble) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for line := range bytes.Lines(b) {
		g.lines++
		if g.lines <= shown {
			fmt.Fprintf(g.out, "%s", line)
		}
		if g.lines == shown+1 {
			fmt.Fprintln(g.out, "... the table has the count")
		}
	}
	return len(b), nil
}

func (g *grumble) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lines
}
