package command

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mondhq/mond/plugins/role"
)

// double is a machine and a network in a folder: a file for each address that
// is here, and a line in the file "log" for each thing done. So the processes
// that a test starts see the same.
type double struct{ dir string }

func (d double) has(name string) bool {
	_, err := os.Stat(filepath.Join(d.dir, name))
	return err == nil
}

func (d double) set(name, text string) {
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		panic(err)
	}
}

// note adds a line to the log.
func (d double) note(words ...string) {
	f, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if _, err := f.WriteString(strings.Join(words, " ") + "\n"); err != nil {
		panic(err)
	}
}

// log is what was done, one word each, and forgets it.
func (d double) log() string {
	text, _ := os.ReadFile(filepath.Join(d.dir, "log"))
	_ = os.Remove(filepath.Join(d.dir, "log"))
	return strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "; ")
}

func file(a role.Address) string { return "at-" + a.Prefix.Addr().String() }

// fails is the error that the test wants of what.
func (d double) fails(what string) error {
	text, err := os.ReadFile(filepath.Join(d.dir, "fail-"+what))
	switch {
	case err != nil:
		return nil
	case string(text) == "denied":
		return syscall.EPERM
	}
	return errors.New(string(text))
}

type machine struct{ double }

func (m machine) Places(_ context.Context, g role.Group) ([]Place, error) {
	out := make([]Place, len(g.Addresses))
	for i, a := range g.Addresses {
		if m.has(file(a)) {
			out[i] = Place{Device: "eth0", Carrier: !m.has("dark")}
		}
	}
	return out, m.fails("look")
}

func (m machine) Add(ctx context.Context, g role.Group) error {
	m.note("add", g.Name)
	if m.has("hang") {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := m.fails("add"); err != nil {
		return err
	}
	for _, a := range g.Addresses {
		m.set(file(a), "")
	}
	return nil
}

func (m machine) Remove(_ context.Context, g role.Group) error {
	m.note("remove", g.Name)
	for _, a := range g.Addresses {
		if err := os.Remove(filepath.Join(m.dir, file(a))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return m.fails("remove")
}

type network struct{ double }

func (n network) Announce(_ context.Context, g role.Group) error {
	n.note("announce", g.Name)
	return n.fails("announce")
}

func (n network) Repeat(ctx context.Context, g role.Group, failed func(error)) error {
	n.note("repeating", g.Name)
	<-ctx.Done()
	n.note("repeated", g.Name)
	return nil
}

func (n network) Stranger(_ context.Context, g role.Group) (string, error) {
	n.note("ask", g.Name)
	if n.has("stranger") {
		return "00:11:22:33:44:55", nil
	}
	return "", nil
}

// doubleDir is set for a process that is to be the program on a double.
const doubleDir = "FAKE_DOUBLE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(doubleDir); dir != "" {
		d := double{dir}
		os.Exit(programOn(d).Run(context.Background(), os.Args[1:]))
	}
	os.Exit(m.Run())
}

func programOn(d double) Program {
	return Program{
		Machine: machine{d}, Network: network{d}, Out: os.Stdout, Err: os.Stderr, Home: d.dir,
		Spawn: func(args []string) error {
			if err := d.fails("spawn"); err != nil {
				return err
			}
			cmd := exec.Command(os.Args[0], args...)
			cmd.Env = append(os.Environ(), doubleDir+"="+d.dir)
			if err := cmd.Start(); err != nil {
				return err
			}
			go func() { _ = cmd.Wait() }()
			return nil
		},
	}
}
