package classic

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"github.com/mondhq/mond/plugins/alert"
)

// ExitRetry is the exit status of an alert that could not tell now and wants to
// be run again (EX_TEMPFAIL, as mail programs use it).
const ExitRetry = 75

// maxSaid bounds how much of an alert's output is in the text of its error.
const maxSaid = 300

// ExitError is an alert that ended with an exit status other than 0.
type ExitError struct {
	// Path is the program's file.
	Path string
	// Code is its exit status, 1 to 255.
	Code int
	// Output is what it printed, cut at Exec.MaxOutput.
	Output string
}

// Error is "alert PATH: exited 3; it said: ...", in one line.
func (e *ExitError) Error() string {
	return fmt.Sprintf("alert %s: exited %d%s", e.Path, e.Code, said(e.Output))
}

// RunAlert runs an alert for one notice, as mon does, and waits for it. It
// returns within e.Grace and two seconds after the end of its time.
//
// mon ignores what alerts exit with, so nobody ever gave it a meaning: an alert
// that exits other than 0 may well have told what it was to tell. Telling it
// again and again would be worse than recording it, so such an end is an
// [*ExitError] marked [alert.Permanent]; so is 127, which Perl's die leaves as
// often as a shell that found nothing. [ExitRetry] asks for another try, and a
// program that could not be started, that was killed or that did not end in
// time is worth one. Whether it read its input is not looked at.
func RunAlert(ctx context.Context, e Exec, r alert.Request) error {
	return RunProgram(ctx, e, r, AlertWords(r), r.Output)
}

// RunProgram is [RunAlert] for a program that is no alert of mon's: it gets the
// same environment, but the words and the input that the caller chooses.
func RunProgram(ctx context.Context, e Exec, r alert.Request, words []string, input string) error {
	ctx, cancel := e.bounded(ctx)
	defer cancel()
	in, err := newFeed(input)
	if err != nil {
		return fmt.Errorf("alert %s: %w", e.Path, err)
	}
	// SIGTERM, so that an alert in the middle of telling may finish if it cares
	// to, should the daemon die.
	o := e.run(ctx, words, e.AlertEnviron(r), in, syscall.SIGTERM)
	in.finish()
	if e.Said != nil && o.output != "" {
		e.Said(o.output)
	}
	return o.failure(e.Path)
}

// failure is what RunAlert returns for a run.
func (o outcome) failure(path string) error {
	switch {
	case o.startErr != nil:
		return fmt.Errorf("alert: %w", o.startErr)
	case o.ended != nil:
		return fmt.Errorf("alert %s: stopped after %v: %w%s", path, o.took.Round(1e6), o.ended, said(o.output))
	case o.exit.Signal != 0:
		return fmt.Errorf("alert %s: %v%s", path, o.exit, said(o.output))
	case o.exit.Code == 0:
		return nil
	}
	err := &ExitError{Path: path, Code: o.exit.Code, Output: o.output}
	switch err.Code {
	case ExitRetry, -1: // -1: lost, it may be any
		return err
	}
	return alert.Permanent(err)
}

// said is the beginning of an output as the end of an error, "" without one.
func said(output string) string {
	line := strings.Join(strings.Fields(output), " ")
	if line == "" {
		return ""
	}
	if short := cutText(line, maxSaid); short != line {
		line = short + " ..."
	}
	return "; it said: " + line
}

// AlertEnviron is the environment of an alert.
func (e Exec) AlertEnviron(r alert.Request) []string {
	return environ(e.Env, e.dirs(), alertVars(r), r.Env)
}

// AlertWords are the arguments of an alert: mon's own, the flag of the kind, the
// words of its line.
func AlertWords(r alert.Request) []string {
	words := []string{
		"-s", r.Service, "-g", r.Group, "-h", joinHosts(r.Hosts),
		"-t", strconv.FormatInt(r.At.Unix(), 10),
	}
	if flag := kindFlag(r.Kind); flag != "" {
		words = append(words, flag)
	}
	return append(words, r.Args...)
}

// joinHosts is the one word that names all hosts, as many as the kernel takes
// in a word.
func joinHosts(hosts []string) string {
	all := strings.Join(hosts, " ")
	if len(all) < maxString {
		return all
	}
	head := all[:maxString-1]
	return head[:max(strings.LastIndexByte(head, ' '), 0)]
}

// kindFlag is the word by which mon tells an alert of a kind, "" for the kinds
// that have none.
func kindFlag(k alert.Kind) string {
	switch k {
	case alert.Up:
		return "-u"
	case alert.Ack:
		return "-a"
	case alert.Disable:
		return "-D"
	case alert.Trap:
		return "-T"
	case alert.TrapTimeout:
		return "-O"
	case alert.Unset, alert.Failure, alert.Startup, alert.Test:
	}
	return ""
}

// alertVars are the variables that follow from the request itself; mon gives
// an acknowledgement and a disabling no exit status.
func alertVars(r alert.Request) map[string]string {
	vars := map[string]string{
		"MON_GROUP":     r.Group,
		"MON_SERVICE":   r.Service,
		"MON_ALERTTYPE": r.Kind.String(),
		"MON_OPSTATUS":  strconv.Itoa(r.Status),
	}
	if r.Kind != alert.Ack && r.Kind != alert.Disable {
		vars["MON_RETVAL"] = strconv.Itoa(r.Exit)
	}
	return vars
}
