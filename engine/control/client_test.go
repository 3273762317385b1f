package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestClientErrors(t *testing.T) {
	missing := shortPath(t, "sock")
	stale := shortPath(t, "sock")
	leave(t, stale)
	for name, path := range map[string]string{"missing": missing, "stale": stale} {
		_, err := Dial(path).Daemon(t.Context())
		want := fmt.Sprintf("no mond answers on %s: start it, or name its socket with --socket", path)
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := newRig(t, nil)
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"unknown service", second(r.client.Service(t.Context(), "gone", "http")), "service gone:http: no such name in the configuration; monctl status --all shows all there are"},
		{"unknown plugin", second(r.client.Show(t.Context(), "gone.alert", "x")), "gone.alert does not run: file does not exist"},
		{"unknown call", r.client.Do(t.Context(), Remark{}, "explode"), "no such call: POST /v1/explode"},
		{"empty name", r.client.Do(t.Context(), Remark{}, "hosts", "", "disable"), "a name is empty"},
	} {
		if tt.err == nil || tt.err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, tt.err, tt.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Connecting to a socket that the caller may not write to. Root may do
// everything, so that the fault is made up.
func TestNoPermission(t *testing.T) {
	c := Dial("/run/mond/control.sock")
	err := c.explain(t.Context(), &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)})
	if want := "control socket /run/mond/control.sock: permission denied; be a member of its group or use sudo"; err.Error() != want {
		t.Error(err)
	}
}

// A daemon that is stopped (SIGSTOP) still gets connections from the kernel.
func TestSilentDaemon(t *testing.T) {
	path := shortPath(t, "sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := Dial(path)
	c.patience = 20 * time.Millisecond
	_, err = c.Daemon(t.Context())
	if err == nil || !strings.Contains(err.Error(), "does not answer within 20ms") {
		t.Error(err)
	}
	// The caller's own end is not taken for the daemon's.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Dial(path).Daemon(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// talk is a daemon that answers every connection with text, whatever it is
// asked.
func talk(t *testing.T, text string) *Client {
	t.Helper()
	path := shortPath(t, "sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, text)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return Dial(path)
}

func TestStrangeAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nConnection: close\r\n"
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":      {"", "EOF"},
		"no HTTP":      {"mon server ready\n", "malformed HTTP"},
		"no JSON":      {ok + "\r\n<html>", "invalid character"},
		"cut short":    {ok + "Content-Length: 100\r\n\r\n{", "unexpected EOF"},
		"other type":   {ok + "\r\n[]", "cannot unmarshal"},
		"plain error":  {"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\noh", "mond answered 500 Internal Server Error"},
		"redirect":     {"HTTP/1.1 301 Moved Permanently\r\nLocation: /x\r\nConnection: close\r\n\r\n", "mond answered 301"},
		"empty reason": {"HTTP/1.1 409 Conflict\r\nConnection: close\r\n\r\n{}", "mond answered 409 Conflict"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := talk(t, tt.text).Daemon(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "http://") {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// A name of any bytes reaches the Controller as it was given. One that is
// nothing but a slash cannot be routed, and is refused.
func TestAnyName(t *testing.T) {
	r := newRig(t, nil)
	if err := r.client.Do(t.Context(), Remark{}, "hosts", "/", "disable"); err == nil {
		t.Error("a slash was routed")
	}
	rapid.Check(t, func(t *rapid.T) {
		host := rapid.OneOf(rapid.StringN(1, 20, 60), rapid.SampledFrom([]string{".", "..", "a/../b", "%2E", "a b", "?x=1", "#", "\x00", "\xff", "//"})).
			Filter(func(s string) bool { return s != "/" }).Draw(t, "host")
		_ = r.client.Do(context.Background(), Remark{Text: "t"}, "hosts", host, "disable")
		if got := strings.Join(r.fake.asked(), "\n"); !strings.HasPrefix(got, "disable host "+host+" by ") {
			t.Fatalf("%q arrived as %q", host, got)
		}
	})
}
