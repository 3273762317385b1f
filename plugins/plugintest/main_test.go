package plugintest

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/serve"
)

// faultEnv makes this test binary a plugin with the fault that it names; "none"
// is a good one.
const faultEnv = "PLUGINTEST_FAULT"

func TestMain(m *testing.M) {
	if fault := os.Getenv(faultEnv); fault != "" {
		faulty(filepath.Base(os.Args[0]), fault)
	}
	os.Exit(tests(m))
}

func tests(m *testing.M) int {
	// The tests wait for programs, they hardly compute.
	flag.Parse()
	if err := flag.Set("test.parallel", "12"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// faulty runs as the plugin of this name, with a fault.
func faulty(name, fault string) {
	if before, _, ok := strings.Cut(fault, " when resident"); ok {
		if os.Getenv(rpc.CookieKey) != rpc.CookieValue {
			before = "none"
		}
		fault = before
	}
	f := author{name: name, fault: fault}
	switch fault {
	case "talks before it serves":
		fmt.Println("knock.monitor starting...")
	case "deaf to SIGTERM":
		signal.Ignore(syscall.SIGTERM)
		time.Sleep(time.Minute)
	case "resident whatever the cookie":
		if os.Getenv(rpc.CookieKey) != "" {
			os.Setenv(rpc.CookieKey, rpc.CookieValue)
		}
	case "deaf to its lifeline":
		os.Unsetenv(rpc.LifelineEnv)
	case "another name":
		f.name = "someone-elses" + filepath.Ext(name)
	case "serves in every case":
		os.Setenv(rpc.CookieKey, rpc.CookieValue)
	case "dies at once":
		os.Exit(1)
	}
	if kindOf(name) == rpc.Monitor {
		serve.Main(serve.Monitor(f.name, "knocks, or fails to", f.monitor))
	}
	serve.Main(serve.Alert(f.name, "tells, or fails to", f.alert))
}

// author makes the faults that a plugin's author can make.
type author struct{ name, fault string }

func (f author) monitor(fs *flag.FlagSet) monitor.Monitor {
	port := fs.String("p", "23", "TCP `port` to open")
	if f.fault == "option without usage" {
		fs.Bool("x", false, "")
	}
	return monitor.Func(func(ctx context.Context, r monitor.Request) monitor.Result {
		switch f.fault {
		case "prints":
			fmt.Println("checking", r.Hosts)
		case "leaves a child":
			_ = exec.Command("setsid", "sleep", "60").Start()
		case "always well":
			return monitor.OK("")
		case "deaf to ctx":
			if r.Hosts[0] == "127.0.0.2" {
				time.Sleep(5 * time.Second)
			}
		case "panics":
			panic("boo")
		}
		return monitor.PerHost(func(ctx context.Context, host string) (string, error) {
			c, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, *port))
			if err != nil {
				return "", err
			}
			return greeted(ctx, c)
		}).Check(ctx, r)
	})
}

// greeted waits for a word.
func greeted(ctx context.Context, c net.Conn) (string, error) {
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	if _, err := c.Read(make([]byte, 1)); err != nil {
		return "", err
	}
	return "it speaks", nil
}

// told is where a faulty alert writes.
func (f author) alert(fs *flag.FlagSet) alert.Alert {
	file := fs.String("file", "", "`file` to write to")
	return &keeper{author: f, file: file}
}

// keeper writes its claims to a file.
type keeper struct {
	author
	file *string
	held map[string]alert.Claim
}

func (k *keeper) Alert(_ context.Context, r alert.Request) error {
	switch {
	case k.fault == "knows failures only" && r.Kind != alert.Failure:
		return errors.New("what is a " + r.Kind.String() + "?")
	case k.fault == "runs what it is told":
		_ = exec.Command("sh", "-c", ": "+r.Output).Run()
	}
	return nil
}

func (k *keeper) Keep(_ context.Context, full bool, claims []alert.Claim) error {
	if full || k.held == nil {
		k.held = map[string]alert.Claim{}
	}
	for _, c := range claims {
		k.held[c.ID] = c
	}
	for _, c := range claims {
		if err := k.write(c); err != nil {
			return err
		}
	}
	return nil
}

// write appends nothing when nothing is new, unless that is the fault.
func (k *keeper) write(c alert.Claim) error {
	if len(c.Args) != 2 {
		return alert.Permanent(fmt.Errorf("claim %q names no file", c.ID))
	}
	was, _ := os.ReadFile(c.Args[1])
	line := fmt.Sprintf("down=%v\n", c.Down)
	switch k.fault {
	case "not idempotent":
		line = string(was) + line
	case "keeps nothing":
		return nil
	}
	return os.WriteFile(c.Args[1], []byte(line), 0o600)
}

// plugin links this test binary under a plugin's name.
func plugin(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// script writes a shell script.
func script(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// target is a port on loopback at which 127.0.0.1 answers by greet, 127.0.0.2 is silent
// and 127.0.0.3 is down.
func target(t *testing.T, greet func(net.Conn)) (port string) {
	t.Helper()
	for range 20 {
		greets, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ = net.SplitHostPort(greets.Addr().String())
		silent, err := net.Listen("tcp", "127.0.0.2:"+port)
		if err != nil {
			greets.Close() // somebody else has that one
			continue
		}
		answer(t, greets, greet)
		answer(t, silent, nil)
		return port
	}
	t.Fatal("no port is free on 127.0.0.1 and 127.0.0.2")
	return ""
}

// answer accepts until the test ends, and greets or, by nil, says nothing.
func answer(t *testing.T, l net.Listener, greet func(net.Conn)) {
	done := make(chan struct{})
	var open []net.Conn
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if greet != nil {
				go greet(c) // ends by itself
				continue
			}
			open = append(open, c)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
		for _, c := range open {
			c.Close()
		}
	})
}

// plainly greets.
func plainly(c net.Conn) {
	defer c.Close()
	_, _ = c.Write([]byte("hello\n"))
}

// inHTTP answers a question.
func inHTTP(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
	}
}
