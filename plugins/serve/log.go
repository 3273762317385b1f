package serve

import (
	"io"
	"log/slog"
	"strings"
	"time"
)

// logTime is hclog's form of a time.
const logTime = "2006-01-02T15:04:05.000000Z07:00"

// newLogHandler writes records in hclog's JSON, so that the host's log keeps
// their level and fields.
func newLogHandler(w io.Writer) slog.Handler {
	return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: hclogKey})
}

func hclogKey(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		if t, ok := a.Value.Any().(time.Time); ok {
			return slog.String("@timestamp", t.Format(logTime))
		}
	case slog.LevelKey:
		if l, ok := a.Value.Any().(slog.Level); ok {
			return slog.String("@level", strings.ToLower(l.String()))
		}
	case slog.MessageKey:
		return slog.Attr{Key: "@message", Value: a.Value}
	}
	return a
}
