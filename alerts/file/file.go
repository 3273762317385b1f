// Package file is file.alert: it appends a block of text for each event to a
// file, as mon's program of the same name does.
//
// A block is
//
//	TYPE GROUP SERVICE EPOCH (DATE) SUMMARY
//	DESCR=DESCRIPTION
//	OPSTATUS=NUMBER
//	DETAIL
//	.
//
// TYPE is ALERT, UPALERT, STARTUP, TRAP, TRAPTIMEOUT, ACK, DISABLE or TEST. A
// line of the detail that begins with a full stop is given one more, as in
// SMTP, so that a lone one always ends the block. The package does not rotate
// files: a file that is moved away is made anew at the next event.
package file

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/mondhq/mond/plugins/alert"
)

// Name is the program's name in mon.cf.
const Name = "file.alert"

// Synopsis is what it does, in one sentence.
const Synopsis = "appends failures and recoveries to a file"

// Alert is one file.alert line: options, and the files in words.
type Alert struct {
	words   *flag.FlagSet
	dir     string
	summary string

	mu sync.Mutex
	// written holds the files that took a notice which others did not, by its
	// ID, so that the next try does not write to them again; order holds the
	// IDs, oldest first.
	written map[string][]string
	order   []string
}

// remembered is how many notices Alert.written holds at most.
const remembered = 1024

// New declares the options of file.alert.
func New(fs *flag.FlagSet) alert.Alert {
	a := &Alert{words: fs}
	fs.StringVar(&a.dir, "d", "", "`FOLDER` of files that are named without one (default: mond's logdir)")
	fs.StringVar(&a.summary, "S", "", "`TEXT` in place of the summary")
	return a
}

// Validate judges options and operands together.
func (a *Alert) Validate() error {
	if a.words.NArg() == 0 {
		return errors.New("no file: name one, as in \"file.alert failures.log\"")
	}
	for _, name := range a.words.Args() {
		if name == "" {
			return errors.New("a file's name is empty")
		}
	}
	return nil
}

// Alert appends the block to each file. After an error of one file, another
// try leaves out those that have it.
func (a *Alert) Alert(ctx context.Context, r alert.Request) error {
	if err := a.Validate(); err != nil {
		return alert.Permanent(err)
	}
	text, done := block(r, a.summary), a.recall(r.ID)
	var errs []error
	for _, name := range a.words.Args() {
		if slices.Contains(done, name) {
			continue
		}
		if err := a.write(ctx, name, r, text); err != nil {
			errs = append(errs, err)
			continue
		}
		done = append(done, name)
	}
	if len(errs) > 0 && r.ID != "" {
		a.remember(r.ID, done)
	}
	return errors.Join(errs...)
}

func (a *Alert) write(ctx context.Context, name string, r alert.Request, text []byte) error {
	path, err := a.path(name, r.Env["MON_LOGDIR"])
	if err != nil {
		return err
	}
	return appendTo(ctx, path, text)
}

// recall gives the files that have the notice, and forgets them.
func (a *Alert) recall(id string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	done := a.written[id]
	delete(a.written, id)
	a.order = slices.DeleteFunc(a.order, func(other string) bool { return other == id })
	return done
}

func (a *Alert) remember(id string, done []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.written == nil {
		a.written = map[string][]string{}
	}
	a.written[id] = done
	a.order = append(a.order, id)
	if len(a.order) > remembered {
		delete(a.written, a.order[0])
		a.order = a.order[1:]
	}
}

func (a *Alert) path(name, logdir string) (string, error) {
	switch {
	case filepath.IsAbs(name):
		return name, nil
	case a.dir != "":
		return filepath.Join(a.dir, name), nil
	case logdir != "":
		return filepath.Join(logdir, name), nil
	}
	return "", alert.Permanent(fmt.Errorf("file %s: its folder is not known: use -d, set logdir, or name it from the root on", name))
}
