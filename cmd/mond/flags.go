package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/pflag"

	"github.com/mondhq/mond/cmd/internal/site"
	"github.com/mondhq/mond/engine/config"
)

// options are the command line. The letters are mon's.
type options struct {
	config, format, m4             string
	socket, runDir                 string
	user                           string
	logTo, logLevel                string
	debug                          int
	fork, stopped, forget, version bool
	man                            bool
	loadState                      string
	sleep                          int
	// overrides are globals of mon.cf that the command line gives.
	overrides map[string]string
	flags     *pflag.FlagSet
}

// overriding are mon's letters that stand for a variable of mon.cf.
var overriding = []struct{ name, short, variable, help string }{
	{"alertdir", "a", "alertdir", "`DIRS` to look for alerts in, separated by colons"},
	{"scriptdir", "s", "mondir", "`DIRS` to look for monitors in, separated by colons"},
	{"plugindir", "", "plugindir", "`DIRS` to look for resident plugins in, separated by colons"},
	{"basedir", "b", "basedir", "`DIR` that relative paths start from"},
	{"cfbasedir", "B", "cfbasedir", "`DIR` of configuration files"},
	{"authfile", "A", "authfile", "`FILE` that says who may do what"},
	{"statedir", "D", "statedir", "`DIR` to keep state in"},
	{"logdir", "L", "logdir", "`DIR` for log files"},
	{"pidfile", "P", "pidfile", "`FILE` to write the process id to; empty for none"},
	{"syslogfacility", "O", "syslog_facility", "syslog `FACILITY`"},
	{"maxkeep", "k", "histlength", "`N` entries of history to keep"},
	{"maxprocs", "m", "maxprocs", "`N` classic monitors that may run at once; 0 for no limit"},
	{"port", "p", "serverport", "TCP `PORT` for clients"},
	{"trapport", "t", "trapport", "UDP `PORT` for traps"},
	{"randstart", "r", "randstart", "spread the first checks at random over `TIME`"},
	{"controlsocket", "", "controlsocket", "`PATH` of monctl's socket"},
}

func (o *options) define() *pflag.FlagSet {
	fs := pflag.NewFlagSet("mond", pflag.ContinueOnError)
	fs.SortFlags = false
	fs.StringVarP(&o.config, "configfile", "c", "", "`FILE` to run (default CFBASEDIR/mon.cf)")
	fs.StringVar(&o.format, "format", "", "`LANGUAGE` of the file, if neither its name nor its content tells: "+strings.Join(site.FormatNames(), ", "))
	fs.StringVarP(&o.m4, "m4", "M", "", "run the file through m4, or the `PROGRAM` given as -M=PROGRAM")
	fs.Lookup("m4").NoOptDefVal = "m4"
	fs.BoolVarP(&o.fork, "fork", "f", false, "become a daemon once everything is up (default: stay in the foreground)")
	fs.BoolVarP(&o.stopped, "stopped", "S", false, "start with the scheduler stopped")
	fs.CountVarP(&o.debug, "debug", "d", "log every check, and what plugins say; may be repeated, as under mon")
	fs.BoolVar(&o.forget, "forget", false, "start every service untested instead of where it was")
	fs.StringVarP(&o.loadState, "loadstate", "l", "", "take up mon's state files in statedir: `WHAT` is disabled (the default), opstatus or all; mond always resumes from its own state, and \"none\" is --forget")
	fs.Lookup("loadstate").NoOptDefVal = "disabled"
	fs.IntVarP(&o.sleep, "sleep", "i", 0, "mon's scheduler interval; mond wakes when something is due and needs none")
	fs.StringVar(&o.logTo, "log", "auto", "`WHERE` to log: stderr, journal, syslog, or auto")
	fs.StringVar(&o.logLevel, "log-level", "info", "least `LEVEL` to log: debug, info, warn, error")
	fs.StringVar(&o.runDir, "rundir", "", "`DIR` for sockets of resident plugins (default beside the control socket)")
	fs.StringVar(&o.user, "user", "", "`NAME[:GROUP]` to become after a start as root, keeping only the capabilities that plugins are granted from")
	fs.BoolVarP(&o.version, "version", "v", false, "print the version and exit")
	fs.BoolVar(&o.man, "man", false, "print mond(8)")
	_ = fs.MarkHidden("man") // it exists: the line above made it
	for _, v := range overriding {
		fs.StringP(v.name, v.short, "", v.help)
	}
	return fs
}

// parseFlags reads the command line; the error is pflag.ErrHelp for -h.
func parseFlags(args []string) (options, error) {
	o := options{overrides: map[string]string{}}
	o.flags = o.define()
	if err := o.flags.Parse(joined(args)); err != nil {
		return o, err
	}
	if o.flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected word %q; the configuration is named with -c", o.flags.Arg(0))
	}
	for _, v := range overriding {
		if f := o.flags.Lookup(v.name); f.Changed {
			o.overrides[v.variable] = f.Value.String()
		}
	}
	return o, o.settle()
}

// joined are args with the words of options that may stand alone joined to
// them: mon takes "-l all" and "-M /usr/bin/m4", and "-l" and "-M" as well.
func joined(args []string) []string {
	long := map[string]string{"-l": "--loadstate", "--loadstate": "--loadstate", "-M": "--m4", "--m4": "--m4"}
	var out []string
	for i := 0; i < len(args); i++ {
		name := long[args[i]]
		if args[i] == "--" {
			return append(out, args[i:]...)
		}
		if name != "" && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			out = append(out, name+"="+args[i+1])
			i++
			continue
		}
		out = append(out, args[i])
	}
	return out
}

// settle judges the options together and fills in what was left out.
func (o *options) settle() error {
	switch o.loadState {
	case "none":
		o.forget = true
	case "", "all", "opstatus", "disabled":
	default:
		return fmt.Errorf("-l %q: want disabled, opstatus, all or none", o.loadState)
	}
	if o.config == "" {
		dir := o.overrides["cfbasedir"]
		if dir == "" {
			dir = "/etc/mon"
		}
		o.config = filepath.Join(dir, "mon.cf")
	}
	if err := site.Speak(&config.Options{}, o.format); err != nil {
		return err
	}
	_, err := o.level()
	return err
}

// level is the least level to log.
func (o *options) level() (slog.Level, error) {
	if o.debug > 0 {
		return slog.LevelDebug, nil
	}
	var l slog.Level
	if err := l.UnmarshalText([]byte(o.logLevel)); err != nil {
		return l, fmt.Errorf("--log-level %q: want debug, info, warn or error", o.logLevel)
	}
	return l, nil
}

func (o *options) usage() string {
	return `mond [-c FILE] [options]

Watches what mon.cf names and acts on what it sees. It stays in the foreground;
HUP reloads the configuration, TERM stops cleanly. monctl talks to it.

` + o.flags.FlagUsages()
}

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := strings.Trim(info.Main.Version, "()")
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && v == "devel" {
			v += " " + s.Value[:min(12, len(s.Value))]
		}
	}
	return v
}

// pluginDir is where the plugins lie that were built with this program.
func pluginDir() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Join(filepath.Dir(self), "plugins")
}
