package clients

import (
	"slices"
	"strings"
	"testing"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
	"github.com/mondhq/mond/plugins/plugintest/realserver"
)

// moncmd is a run of moncmd against the daemon.
func moncmd(name, stdin string, args ...string) step {
	c := call{program: "/usr/bin/moncmd", args: append([]string{"-s", "HOST", "-p", "PORT"}, args...), stdin: stdin}
	return step{"moncmd " + name, func(t *testing.T, d *daemons.Daemon) string { return sortReplies(c.run(t, d)) }}
}

// batch is a session of moncmd as alice that reads commands from its input.
// The first line after those of -a is lost, as its users know.
func batch(name string, commands ...string) step {
	return moncmd(name, "pass=secret\n# lost\n"+strings.Join(commands, "\n")+"\n", "-a", "-l", "alice")
}

func needClients(t *testing.T) {
	t.Helper()
	realserver.Need(t, "mon", "/usr/bin/moncmd")
	realserver.Need(t, "mon-client", "/usr/share/perl5/Mon/Client.pm")
	realserver.Need(t, "libcgi-pm-perl", "/usr/share/perl5/CGI.pm")
}

// TestClients has the clients look at staged services, and moncmd and
// Mon::Client change them.
func TestClients(t *testing.T) {
	needClients(t)
	t.Parallel()
	stages := [][]step{slices.Concat(moncmdLooks(), monshow(), others(), []step{perl("look"), perl("odd")})}
	for _, s := range moncmdChanges() {
		stages = append(stages, []step{s})
	}
	compare(t, stagedSite(), stage, stages...)
}

// moncmdLooks are the commands that change nothing, and every way to give them.
func moncmdLooks() []step {
	return []step{
		moncmd("list watch", "", "list", "watch"),
		moncmd("looking", strings.Join([]string{
			"version", "protid 9745", "protid 1", "servertime", "list opstatus", "list opstatus web,http single,ping", "list opstatus web",
			"list opstatus nosuch", "list opstatus web,nosuch", "list failures", "list successes", "list warnings", "list disabled", "list alerthist",
			"list failurehist", "list watch", "list state", "list pids", "list group web", "list group nosuch", "list descriptions", "list aliases",
			"list aliases shop", "list aliasgroups", "list deps", "list dtlog", "list views", "list nosuch", "list", "bogus", "checkauth list",
			"checkauth disable", "get web http interval", "get web http _op_status", "get web http nosuch", "get web nosuch x", "get maxkeep", "get",
			"getview", "setview webview", "getview", "list watch", "list failures", "list descriptions", "setview nosuch", "setview a b", "setview",
			"getview", "LIST STATE", "list STATE", " list state",
		}, "\n")+"\n"),
		moncmd("refused", "disable watch web\nack web http x\nset web http interval 5\nreset\nterm\ndump\ntest config\nstop\nstart\nclear timers web http\nreload auth\nsavestate disabled\nloadstate all\nenable watch web\n"),
		moncmd("wrong password", "pass=wrong\nlist state\nlist state\n", "-a", "-l", "alice"),
		moncmd("user without -l", "USER=alice\nPASS=secret\nlist state\nlist state\n", "-a"),
		moncmd("nobody", "pass=secret\nlist state\nlist state\n", "-a", "-l", "nobody"),
		moncmd("no password", "list state\n", "-a", "-l", "alice"),
		moncmd("bob", "PASS=hunter2\nlist state\nlist state\nUSER=alice\ncheckauth disable\ncheckauth enable\ndisable watch web\n", "-a", "-l", "bob"),
		moncmd("debug", "list state\n", "-d"),
		moncmd("file", "", "-f", "DIR/commands"),
		moncmd("file of input", "list state\n", "-f", "-"),
		moncmd("file missing", "", "-f", "DIR/nosuch"),
		moncmd("server unknown", "", "-s", "nosuch.invalid", "list", "state"),
		step{"moncmd help", func(t *testing.T, d *daemons.Daemon) string {
			return call{program: "/usr/bin/moncmd", args: []string{"-h"}, quiet: true}.run(t, d)
		}},
	}
}

// moncmdChanges are the commands that change something, each looked at.
func moncmdChanges() []step {
	return []step{
		batch("disabling",
			"disable host w1.example", "list disabled", "list group web", "disable host w1.example nosuch", "disable host only.example", "list disabled",
			"list group single", "disable service web http", "disable service web nosuch", "disable watch web", "disable watch nowatch",
			"disable", "disable foo bar", "list disabled", "enable host w1.example only.example", "enable host nosuch", "enable service web http",
			"enable service web nosuch", "enable watch web", "enable watch nowatch", "enable", "enable foo bar", "list disabled", "list group web"),
		batch("acknowledging",
			"ack web http first second third", "list opstatus web,http", `ack web http "two words"`, "list opstatus web,http", "ack web ping x", "ack web late x"),
		batch("setting",
			"set web late interval 7200", "get web late interval", `set web late description 'new\20desc'`, "get web late description", "list descriptions",
			"set web late opstatus nosuch", "set maxkeep 30", "get maxkeep", "set maxkeep",
			"get db disk interval", "get db disk _old_interval", "get web acked _ack_comment", "get web http _consec_failures", "get web http monitor"),
		batch("testing",
			"test alert web http 1 ALL", "test upalert web http 0 ALL", "test startupalert web http 0 ALL", "test ackalert web http 0 ALL",
			"test disablealert web http 0 ALL", "test alert web http 2 hr {12am-11pm}", "test alert web http 1 nosuchperiod", "test alert web nosuch 1 ALL",
			"test nosuch", "test", "test config", "test monitor web nosuch", "list failurehist"),
		batch("managing",
			"clear timers web http", "get web http _consec_failures", "list opstatus web,http", "clear timers web nosuch", "clear", "reload auth", "reload foo", "reload", "stop", "start",
			"list state", "savestate", "savestate disabled", "savestate all", "savestate nosuch", "loadstate", "loadstate disabled", "loadstate all",
			"list disabled", "list failures"),
		perl("change"),
		batch("resetting",
			"reset keepstate", "list disabled", "list opstatus web,acked", "reset", "list disabled", "list opstatus web,acked web,http", "reset stopped keepstate",
			"start", "list alerthist"),
		batch("naming what is not there",
			"disable service nosuch x", "disable watch nosuch", "set web late", "set", "set nosuch x y z",
			"list aliases nosuch", "list aliasgroups", "list watch", "list disabled", "list descriptions"),
		batch("acknowledging what is not there", "ack nogrp nosvc hi"),
		batch("leaving", "list state", "quit"),
		batch("ending", "list state", "term"),
	}
}
