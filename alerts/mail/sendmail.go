package mailalert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/alert/wording"
)

// defaultSendmail is where a mail system has its program by custom.
const defaultSendmail = "/usr/sbin/sendmail"

// program is the sendmail program to use, empty for SMTP.
func (a *Alert) program() string {
	if a.sendmail != "" || a.wantsSMTP() {
		return a.sendmail
	}
	if info, err := os.Stat(defaultSendmail); err == nil && info.Mode()&0o111 != 0 {
		return defaultSendmail
	}
	return ""
}

// sendmailEnd is how long sendmail may take to end once it was told to.
const sendmailEnd = time.Second

// pipe hands the letter to a sendmail program, which takes the addresses from
// its header.
func (a *Alert) pipe(ctx context.Context, program string, l letter) error {
	if a.from != "" {
		from, err := parseAddress(a.from)
		if err != nil {
			return alert.Permanent(err)
		}
		from = qualify(from, l.host)
		l.from = &from
	}
	var text bytes.Buffer
	if _, err := l.message().WriteTo(&text); err != nil {
		return alert.Permanent(fmt.Errorf("compose mail: %w", err))
	}
	said := start{limit: 1024}
	cmd := exec.CommandContext(ctx, program, "-oi", "-t")
	cmd.Stdin = bytes.NewReader(bytes.ReplaceAll(text.Bytes(), []byte("\r\n"), []byte("\n")))
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = sendmailEnd
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s took too long: %w", program, context.Cause(ctx))
	}
	err = fmt.Errorf("%s -oi -t: %w%s", program, err, said.String())
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && refused(exit.ExitCode()) {
		return alert.Permanent(err)
	}
	return err
}

// refused reports whether sendmail's exit status, by sysexits(3), speaks of
// this mail and not of the state that the mail system is in.
func refused(exit int) bool {
	const usage, dataError, noUser = 64, 65, 67
	return exit == usage || exit == dataError || exit == noUser
}

// start keeps the beginning of what a program says.
type start struct {
	b     []byte
	limit int
}

// Write implements io.Writer and never fails.
func (t *start) Write(p []byte) (int, error) {
	t.b = append(t.b, p[:min(len(p), t.limit-len(t.b))]...)
	return len(p), nil
}

// String is what was said as the end of an error.
func (t *start) String() string {
	s := strings.TrimSpace(string(t.b))
	if s == "" {
		return ""
	}
	return ": " + wording.OneLine(s, t.limit)
}
