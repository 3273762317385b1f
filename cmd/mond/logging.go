package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"log/syslog"
	"os"
	"strings"
	"sync"
)

// newLogger logs to where the options say: auto is the journal under systemd,
// syslog for a daemon that forked, else stderr.
func newLogger(o options, facility string, stderr io.Writer) (*slog.Logger, error) {
	level, err := o.level()
	if err != nil {
		return nil, err
	}
	where := o.logTo
	if where == "auto" {
		where = autoLog(o.fork)
	}
	switch where {
	case "stderr":
		return slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})), nil
	case "journal":
		return slog.New(newLineHandler(level, journalLine(stderr))), nil
	case "syslog":
		write, err := syslogLine(facility)
		if err != nil {
			return nil, err
		}
		return slog.New(newLineHandler(level, write)), nil
	}
	return nil, fmt.Errorf("--log %q: want stderr, journal, syslog or auto", o.logTo)
}

func autoLog(forked bool) string {
	switch {
	case os.Getenv("JOURNAL_STREAM") != "":
		return "journal"
	case forked:
		return "syslog"
	}
	return "stderr"
}

// journalLine prefixes each line with its priority (sd-daemon(3)).
func journalLine(w io.Writer) func(slog.Level, string) {
	return func(l slog.Level, line string) { fmt.Fprintf(w, "<%d>%s\n", priority(l), line) }
}

// facilities are mon's names (syslog_facility).
var facilities = map[string]syslog.Priority{
	"kern": syslog.LOG_KERN, "user": syslog.LOG_USER, "mail": syslog.LOG_MAIL, "daemon": syslog.LOG_DAEMON,
	"auth": syslog.LOG_AUTH, "syslog": syslog.LOG_SYSLOG, "lpr": syslog.LOG_LPR, "news": syslog.LOG_NEWS,
	"uucp": syslog.LOG_UUCP, "cron": syslog.LOG_CRON, "authpriv": syslog.LOG_AUTHPRIV, "ftp": syslog.LOG_FTP,
	"local0": syslog.LOG_LOCAL0, "local1": syslog.LOG_LOCAL1, "local2": syslog.LOG_LOCAL2, "local3": syslog.LOG_LOCAL3,
	"local4": syslog.LOG_LOCAL4, "local5": syslog.LOG_LOCAL5, "local6": syslog.LOG_LOCAL6, "local7": syslog.LOG_LOCAL7,
}

// syslogLine writes to the local syslog, whose loss is nobody's end.
func syslogLine(facility string) (func(slog.Level, string), error) {
	f, ok := facilities[strings.ToLower(facility)]
	if !ok {
		return nil, fmt.Errorf("syslog facility %q is unknown", facility)
	}
	w, err := syslog.New(f|syslog.LOG_INFO, "mond")
	if err != nil {
		return nil, fmt.Errorf("open syslog: %w; use --log stderr", err)
	}
	write := map[int]func(string) error{3: w.Err, 4: w.Warning, 6: w.Info, 7: w.Debug}
	return func(l slog.Level, line string) { _ = write[priority(l)](line) }, nil
}

// priority is syslog's number for a level.
func priority(l slog.Level) int {
	switch {
	case l >= slog.LevelError:
		return 3
	case l >= slog.LevelWarn:
		return 4
	case l >= slog.LevelInfo:
		return 6
	}
	return 7
}

// lineHandler formats records as text without time and level, which syslog
// and the journal add themselves.
type lineHandler struct {
	slog.Handler
	out *lineSink
}

// lineSink is shared by a handler and those derived from it.
type lineSink struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	write func(slog.Level, string)
}

func newLineHandler(level slog.Level, write func(slog.Level, string)) lineHandler {
	sink := &lineSink{write: write}
	text := slog.NewTextHandler(&sink.buf, &slog.HandlerOptions{Level: level, ReplaceAttr: dropTimeAndLevel})
	return lineHandler{Handler: text, out: sink}
}

func dropTimeAndLevel(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
		return slog.Attr{}
	}
	return a
}

// Handle writes one record as one line.
func (h lineHandler) Handle(ctx context.Context, r slog.Record) error {
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	h.out.buf.Reset()
	if err := h.Handler.Handle(ctx, r); err != nil {
		return err
	}
	h.out.write(r.Level, strings.TrimRight(h.out.buf.String(), "\n"))
	return nil
}

// WithAttrs keeps the sink.
func (h lineHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return lineHandler{Handler: h.Handler.WithAttrs(a), out: h.out}
}

// WithGroup keeps the sink.
func (h lineHandler) WithGroup(name string) slog.Handler {
	return lineHandler{Handler: h.Handler.WithGroup(name), out: h.out}
}
