package host

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// hclogger is an [hclog.Logger] that writes to slog, which go-plugin needs. top
// is the highest level it uses: go-plugin calls an end that we wished for an
// error, and what an end means is ours to say.
type hclogger struct {
	log  *slog.Logger
	name string
	args []any
	top  slog.Level
}

func newHclog(l *slog.Logger, top slog.Level) hclog.Logger { return &hclogger{log: l, top: top} }

// levelTrace is below slog's lowest.
const levelTrace = slog.LevelDebug - 4

func slogLevel(l hclog.Level) slog.Level {
	switch l {
	case hclog.Trace:
		return levelTrace
	case hclog.Debug:
		return slog.LevelDebug
	case hclog.Warn:
		return slog.LevelWarn
	case hclog.Error:
		return slog.LevelError
	case hclog.Info, hclog.NoLevel, hclog.Off:
	}
	return slog.LevelInfo
}

func (h *hclogger) level(l hclog.Level) slog.Level { return min(slogLevel(l), h.top) }

// Log writes one record; values that hclog formats late are formatted here.
func (h *hclogger) Log(l hclog.Level, msg string, args ...any) {
	if !h.enabled(l) {
		return
	}
	for i, a := range args {
		switch v := a.(type) {
		case hclog.Format:
			args[i] = fmt.Sprintf(fmt.Sprint(v[0]), v[1:]...)
		case fmt.Stringer:
			args[i] = v.String()
		}
	}
	h.log.Log(context.Background(), h.level(l), msg, args...)
}

func (h *hclogger) enabled(l hclog.Level) bool {
	return h.log.Enabled(context.Background(), h.level(l))
}

func (h *hclogger) Trace(msg string, args ...any) { h.Log(hclog.Trace, msg, args...) }
func (h *hclogger) Debug(msg string, args ...any) { h.Log(hclog.Debug, msg, args...) }
func (h *hclogger) Info(msg string, args ...any)  { h.Log(hclog.Info, msg, args...) }
func (h *hclogger) Warn(msg string, args ...any)  { h.Log(hclog.Warn, msg, args...) }
func (h *hclogger) Error(msg string, args ...any) { h.Log(hclog.Error, msg, args...) }

func (h *hclogger) IsTrace() bool { return h.enabled(hclog.Trace) }
func (h *hclogger) IsDebug() bool { return h.enabled(hclog.Debug) }
func (h *hclogger) IsInfo() bool  { return h.enabled(hclog.Info) }
func (h *hclogger) IsWarn() bool  { return h.enabled(hclog.Warn) }
func (h *hclogger) IsError() bool { return h.enabled(hclog.Error) }

func (h *hclogger) ImpliedArgs() []any { return h.args }
func (h *hclogger) Name() string       { return h.name }

// With adds keys and values to every record.
func (h *hclogger) With(args ...any) hclog.Logger {
	c := *h
	c.log = h.log.With(args...)
	c.args = append(append([]any{}, h.args...), args...)
	return &c
}

// Named only remembers the name: the records say by their plugin whose they
// are.
func (h *hclogger) Named(name string) hclog.Logger {
	if h.name != "" {
		name = h.name + "." + name
	}
	return h.ResetNamed(name)
}

func (h *hclogger) ResetNamed(name string) hclog.Logger {
	c := *h
	c.name = name
	return &c
}

// SetLevel does nothing: the level is that of the slog handler.
func (h *hclogger) SetLevel(hclog.Level) {}

func (h *hclogger) GetLevel() hclog.Level {
	for _, l := range []hclog.Level{hclog.Trace, hclog.Debug, hclog.Info, hclog.Warn} {
		if h.enabled(l) {
			return l
		}
	}
	return hclog.Error
}

func (h *hclogger) StandardLogger(o *hclog.StandardLoggerOptions) *log.Logger {
	return log.New(h.StandardWriter(o), "", 0)
}

func (h *hclogger) StandardWriter(*hclog.StandardLoggerOptions) io.Writer {
	return newLines(func(line string) { h.Info(line) })
}
