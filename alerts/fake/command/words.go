package command

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/getopt"
	"github.com/mondhq/mond/plugins/role"
)

// action is the last word.
type action string

const (
	actStart   action = "start"
	actStop    action = "stop"
	actRestart action = "restart"
	actStatus  action = "status"
	actMonitor action = "monitor"
	actRepeat  action = "repeat"
)

var actions = []action{actStart, actStop, actRestart, actStatus, actMonitor, actRepeat}

// limit is how long it may take; 0 for as long as it likes.
func (a action) limit() time.Duration {
	switch a {
	case actStart:
		return startLimit
	case actStop:
		return stopLimit
	case actRestart:
		return startLimit + stopLimit
	case actRepeat:
		return 0
	}
	return statusLimit
}

// job is what one command line asks for.
type job struct {
	action  action
	group   role.Group
	passive bool   // addresses are somebody else's to add and remove
	file    string // the old program's, if the group is from one
	run     string // folder of locks
	config  string // folder of the old program's files
	carrier string
	again   []string // the words that make the same group
}

// What --carrier may be.
const (
	carrierIgnore  = "ignore"
	carrierDegrade = "degraded"
	carrierFail    = "fail"
)

// declare declares the program's options.
func (j *job) declare(fs *flag.FlagSet, w *role.Words) {
	fs.SetOutput(io.Discard)
	w.Declare(fs)
	fs.StringVar(&j.run, "run", "/run/fake", "`FOLDER` of locks, made if it is not there")
	fs.StringVar(&j.config, "config", "/etc/fake", "`FOLDER` of the old program's .fakerc and instance_config; read if one bare address and no option of the group is given")
	fs.Func("carrier", "`WHAT` monitor says of an address on an interface without carrier: ignore, degraded (exit status 190) or fail (default ignore)", func(s string) error {
		if !slices.Contains([]string{carrierIgnore, carrierDegrade, carrierFail}, s) {
			return errors.New("say ignore, degraded or fail")
		}
		j.carrier = s
		return nil
	})
}

// own are the options that are not the group's.
var own = []string{"run", "config", "carrier"}

// read reads the command line, and the old program's file where it counts. The
// job says as much as could be read, with an error too.
func (p Program) read(args []string) (*job, error) {
	j := &job{carrier: carrierIgnore}
	if n := len(args); n > 0 {
		j.action = action(args[n-1]) // for the exit status of an error
	}
	var w role.Words
	fs := flag.NewFlagSet("fake", flag.ContinueOnError)
	j.declare(fs, &w)
	rest, err := getopt.Parse(fs, args)
	if err != nil {
		return j, err
	}
	addresses, err := j.operands(rest)
	if err != nil {
		return j, err
	}
	if j.group, err = w.Group(addresses); err != nil {
		return j, err
	}
	options := p.given(fs, j)
	if len(addresses) == 1 && !options && !strings.Contains(addresses[0], "/") {
		if err := p.instanceOf(j); err != nil {
			return j, err
		}
	}
	j.again = append([]string{"--run", j.run, "--config", j.config}, j.group.Args()...)
	if j.file != "" {
		j.again = append([]string{"--run", j.run, "--config", j.config}, addresses...)
	}
	return j, nil
}

// given says whether an option of the group was given. Who runs this program
// has decided that the address is to be here, as the old one's users had: a
// stranger that answers is asked for only if --conflict says so.
func (p Program) given(fs *flag.FlagSet, j *job) bool {
	options, conflict := false, false
	fs.Visit(func(f *flag.Flag) {
		options = options || !slices.Contains(own, f.Name)
		conflict = conflict || f.Name == "conflict"
	})
	if !conflict {
		j.group.Conflict = role.Takeover
	}
	return options
}

// operands divides the words into addresses and action.
func (j *job) operands(rest []string) ([]string, error) {
	if len(rest) == 0 {
		return nil, errors.New("no address and no action")
	}
	if rest[0] == "remove" {
		j.action = actStop
		return rest[1:], nil
	}
	last := rest[len(rest)-1]
	if slices.Contains(actions, action(last)) {
		j.action = action(last)
		return rest[:len(rest)-1], nil
	}
	if _, err := role.ParseAddress(last); err != nil && len(rest) > 1 {
		return nil, fmt.Errorf("no action %q: want start, stop, restart, status, monitor or repeat as the last word", last)
	}
	j.action = actStart
	return rest, nil
}

// usage is the help.
func usage() string {
	var b strings.Builder
	b.WriteString(`usage: fake [OPTION...] ADDRESS... start|stop|restart|status|monitor|repeat
       fake ADDRESS          as start; it returns when the address is there and announced, and does not stay as the old fake did
       fake remove ADDRESS   as stop

ADDRESS is ip[/bits[/interface[:label][/broadcast]]], as IPaddr2 and haresources have it. Several are one group: held all or none.
The addresses are permanent: who decides where they are, heartbeat, Pacemaker, keepalived or a person, must be only one.

start    adds what is missing and announces it; done twice is well; at most 20 s
stop     removes what is there; nothing there is well; at most 10 s
restart  stop, then start
status   prints "running" (exit status 0: all are here) or "stopped" (3)
monitor  the same for OCF: exit status 0, or 7
repeat   goes on announcing until the addresses are gone; start runs it in the background

Exit status: 0 done; 1 failed; 2 the command line is wrong; 4 not permitted (of status: cannot be told); 6 a file of the old fake is wrong.

Options:
`)
	fs := flag.NewFlagSet("fake", flag.ContinueOnError)
	var w role.Words
	new(job).declare(fs, &w)
	return b.String() + getopt.Usage(fs)
}
