package file

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/plugins/alert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func alertLine(words ...string) (*Alert, error) {
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	a := New(fs).(*Alert)
	if err := fs.Parse(words); err != nil {
		return nil, err
	}
	return a, a.Validate()
}

func mustLine(t *testing.T, words ...string) *Alert {
	t.Helper()
	a, err := alertLine(words...)
	check(t, err)
	return a
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func request() alert.Request {
	return alert.Request{
		ID: "1", Group: "web", Service: "http", Kind: alert.Failure, Summary: "web2",
		Output: "web2\nconnection refused\n.\n..x\n", At: time.Date(2026, 11, 3, 9, 5, 7, 0, time.Local),
		Env: map[string]string{"MON_DESCRIPTION": "the shop"},
	}
}

func TestBlock(t *testing.T) {
	at := request().At
	stamp := fmt.Sprintf("%d (Tue Nov  3 09:05:07 2026)", at.Unix())
	rows := []struct {
		name    string
		change  func(*alert.Request)
		summary string
		want    string
	}{
		{"failure", nil, "", "ALERT web http " + stamp + " web2\nDESCR=the shop\nOPSTATUS=0\nconnection refused\n..\n...x\n.\n"},
		{"with -S", nil, "it is down", "ALERT web http " + stamp + " it is down\nDESCR=the shop\nOPSTATUS=0\nconnection refused\n..\n...x\n.\n"},
		{"recovery", func(r *alert.Request) { r.Kind, r.Status, r.Output = alert.Up, 1, "" }, "", "UPALERT web http " + stamp + " web2\nDESCR=the shop\nOPSTATUS=1\n.\n"},
		{"start", func(r *alert.Request) {
			*r = alert.Request{Kind: alert.Startup, Group: "g", Service: "s", At: at, Status: 7}
		}, "", "STARTUP g s " + stamp + " \nDESCR=\nOPSTATUS=7\n.\n"},
		{"ack", func(r *alert.Request) { r.Kind, r.Output, r.Env = alert.Ack, "wensong: on it", nil }, "", "ACK web http " + stamp + " web2\nDESCR=\nOPSTATUS=0\nwensong: on it\n.\n"},
		{"no line end", func(r *alert.Request) { r.Output = "web2\nx" }, "", "ALERT web http " + stamp + " web2\nDESCR=the shop\nOPSTATUS=0\nx\n.\n"},
		{"line ends everywhere", func(r *alert.Request) {
			r.Group, r.Summary, r.Env["MON_DESCRIPTION"], r.Output = "a\nb", "s\n.\nALERT x", "d\r\n.", "one\r\n\r\n.\r\n"
		}, "", "ALERT a b http " + stamp + " s . ALERT x\nDESCR=d  .\nOPSTATUS=0\none\n\n..\n.\n"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			req := request()
			if r.change != nil {
				r.change(&req)
			}
			if d := cmp.Diff(r.want, string(block(req, r.summary))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestKinds(t *testing.T) {
	var got []string
	for k := alert.Failure; k.Valid(); k++ {
		got = append(got, k.Heading())
	}
	if d := cmp.Diff([]string{"ALERT", "UPALERT", "STARTUP", "TRAP", "TRAPTIMEOUT", "ACK", "DISABLE", "TEST"}, got); d != "" {
		t.Error(d)
	}
}

func TestValidate(t *testing.T) {
	for _, words := range [][]string{{}, {"-S", "x"}, {""}} {
		if _, err := alertLine(words...); err == nil {
			t.Errorf("%q is well", words)
		}
	}
}

func TestWhere(t *testing.T) {
	dir, logdir := t.TempDir(), t.TempDir()
	r := request()
	r.Env["MON_LOGDIR"] = logdir
	absolute := filepath.Join(dir, "absolute")
	check(t, mustLine(t, "-d", dir, "one", absolute).Alert(t.Context(), r))
	check(t, mustLine(t, "two").Alert(t.Context(), r))
	check(t, mustLine(t, "two").Alert(t.Context(), r))
	text := string(block(r, ""))
	for path, want := range map[string]string{filepath.Join(dir, "one"): text, absolute: text, filepath.Join(logdir, "two"): text + text} {
		got, err := os.ReadFile(path)
		check(t, err)
		if d := cmp.Diff(want, string(got)); d != "" {
			t.Errorf("%s: %s", path, d)
		}
		info, err := os.Stat(path)
		check(t, err)
		if info.Mode().Perm()&^0o644 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	}
	delete(r.Env, "MON_LOGDIR")
	if err := mustLine(t, "three").Alert(t.Context(), r); !alert.IsPermanent(err) {
		t.Errorf("nowhere to write: %v", err)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	check(t, unix.Mkfifo(pipe, 0o600))
	rows := []struct {
		name, path string
		want       error
	}{
		{"no folder", filepath.Join(dir, "none", "x"), os.ErrNotExist},
		{"a folder", dir, unix.EISDIR},
		{"a pipe without reader", pipe, unix.ENXIO},
		{"a full disk", "/dev/full", unix.ENOSPC},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			good := filepath.Join(t.TempDir(), "good")
			err := mustLine(t, r.path, good).Alert(t.Context(), request())
			if !errors.Is(err, r.want) || alert.IsPermanent(err) || !strings.Contains(err.Error(), r.path) {
				t.Errorf("error is %v", err)
			}
			if _, err := os.Stat(good); err != nil {
				t.Error("the other file was left out")
			}
		})
	}
}

func TestAnotherTryWritesOnlyWhereItFailed(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	a := mustLine(t, "-d", dir, "good", filepath.Join(missing, "late"))
	for range 3 {
		if err := a.Alert(t.Context(), request()); err == nil {
			t.Fatal("no error")
		}
	}
	check(t, os.Mkdir(missing, 0o700))
	check(t, a.Alert(t.Context(), request()))
	for _, path := range []string{filepath.Join(dir, "good"), filepath.Join(missing, "late")} {
		got, err := os.ReadFile(path)
		check(t, err)
		if d := cmp.Diff(string(block(request(), "")), string(got)); d != "" {
			t.Errorf("%s: %s", path, d)
		}
	}
	if n := a.memory.Len(); n != 0 {
		t.Errorf("remembers %d notices for nothing", n)
	}
}

func TestAPipeWhoseReaderSleeps(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	check(t, unix.Mkfifo(pipe, 0o600))
	fd, err := unix.Open(pipe, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	check(t, err)
	defer func() { _ = unix.Close(fd) }()
	r := request()
	r.Output = strings.Repeat("x\n", 500_000)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := mustLine(t, pipe).Alert(ctx, r); err == nil || alert.IsPermanent(err) {
		t.Errorf("error is %v", err)
	}
}

func TestBlocksOfManyWritersDoNotMix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	var writers sync.WaitGroup
	for g := range 8 {
		writers.Go(func() {
			r := request()
			r.Group, r.Output = fmt.Sprint(g), "web2\n"+strings.Repeat(fmt.Sprintln(g), 2000)
			a, err := alertLine(path)
			for range 5 {
				err = errors.Join(err, a.Alert(context.Background(), r))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	text, err := os.ReadFile(path)
	check(t, err)
	blocks := strings.SplitAfter(string(text), "\n.\n")
	if len(blocks) != 41 {
		t.Fatalf("%d blocks", len(blocks)-1)
	}
	for _, b := range blocks[:40] {
		g := strings.Fields(b)[1]
		if strings.Count(b, "\n"+g) != 2000 {
			t.Errorf("a block of %s holds %d of its lines", g, strings.Count(b, "\n"+g))
		}
	}
}

func TestUndo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	check(t, os.WriteFile(path, []byte("whole\n.\nAL"), 0o600))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	check(t, err)
	defer func() { _ = f.Close() }()
	check(t, undo(f, 8, 1)) // somebody wrote behind it
	check(t, undo(f, -1, 2))
	if n, _ := size(f); n != 10 {
		t.Errorf("length %d", n)
	}
	check(t, undo(f, 8, 2))
	if n, _ := size(f); n != 8 {
		t.Errorf("length %d", n)
	}
}

// FuzzBlock holds that a reader finds the end of a block, whatever is in it.
func FuzzBlock(f *testing.F) {
	f.Add("web", "sum", "sum\n.\n", "descr", "")
	f.Add("a\n.", ".", ".", ".\r\n", "x\n.")
	f.Fuzz(func(t *testing.T, group, summary, output, descr, given string) {
		r := alert.Request{Group: group, Summary: summary, Output: output, Env: map[string]string{"MON_DESCRIPTION": descr}}
		lines := strings.Split(string(block(r, given)), "\n")
		for i, l := range lines {
			if end := i == len(lines)-2; end != (l == ".") {
				t.Fatalf("line %d of %q is %q", i, lines, l)
			}
		}
	})
}
