package monlog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/view"
)

// longest is how long a line may be that is read back.
const longest = 64 << 10

// piece is how much of a file is read at once.
const piece = 64 << 10

// ReadBack reads the last calls of a history file, most at most and none older
// than oldest, oldest first. It reads from the end, so that the length of the
// file costs nothing. Lines that are none are passed over; a file that is not
// there has no calls.
func ReadBack(path string, most int, oldest time.Time) ([]view.Call, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read history file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	if err != nil {
		return nil, fmt.Errorf("read history file: %w", err)
	}
	calls, err := readBack(f, info.Size(), most, oldest)
	slices.Reverse(calls)
	if err != nil {
		err = fmt.Errorf("read history file %s: %w", path, err)
	}
	return calls, err
}

// readBack gives the calls newest first.
func readBack(r io.ReaderAt, end int64, most int, oldest time.Time) (calls []view.Call, err error) {
	var rest []byte // the beginning of a line that was begun by what lies before
	for end > 0 && len(calls) < most {
		n := min(end, piece)
		buf := make([]byte, n, int(n)+len(rest))
		if _, err := r.ReadAt(buf, end-n); err != nil {
			return calls, err
		}
		end -= n
		buf = append(buf, rest...)
		lines := strings.Split(string(buf), "\n")
		first := 0
		if end > 0 {
			first, rest = 1, []byte(lines[0])
		}
		if len(rest) > longest {
			rest = rest[:longest]
		}
		for i := len(lines) - 1; i >= first && len(calls) < most; i-- {
			c, ok := ParseCall(lines[i])
			if ok && c.At.Before(oldest) {
				return calls, nil // what is before is older
			}
			if ok {
				calls = append(calls, c)
			}
		}
	}
	return calls, nil
}
