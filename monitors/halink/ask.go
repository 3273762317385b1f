package halink

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
)

// maxAnswer is how much of an answer is read.
const maxAnswer = 16 << 10

// ask runs cl_status once and returns what it says. Its exit status is that of
// the state asked for, so that only silence with a complaint is an error: of
// this machine, whatever it is.
func (m *haMonitor) ask(ctx context.Context, words ...string) (string, error) {
	cmd := exec.CommandContext(ctx, m.program, words...)
	cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 100 * time.Millisecond
	answer, complaint := &head{}, &head{}
	cmd.Stdout, cmd.Stderr = answer, complaint
	err := cmd.Run()
	text, said := strings.TrimSpace(string(answer.text)), reason(string(complaint.text))
	_, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		return "", monitor.Fault(fmt.Errorf("cl_status %s did not answer in time: is heartbeat stuck?", strings.Join(words, " ")))
	case err != nil && !exited && !errors.Is(err, exec.ErrWaitDelay):
		return "", monitor.Fault(fmt.Errorf("run cl_status: %w (it is in the package heartbeat)", err))
	case text == "" && said != "":
		return "", monitor.Fault(errors.New("cl_status: " + said))
	case text == "" && words[0] != "listhblinks":
		return "", monitor.Fault(fmt.Errorf("cl_status %s says nothing", strings.Join(words, " ")))
	}
	return text, nil
}

// stamp begins the lines of heartbeat's programs: date, machine, program.
var stamp = regexp.MustCompile(`^\w{3} +\d+ [\d:]+ \S+ \S+ \[\d+\]: `)

// reason is what there is to know of a complaint, in one line.
func reason(text string) string {
	var parts []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(stamp.ReplaceAllString(strings.TrimSpace(line), ""))
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(line, "ERROR: "), "REASON:"))
		if line != "" && line != "ERROR:" {
			parts = append(parts, line)
		}
	}
	if strings.Contains(text, "signon") {
		parts = append([]string{"heartbeat does not run here, or does not let this user ask (group haclient)"}, parts...)
	}
	return strings.Join(parts, ": ")
}

// head keeps the beginning of what is written to it.
type head struct{ text []byte }

func (h *head) Write(b []byte) (int, error) {
	h.text = append(h.text, b[:min(len(b), maxAnswer-len(h.text))]...)
	return len(b), nil
}
