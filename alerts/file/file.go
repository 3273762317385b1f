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

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/alert/told"
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

	memory told.Memory
}

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
	text := block(r, a.summary)
	return a.memory.Each(r.ID, a.words.Args(), func(name string) error { return a.write(ctx, name, r, text) })
}

func (a *Alert) write(ctx context.Context, name string, r alert.Request, text []byte) error {
	path, err := a.path(name, r.Env["MON_LOGDIR"])
	if err != nil {
		return err
	}
	return appendTo(ctx, path, text)
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
