// Command mond is the daemon: it reads mon.cf, checks what it names, and acts
// on what it sees. It is the only place that joins engine, plugin host and
// control; everything it does is done by them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main without the process: 0 for a clean stop, 1 for a failure, 2 for
// a command line that makes no sense.
func run(args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprint(stdout, o.usage())
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "mond: %v\nmond --help shows the options\n", err)
		return 2
	case o.version:
		fmt.Fprintln(stdout, "mond", version())
		return 0
	case o.man:
		return manual(stdout, stderr)
	case o.fork && !isChild():
		return fork(stderr)
	}
	return serve(o, stderr)
}

func manual(stdout, stderr io.Writer) int {
	if err := writeMan(stdout); err != nil {
		return fail(stderr, err)
	}
	return 0
}

// serve runs the daemon until a signal ends it.
func serve(o options, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	signal.Ignore(syscall.SIGPIPE) // a reader that went away is not our end
	slacken()
	d, err := newDaemon(ctx, o, stderr)
	if err != nil {
		return fail(stderr, err)
	}
	if err := d.run(ctx); err != nil {
		return fail(stderr, err)
	}
	return 0
}

// fail tells whoever waits: the person at the terminal, or the process that
// forked us.
func fail(stderr io.Writer, err error) int {
	if _, shown := errors.AsType[reported](err); !shown {
		fmt.Fprintf(stderr, "mond: %v\n", err)
	}
	reportStart(err)
	return 1
}

// reported is an error that has already been shown on stderr.
type reported struct{ error }
