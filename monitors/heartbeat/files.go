package heartbeat

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mondhq/mond/monitors/heartbeat/wire"
)

const (
	// lookAtKeys is the time between two looks at the key file.
	lookAtKeys = time.Second
	// ahead is how many epochs are reserved at once.
	ahead = 1000
	// patience is how long a start waits for the disk to say which epochs were
	// used: the peer's beats say it, too.
	patience = 200 * time.Millisecond
	// writeAgain is after how long a reservation that failed is tried again.
	writeAgain = 10 * time.Second
)

// keyNews are keys that were read anew, or why they could not be.
type keyNews struct {
	keys *wire.Keys
	err  error
}

// stamp is by what a file that was changed is known.
type stamp struct {
	ino, size    uint64
	mtime, ctime int64
	err          string
}

func stampOf(path string) (s stamp) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return stamp{err: err.Error()}
	}
	return stamp{ino: st.Ino, size: uint64(st.Size), mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano()}
}

// watchKeys reads the key file whenever it changes, until ctx ends. It is a
// goroutine of its own, since the disk may hang.
func watchKeys(ctx context.Context, path string, news chan<- keyNews) {
	known := stampOf(path)
	tick := time.NewTicker(lookAtKeys)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		is := stampOf(path)
		if is == known {
			continue
		}
		known = is
		keys, err := loadKeys(path)
		select {
		case news <- keyNews{keys, err}:
		case <-ctx.Done():
			return
		}
	}
}

// firstEpoch is the least epoch that may be used, 1 if the disk does not say.
func (p *pair) firstEpoch() uint64 {
	read := make(chan uint64, 1)
	go func() { read <- readEpoch(p.h.epochs) }() // ends when the disk answers
	select {
	case n := <-read:
		return n
	case <-time.After(patience):
		return 1
	}
}

func readEpoch(path string) uint64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 1
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || n > wire.MaxEpoch/2 {
		return 1
	}
	return max(n, 1)
}

// offer asks that epochs below before be reserved, in the place of what was
// asked before.
func (p *pair) offer(before uint64) {
	select {
	case <-p.reserve:
	default:
	}
	p.reserve <- before
}

// book writes reservations until ctx ends. Nobody waits for it.
func (p *pair) book(path string) {
	for {
		select {
		case <-p.ctx.Done():
			return
		case before := <-p.reserve:
			p.bookOne(path, before)
		}
	}
}

// bookOne writes one reservation, or has it tried again.
func (p *pair) bookOne(path string, before uint64) {
	if err := writeEpoch(path, before); err != nil {
		p.log("epochs", "err", err)
		select {
		case <-p.ctx.Done():
		case <-time.After(writeAgain):
			select {
			case p.reserve <- before:
			default: // there is a newer one
			}
		}
		return
	}
	select {
	case p.booked <- before:
	case <-p.ctx.Done():
	}
}

// writeEpoch replaces the file whole.
func writeEpoch(path string, before uint64) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".epoch-*")
	if err != nil {
		return fmt.Errorf("reserve epochs: %w", err)
	}
	_, err = fmt.Fprintln(f, before)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		if e := os.Remove(f.Name()); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
		return fmt.Errorf("reserve epochs in %s: %w", path, err)
	}
	return nil
}
