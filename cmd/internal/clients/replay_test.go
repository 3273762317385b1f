package clients

import (
	"bufio"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// exchange is a line that a client said, and what mon answered; or a trap; or
// something else that the recording says is done.
type exchange struct {
	command string
	want    []string
	trap    string
	// deed is what stands behind "! ".
	deed string
}

// recording reads a recorded conversation.
func recording(t *testing.T, name string) []exchange {
	t.Helper()
	var all []exchange
	for _, line := range lines(read(t, name)) {
		last := len(all) - 1
		switch mark, rest, _ := strings.Cut(line, " "); mark {
		case "C:":
			all = append(all, exchange{command: rest})
		case "S:":
			all[last].want = append(all[last].want, rest)
		case "!":
			all = append(all, exchange{deed: rest})
		case "T>":
			if strings.HasPrefix(rest, "pro=") {
				all = append(all, exchange{})
				last++
			}
			all[last].trap += rest + "\n"
		}
	}
	return all
}

// read is a file of the recordings.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "replay", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// replay says to a daemon what the recording says, and reports what is not
// answered like there. edit makes of a recorded answer what is expected.
func replay(t *testing.T, d *daemons.Daemon, name string, edit func(string) string) {
	t.Helper()
	p := &player{t: t, d: d, edit: edit}
	all := recording(t, name)
	for i, e := range all {
		notRun := i+1 < len(all) && all[i+1].deed == "not run"
		switch {
		case e.trap != "":
			p.trap(e.trap)
		case e.deed == "broken":
			d.File("mon.cf", strings.Replace(d.Read("mon.cf"), "interval 1s", "interval never", 1))
		case e.deed == "mended":
			d.File("mon.cf", strings.Replace(d.Read("mon.cf"), "interval never", "interval 1s", 1))
		case e.command != "":
			p.exchange(e, notRun)
		}
	}
}

// player is a client in the place of the recorded one.
type player struct {
	t    *testing.T
	d    *daemons.Daemon
	edit func(string) string
	conn net.Conn
	in   *bufio.Reader
}

// exchange says a command. What may come later than its cause - a result, an
// entry of a history - is asked for again for a while.
func (p *player) exchange(e exchange, notRun bool) {
	p.t.Helper()
	want := tidy(p.edit(tidyRecorded(strings.Join(e.want, "\n") + "\n")))
	service, check := strings.CutPrefix(e.command, "test monitor ")
	var wait func()
	if check && !notRun && !strings.Contains(want, "not defined") {
		wait = checked(p.d, p.d.Dial(), service)
	}
	got := p.ask(e.command, want)
	again := strings.HasPrefix(e.command, "list") || strings.HasPrefix(e.command, "get")
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 40 {
		if !again || got == want {
			break
		}
		<-tick.C
		got = p.ask(e.command, want)
	}
	if got != want {
		p.t.Errorf("%s (-recorded +now):\n%s", e.command, cmp.Diff(lines(want), lines(got)))
	}
	if wait != nil {
		wait()
	}
}

// ask sends a command and is the answer: as many status lines as are wanted.
func (p *player) ask(command, want string) string {
	p.t.Helper()
	if p.conn == nil {
		p.dial()
	}
	_ = p.conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := p.conn.Write([]byte(command + "\n")); err != nil {
		p.t.Fatalf("%s: %v", command, err)
	}
	var answer strings.Builder
	for left := statuses(want); left > 0; {
		line, err := p.in.ReadString('\n')
		if err != nil {
			p.t.Fatalf("%s: after %q: %v", command, answer.String(), err)
		}
		answer.WriteString(line)
		if isStatus.MatchString(line) {
			left--
		}
	}
	if strings.HasSuffix(want, "<EOF>\n") {
		if line, err := p.in.ReadString('\n'); err == nil {
			p.t.Errorf("%s: then %q, not the end", command, line)
		}
		answer.WriteString("<EOF>\n")
		p.conn = nil
	}
	return tidy(normal(p.d, answer.String()))
}

// dial connects.
func (p *player) dial() {
	p.t.Helper()
	conn, err := net.Dial("tcp", p.d.Address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	p.conn, p.in = conn, bufio.NewReader(conn)
}

// trap sends a trap, and waits until what came before it is dealt with: the
// answers that follow are asked for again anyway.
func (p *player) trap(text string) {
	p.t.Helper()
	conn, err := net.Dial("udp", p.d.Address)
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(text)); err != nil {
		p.t.Fatal(err)
	}
	p.ask("list state", "220 list state completed\n")
}

// statuses is how many status lines a text has.
func statuses(text string) (n int) {
	for _, line := range lines(text) {
		if isStatus.MatchString(line) {
			n++
		}
	}
	return n
}

// tidyRecorded is a recorded answer without what changes.
func tidyRecorded(text string) string {
	return normalText(strings.ReplaceAll(text, "BASE", "DIR"))
}

// tidy is an answer in the order of the alphabet.
func tidy(text string) string { return sortReplies(text) }

// played is the site of a recording: its configuration and its monitors.
func played(t *testing.T, config string, seq map[string]string) daemons.Site {
	t.Helper()
	s := daemons.Site{Config: read(t, config), Files: map[string]string{
		"auth.cf": rights, "userfile": accounts, "mon.d/rec.monitor": playMonitor, "mon.d/hang.monitor": "#!/bin/sh\nexec sleep 5\n",
		"mon.d/fail.monitor": "#!/bin/sh\necho x >>DIR/ran/$MON_GROUP.$MON_SERVICE\nexit 1\n", "ran/none": "",
	}}
	for _, name := range []string{"rec", "up", "startup", "ack", "disable"} {
		s.Files["alert.d/"+name+".alert"] = sayAlert
	}
	for service, text := range seq {
		s.Files["seq/"+service] = text
	}
	return s
}

// playMonitor plays the next line of its service's file, the last one over and
// over: "STATUS|text", with \n for an end of line.
const playMonitor = `#!/bin/sh
me=$MON_GROUP.$MON_SERVICE
echo x >>DIR/ran/$me
line='0|ok from rec'
if [ -e DIR/seq/$me ]; then
	line=$(sed -n "$(wc -l <DIR/ran/$me)p" DIR/seq/$me)
	[ -n "$line" ] || line=$(tail -n 1 DIR/seq/$me)
fi
text=${line#*|}
[ -z "$text" ] || printf '%s\n' "$text" | sed 's/\\n/\n/g'
exit "${line%%|*}"
`

// live1 is what the monitors of live1 said.
func live1() map[string]string {
	return map[string]string{
		"web.http": strings.Join([]string{
			"0|", `0|all ok\nsecond line`, `1|w1.example\nconnect: refused\n\ttabbed "quoted" back\\slash é`, `1|w1.example\nother detail`,
			`2|w1.example w2.example\nboth down`, `0|recovered\ndetail of ok`,
		}, "\n") + "\n",
		"single.ping": `1|only.example\nno reply` + "\n",
		"db.disk":     `1|\ndetail with empty summary` + "\n0|fine\n",
	}
}

// TestReplay holds recorded conversations with mon again.
func TestReplay(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		name, config string
		seq          map[string]string
	}{
		{"live1", "live1.cf", live1()},
		{"live2", "live1.cf", live1()},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			twice(t, r.name, played(t, r.config, r.seq), true, func(d *daemons.Daemon, edit func(string) string) {
				replay(t, d, r.name+".txt", edit)
			})
		})
	}
}

// twice does something to mon, which must answer as recorded, and to mond,
// which must but for the differences. A daemon that is started again is not
// quickened.
func twice(t *testing.T, name string, s daemons.Site, quick bool, do func(d *daemons.Daemon, edit func(string) string)) {
	t.Helper()
	mon := daemons.Mon(t, s)
	if quick {
		quicken(t, mon)
	}
	do(mon, func(text string) string { return text })
	s.Config = strings.NewReplacer(`rec.monitor "unbalanced`, "fail.monitor", "histlength = 5\n", "histlength = 6\n").Replace(s.Config)
	do(daemons.Mond(t, s), func(text string) string { return forgive("replay "+name, text) })
}

// TestReplayRestart replays how a daemon is reset with a configuration that is
// broken, and started anew with its state.
func TestReplayRestart(t *testing.T) {
	t.Parallel()
	twice(t, "live6", played(t, "live6.cf", nil), false, func(d *daemons.Daemon, edit func(string) string) {
		replay(t, d, "live6.txt", edit)
		d.Stop()
		d.Start("-l", "all", "-S")
		replay(t, d, "live6b.txt", edit)
	})
}

// TestReplayRefused connects from an address that is not allowed.
func TestReplayRefused(t *testing.T) {
	t.Parallel()
	s := played(t, "live6.cf", nil)
	s.Config = "clientallow = 10.0.0.1 192.168.\\d+.\\d+\n" + s.Config
	refused := func(d *daemons.Daemon) {
		conn, err := net.Dial("tcp", d.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = conn.Write([]byte("list state\n"))
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		if answer, err := bufio.NewReader(conn).ReadString('\n'); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("answered %q, %v", answer, err)
		}
	}
	refused(daemons.Mon(t, s))
	refused(daemons.Mond(t, s))
}

// TestReplayTraps sends the traps of live3.
func TestReplayTraps(t *testing.T) {
	t.Parallel()
	show := func(t *testing.T, d *daemons.Daemon) string {
		replay(t, d, "live3.txt", nil)
		c := d.Dial()
		var said []string
		d.Until("all is in the histories", func() bool {
			failures, _ := c.Ask("list failurehist")
			alerts, _ := c.Ask("list alerthist")
			return len(failures) == 6 && len(alerts) == 6
		})
		for _, command := range []string{"list opstatus tr,a", "list alerthist", "list failurehist"} {
			data, status := c.Ask(command)
			said = append(said, slices.Concat(data, []string{status})...)
		}
		return normal(d, sortReplies(strings.Join(said, "\n")))
	}
	compare(t, played(t, "live3.cf", nil), nil, []step{{"traps", show}})
}
