// Package execalert is exec.alert: it tells of an event by running a program
// that need know nothing of mon.
//
// The program gets the notice in the environment that mon's alerts get (MON_*;
// and MOND_HOSTS, MOND_TIME, MOND_NOTICE_ID, MOND_REPEATED), the monitor's
// output or JSON on its standard input, and the words of the line as they stand
// there. It runs in a process group of its own, which ends with
// it or with the time limit. What it prints is in the error if it fails, and is
// dropped otherwise.
//
// Its exit status says what becomes of the notice: 0 told; 75 (EX_TEMPFAIL of
// sysexits), and 126 and 127 by which shells say that nothing was run, another
// try; any other not told, and no use trying, for a program that fails may have
// told half of it, and would tell that half again and again. --retry-on chooses
// otherwise. A program that could not be started, was killed or took too long
// is tried again.
package execalert

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/alerts/internal/numbers"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/alert/wording"
	"github.com/mondhq/mond/plugins/classic"
	"github.com/mondhq/mond/plugins/procgroup"
)

// Name is the program's name in mon.cf.
const Name = "exec.alert"

// Synopsis is what it does, in one sentence.
const Synopsis = "tells of failures and recoveries by running any program"

// shell runs what --shell is given.
const shell = "/bin/sh"

// Alert is one exec.alert line: options, and the program in words.
type Alert struct {
	words   *flag.FlagSet
	classic bool
	json    bool
	expand  bool
	shell   bool
	retry   numbers.Set
	dir     string
	timeout time.Duration
}

// New declares the options of exec.alert.
func New(fs *flag.FlagSet) alert.Alert {
	a := &Alert{words: fs, retry: numbers.New(1, 255, "75,126-127")}
	fs.BoolVar(&a.classic, "classic", false, "put mon's own arguments (-s -g -h -t ...) before those of the line")
	fs.BoolVar(&a.json, "json", false, "give the notice as JSON on standard input (default: what the monitor printed)")
	fs.BoolVar(&a.expand, "expand", false, "take the arguments, but not the program, for templates, such as {{.Summary}}")
	fs.BoolVar(&a.shell, "shell", false, "take the first word for a command of the shell, the others for its $1, $2 ...")
	fs.Var(&a.retry, "retry-on", "`LIST` of the exit statuses that ask for another try, or none")
	fs.StringVar(&a.dir, "dir", "/", "`FOLDER` to run in")
	fs.DurationVar(&a.timeout, "timeout", time.Minute, "longest `TIME` for the program")
	return a
}

// Validate judges options and words together, and looks for the program.
func (a *Alert) Validate() error {
	switch {
	case a.words.NArg() == 0 || a.words.Arg(0) == "":
		return errors.New("no program: name one, as in \"exec.alert -- /usr/local/bin/page --now\"")
	case a.classic && a.shell:
		return errors.New("--classic and --shell: only one of them can be given")
	case a.timeout <= 0:
		return fmt.Errorf("--timeout %v: must be more than 0", a.timeout)
	case !filepath.IsAbs(a.dir):
		return fmt.Errorf("--dir %s: name it from the root on", a.dir)
	}
	if info, err := os.Stat(a.dir); err != nil || !info.IsDir() {
		return fmt.Errorf("--dir %s: there is no such folder", a.dir)
	}
	if _, err := a.program(); err != nil {
		return err
	}
	for _, n := range wording.Samples() {
		if _, err := a.arguments(context.Background(), n); err != nil {
			return err
		}
	}
	return nil
}

// program is the file to run.
func (a *Alert) program() (string, error) {
	if a.shell {
		return shell, nil
	}
	path, err := exec.LookPath(a.words.Arg(0))
	if err != nil {
		return "", fmt.Errorf("program %w", err)
	}
	return filepath.Abs(path)
}

// arguments are the words after the program's name. A template never makes the
// command of a shell: what a host answered would be run.
func (a *Alert) arguments(ctx context.Context, n wording.Notice) ([]string, error) {
	rest := a.words.Args()[1:]
	var words []string
	if a.shell {
		words = append(words, "-c", a.words.Arg(0), Name)
	}
	if !a.expand {
		return append(words, rest...), nil
	}
	for i, text := range rest {
		word := ""
		if text != "" {
			var t wording.Text
			err := t.Set(text)
			if err == nil {
				word, err = t.Render(ctx, n)
			}
			if err != nil {
				return nil, fmt.Errorf("argument %d: %w", i+1, err)
			}
		}
		words = append(words, word)
	}
	return words, nil
}

// Alert runs the program once.
func (a *Alert) Alert(ctx context.Context, r alert.Request) error {
	if err := a.Validate(); err != nil {
		return err // it was well once: what is missing may come back
	}
	path, err := a.program()
	if err != nil {
		return err
	}
	n := wording.Of(r)
	words, err := a.arguments(ctx, n)
	if err != nil {
		return err
	}
	if a.classic {
		r.Args = words
		words = classic.AlertWords(r)
	}
	input := r.Output
	if a.json {
		input = string(n.JSON()) + "\n"
	}
	return a.run(ctx, path, r, words, input)
}

// run starts the program and judges its end.
func (a *Alert) run(ctx context.Context, path string, r alert.Request, words []string, input string) error {
	spawner, err := procgroup.New()
	if err != nil {
		return err
	}
	defer spawner.Close()
	e := classic.Exec{
		Spawner: spawner, Path: path, Env: os.Environ(), Dir: a.dir, Limit: a.timeout,
		StateDir: r.Env["MON_STATEDIR"], LogDir: r.Env["MON_LOGDIR"], CfBaseDir: r.Env["MON_CFBASEDIR"],
	}
	r.Env = a.variables(r)
	err = classic.RunProgram(ctx, e, r, words, input)
	exit, ok := errors.AsType[*classic.ExitError](err)
	switch {
	case !ok:
		return err
	case a.retry.Has(exit.Code):
		return exit // without the mark
	}
	return alert.Permanent(exit)
}

// variables are the service's and mon's, and what mon has no name for: hosts and
// time, which its alerts get as arguments.
func (a *Alert) variables(r alert.Request) map[string]string {
	env := map[string]string{"MON_LAST_SUMMARY": wording.Summary(r)}
	maps.Copy(env, r.Env)
	env["MOND_HOSTS"] = strings.Join(r.Hosts, " ")
	env["MOND_TIME"] = strconv.FormatInt(r.At.Unix(), 10)
	env["MOND_NOTICE_ID"] = r.ID
	if r.Repeated {
		env["MOND_REPEATED"] = "1"
	}
	return env
}
