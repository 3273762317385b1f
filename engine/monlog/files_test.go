package monlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/view"
)

func call(n int) view.Call {
	return view.Call{Type: "alert", Group: "g", Service: "s", At: time.Unix(int64(n), 0), Path: "p", Summary: fmt.Sprint(n)}
}

// wantCalls looks at the lines of a file by their summaries.
func wantCalls(t *testing.T, path string, want ...string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		if c, ok := ParseCall(line); ok && strings.HasSuffix(line, "\n") {
			got = append(got, c.Summary)
		} else {
			got = append(got, "?")
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s holds %v, want %v", path, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A file that is renamed or removed is made again with the next line, one that
// is emptied is gone on with; a reload opens it anew.
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "hist.log")
		f := New(slog.New(slog.DiscardHandler))
		f.Call(call(0)) // no file is named yet
		f.Configure("", path)
		f.Call(call(1))
		synctest.Wait()
		must(t, os.Rename(path, path+".1"))
		f.Call(call(2))
		synctest.Wait()
		must(t, os.Remove(path))
		f.Call(call(3))
		synctest.Wait()
		must(t, os.Truncate(path, 0))
		f.Call(call(4))
		synctest.Wait()
		wantCalls(t, path+".1", "1")
		wantCalls(t, path, "4")
		f.Call(call(5))
		f.Configure("", filepath.Join(dir, "other.log"))
		f.Call(call(6))
		synctest.Wait()
		f.Configure("", "")
		f.Call(call(7))
		must(t, f.Close(t.Context()))
		f.Call(call(8))
		wantCalls(t, path, "4", "5", "6") // what waits goes to the file that is open
		wantCalls(t, filepath.Join(dir, "other.log"))
	})
}

// A file that ends in the middle of a line is ended first.
func TestTornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hist.log")
	must(t, os.WriteFile(path, []byte("alert g s 1 p () 1\nalert g s 2 p"), 0o600))
	f := New(slog.New(slog.DiscardHandler))
	f.Configure("", path)
	f.Call(call(3))
	must(t, f.Close(t.Context()))
	wantCalls(t, path, "1", "?", "3")
}

// disk is a file on a disk with little room.
type disk struct {
	*os.File
	room *atomic.Int64
}

func (d disk) Write(b []byte) (int, error) {
	n := min(len(b), int(d.room.Load()))
	d.room.Add(int64(-n))
	n, _ = d.File.Write(b[:n])
	if n < len(b) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

func (d disk) Stat() (fs.FileInfo, error) { return d.File.Stat() }

// A full disk leaves no half lines; what waits is written when there is room,
// and the fault is told once.
func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "hist.log")
		var log strings.Builder
		f := New(slog.New(slog.NewTextHandler(&log, nil)))
		var room atomic.Int64
		room.Store(30) // one line and a half
		f.calls.open = func(path string) (handle, error) {
			file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
			return disk{file, &room}, err
		}
		f.Configure("", path)
		f.Call(call(1))
		synctest.Wait()
		for n := 2; n < 5; n++ {
			f.Call(call(n))
			time.Sleep(20 * time.Second)
			synctest.Wait()
		}
		wantCalls(t, path, "1")
		if err := f.Err(); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("the fault is %v", err)
		}
		room.Store(1000)
		time.Sleep(retryMax)
		synctest.Wait()
		wantCalls(t, path, "1", "2", "3", "4")
		must(t, f.Close(t.Context()))
		if n := strings.Count(log.String(), "is not written"); n != 1 || strings.Count(log.String(), "written again") != 1 {
			t.Errorf("logged\n%s", log.String())
		}
	})
}

// A disk that hangs holds up nobody: lines wait up to a bound, and Close gives
// up.
func TestHangingDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "dt.log")
		f := New(slog.New(slog.DiscardHandler))
		block := make(chan struct{})
		f.downtime.open = func(path string) (handle, error) {
			<-block
			return openLog(path)
		}
		f.Configure(path, "")
		synctest.Wait() // it hangs
		for n := range queueMost + 10 {
			f.Downtime(Downtime{Back: time.Unix(int64(n), 0), Group: "g", Service: "s", Summary: "x"})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := f.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("closed: %v", err)
		}
		close(block)
		must(t, f.Close(t.Context()))
		text, err := os.ReadFile(path)
		must(t, err)
		if n := strings.Count(string(text), "\n"); n != 4+queueMost || !strings.Contains(string(text), "\n10 g s ") {
			t.Errorf("%d lines", n)
		}
	})
}
