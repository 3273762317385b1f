// Package hacf reads ha.cf and haresources, the configuration of Linux-HA's
// heartbeat 1 to 3 without Pacemaker, as the pair of directors that mond makes
// of it: a watch with heartbeat.monitor, which talks to the other director, and
// a fake.alert line for each group of addresses.
//
// The two files belong together: whichever is named, the other is read from the
// same folder. What comes out is for one of the two directors, this machine if
// it is one of the nodes, else the first; what differs on the other stands
// beside it. Methods of authkeys are never taken over. Resources that are no
// addresses are reported: mond holds addresses, and itself runs on both all the
// time.
//
// It runs nothing and asks no kernel.
package hacf

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert"
)

// What --format calls them.
const (
	Name      = "ha.cf"
	Resources = "haresources"
)

// maxFile is the largest file that is read from beside the one that was named.
const maxFile = 1 << 20

// Formats are the readers of both files on a machine of that name (uname -n).
func Formats(self func() string) []convert.Format {
	return []convert.Format{
		{Name: Name, Is: Is, Read: func(name string, src []byte) convert.Result {
			return read(pair{conf: source{name, src}, resources: beside(name, Resources), self: self()}, name)
		}},
		{Name: Resources, Is: never, Read: func(name string, src []byte) convert.Result {
			return read(pair{conf: beside(name, Name, "ha.conf"), resources: source{name, src}, self: self()}, name)
		}},
	}
}

// Self is the name of this machine, "" if it has none.
func Self() string {
	name, _ := os.Hostname()
	return name
}

// source is a file; one without text is not there.
type source struct {
	name string
	src  []byte
}

// pair is what is read.
type pair struct {
	conf, resources source
	self            string
}

// beside reads the first of these files that is in the folder of name.
func beside(name string, others ...string) source {
	for _, other := range others {
		path := filepath.Join(filepath.Dir(name), other)
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return source{name: path}
		}
		src, err := io.ReadAll(io.LimitReader(f, maxFile))
		f.Close()
		if err != nil {
			return source{name: path}
		}
		return source{path, src}
	}
	return source{name: filepath.Join(filepath.Dir(name), others[0])}
}

// read is the whole way of both files.
func read(p pair, name string) convert.Result {
	w := &convert.Writer{}
	w.From(p.conf.name, p.conf.src)
	w.From(p.resources.name, p.resources.src)
	c := &conversion{w: w, pair: p, at: config.Pos{File: name}, settings: defaults()}
	c.readConf()
	c.readResources()
	c.write()
	return w.Result(name)
}

// Is reports whether src can only be an ha.cf: each line begins with a word that
// such a file has, and one of them names a node.
func Is(src []byte) bool {
	nodes, own := false, false
	for line := range bytes.Lines(src) {
		words := strings.Fields(string(line))
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if _, known := directives()[words[0]]; !known || len(words) == 1 || words[1] == "=" {
			return false
		}
		nodes = nodes || words[0] == "node"
		own = own || words[0] != "node"
	}
	return nodes && own
}

// never tells haresources by its content: names and words, a line each, is what
// many files look like. It is read where it is named.
func never([]byte) bool { return false }

// joined joins lines that end in a backslash; the joined ones are empty then, so
// that all lines keep their numbers.
func joined(text string) string {
	for {
		at := strings.Index(text, "\\\n")
		if at < 0 {
			return text
		}
		end := strings.IndexByte(text[at+2:], '\n')
		if end < 0 {
			return text[:at] + " " + text[at+2:]
		}
		end += at + 2
		if strings.HasSuffix(text[:end], "\\") {
			// the next one goes on as well: its backslash is found again
			text = text[:at] + " " + text[at+2:end-1] + "\\\n\n" + text[end+1:]
			continue
		}
		text = text[:at] + " " + text[at+2:end] + "\n\n" + text[end+1:]
	}
}
