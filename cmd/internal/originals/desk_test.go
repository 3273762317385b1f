package originals

import (
	"bufio"
	"crypto/md5" //nolint:gosec // RADIUS is made of it
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// desk answers in the protocols whose servers are large, or gone; what alerts
// tell it is kept.
type desk struct {
	mu   sync.Mutex
	told []string
}

// newDesk opens its ports until the test ends.
func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{}
	d.lines(t, "127.0.0.1:119", "200 news\r\n", newsgroups)
	d.lines(t, "127.0.0.1:406", "* OK IMSP ready\r\n", func(string) (string, bool) { return "A1 OK\r\n", true })
	d.lines(t, "127.0.0.1:3905", "* AUTH \"PLAIN\"\r\n* OK MUPDATE \"monhost\" \"test\" \"2\" \"mupdate://monhost\"\r\n", func(string) (string, bool) { return "L OK \"bye\"\r\n", true })
	d.lines(t, "127.0.0.1:1494", "\x7f\x7fICA\x00", nil)
	d.lines(t, "127.0.0.1:8000", "", streams)
	d.lines(t, "127.0.0.1:515", "", func(string) (string, bool) { return "Printer: lp@monhost\n Queue: no printable jobs in queue\n", true })
	d.lines(t, "127.0.0.1:6667", "", chat)
	d.lines(t, "127.0.0.1:444", "220 SNPP ready\r\n", pager)
	d.datagrams(t, "127.0.0.1:2000", func(b []byte) []byte { return append(b, '.') })
	d.datagrams(t, "127.0.0.1:1645", radius)
	d.datagrams(t, "127.0.0.1:69", tftp)
	d.datagrams(t, "127.0.0.1:514", func(b []byte) []byte { d.tell("syslog", string(b)); return nil })
	d.datagrams(t, "127.0.0.1:2583", func(b []byte) []byte { d.tell("trap", string(b)); return nil })
	d.posts(t)
	return d
}

// tell keeps what was told by one protocol.
func (d *desk) tell(how, text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, how+": "+text)
}

// Told is what was told so far.
func (d *desk) Told() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.told...)
}

// lines serves a protocol of lines: answer is what is said to one, and whether
// that was the last.
func (d *desk) lines(t *testing.T, address, greeting string, answer func(string) (string, bool)) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	must(t, err)
	var served sync.WaitGroup
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() { d.serve(c, address, greeting, answer) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); served.Wait() })
}

func (d *desk) serve(c net.Conn, address, greeting string, answer func(string) (string, bool)) {
	defer c.Close()
	_, _ = io.WriteString(c, greeting)
	if answer == nil {
		return
	}
	var all strings.Builder
	for in := bufio.NewScanner(c); in.Scan(); {
		all.WriteString(in.Text() + "\n")
		text, last := answer(in.Text())
		if _, err := io.WriteString(c, text); err != nil || last {
			break
		}
	}
	if _, port, _ := net.SplitHostPort(address); port == "6667" || port == "444" {
		d.tell(port, all.String())
	}
}

func newsgroups(line string) (string, bool) {
	switch line {
	case "mode reader":
		return "200 reading\r\n", false
	case "group control":
		return "211 1 1 1 control\r\n", false
	case "quit":
		return "205 bye\r\n", true
	}
	return "411 no such group\r\n", false
}

// streams is the administrator's port of an old icecast.
func streams(line string) (string, bool) {
	switch {
	case strings.HasPrefix(line, "admin "):
		return "OK\n", false
	case line == "sources":
		return "Source 1 [Mountpoint: /live] [Host: 127.0.0.1]\nEnd of source listing\n", false
	}
	return "", strings.HasPrefix(line, "quit")
}

func chat(line string) (string, bool) {
	switch {
	case strings.HasPrefix(line, "USER "):
		return ":monhost 001 mon :hello\r\n", false
	case strings.HasPrefix(line, "QUIT"):
		return "", true
	}
	return "", false
}

func pager(line string) (string, bool) {
	if strings.HasPrefix(line, "QUIT") {
		return "221 bye\r\n", true
	}
	return "250 ok\r\n", false
}

// datagrams answers each one on UDP; no answer if it is nil.
func (d *desk) datagrams(t *testing.T, address string, answer func([]byte) []byte) {
	t.Helper()
	c, err := net.ListenPacket("udp", address)
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for buf := make([]byte, 65536); ; {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if out := answer(buf[:n]); out != nil {
				_, _ = c.WriteTo(out, from)
			}
		}
	}()
	t.Cleanup(func() { _ = c.Close(); <-done })
}

// radius accepts everybody (RFC 2865: code 2, authenticated with the secret
// "radius-secret").
func radius(b []byte) []byte {
	if len(b) < 20 {
		return nil
	}
	reply := append([]byte{2, b[1], 0, 20}, b[4:20]...)
	sum := md5.Sum(append(append([]byte(nil), reply...), "radius-secret"...)) //nolint:gosec // so says the RFC
	copy(reply[4:], sum[:])
	return reply
}

// tftp has one small file, "hello" (RFC 1350), and takes no options.
func tftp(b []byte) []byte {
	switch {
	case len(b) < 4 || b[1] != 1:
		return nil // an acknowledgement
	case strings.HasPrefix(string(b[2:]), "hello\x00"):
		return []byte("\x00\x03\x00\x01hello\r\n")
	}
	return []byte("\x00\x05\x00\x01File not found\x00")
}

// posts takes what is posted to port 8080.
func (d *desk) posts(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:8080")
	must(t, err)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		d.tell("post", fmt.Sprintf("%s %s", r.URL.Path, body))
		_, _ = io.WriteString(w, "ok\n")
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
}
