package clients

import (
	"testing"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// monshowrc sets everything that monshow's file can set.
const monshowrc = `set host 127.0.0.1
set port PORT
set full
set show-disabled
set summary-len 5
set refresh 60
set bg ffffff
set bg-ok 00ff00
set bg-fail ff0000
set bg-untested 0000ff
set table-color 00ffff
set html-header
<p>our head</p>
END
watch web
service db disk
link db disk http://example.com/disk
link-text web http
more about it
END
`

// show is a run of monshow against the daemon; its rows are sorted.
func show(name, stdin string, args ...string) step {
	return shows("monshow "+name, call{program: "/usr/bin/monshow", args: append([]string{"--server", "HOST", "--port", "PORT", "--rcfile", "/dev/null"}, args...), stdin: stdin})
}

// shows is a run of a client that prints a table.
func shows(name string, c call) step {
	return step{name, func(t *testing.T, d *daemons.Daemon) string { return sortLines(c.run(t, d)) }}
}

// monshow is monshow with each of its options, on a terminal.
func monshow() []step {
	steps := []step{
		show("failures", ""),
		show("full", "", "--full"),
		show("all", "", "--showall"),
		show("all and full", "", "--showall", "--full"),
		show("disabled", "", "--disabled"),
		show("watch", "", "--watch", "web"),
		show("watch full", "", "--watch", "web", "--full"),
		show("watch unknown", "", "--watch", "nosuch"),
		shows("monshow view unknown", call{program: "/usr/bin/monshow", args: []string{"--view", "nosuch"}}),
		show("login", "pass=secret\n", "--auth", "--login", "alice", "--disabled"),
		show("login from input", "user=alice\npass=secret\n", "--auth", "--disabled"),
		show("login refused", "pass=wrong\n", "--auth", "--login", "alice"),
		show("no password", "", "--auth", "--login", "alice"),
		show("protocol", "", "--prot", "PORT", "--disabled"),
		show("server unknown", "", "--server", "nosuch.invalid"),
		show("nothing there", "", "--port", "1"),
		shows("monshow rcfile", call{program: "/usr/bin/monshow", args: []string{"--rcfile", "DIR/rc"}}),
		shows("monshow rc at home", call{program: "/usr/bin/monshow", env: []string{"HOME=DIR/home"}}),
		shows("monshow usage", call{program: "/usr/bin/monshow", args: []string{"--nosuch"}, quiet: true}),
		shows("monshow help", call{program: "/usr/bin/monshow", args: []string{"--help"}, quiet: true}),
	}
	for _, key := range []string{"web,http", "web,late", "web,acked", "db,disk", "db,trap", "db,quiet", "off,a", "web,nosuch"} {
		steps = append(steps, show("detail "+key, "", "--detail", key))
	}
	return steps
}

// others are monfailures and skymon.
func others() []step {
	failures := func(name string, args ...string) step {
		return shows("monfailures "+name, call{program: "/usr/bin/monfailures", args: append([]string{"--server", "HOST", "--port", "PORT"}, args...)})
	}
	return []step{
		failures("failures"),
		failures("login", "--user", "alice", "--password", "secret"),
		failures("login refused", "--user", "alice", "--password", "wrong"),
		failures("debug", "--debug"),
	}
}
