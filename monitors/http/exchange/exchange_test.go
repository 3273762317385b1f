package exchange

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// host answers whatever it is asked.
type host struct {
	io.Reader
	refuses error // of the request
}

func (h host) Write(b []byte) (int, error) { return len(b), h.refuses }

func says(s string) host { return host{Reader: strings.NewReader(s)} }

func gzipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, s)
	_ = z.Close()
	return b.String()
}

func zlibbed(s string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = io.WriteString(z, s)
	_ = z.Close()
	return b.String()
}

func deflated(s string) string {
	var b bytes.Buffer
	z, _ := flate.NewWriter(&b, 9)
	_, _ = io.WriteString(z, s)
	_ = z.Close()
	return b.String()
}

// coded is an answer with an encoding, of which the first n bytes come.
func coded(encoding, body string, n int) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", encoding, len(body), body[:n])
}

func whole(encoding, body string) string { return coded(encoding, body, len(body)) }

func TestDecoding(t *testing.T) {
	const text = "it works"
	bomb := gzipped(strings.Repeat("z", 1<<20))
	for name, tt := range map[string]struct {
		answer string
		want   string // the body, or the error after an exclamation mark
	}{
		"gzip":           {whole("gzip", gzipped(text)), text},
		"x-gzip":         {whole("X-GZip", gzipped(text)), text},
		"deflate":        {whole("deflate", zlibbed(text)), text},
		"bare deflate":   {whole("deflate", deflated(text)), text},
		"members":        {whole("gzip", gzipped("it ")+gzipped("works")), text},
		"identity":       {whole("identity", text), text},
		"empty":          {whole("gzip", ""), ""},
		"empty, deflate": {whole("deflate", ""), ""},
		"no content":     {"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n", ""},
		"unknown":        {whole("br", text), text},
		"two":            {whole("gzip, br", text), text},
		"until hangup":   {"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzipped(text), text},
		"bomb":           {whole("gzip", bomb), strings.Repeat("z", 4096)},
		"no gzip":        {whole("gzip", text+text), "!status 200 OK, but the body is no gzip: gzip: invalid header"},
		"no deflate":     {whole("deflate", "\xff\xff\xff"), "!status 200 OK, but the body is no deflate: flate: corrupt input before offset 1"},
		"wrong checksum": {whole("gzip", gzipped(text)[:len(gzipped(text))-1]+"\xff"), "!status 200 OK, but the body is no gzip: gzip: invalid checksum"},
		"ends in it":     {whole("gzip", gzipped(text)[:20]), "!status 200 OK, but the body ends in the middle of its gzip, after 20 bytes"},
		"a byte":         {whole("gzip", "\x1f"), "!status 200 OK, but the body ends in the middle of its gzip, after 1 bytes"},
		"hangs up in it": {coded("gzip", gzipped(text), 20), "!status 200 OK, but the host hung up after 20 of 32 bytes of the body"},
		"an endless nothing": {
			whole("gzip", gzipped(text)[:10]+strings.Repeat("\x00\x00\x00\xff\xff", 50000)),
			"!status 200 OK, but after 69632 bytes of gzip the body has not ended and makes 0 bytes of text",
		},
		"a long name": {
			whole("gzip", "\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03"+strings.Repeat("n", 100000)),
			"!status 200 OK, but the body is no gzip: gzip: invalid header",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := HTTP1(says(tt.answer), nil, http.MethodGet, func() {})
			if err != nil {
				t.Fatal(err)
			}
			err = r.Read(Use{Most: 4096, Keep: true, Decode: true})
			got := string(r.Body)
			if err != nil {
				got = "!" + err.Error()
			}
			if got != tt.want {
				t.Errorf("got  %.200s\nwant %.200s", got, tt.want)
			}
			if known := tt.want == text && !strings.Contains(name, "unknown") && name != "two"; known && r.Encoded != "" {
				t.Errorf("still encoded as %q", r.Encoded)
			}
		})
	}
}

func TestNothingIsDecodedForNobody(t *testing.T) {
	r, err := HTTP1(says(whole("gzip", "no gzip at all")), nil, http.MethodGet, func() {})
	if err == nil {
		err = r.Read(Use{Most: 4096})
	}
	if err != nil || r.Size != 14 || r.Body != nil {
		t.Errorf("%v, %d bytes", err, r.Size)
	}
}

func TestAHostThatAnswersBeforeItHasTheRequest(t *testing.T) {
	h := host{strings.NewReader("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"), syscall.EPIPE}
	if r, err := HTTP1(h, []byte("x"), http.MethodPost, func() {}); err != nil || r.Code != 413 {
		t.Errorf("%v", err)
	}
	_, err := HTTP1(host{strings.NewReader(""), syscall.ECONNRESET}, nil, http.MethodPost, func() {})
	if err == nil || err.Error() != "send the request: connection reset by peer" {
		t.Errorf("%v", err)
	}
}

func TestTunnel(t *testing.T) {
	for answer, want := range map[string]string{
		"HTTP/1.1 200 Connection established\r\n\r\n":  "",
		"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n": "",
		"HTTP/1.1 407 Authentication Required\r\n\r\n": "407 Authentication Required",
		"HTTP/1.1 200 OK\r\n\r\nhello":                 "it sent more than its answer, though no host has spoken yet",
		"":                                             "the host hung up without an answer",
		"SSH-2.0-x\r\n":                                `read the headers: malformed HTTP response "SSH-2.0-x"`,
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("z", 1<<20) + "\r\n\r\n": "more than 65536 bytes of headers",
	} {
		refusal, err := Tunnel(says(answer), nil)
		got := ""
		if err != nil {
			got = err.Error()
		} else if refusal != nil {
			got = refusal.Line
		}
		if got != want {
			t.Errorf("%.40q: %s\nwant %s", answer, got, want)
		}
	}
}

func FuzzHTTP1(f *testing.F) {
	for _, seed := range []string{
		whole("gzip", gzipped("it works")), whole("deflate", zlibbed("it works")), whole("deflate", deflated("it works")),
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
		"HTTP/1.1 304 \r\n\r\n", "\r\n\r\n",
	} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, answer string, keep bool) {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodConnect} {
			r, err := HTTP1(says(answer), nil, method, func() {})
			if err != nil {
				continue
			}
			err = r.Read(Use{Most: 1000, Keep: keep, Decode: keep})
			if r.Size > 1000 || r.Size < 0 || keep && int64(len(r.Body)) != r.Size || !keep && r.Body != nil {
				t.Errorf("%s: %d bytes, kept %d, %v", method, r.Size, len(r.Body), err)
			}
			if err != nil && len(err.Error()) > 2000 {
				t.Errorf("%s: %v", method, err)
			}
		}
	})
}
