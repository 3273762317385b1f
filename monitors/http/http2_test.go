package httpmon

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/mondhq/mond/monitors/tcp/reach/reachtest"
	"github.com/mondhq/mond/plugins/monitor"
)

// peer is a host that speaks HTTP/2 as badly as it likes.
type peer struct {
	*http2.Framer
	net.Conn
	coded bytes.Buffer
	coder *hpack.Encoder
}

// head sends an answer's headers for the first request.
func (p *peer) head(end bool, pairs ...string) {
	p.coded.Reset()
	for i := 0; i < len(pairs); i += 2 {
		_ = p.coder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	block := p.coded.Bytes()
	first := block[:min(len(block), 16000)]
	_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: first, EndStream: end, EndHeaders: len(first) == len(block)})
	for block = block[len(first):]; len(block) > 0; {
		more := block[:min(len(block), 16000)]
		block = block[len(more):]
		if p.WriteContinuation(1, len(block) == 0, more) != nil {
			return
		}
	}
}

// serve2 listens with TLS and HTTP/2 and lets answer speak once the request is
// there.
func serve2(t testing.TB, answer func(*peer)) (port, ca string) {
	t.Helper()
	authority := reachtest.NewCA(t, time.Now().Add(time.Hour))
	cert, err := tls.LoadX509KeyPair(authority.Issue(t, "web", time.Now().Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}}
	addr := serve(t, func(raw net.Conn) {
		c := tls.Server(raw, cfg)
		if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		p := &peer{Framer: http2.NewFramer(c, c), Conn: c}
		p.coder = hpack.NewEncoder(&p.coded)
		_ = p.WriteSettings()
		for {
			f, err := p.ReadFrame()
			if err != nil {
				return
			}
			if f.Header().Type == http2.FrameHeaders {
				break
			}
		}
		_ = p.WriteSettingsAck()
		answer(p)
	})
	return fmt.Sprint(addr.Port()), authority.File
}

// pause is how long a host waits between two pieces of what it drips.
const pause = time.Millisecond

func TestHTTP2HostsThatMisbehave(t *testing.T) {
	stay := func(p *peer) { _, _ = io.Copy(io.Discard, p.Conn) }
	endless := func(p *peer) {
		p.head(false, ":status", "200")
		for p.WriteData(1, false, bytes.Repeat([]byte("z"), 16000)) == nil {
		}
	}
	for name, tt := range map[string]struct {
		host    func(*peer)
		options string
		ok      bool
		want    string
	}{
		"well":          {func(p *peer) { p.head(false, ":status", "200"); _ = p.WriteData(1, true, []byte("it works")); stay(p) }, "-m works", true, "200 OK, 8 bytes that match"},
		"interim":       {func(p *peer) { p.head(false, ":status", "103"); p.head(true, ":status", "204"); stay(p) }, "--status 204", true, "204 No Content, 0 bytes"},
		"endless":       {func(p *peer) { endless(p) }, "--max-size 20K", true, "200 OK, the first 20480 bytes"},
		"never answers": {stay, "-t 3s", false, "no answer in T: wait for the answer"},
		"stops short": {func(p *peer) {
			p.head(false, ":status", "200", "content-length", "10")
			_ = p.WriteData(1, false, []byte("12345"))
			stay(p)
		}, "-t 3s", false, "no answer in T: status 200 OK, read the body: 5 of 10 bytes came"},
		"drips pings": {func(p *peer) {
			for p.WritePing(false, [8]byte{}) == nil {
				time.Sleep(pause)
			}
		}, "-t 3s", false, "no answer in T: wait for the answer"},
		"10 MB of head": {func(p *peer) { p.head(true, ":status", "200", "x", strings.Repeat("\x00z", 10<<20)); stay(p) }, "", false, "wait for the answer: *"},
		"many headers": {func(p *peer) {
			p.head(true, append([]string{":status", "200"}, strings.Split(strings.Repeat("x,y,", 5000)+"x,y", ",")...)...)
			stay(p)
		}, "", false, "more than 65536 bytes of headers"},
		"only interim": {func(p *peer) {
			for range 10000 {
				p.head(false, ":status", "103")
			}
			stay(p)
		}, "", false, "more than 65536 bytes of headers"},
		"wrong length": {func(p *peer) {
			p.head(false, ":status", "200", "content-length", "2")
			_ = p.WriteData(1, true, []byte("12345"))
			stay(p)
		}, "", false, "status 200 OK, read the body: *"},
		"too short": {func(p *peer) {
			p.head(false, ":status", "200", "content-length", "10")
			_ = p.WriteData(1, true, []byte("12345"))
			stay(p)
		}, "", false, "status 200 OK, but the host hung up after 5 of 10 bytes of the body"},
		"no status":       {func(p *peer) { p.head(true, "x", "y"); stay(p) }, "", false, "wait for the answer: *"},
		"resets":          {func(p *peer) { _ = p.WriteRSTStream(1, http2.ErrCodeInternal); stay(p) }, "", false, "wait for the answer: stream error: stream ID 1; INTERNAL_ERROR; received from peer"},
		"goes away":       {func(p *peer) { _ = p.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, []byte("no")); stay(p) }, "", false, "wait for the answer: http2: *"},
		"hangs up":        {func(p *peer) {}, "", false, "wait for the answer: *"},
		"speaks HTTP/1.1": {func(p *peer) { _, _ = io.WriteString(p.Conn, "HTTP/1.1 200 OK\r\n\r\n"); stay(p) }, "", false, "wait for the answer: *"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port, ca := serve2(t, tt.host)
			m, err := configure(append([]string{"-p", port, "--https", "--http2", "--ca", ca}, strings.Fields(tt.options)...)...)
			if err != nil {
				t.Fatal(err)
			}
			r := m.Check(t.Context(), monitor.Request{Hosts: []string{"127.0.0.1"}})
			judged(t, r, tt.ok, "127.0.0.1: "+tt.want)
			if r.Took > 10*time.Second {
				t.Errorf("took %v", r.Took)
			}
		})
	}
}

func TestHTTP2OnlyIfAgreed(t *testing.T) {
	s, addr := site(t)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS() // Go's server without HTTP/2 offers http/1.1 only
	r := check(t, addr, "127.0.0.1", "--https", "--http2", "--insecure")
	judged(t, r, false, "127.0.0.1: the host does not offer HTTP/2 (ALPN h2)")
}
