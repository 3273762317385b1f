package clients

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mondhq/mond/engine/difference"
)

// pardon is where mond may say something else than mon.
type pardon struct {
	// difference is the row of the list of differences that allows it.
	difference string
	// step matches the steps it is about, mon what mon says there.
	step, mon *regexp.Regexp
	// mond makes of it what mond says.
	mond func(string) string
}

// as is a pardon whose words of mond are text, in which $1 is the first group.
func as(difference, step, mon, text string) pardon {
	re := regexp.MustCompile("(?m)" + mon)
	return pardon{difference, regexp.MustCompile(step), re, func(s string) string { return re.ReplaceAllString(s, text) }}
}

// pardons are all there are.
func pardons() []pardon {
	return slices.Concat(readPardons(), actPardons(), resetPardons())
}

// readPardons are about what is only looked at.
func readPardons() []pardon {
	const odd = "^Mon::Client odd$"
	return []pardon{
		as("unbalanced quotes", "^replay live1$", `monitor=rec\.monitor\\20\\22unbalanced`, "monitor=fail.monitor"),
		{"list failurehist", regexp.MustCompile("^(replay|moncmd|traps)"), regexp.MustCompile(`(?m)^\w+\\20\w+\\20EPOCH\\20.*$`), visible},
		{"list failurehist", regexp.MustCompile(odd), regexp.MustCompile(`(?m)^failure watch=<.*$`), split},
		as("list deps with a view", odd, `^(maxkeep .*)$`, "$1\n"+depsOfView),
		as("set maxkeep without a number", odd, `^maxkeep undefined: .*$`, "maxkeep 50"),
		as("set maxkeep without a number", "^(replay|moncmd)", `^520 maxkeep, not defined$`, "maxkeep = 30\n220 set completed"),
		as("histlength", "^replay live1$", `^maxkeep = 5$`, "maxkeep = 6"),
		as("list opstatus of several services", "^replay live1$", `^520 (web,http|single,nosuch2) does not exist$`, "520 web,nosuch does not exist"),
		as("what is wrong with the configuration, in test config", "^replay live6$", `^cf error: invalid time interval.*$`, badInterval),
	}
}

// actPardons are about what is done.
func actPardons() []pardon {
	const http = `^(group=web service=http .*?)`
	return []pardon{
		as("ack of an unknown service", "^(replay live1|moncmd acknowledging what.*)$", `^(520 unknown group)\n220 ack completed$`, "$1"),
		as("names of things that are not there", "^replay live1$", `^(nogrp nosvc ?|group=nogrp .*)\n`, ""),
		as("names of things that are not there", "^moncmd naming", `^nosuch shop$`, "shop"),
		as("set with a value that cannot be", "^moncmd naming", `^web late =''\n220 set completed$`, noName),
		as("disable host with a pattern", "^replay live2$", `^220 disable host completed$`, "520 disable host failed, host(s) db. do not exist"),
		as("disable host with a pattern", "^replay live2$", `\*db\. \*db\.`, "db1 db2"),
		as("disable host with a pattern", "^replay live2$", `^group db: db\. db\.\n`, ""),
		{"backslashes in traps", regexp.MustCompile("^(moncmd|Mon::Client)"), regexp.MustCompile(`sum(\\20| )(\\27|')x(\\27|')(\\20| )back\\+slash["\n \\]`), halve},
		as("a trap whose status is no number", "^replay live1$", `exitval='3 `, "exitval=3 "),
		as("set opstatus", "^replay live1$", http+`opstatus=fail (last_opstatus=1 .*)$`, "${1}opstatus=0 $2 first_failure=EPOCH failure_duration=N"),
		as("set opstatus", "^replay live1$", http+`opstatus=0 last_opstatus=fail (.*)$`, "${1}opstatus=0 last_opstatus=1 $2 first_failure=EPOCH failure_duration=N"),
		as("set opstatus", "^replay live1$", http+`opstatus=1 last_opstatus=fail `, "${1}opstatus=1 last_opstatus=0 "),
		as("set opstatus", "^replay live1$", `^(group=single service=ping opstatus=0 .*\ngroup=web service=badquote .*\n)(220 list failures)`, "${1}"+setFailed+"\n$2"),
		as("clear timers and alertafter N TV", "^moncmd managing$", http+` last_alert=EPOCH`, "$1"),
	}
}

// resetPardons are about what a reset with keepstate keeps.
func resetPardons() []pardon {
	const steps = "^(replay live1|moncmd resetting)$"
	return []pardon{
		as("reset keepstate", steps, `(last_check=EPOCH .* monitor_duration=)-1 `, "${1}N "),
	}
}

// noName is what mond says of a variable without a name.
const noName = `520 service web:late: set  to "": the name of a variable is made of letters, digits and _, 64 at most, and begins with no digit`

// setFailed is web http of live1 when its opstatus was set to fail.
const setFailed = `group=web service=http opstatus=0 last_opstatus=1 exitval=0 timer=N last_success=EPOCH last_trap=0 last_traphost= last_check=EPOCH ack=0 ackcomment= alerts_sent=0 depstatus= depend= hostdepend= monitordepend= alertdepend= monitor=rec.monitor\20-p\2080\20\22quoted\20arg\22\20\27single\20q\27\20back\\\20slash last_summary=recovered last_detail=detail\20of\20ok\0a interval=7200 monitor_duration=N monitor_running=0 exclude_hosts=w3.example first_failure=EPOCH failure_duration=N`

// depsOfView are the dependencies of the services of the view webview.
const depsOfView = `dependency db disk 'web:ping' web:ping
dependency web acked 'NONE' NONE
dependency web back 'NONE' NONE
dependency web http 'NONE' NONE
dependency web late 'NONE' NONE
dependency web ping 'NONE' NONE`

// badInterval is what is wrong with the configuration of live6 after "! broken".
const badInterval = `                     ^
            interval never
    hint: a time is a number and a unit, without a blank: 100ms, 30s, 5m, 1.5h, 1d
DIR/mon.cf:29:18: error: invalid time "never" for interval: not a number with a unit`

// visible undoes the escapes of visible characters and blanks.
func visible(s string) string {
	for escape, char := range map[string]string{`\20`: " ", `\27`: "'", `\22`: `"`} {
		s = strings.ReplaceAll(s, escape, char)
	}
	return s
}

// halve leaves half of the backslashes in front of "slash".
func halve(s string) string {
	before, after, _ := strings.Cut(s, "back")
	slashes, after, _ := strings.Cut(after, "slash")
	return before + "back" + slashes[:len(slashes)/2] + "slash" + after
}

// split puts the fields of a failure where they belong.
func split(s string) string {
	s, _, _ = strings.Cut(strings.TrimPrefix(s, "failure watch=<"), ">")
	f := strings.SplitN(visible(s), " ", 4)
	return "failure watch=<" + f[0] + "> service=<" + f[1] + "> time=<" + f[2] + "> summary=<" + f[3] + ">"
}

// forgive makes of what mon says in a step what mond is to say.
func forgive(step, text string) string {
	for _, p := range pardons() {
		if p.step.MatchString(step) {
			text = p.mon.ReplaceAllStringFunc(text, p.mond)
		}
	}
	switch {
	case strings.HasPrefix(step, "moncmd"), strings.HasPrefix(step, "replay"), step == "traps":
		return sortReplies(text)
	case step == "Mon::Client odd":
		return sortLines(text)
	}
	return text
}

// TestPardonsAreDifferences: nothing is forgiven that the list does not name.
func TestPardonsAreDifferences(t *testing.T) {
	for _, p := range pardons() {
		if _, ok := difference.Find(p.difference); !ok {
			t.Errorf("there is no difference %q", p.difference)
		}
	}
}
