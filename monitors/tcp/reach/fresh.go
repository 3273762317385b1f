package reach

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

const (
	// maxFile is how much of a file is read: certificates and tokens are small.
	maxFile = 1 << 20
	// lookAgain is how often files are looked at for changes.
	lookAgain = time.Second
)

// Fresh is a value made of files, and made anew when one of them changes:
// certificates and tokens are renewed while a monitor runs. If that goes wrong
// the last good value stays, for files are often written one after the other.
// It is for concurrent use once its fields are set.
type Fresh[T any] struct {
	// Paths are the files.
	Paths []string
	// Make makes the value of what the files hold, in the order of Paths.
	Make func(contents [][]byte) (T, error)

	mu     sync.Mutex
	looked time.Time
	stamps []stamp
	made   bool
	value  T
}

// stamp tells whether a file is another than before.
type stamp struct {
	modified time.Time
	size     int64
}

// Get is the value, or why there never was one.
func (f *Fresh[T]) Get() (T, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.made && (len(f.Paths) == 0 || time.Since(f.looked) < lookAgain) {
		return f.value, nil
	}
	f.looked = time.Now()
	stamps, err := f.stat()
	if f.made && (err != nil || same(stamps, f.stamps)) {
		return f.value, nil
	}
	var value T
	if err == nil {
		value, err = f.read()
	}
	if err == nil {
		f.value, f.stamps, f.made = value, stamps, true
	}
	if f.made {
		return f.value, nil
	}
	return value, err
}

// stat looks at the files. What is no regular file may never end, or never
// begin, to be read.
func (f *Fresh[T]) stat() ([]stamp, error) {
	stamps := make([]stamp, len(f.Paths))
	for i, path := range f.Paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, opening(err)
		}
		if !info.Mode().IsRegular() {
			return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("it is no regular file")}
		}
		stamps[i] = stamp{info.ModTime(), info.Size()}
	}
	return stamps, nil
}

// opening is an error of stat as people know it from open.
func opening(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: "open", Path: e.Path, Err: e.Err}
	}
	return err
}

func same(a, b []stamp) bool {
	for i := range a {
		if a[i].size != b[i].size || !a[i].modified.Equal(b[i].modified) {
			return false
		}
	}
	return true
}

// read makes the value.
func (f *Fresh[T]) read() (value T, err error) {
	contents := make([][]byte, len(f.Paths))
	for i, path := range f.Paths {
		if contents[i], err = readFile(path); err != nil {
			return value, err
		}
	}
	return f.Make(contents)
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("it has more than %d bytes", maxFile)}
	}
	return b, err
}
