package host

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// What is taken of what a plugin prints.
const (
	maxLine      = 16 << 10
	linesASecond = 200 // further ones are counted
	maxReason    = 300
)

// lines cuts what is written into lines.
type lines struct {
	each func(string)
	part bytes.Buffer
}

func newLines(each func(string)) *lines { return &lines{each: each} }

// Write never fails.
func (l *lines) Write(b []byte) (int, error) {
	n := len(b)
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			l.part.Write(b[:min(len(b), maxLine-min(l.part.Len(), maxLine))])
			return n, nil
		}
		l.part.Write(b[:min(i, maxLine-min(l.part.Len(), maxLine))])
		l.each(strings.ToValidUTF8(strings.TrimRight(l.part.String(), "\r"), "\uFFFD"))
		l.part.Reset()
		b = b[i+1:]
	}
}

// pluginLog passes on what a plugin logs and remembers its last words, which
// often say why it died. go-plugin could do the first, but a line of JSON with
// "@message" of another type than a string makes it panic, and mond with it.
type pluginLog struct {
	log *slog.Logger
	now func() time.Time

	mu     sync.Mutex
	last   string // the last raw line, or the first after "panic:" or "fatal error:"
	fatal  bool
	second time.Time
	count  int
}

func newPluginLog(l *slog.Logger) *pluginLog { return &pluginLog{log: l, now: time.Now} }

// read passes on all lines of r until its end.
func (p *pluginLog) read(r io.Reader) {
	w := newLines(p.line)
	_, _ = io.Copy(w, bufio.NewReaderSize(r, maxLine)) // the pipe's end, or closed by us
	if w.part.Len() > 0 {
		p.line(w.part.String())
	}
}

// line passes on one line of the plugin's standard error.
func (p *pluginLog) line(s string) {
	level, msg, args, ok := parseRecord(s)
	if !ok {
		p.remember(s)
		level, msg, args = rawLevel(s), s, nil
	}
	if p.admit() {
		p.log.Log(context.Background(), level, msg, args...)
	}
}

// said passes on a line of the plugin's standard output.
func (p *pluginLog) said(s string) {
	if p.admit() {
		p.log.Debug("plugin printed", "line", s)
	}
}

// admit bounds how much a plugin can write to our log.
func (p *pluginLog) admit() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if now.Sub(p.second) >= time.Second {
		if over := p.count - linesASecond; over > 0 {
			p.log.Warn("plugin logs too much, lines were left out", "lines", over)
		}
		p.second, p.count = now, 0
	}
	p.count++
	return p.count <= linesASecond
}

func (p *pluginLog) remember(s string) {
	s = strings.TrimSpace(s)
	p.mu.Lock()
	defer p.mu.Unlock()
	if s == "" || p.fatal {
		return
	}
	p.fatal = strings.HasPrefix(s, "panic: ") || strings.HasPrefix(s, "fatal error: ")
	p.last = s[:min(len(s), maxReason)]
}

// words are the plugin's last words, "" when it said nothing.
func (p *pluginLog) words() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.ToValidUTF8(p.last, "\uFFFD")
}

func rawLevel(s string) slog.Level {
	if strings.HasPrefix(s, "panic: ") || strings.HasPrefix(s, "fatal error: ") {
		return slog.LevelError
	}
	return slog.LevelDebug
}

// parseRecord reads a line in hclog's JSON; ok is false when it is none.
func parseRecord(s string) (level slog.Level, msg string, args []any, ok bool) {
	if !strings.HasPrefix(s, "{") {
		return 0, "", nil, false
	}
	var m map[string]any
	if json.Unmarshal([]byte(s), &m) != nil {
		return 0, "", nil, false
	}
	if msg, ok = m["@message"].(string); !ok {
		return 0, "", nil, false
	}
	word, _ := m["@level"].(string)
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !strings.HasPrefix(k, "@") {
			args = append(args, slog.Any(k, m[k]))
		}
	}
	return levelOf(word), msg, args, true
}

func levelOf(word string) slog.Level {
	switch word {
	case "trace":
		return levelTrace
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}
