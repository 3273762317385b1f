package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	// marksInterval is how often directories of maintenance are looked at.
	marksInterval = time.Second
	// marksMost is how many files of one are looked at.
	marksMost = 10_000
	// marksFresh is how long after a change a directory is read each time: what
	// changes within the grain of its time stamp would not be seen.
	marksFresh = 2 * time.Second
)

// marksRead is what a directory of maintenance holds.
type marksRead struct {
	dir   string
	names []string // sorted
	err   error
}

// marker looks at directories of maintenance. It is a worker of its own,
// since a directory may be on a disk that hangs.
type marker struct {
	out  chan<- marksRead
	wake chan struct{} // holds one

	mu   sync.Mutex
	dirs map[string]*markDir
}

// markDir is what the marker knows of a directory.
type markDir struct {
	changed time.Time // its time stamp when it was last read
	read    bool
	failed  string // the last error that was told
}

// watch replaces the directories that are looked at, and has all read at once.
func (k *marker) watch(dirs []string) {
	k.mu.Lock()
	next := make(map[string]*markDir, len(dirs))
	for _, d := range dirs {
		next[d] = &markDir{}
	}
	k.dirs = next
	k.mu.Unlock()
	signal(k.wake)
}

// run looks each second until ctx ends, as long as there is anything to look
// at.
func (k *marker) run(ctx context.Context) {
	tick := time.NewTicker(marksInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		case <-tick.C:
		}
		k.mu.Lock()
		dirs := k.dirs
		k.mu.Unlock()
		for dir, d := range dirs {
			if r, news := d.look(dir); news {
				select {
				case k.out <- r:
				case <-ctx.Done():
					return
				}
			}
		}
	}
}

// look reads a directory if it may have changed, and says what is new.
func (d *markDir) look(dir string) (r marksRead, news bool) {
	r.dir = dir
	info, err := os.Stat(dir)
	if err == nil && d.read && d.failed == "" && info.ModTime().Equal(d.changed) && time.Since(d.changed) > marksFresh {
		return r, false
	}
	if err == nil {
		r.names, err = fileNames(dir)
	}
	if err != nil {
		news = err.Error() != d.failed
		d.failed, r.err = err.Error(), err
		return r, news
	}
	d.changed, d.read, d.failed = info.ModTime(), true, ""
	return r, true
}

func fileNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened to read
	names, err := f.Readdirnames(marksMost)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(names) == marksMost {
		return nil, fmt.Errorf("%s: more than %d files: this is no directory of maintenance", dir, marksMost-1)
	}
	slices.Sort(names)
	return names, nil
}

// watchMarks has the directories of the configuration looked at.
func (l *loop) watchMarks() {
	var dirs []string
	for _, v := range l.loaded.Config.Virtuals {
		if dir := v.MaintenanceDir; dir != "" && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for dir := range l.globals.Marks {
		if !slices.Contains(dirs, dir) {
			l.globals.Marks = maps.Clone(l.globals.Marks) // batches share the old one
			delete(l.globals.Marks, dir)
		}
	}
	maps.DeleteFunc(l.unread, func(dir, _ string) bool { return !slices.Contains(dirs, dir) })
	l.marker.watch(dirs)
}
