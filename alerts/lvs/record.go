package lvs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
)

// record is what the owner remembers over its restarts: the targets it has
// ever owned whose rows may still be there, and what was ordered by hand. It
// is written before the rows, so that a row of ours never looks foreign.
// Written by the owner's goroutine only.
type record struct {
	path  string // "": nothing is kept
	owned map[key]job
	hand  map[key]handOrder
	// changed says that there is something to save; saved is the text on disk,
	// as far as is known.
	changed bool
	saved   []byte
	writing chan error // the write that is under way, nil without
}

// handOrder is an order from outside the config to take a target out that the
// config names; it stands beside the claims as one more reason.
type handOrder struct {
	job
	Reason string
	Since  time.Time
}

// line is one line of the record's file, in lvs.alert's own command line.
type line struct {
	Kind   string    `json:"kind"` // owned or hand
	Args   []string  `json:"args"`
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since,omitzero"`
}

const (
	recordName = "lvs.owned"
	kindOwned  = "owned"
	kindHand   = "hand"
)

// openRecord reads the record in dir. What cannot be read is logged and lost:
// it only makes rows look foreign, which are then left alone.
func openRecord(dir string, log *slog.Logger) *record {
	r := &record{owned: map[key]job{}, hand: map[key]handOrder{}}
	if dir == "" {
		return r
	}
	r.path = filepath.Join(dir, recordName)
	data, err := os.ReadFile(r.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("the record of owned rows cannot be read; their rows will look foreign", "file", r.path, "error", err)
	}
	r.saved = data
	for _, err := range r.read(data) {
		log.Warn("a line of the record of owned rows is unreadable and is dropped", "file", r.path, "error", err)
	}
	return r
}

func (r *record) read(data []byte) (bad []error) {
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		if err := r.readLine(lines.Bytes()); err != nil {
			bad = append(bad, fmt.Errorf("line %d: %w", n, err))
		}
	}
	if err := lines.Err(); err != nil {
		bad = append(bad, err)
	}
	return bad
}

func (r *record) readLine(text []byte) error {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return err
	}
	j, err := parseJob(l.Args)
	if err != nil {
		return err
	}
	switch l.Kind {
	case kindOwned:
		r.owned[j.key()] = j
	case kindHand:
		r.hand[j.key()] = handOrder{j, l.Reason, l.Since}
	default:
		return fmt.Errorf("unknown kind %q", l.Kind)
	}
	return nil
}

// text is the record as its file holds it, sorted.
func (r *record) text() []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out) // lines of strings and times cannot fail
	for _, k := range sortedKeys(r.owned) {
		_ = enc.Encode(line{Kind: kindOwned, Args: r.owned[k].words()})
	}
	for _, k := range sortedKeys(r.hand) {
		h := r.hand[k]
		_ = enc.Encode(line{Kind: kindHand, Args: h.words(), Reason: h.Reason, Since: h.Since})
	}
	return out.Bytes()
}

func sortedKeys[V any](m map[key]V) []key {
	return slices.SortedFunc(maps.Keys(m), func(a, b key) int {
		if c := strings.Compare(a.table, b.table); c != 0 {
			return c
		}
		return a.Target.Compare(b.Target)
	})
}

// own adds j to what is owned.
func (r *record) own(j job) {
	if _, ok := r.owned[j.key()]; !ok {
		r.owned[j.key()] = j
		r.changed = true
	}
}

// order keeps an order to take j out; withdraw ends it.
func (r *record) order(j job, reason string, now time.Time) {
	r.hand[j.key()] = handOrder{job: j, Reason: reason, Since: now.Round(0)}
	r.changed = true
}

func (r *record) withdraw(k key) {
	if _, ok := r.hand[k]; ok {
		delete(r.hand, k)
		r.changed = true
	}
}

// forget drops the owned targets of table that are not claimed and whose rows
// are gone from actual; read says which virtual services were looked at.
func (r *record) forget(table string, claimed func(key) bool, actual reconcile.Actual, read map[ipvs.Virtual]bool) {
	before := len(r.owned)
	defer func() { r.changed = r.changed || len(r.owned) != before }()
	maps.DeleteFunc(r.owned, func(k key, _ job) bool {
		return k.table == table && read[k.Virtual] && !claimed(k) && !has(actual, k.Target)
	})
}

// virtuals are the virtual services of what is owned in table.
func (r *record) virtuals(table string) []ipvs.Virtual {
	seen := map[ipvs.Virtual]bool{}
	for k := range r.owned {
		if k.table == table {
			seen[k.Virtual] = true
		}
	}
	return slices.Collect(maps.Keys(seen))
}

func has(actual reconcile.Actual, t reconcile.Target) bool {
	return slices.ContainsFunc(actual[t.Virtual], func(d ipvs.Destination) bool { return d.Addr == t.Real })
}

// errSlow means that the disk has not taken the record in time.
var errSlow = errors.New("the disk is slow; the rows do not wait for it")

// save writes the record if it has changed, and waits for the disk no longer
// than limit: a claim must not.
func (r *record) save(limit time.Duration) error {
	if r.path == "" || !r.free() || !r.changed {
		return nil
	}
	text := r.text()
	r.changed = false
	if bytes.Equal(text, r.saved) {
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- ipvs.Replace(r.path, text, 0o600) }()
	r.writing, r.saved = done, text
	select {
	case err := <-done:
		return r.written(err)
	case <-time.After(limit):
		return fmt.Errorf("write %s: %w", r.path, errSlow)
	}
}

// free reports whether no write is under way.
func (r *record) free() bool {
	select {
	case err := <-r.writing:
		return r.written(err) == nil
	default:
		return r.writing == nil
	}
}

func (r *record) written(err error) error {
	r.writing = nil
	if err != nil {
		r.saved, r.changed = nil, true // to be tried again
		return fmt.Errorf("write the record of owned rows: %w", err)
	}
	return nil
}
