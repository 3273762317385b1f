// Command player is the monitor and all the alerts of scenarios (package twin):
// it takes down how it was started, and as play.monitor it answers what the
// scenario says. It is small, since a daemon under test starts it thousands of
// times.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	os.Exit(run(filepath.Base(os.Args[0]), os.Getenv("MON_CFBASEDIR"), os.Getenv("MON_GROUP")+"."+os.Getenv("MON_SERVICE")))
}

func run(name, dir, service string) int {
	if name == "play.monitor" {
		return play(filepath.Join(dir, "play"), service)
	}
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return fail(err)
	}
	note("alert", append(started(name, strconv.Itoa(os.Getppid())), "i"+string(in))...)
	return 0
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 2
}

// started is how it was started, after fields: words and variables.
func started(fields ...string) []string {
	for _, a := range os.Args[1:] {
		fields = append(fields, "a"+a)
	}
	for _, line := range os.Environ() {
		if strings.HasPrefix(line, "MON_") || strings.HasPrefix(line, "REC_") {
			fields = append(fields, "e"+line)
		}
	}
	return fields
}

// note takes something down in one write, so that no two lines mix.
func note(what string, fields ...string) {
	line := fmt.Sprintf("%s\t%.3f\t%s %s", what, float64(time.Now().UnixMilli())/1000, os.Getenv("MON_GROUP"), os.Getenv("MON_SERVICE"))
	quote := strings.NewReplacer(`\`, `\x5c`, "\t", `\x09`, "\n", `\x0a`, "\r", `\x0d`)
	for _, f := range fields {
		line += "\t" + quote.Replace(f)
	}
	file, err := os.OpenFile(filepath.Join(os.Getenv("MON_CFBASEDIR"), "log", "played"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = file.WriteString(line + "\n")
	}
	if err != nil {
		os.Exit(fail(err))
	}
}

// play answers the next line of the service's file: exit status (-9 for death
// by a signal), output, and what it waits for: "FILE N", a file of at least N
// bytes. SERVICE.runs gets a byte at each run. After the last line it stays
// until the daemon is gone, which ends every run.
func play(dir, service string) int {
	daemon := os.Getppid()
	n, err := count(filepath.Join(dir, service+".runs"))
	if err != nil {
		return fail(err)
	}
	note("began", started(strconv.Itoa(n))...)
	text, err := os.ReadFile(filepath.Join(dir, service))
	if err != nil {
		return fail(err)
	}
	steps := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	if n > len(steps) || len(text) == 0 {
		wait(daemon, time.Second, func() bool { return false })
		return 0
	}
	fields := strings.Split(string(steps[n-1]), "\t")
	for _, hold := range fields[2:] {
		file, size, _ := strings.Cut(hold, " ")
		least, _ := strconv.ParseInt(size, 10, 64)
		wait(daemon, 50*time.Millisecond, func() bool {
			info, err := os.Stat(filepath.Join(dir, file))
			return err == nil && info.Size() >= least
		})
	}
	_, _ = os.Stdout.WriteString(strings.NewReplacer(`\x5c`, `\`, `\x09`, "\t", `\x0a`, "\n", `\x0d`, "\r").Replace(fields[1]))
	note("ended", strconv.Itoa(n))
	exit, _ := strconv.Atoi(fields[0])
	if exit < 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		time.Sleep(time.Minute) // it comes
	}
	return exit
}

// count adds a byte to a file and is its size.
func count(path string) (int, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := f.WriteString("x"); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return int(info.Size()), nil
}

// wait waits for a condition, and ends the program with the daemon.
func wait(daemon int, pause time.Duration, holds func() bool) {
	for !holds() {
		time.Sleep(pause)
		if os.Getppid() != daemon {
			os.Exit(0)
		}
	}
}
