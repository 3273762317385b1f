package twin

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// alertNames are the alerts that scenarios may call; all are the player, see
// there for what it does.
var alertNames = []string{"a.alert", "b.alert", "u.alert", "s.alert", "k.alert", "d.alert", "r.alert"}

// built is the folder of the player, made once a process.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// player is where the monitor and the alerts are.
func player(t *testing.T) string {
	t.Helper()
	built.once.Do(func() { built.dir, built.err = buildPlayer() })
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.dir
}

func buildPlayer() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "mond-player-"); err != nil {
		return "", err
	}
	program := filepath.Join(dir, "play.monitor")
	out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", program, "./player").CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	for _, name := range alertNames {
		err = errors.Join(err, os.Symlink("play.monitor", filepath.Join(dir, name)))
	}
	return dir, err
}

// site is a daemon's configuration and files for scenarios.
func site(t *testing.T, scenarios []*scenario, interval string) daemons.Site {
	t.Helper()
	dir := player(t)
	s := daemons.Site{
		Head:   map[string]string{"mondir": dir, "alertdir": dir},
		Config: "cltimeout = 1h\n\n", Files: map[string]string{},
		Env: []string{"TZ=UTC", "GOMAXPROCS=1"},
	}
	for _, c := range scenarios {
		s.Config += c.config(interval)
		for _, p := range c.services {
			s.Files["play/"+c.name+"."+p.name] = p.play(c.name)
		}
	}
	return s
}

// play is the file that the player plays.
func (p *played) play(group string) string {
	var b strings.Builder
	for i, st := range p.steps {
		exit := strconv.Itoa(st.exit)
		if st.killed {
			exit = "-9"
		}
		fields := []string{exit, quote(st.output)}
		for _, h := range st.holds {
			other, n, _ := strings.Cut(h, ">=")
			fields = append(fields, fmt.Sprintf("%s.%s.runs %s", group, other, n))
		}
		if len(st.commands) > 0 {
			fields = append(fields, fmt.Sprintf("%s.%s.gate %d", group, p.name, i+1))
		}
		b.WriteString(strings.Join(fields, "\t") + "\n")
	}
	return b.String()
}

// quote is text without tabs and line ends, unquote undoes it.
func quote(text string) string {
	return strings.NewReplacer(`\`, `\x5c`, "\t", `\x09`, "\n", `\x0a`, "\r", `\x0d`).Replace(text)
}

func unquote(text string) string {
	return strings.NewReplacer(`\x5c`, `\`, `\x09`, "\t", `\x0a`, "\n", `\x0d`, "\r").Replace(text)
}
