package latest

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

// The newest content is on disk, whole, and nothing else is left beside it.
func TestNewestWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "disabled")
		f := New("file", slog.New(slog.DiscardHandler))
		for _, text := range []string{"one\n", "two\n", "three\n"} {
			f.Set(path, []byte(text))
		}
		synctest.Wait()
		if got := content(t, path); got != "three\n" {
			t.Errorf("%q", got)
		}
		must(t, f.Write(t.Context(), path, []byte("four\n")))
		if got := content(t, path); got != "four\n" {
			t.Errorf("%q", got)
		}
		f.Set(path, nil)
		must(t, f.Close(t.Context()))
		must(t, f.Close(t.Context()))
		if got := content(t, path); got != "" {
			t.Errorf("%q", got)
		}
		f.Set(path, []byte("late\n"))
		if err := f.Write(t.Context(), path, nil); err == nil {
			t.Error("written after the end")
		}
		if all, _ := os.ReadDir(dir); len(all) != 1 {
			t.Errorf("%v", all)
		}
		if info, _ := os.Stat(path); info.Mode().Perm() != 0o644 {
			t.Error(info.Mode())
		}
	})
}

// A disk that fails is told of once, waited for, and then holds the newest.
func TestDiskThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "not", "there", "disabled")
		var log strings.Builder
		f := New("file", slog.New(slog.NewTextHandler(&log, nil)))
		if err := f.Write(t.Context(), path, []byte("one")); err == nil || !strings.Contains(err.Error(), "statedir") {
			t.Errorf("%v", err)
		}
		f.Set(path, []byte("two"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if f.Err() == nil {
			t.Error("no error")
		}
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		time.Sleep(retryMax)
		synctest.Wait()
		if got := content(t, path); got != "two" || f.Err() != nil {
			t.Errorf("%q %v", got, f.Err())
		}
		must(t, f.Close(t.Context()))
		if strings.Count(log.String(), "is not written") != 1 || strings.Count(log.String(), "written again") != 1 {
			t.Error(log.String())
		}
	})
}

// A disk that hangs makes nobody wait but who asked to.
func TestDiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New("file", slog.New(slog.DiscardHandler))
		block := make(chan struct{})
		var last string
		f.write = func(_ string, content []byte) error { <-block; last = string(content); return nil }
		for _, text := range []string{"one", "two", "three"} {
			f.Set("path", []byte(text))
			synctest.Wait()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := f.Write(ctx, "path", []byte("four")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if err := f.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		close(block)
		must(t, f.Close(t.Context()))
		if last != "four" {
			t.Errorf("%q", last)
		}
	})
}

func TestCloseOfAnIdleOne(t *testing.T) {
	must(t, New("file", slog.New(slog.DiscardHandler)).Close(t.Context()))
}
