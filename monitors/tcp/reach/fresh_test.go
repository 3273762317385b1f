package reach

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// word is a value made of a file that must not be empty.
func word(path string) *Fresh[string] {
	return &Fresh[string]{Paths: []string{path}, Make: func(c [][]byte) (string, error) {
		if len(c[0]) == 0 {
			return "", errors.New("empty")
		}
		return string(c[0]), nil
	}}
}

// put writes a file that was last changed at the time given.
func put(t *testing.T, path, text string, at time.Time) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, at, at)); err != nil {
		t.Fatal(err)
	}
}

func TestFreshReadsWhatChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	synctest.Test(t, func(t *testing.T) {
		f := word(path)
		if _, err := f.Get(); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("without the file: %v", err)
		}
		get := func(want string) {
			t.Helper()
			if got, err := f.Get(); got != want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
		}
		put(t, path, "one", time.Unix(1, 0))
		get("one")
		put(t, path, "two", time.Unix(2, 0))
		get("one") // it was looked at just now
		time.Sleep(2 * lookAgain)
		get("two")
		put(t, path, "", time.Unix(3, 0))
		time.Sleep(2 * lookAgain)
		get("two") // half written
		put(t, path, "six", time.Unix(3, 1))
		time.Sleep(2 * lookAgain)
		get("six")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * lookAgain)
		get("six")
	})
}

func TestFreshWithoutFiles(t *testing.T) {
	made := 0
	f := &Fresh[int]{Make: func([][]byte) (int, error) { made++; return made, nil }}
	for range 3 {
		if n, err := f.Get(); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
}

func TestFreshRefuses(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, "long")
	put(t, long, string(make([]byte, maxFile+1)), time.Now())
	for path, want := range map[string]string{
		dir:         "read " + dir + ": it is no regular file",
		"/dev/zero": "read /dev/zero: it is no regular file",
		long:        "read " + long + ": it has more than 1048576 bytes",
	} {
		if _, err := word(path).Get(); err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}
