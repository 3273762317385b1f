package enginetest

import (
	"strings"
	"sync"
)

// Log is what a logger writes to; it may be read meanwhile. The zero value is
// empty.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write is for the logger.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// String is all that was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
