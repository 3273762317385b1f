package dnsmon

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mondhq/mond/monitors/tcp/replies/repliestest"
)

func TestCertificatesThatEnd(t *testing.T) {
	dir := t.TempDir()
	ca := certify(t, dir) // for an hour
	own, err := tls.LoadX509KeyPair(ca, filepath.Join(dir, "key.pem"))
	must(t, err)
	port := repliestest.Serve(t, func(p *repliestest.Peer) {
		p.Secure(&tls.Config{Certificates: []tls.Certificate{own}})
		var length [2]byte
		if _, err := io.ReadFull(p, length[:]); err != nil {
			return
		}
		q := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(p, q); err != nil {
			return
		}
		_, _ = p.Write(prefixed(good(q)))
		p.UntilHangup()
	})
	const ask = "-n www.example --query www.example --caching_only "
	for options, want := range map[string]string{
		"-n www.example --cert-warn 0": "127.0.0.1: A www.example. NOERROR",
		"-n www.example --cert-warn 1": "127.0.0.1: warning: the certificate of 127.0.0.1 ends in *; A www.example. NOERROR*",
		"-n www.example --cert-fail 1": "127.0.0.1: the certificate of 127.0.0.1 ends in *(--cert-fail 1)",
		ask + "--cert-warn 1":          "127.0.0.1: warning: the certificate of 127.0.0.1 ends in *; 2 questions answered as they should be*",
	} {
		r := check(t, "127.0.0.1", port, "--tls --ca "+ca+" "+options)
		if r.Blind() || !repliestest.Like(want+"*", r.Detail) || r.Warn != strings.Contains(want, "warning") || r.Failing() != strings.Contains(options, "fail") {
			t.Errorf("%s: %s", options, r.Output())
		}
	}
}

func TestWarningsAboutMasters(t *testing.T) {
	c := &comparison{server: &server{masters: hosts{"one", "two"}}}
	for range 2 {
		c.warn("one", "it ends")
		c.warn("two", "")
	}
	if len(c.warnings) != 1 || c.remark(nil) != "master one: warning: it ends" || c.remark([]string{"two"}) != "master two failed, another did not" {
		t.Errorf("%v, %q", c.warnings, c.remark(nil))
	}
}
