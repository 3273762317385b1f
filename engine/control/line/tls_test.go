package line

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// certificate is one that holds in bubbles, whose time is in the past.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// With TLS all is the same; a client that never finishes the handshake is an
// idle one, and one above what may be is closed without a word.
func TestTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, small)
		r.lim.clients = 2
		p := newPipes()
		r.serveOn(t, tls.NewListener(p, &tls.Config{Certificates: []tls.Certificate{certificate(t)}}))
		conn := tls.Client(p.dial(), &tls.Config{InsecureSkipVerify: true})
		defer conn.Close()
		c := newTalk(conn)
		if got := c.ask("list state"); !cmp.Equal(running, got) {
			t.Error(got)
		}
		silent, since := p.dial(), time.Now()
		synctest.Wait()
		third := newTalk(p.dial())
		if got := third.answer(); !cmp.Equal([]string{"<EOF>"}, got) {
			t.Error(got)
		}
		waitClosed(t, silent)
		if took := time.Since(since); took != 10*time.Second {
			t.Errorf("closed after %v", took)
		}
	})
}

func waitClosed(t *testing.T, c net.Conn) {
	t.Helper()
	defer c.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("it was told something")
	}
}
