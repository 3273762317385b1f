// Package examples holds no code: its tests try the example plugins beside it.
package examples

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/plugins/plugintest"
	"github.com/mondhq/mond/plugins/python"
	"github.com/mondhq/mond/plugins/python/pythontest"
)

// programs are the examples as program files, by language: those in Go are
// built, those in Python get mond.py.
func programs(t *testing.T, source, script string) map[string]string {
	t.Helper()
	built := filepath.Join(t.TempDir(), script)
	if out, err := exec.Command("go", "build", "-o", built, source).CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", source, err, out)
	}
	return map[string]string{"go": built, "sh": script, "python": inPython(t, script)}
}

// inPython copies a script and mond.py into a folder.
func inPython(t *testing.T, script string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("python", script))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string][]byte{script: text, python.FileName: python.Source()} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, script)
}

func TestKnock(t *testing.T) {
	port := target(t)
	for lang, path := range programs(t, "./knock", "knock.monitor") {
		t.Run(lang, func(t *testing.T) {
			if lang == "python" {
				pythontest.Need(t)
			}
			t.Parallel()
			plugintest.Run(t, plugintest.Options{
				Path: path, Args: []string{"-p", port}, Hosts: []string{"127.0.0.1"}, Down: []string{"127.0.0.3"}, Silent: "127.0.0.2", Limit: 3 * time.Second,
			})
		})
	}
}

func TestTold(t *testing.T) {
	for lang, path := range programs(t, "./told", "told.alert") {
		t.Run(lang, func(t *testing.T) {
			if lang == "python" {
				pythontest.Need(t)
			}
			t.Parallel()
			file := filepath.Join(t.TempDir(), "told")
			plugintest.Run(t, plugintest.Options{Path: path, Args: []string{"-f", file}})
			text, err := os.ReadFile(file)
			if err != nil || !strings.Contains(string(text), " failure plugintest:test 127.0.0.1\n") || !strings.Contains(string(text), " up plugintest:test ") {
				t.Errorf("%v, told:\n%s", err, text)
			}
		})
	}
}

// TestPage: the page shows the programs that are tested here.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"knock/main.go", "knock.monitor", "told/main.go", "told.alert", "python/knock.monitor", "python/told.alert"} {
		program, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "\n"+string(program)+"```\n") {
			t.Errorf("README.md does not show %s as it is", name)
		}
	}
}

// target is a port that is open on 127.0.0.1, answers nothing at all on
// 127.0.0.2, and is closed on 127.0.0.3.
func target(t *testing.T) (port string) {
	t.Helper()
	for range 20 {
		open, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { open.Close() })
		err = mute(t, open.Addr().(*net.TCPAddr).Port)
		if err == nil {
			_, port, _ = net.SplitHostPort(open.Addr().String())
			return port
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			t.Fatal(err)
		}
	}
	t.Fatal("no port is free on 127.0.0.1 and 127.0.0.2")
	return ""
}

// mute listens on 127.0.0.2 with a queue that is full: the kernel drops every
// further connection without an answer, as a dead host does.
func mute(t *testing.T, port int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	at := &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 2}}
	if err := errors.Join(unix.Bind(fd, at), unix.Listen(fd, 0)); err != nil {
		return err
	}
	address := net.TCPAddr{IP: net.IPv4(127, 0, 0, 2), Port: port}
	for range 16 {
		c, err := net.DialTimeout("tcp", address.String(), 200*time.Millisecond)
		if err != nil {
			return nil // full
		}
		t.Cleanup(func() { c.Close() })
	}
	return errors.New("its queue does not fill")
}
