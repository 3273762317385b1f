package line

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/view"
)

// exchange is one command of a script, and what it should do: S: lines are the
// answer, M: lines what the daemon is asked.
type exchange struct {
	command       string
	answer, asked []string
}

func readScript(t *testing.T, path string) (all []exchange) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		switch rest := strings.TrimPrefix(line[min(2, len(line)):], " "); {
		case strings.HasPrefix(line, "C:"):
			all = append(all, exchange{command: rest})
		case strings.HasPrefix(line, "S:"):
			all[len(all)-1].answer = append(all[len(all)-1].answer, rest)
		case strings.HasPrefix(line, "M:"):
			all[len(all)-1].asked = append(all[len(all)-1].asked, rest)
		}
	}
	return all
}

// talk is a client that reads answers.
type talk struct {
	net.Conn
	in *bufio.Scanner
}

func newTalk(c net.Conn) *talk {
	t := &talk{c, bufio.NewScanner(c)}
	t.in.Buffer(nil, 1<<20)
	return t
}

// ask sends a command and reads the answer; what stands after its status line
// is for the next one, which will show it.
func (c *talk) ask(command string) (answer []string) {
	if _, err := c.Write([]byte(command + "\n")); err != nil {
		return []string{err.Error()}
	}
	return c.answer()
}

func (c *talk) answer() (answer []string) {
	for c.in.Scan() {
		answer = append(answer, c.in.Text())
		if likeStatus(c.in.Bytes()) {
			return answer
		}
	}
	return append(answer, "<EOF>")
}

// TestScripts plays all scripts of testdata, each on one connection to a fresh
// daemon.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.session")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			play(t, newSite(t), readScript(t, path))
		})
	}
}

func play(t *testing.T, r *rig, script []exchange) {
	c := newTalk(dial(t, r.serve(t)))
	for _, e := range script {
		if answer := c.ask(e.command); !cmp.Equal(e.answer, answer) {
			t.Errorf("%s\n%s", e.command, cmp.Diff(e.answer, answer))
		}
		if asked := r.mon.asked(); !cmp.Equal(e.asked, asked) {
			t.Errorf("%s asks the daemon\n%s", e.command, cmp.Diff(e.asked, asked))
		}
	}
}

// fill makes the rows of the site differ.
func (r *rig) fill(t testing.TB) {
	t.Helper()
	at := noon.Add(-10e9)
	r.change("web:http", func(v *view.Service) {
		v.State = opstatus.State{
			Status: opstatus.Fail, Last: opstatus.Untested, Tested: true, Exit: 1, Failures: 1, FirstFail: at, LastFail: at,
			LastCheck: at.Add(-1e9), Took: 1.9e9, Summary: "w1.example", Output: "w1.example\nconnect: refused\n",
		}
		v.AlertsSent, v.LastAlert, v.DependOK = 2, at, new(true)
	})
	r.change("single:ping", func(v *view.Service) {
		v.State = opstatus.State{Status: opstatus.Warn, Last: opstatus.OK, Tested: true, LastOK: at, LastCheck: at, Summary: "slow", Output: "slow"}
		v.Running, v.Began, v.Due = true, noon.Add(-2e9), noon.Add(-2e9)
	})
	r.change("db:disk", func(v *view.Service) {
		v.OffAlone, v.Disabled = true, &opstatus.Note{At: at}
	})
	r.board.SetDaemon(&view.Daemon{PID: 27162, Watches: map[string]opstatus.Note{"single": {}, "mond": {}}, Hosts: map[string]opstatus.Note{"w1.example": {}}})
	r.board.Calls.Push(view.Call{Type: "alert", Group: "web", Service: "http", At: at, Path: "/alert.d/rec.alert", Args: `ops@example.com "two words"`, Summary: "it's down"})
	r.board.Calls.Push(view.Call{Type: "alert", Group: "mond", Service: "store", At: at})
	r.board.Failures.Push(view.Failure{Group: "web", Service: "http", At: at, Summary: "it's down\tcaf\xc3\xa9"})
	r.board.Failures.Push(view.Failure{Group: "220", Service: "http", At: at, Summary: "x1"})
	r.board.Failures.Push(view.Failure{Group: "mond", Service: "store", At: at})
	r.mon.vars["web:http description"] = `Web servers, "main" site`
	r.mon.vars["web:http _op_status"] = "0"
	r.dtlog = filepath.Join(t.TempDir(), "downtime.log")
	log := bytes.Buffer{}
	log.WriteString("#\n# downtime log start 1795445088\n1795445221 web http 1795445211 10 3600 w1.example w2.example\r\n220 is no entry\n\n")
	log.WriteString(strings.Repeat("x", longestEntry+100) + "\n1795445247 db disk 1795445244 3 1800 (NO SUMMARY)")
	if err := os.WriteFile(r.dtlog, log.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
