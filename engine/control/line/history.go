package line

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/mondhq/mond/engine/monlog"
	"github.com/mondhq/mond/engine/opstatus"
)

// listAlerts lists the last alerts, each as one word, whatever the view.
func listAlerts(c *session, _ string) {
	for _, call := range c.opt.Board.Calls.Items() {
		if !c.hides(call.Group, call.Service) {
			c.out.esc(monlog.CallLine(call)).end()
		}
	}
	c.out.status("220 list alerthist completed")
}

// listFailureHistory lists the last failures. Mon::Client splits at blanks and
// takes the summary as it is.
func listFailureHistory(c *session, _ string) {
	for _, f := range c.opt.Board.Failures.Items() {
		if c.hides(f.Group, f.Service) {
			continue
		}
		c.out.text(f.Group).text(" ").text(f.Service).text(" ").epoch(f.At).text(" ").visible(f.Summary).end()
	}
	c.out.status("220 list failurehist completed")
}

// hides reports whether a service is one that clients do not see.
func (c *session) hides(group, service string) bool {
	r := c.opt.Board.Service(opstatus.Key{Group: group, Service: service})
	return r != nil && r.Hidden
}

// visible adds text as it is, but for what is no visible character of ASCII.
func (r *reply) visible(s string) *reply {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			r.buf = appendHex(r.buf, s[i])
		} else {
			r.buf = append(r.buf, s[i])
		}
	}
	return r
}

// longestEntry bounds a line of the downtime log; the rest of it is left out.
const longestEntry = 16 << 10

// listDowntime lists the downtime log without its comments.
func listDowntime(c *session, _ string) {
	path, on := c.opt.DowntimeLog()
	if !on {
		c.out.status("520 list dtlog error, dtlogging is not turned on")
		return
	}
	f, err := os.Open(path)
	if err != nil {
		c.opt.Log.Warn("the downtime log could not be listed", "err", err)
		c.out.status("520 list dtlog error, cannot open dtlog")
		return
	}
	defer f.Close()
	if err := c.entries(f); err != nil {
		c.opt.Log.Warn("the downtime log could not be read", "path", path, "err", err)
		c.out.status("520 list dtlog error, cannot read dtlog")
		return
	}
	c.out.status("220 list dtlog completed")
}

// entries writes the lines of f that are no comments.
func (c *session) entries(f *os.File) error {
	in := bufio.NewReaderSize(f, longestEntry)
	for c.out.err == nil {
		text, err := in.ReadSlice('\n')
		if len(text) > 0 && text[0] != '#' {
			c.out.text(string(bytes.TrimRight(text, ends))).end()
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
