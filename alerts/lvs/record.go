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
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/reconcile"
	"github.com/mondhq/mond/alerts/lvs/words"
)

// record is what the owner remembers over its restarts: the rows it has ever
// owned that may still be there, and what was ordered by hand. It is written
// before the rows, so that a row of ours never looks foreign: a change is one
// line at the end of the file, and the file is written anew when it holds much
// that no longer counts, or after a write that failed. Written by the owner's
// goroutine only.
type record struct {
	path  string // "": nothing is kept
	owned map[place]map[netip.AddrPort]owned
	hand  map[key]handOrder
	// news are the lines that are not on disk yet; lines is how many the file
	// has, and whole that it must be written anew.
	news    bytes.Buffer
	lines   int
	whole   bool
	writing chan error // the write that is under way, nil without
}

// owned is a row of ours; a virtual service's own has the zero address.
type owned struct {
	words.Job
	// declared says that it goes when nobody claims it any more.
	declared bool
}

// handOrder is an order from outside the config to take a target out that the
// config names; it stands beside the claims as one more reason.
type handOrder struct {
	words.Job
	Reason string
	Since  time.Time
}

// line is one line of the record's file, in lvs.alert's own command line.
type line struct {
	Kind     string    `json:"kind"`
	Args     []string  `json:"args"`
	Declared bool      `json:"declared,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Since    time.Time `json:"since,omitzero"`
}

// The kinds of lines; a later one takes back an earlier one of its target.
const (
	recordName = "lvs.owned"
	kindOwned  = "owned"
	kindGone   = "gone" // takes back owned
	kindHand   = "hand"
	kindBack   = "back" // takes back hand
)

// openRecord reads the record in dir. What cannot be read is logged and lost:
// it only makes rows look foreign, which are then left alone.
func openRecord(dir string, log *slog.Logger) *record {
	r := &record{owned: map[place]map[netip.AddrPort]owned{}, hand: map[key]handOrder{}}
	if dir == "" {
		return r
	}
	r.path = filepath.Join(dir, recordName)
	data, err := os.ReadFile(r.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("the record of owned rows cannot be read; their rows will look foreign", "file", r.path, "err", err)
	}
	for _, err := range r.read(data) {
		log.Warn("a line of the record of owned rows is unreadable and is dropped", "file", r.path, "err", err)
	}
	return r
}

func (r *record) read(data []byte) (bad []error) {
	lines, parser := bufio.NewScanner(bytes.NewReader(data)), words.NewParser()
	for lines.Scan() {
		r.lines++
		if err := r.readLine(parser, lines.Bytes()); err != nil {
			bad = append(bad, fmt.Errorf("line %d: %w", r.lines, err))
		}
	}
	if err := lines.Err(); err != nil {
		bad = append(bad, err)
	}
	r.whole = len(bad) > 0 || len(data) > 0 && data[len(data)-1] != '\n'
	return bad
}

func (r *record) readLine(parser *words.Parser, text []byte) error {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return err
	}
	j, err := parser.Parse(l.Args)
	if err != nil {
		return err
	}
	if j.Count != 1 {
		return fmt.Errorf("%d virtual services, want one", j.Count)
	}
	p := place{j.Table, j.First}
	switch l.Kind {
	case kindOwned:
		r.put(p, owned{j, l.Declared})
	case kindGone:
		r.drop(p, j.Row.Addr)
	case kindHand:
		r.hand[keyOf(j)] = handOrder{j, l.Reason, l.Since}
	case kindBack:
		delete(r.hand, keyOf(j))
	default:
		return fmt.Errorf("unknown kind %q", l.Kind)
	}
	return nil
}

func (r *record) put(p place, o owned) {
	if r.owned[p] == nil {
		r.owned[p] = map[netip.AddrPort]owned{}
	}
	r.owned[p][o.Row.Addr] = o
}

func (r *record) drop(p place, real netip.AddrPort) {
	delete(r.owned[p], real)
	if len(r.owned[p]) == 0 {
		delete(r.owned, p)
	}
}

// add puts a line at the end of the file, with the next save. Without a file
// there is nobody to tell.
func (r *record) add(l line) {
	if r.path != "" && !r.whole {
		_ = json.NewEncoder(&r.news).Encode(l) // strings and times cannot fail
	}
}

// text is the record as a new file holds it, sorted.
func (r *record) text() (text []byte, lines int) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	for _, p := range slices.SortedFunc(maps.Keys(r.owned), place.compare) {
		for _, real := range slices.SortedFunc(maps.Keys(r.owned[p]), netip.AddrPort.Compare) {
			o := r.owned[p][real]
			_ = enc.Encode(line{Kind: kindOwned, Args: o.Words(), Declared: o.declared})
			lines++
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(r.hand), key.compare) {
		h := r.hand[k]
		_ = enc.Encode(line{Kind: kindHand, Args: h.Words(), Reason: h.Reason, Since: h.Since})
		lines++
	}
	return out.Bytes(), lines
}

// own adds the row of j, which is about one virtual service, to what is owned.
func (r *record) own(j words.Job, declared bool) {
	p := place{j.Table, j.First}
	if was, ok := r.owned[p][j.Row.Addr]; ok && was.declared == declared {
		return
	}
	r.put(p, owned{j, declared})
	r.add(line{Kind: kindOwned, Args: j.Words(), Declared: declared})
}

// disown ends that.
func (r *record) disown(p place, real netip.AddrPort) {
	if was, ok := r.owned[p][real]; ok {
		r.drop(p, real)
		r.add(line{Kind: kindGone, Args: was.Words()})
	}
}

// order keeps an order to take j out; withdraw ends it.
func (r *record) order(j words.Job, reason string, now time.Time) {
	h := handOrder{Job: j, Reason: reason, Since: now.Round(0)}
	r.hand[keyOf(j)] = h
	r.add(line{Kind: kindHand, Args: j.Words(), Reason: reason, Since: h.Since})
}

func (r *record) withdraw(j words.Job) {
	if _, ok := r.hand[keyOf(j)]; ok {
		delete(r.hand, keyOf(j))
		r.add(line{Kind: kindBack, Args: j.Words()})
	}
}

// forget drops what of p is owned, not wanted and gone from its rows.
func (r *record) forget(p place, want reconcile.Pool, actual reconcile.Actual) {
	rows, there := actual[p.virtual]
	for real := range r.owned[p] {
		switch {
		case real == (netip.AddrPort{}):
			if there || want.Service != nil && !want.Standby {
				continue
			}
		case hasReal(rows, real) || wants(want, real):
			continue
		}
		r.disown(p, real)
	}
}

func wants(p reconcile.Pool, real netip.AddrPort) bool {
	return !p.Standby && slices.ContainsFunc(p.Reals, func(w reconcile.Want) bool { return w.Real == real })
}

func hasReal(rows reconcile.Rows, real netip.AddrPort) bool {
	return slices.ContainsFunc(rows.Reals, func(d ipvs.Destination) bool { return d.Addr == real })
}

// errSlow means that the disk has not taken the record in time.
var errSlow = errors.New("the disk is slow; the rows do not wait for it")

// save writes what has changed, and waits for the disk no longer than limit: a
// claim must not.
func (r *record) save(limit time.Duration) error {
	if r.path == "" || !r.free() || !r.whole && r.news.Len() == 0 {
		return nil
	}
	write := r.next()
	done := make(chan error, 1)
	go func() { done <- write() }()
	r.writing = done
	select {
	case err := <-done:
		return r.written(err)
	case <-time.After(limit):
		return fmt.Errorf("write %s: %w", r.path, errSlow)
	}
}

// slack is how many lines of a file may count no more before it is written
// anew, beside as many as do count.
const slack = 1000

// next is the write that is due.
func (r *record) next() func() error {
	path := r.path
	news := bytes.Clone(r.news.Bytes())
	r.lines += bytes.Count(news, []byte{'\n'})
	r.news.Reset()
	if live := r.count(); !r.whole && r.lines <= 2*live+slack {
		return func() error { return appendTo(path, news) }
	}
	text, lines := r.text()
	r.lines, r.whole = lines, false
	return func() error { return ipvs.Replace(path, text, 0o600) }
}

func (r *record) count() int {
	n := len(r.hand)
	for _, rows := range r.owned {
		n += len(rows)
	}
	return n
}

// appendTo puts text at the end of the file path and waits until it is on disk.
func appendTo(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
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
		r.whole = true // to be tried again, and what is there may be torn
		return fmt.Errorf("write the record of owned rows: %w", err)
	}
	return nil
}
