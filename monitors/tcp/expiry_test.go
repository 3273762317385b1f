package tcp

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/tcp/reach/reachtest"
)

func TestCertificatesThatEnd(t *testing.T) {
	ca := reachtest.NewCA(t, time.Now().Add(100*24*time.Hour))
	own, err := tls.LoadX509KeyPair(ca.Issue(t, "web", time.Now().Add(10*24*time.Hour+time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{own}})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).Handshake()
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	for options, want := range map[string]string{
		"--cert-warn 10":               "127.0.0.1: port ",
		"--cert-warn 11":               `127.0.0.1: warning: the certificate of "web" ends in 10 days, on `,
		"--cert-warn 30 --cert-fail 9": `127.0.0.1: warning: the certificate of "web" ends in 10 days, on `,
		"--cert-fail 11":               `127.0.0.1: the certificate of "web" ends in 10 days, on `,
	} {
		r := check(t, addr, "127.0.0.1", "--tls --ca "+ca.File+" "+options)
		if !strings.HasPrefix(r.Detail, want) || r.Warn != strings.Contains(want, "warning") || r.Failing() != strings.Contains(options, "fail 11") {
			t.Errorf("%s: %s", options, r.Output())
		}
	}
}
