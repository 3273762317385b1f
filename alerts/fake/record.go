package fake

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/plugins/role"
)

// recordName is the file in the state directory.
const recordName = "fake.record"

// record remembers which groups were declared, so that what of them is left
// after a crash is known for ours, and what moved away from lo. It is written
// when lines are declared, long before any token: nothing waits for the disk
// when a group is taken, and the newest is what gets written.
type record struct {
	path string
	log  *slog.Logger
	boot string
	// old is what an earlier life has left.
	old     book
	news    chan book // capacity 1: the newest
	stopped chan struct{}
}

// book is the file.
type book struct {
	// Boot is the start of the machine it was written in: after another, what
	// moved away from lo is where the machine puts it by itself.
	Boot   string  `json:"boot"`
	Groups []entry `json:"groups"`
}

// entry is one group.
type entry struct {
	Group string         `json:"group"`
	Args  []string       `json:"args"`
	Moved []netip.Prefix `json:"moved,omitempty"`
}

// openRecord reads what is there. One that cannot be read is none: marks say
// what is ours on most kernels.
func openRecord(dir, boot string, log *slog.Logger) *record {
	r := &record{log: log, boot: boot}
	if dir == "" {
		return r
	}
	r.path = filepath.Join(dir, recordName)
	text, err := os.ReadFile(r.path)
	if err == nil {
		err = json.Unmarshal(text, &r.old)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("the record of declared groups cannot be read; leases that are left are known by their mark only", "path", r.path, "err", err)
		r.old = book{}
	}
	if r.old.Boot != boot {
		r.old = book{}
	}
	return r
}

// moved is what of the group had moved away from lo in an earlier life.
func (r *record) moved(g role.Group) []address.Address {
	var out []address.Address
	for _, e := range r.old.Groups {
		for _, p := range e.Moved {
			if slices.ContainsFunc(g.Addresses, func(a role.Address) bool { return a.Prefix.Addr() == p.Addr() }) {
				out = append(out, address.Address{Prefix: p, Index: address.Loopback, Device: "lo"})
			}
		}
	}
	return out
}

// save has b written, by a goroutine of its own, which a slow disk holds up and
// nobody else.
func (r *record) save(b book) {
	if r.path == "" {
		return
	}
	if r.news == nil {
		r.news, r.stopped = make(chan book, 1), make(chan struct{})
		go r.write() // ends with close
	}
	for {
		select {
		case r.news <- b:
			return
		default:
		}
		select {
		case <-r.news: // an older one that was not begun
		default:
		}
	}
}

func (r *record) write() {
	defer close(r.stopped)
	for b := range r.news {
		text, err := json.MarshalIndent(b, "", "\t")
		if err == nil {
			err = replace(r.path, append(text, '\n'))
		}
		if err != nil {
			r.log.Warn("the record of declared groups is behind", "err", err)
		}
	}
}

// closeLimit is how long the end waits for a disk.
const closeLimit = 300 * time.Millisecond

func (r *record) close() {
	if r.news == nil {
		return
	}
	close(r.news)
	select {
	case <-r.stopped:
	case <-time.After(closeLimit):
	}
}

// replace writes a file whole or not at all.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// bootID names this start of the machine.
func bootID() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}
