package store

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// What Open may find wrong, for callers that branch on it.
var (
	// ErrLocked means that another process has the file open.
	ErrLocked = errors.New("another mond uses it")
	// ErrNewer means that a newer mond wrote the file.
	ErrNewer = errors.New("written by a newer mond")
	// ErrCorrupt means that the file is damaged.
	ErrCorrupt = errors.New("the file is damaged")
)

// format is the number of the layout on disk. It is raised when an older
// program could not understand what a newer one wrote.
const format = 1

// lockWait is how long Open waits for another process to let go of the file.
const lockWait = time.Second

// The buckets, and the rows of bucketMeta.
var (
	bucketMeta    = []byte("meta")
	bucketRecords = []byte("records")
	bucketOutbox  = []byte("outbox")
	bucketStarted = []byte("started")
	bucketEvents  = []byte("events")
	bucketPools   = []byte("pools") // made when it is first needed

	keyFormat  = []byte("format")
	keyMeta    = []byte("meta")
	keyGlobals = []byte("globals")
)

// Store is an open store. Its methods may be called from any goroutine.
type Store struct {
	opt   Options
	db    *bbolt.DB
	saved *Saved

	mu        sync.Mutex
	next      *pending
	nextEvent uint64
	dropped   uint64
	loaded    bool
	closed    bool

	health health

	// wake and urgent hold one token each: there is something to write; there
	// is somebody waiting for it. The writer takes them, anybody fills them.
	wake, urgent chan struct{}
	// closing asks the writer to finish, abandon to give up; done is closed
	// when it has ended.
	closing, abandon, done chan struct{}
	closeOnce, abandonOnce sync.Once
	closeErr               error
	commits                uint64
	longest                time.Duration
	// keepRows and keepAge bound the history; see Retain.
	keepRows int
	keepAge  time.Duration
}

// meta is the row that describes the file.
type meta struct {
	// Clean is set by a clean stop and removed before anything else is done.
	Clean bool `json:"clean"`
	// NextSeq and NextEvent are the first free numbers.
	NextSeq   uint64 `json:"next_seq"`
	NextEvent uint64 `json:"next_event"`
	// Events counts the rows of history.
	Events int `json:"events"`
	// Alive is the last Batch.Alive.
	Alive time.Time `json:"alive,omitzero"`
	// Horizon is the time of the youngest row of history that was removed.
	Horizon time.Time `json:"horizon,omitzero"`
}

// Open opens the store at o.Path, makes it if there is none, and reads it
// whole. It fails with [ErrLocked], [ErrNewer] or [ErrCorrupt] (see
// Options.Recover), or with what the system says. Nothing is written before
// [Store.Load], unless the store is new.
func Open(o Options) (*Store, error) {
	o = o.withDefaults()
	s, err := open(o)
	half := errors.Is(err, ErrCorrupt) && neverCommitted(o.Path)
	if !errors.Is(err, ErrCorrupt) || !half && !o.Recover {
		return s, err
	}
	aside, moveErr := setAside(o.Path, time.Now())
	if moveErr != nil {
		return nil, errors.Join(err, moveErr)
	}
	o.Log.Error("store is damaged, starting a new one", "file", o.Path, "kept_as", aside, "err", err)
	if s, err = open(o); err == nil {
		s.saved.Clean = half
	}
	return s, err
}

// OpenReader opens the store at path, which nobody else may have open, to read
// only: Found, Events and Extent work, and Close ends it.
func OpenReader(path string) (*Store, error) {
	return open(Options{Path: path, readOnly: true}.withDefaults())
}

// Found is what the last run left, before Load.
func (s *Store) Found() Saved {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.saved == nil {
		return Saved{}
	}
	return *s.saved
}

func open(o Options) (*Store, error) {
	s := &Store{
		opt: o, next: newPending(),
		wake: make(chan struct{}, 1), urgent: make(chan struct{}, 1),
		closing: make(chan struct{}), abandon: make(chan struct{}), done: make(chan struct{}),
	}
	s.keepRows, s.keepAge = o.HistoryRows, o.HistoryAge
	s.health.init(o.OnHealth)
	var file *os.File
	err := guarded(func() error { return s.openFile(&file) })
	if err == nil {
		return s, nil
	}
	s.discard(file)
	return nil, explain(o.Path, err)
}

// openFile opens the database, leaving its file in *file even when bbolt
// panics over what it finds.
func (s *Store) openFile(file **os.File) (err error) {
	s.db, err = bbolt.Open(s.opt.Path, 0o600, &bbolt.Options{
		Timeout: lockWait, FreelistType: bbolt.FreelistMapType, NoSync: s.opt.NoSync, ReadOnly: s.opt.readOnly,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			f, err := os.OpenFile(name, flag, mode)
			*file = f
			return f, err
		},
	})
	if err != nil {
		return err
	}
	if err := s.checkLength(*file); err != nil {
		return err
	}
	created, err := s.create()
	if err != nil {
		return err
	}
	s.saved, err = s.read()
	if err == nil {
		s.saved.New = created
	}
	return err
}

// checkLength finds a file that was cut short before a read beyond its end
// finds it.
func (s *Store) checkLength(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return s.db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > info.Size() {
			return fmt.Errorf("%w: it ends at byte %d of %d", ErrCorrupt, info.Size(), tx.Size())
		}
		return nil
	})
}

// create makes the buckets of a new store and checks the format of an old one.
func (s *Store) create() (created bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		created = tx.Bucket(bucketMeta) == nil
		if created {
			return nil
		}
		return checkFormat(string(tx.Bucket(bucketMeta).Get(keyFormat)))
	})
	if err != nil || !created {
		return created, err
	}
	return true, s.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketMeta, bucketRecords, bucketOutbox, bucketStarted, bucketEvents} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		if err := tx.Bucket(bucketMeta).Put(keyFormat, []byte(strconv.Itoa(format))); err != nil {
			return err
		}
		return putMeta(tx, meta{Clean: true, NextSeq: 1, NextEvent: 1})
	})
}

func checkFormat(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return fmt.Errorf("%w: its format is %q", ErrCorrupt, text)
	}
	if n > format {
		return fmt.Errorf("%w (its format is %d, this one knows %d)", ErrNewer, n, format)
	}
	return nil
}

// discard lets go of a file that could not be used. Where bbolt.Open panicked
// there is nothing to close but the file, and its mapping, which stays, would
// hold the lock for as long as this process lives.
func (s *Store) discard(file *os.File) {
	if s.db != nil {
		_ = guarded(s.db.Close)
		return
	}
	if file != nil {
		_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
		_ = file.Close() // closed already where bbolt answered with an error
	}
}

// explain says what an operator can do about err.
func explain(path string, err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("open state %s: %w: stop that one, or give this one a statedir of its own", path, ErrLocked)
	case errors.Is(err, ErrNewer):
		return fmt.Errorf("open state %s: %w: upgrade mond, or move the file away to start without state", path, err)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrInvalidMapping):
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("open state %s: %w: restore it, or let mond set it aside and start without state", path, err)
	}
	return fmt.Errorf("open state %s: %w", path, err)
}

// guarded runs f and makes an error of a panic or a memory fault, which is
// how bbolt meets a damaged or vanished page.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, r)
		}
	}()
	return f()
}

// neverCommitted reports whether the file is what a crash leaves of a store
// that was just being made: the first commit makes it longer than the four
// pages it begins with.
func neverCommitted(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() <= int64(4*os.Getpagesize())
}

func setAside(path string, now time.Time) (string, error) {
	base := path + ".corrupt-" + now.Format("20060102T150405")
	to := base
	for n := 2; ; n++ {
		if _, err := os.Lstat(to); errors.Is(err, os.ErrNotExist) {
			return to, os.Rename(path, to)
		} else if err != nil {
			return to, err
		}
		to = base + "-" + strconv.Itoa(n)
	}
}
