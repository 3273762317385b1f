// Package reachtest is for tests of monitors that speak TLS: a certification
// authority that exists for one test. It is not for anything else.
package reachtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// CA issues certificates. File is its own, in PEM.
type CA struct {
	File string

	dir    string
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
}

// NewCA makes an authority whose own certificate ends at the time given.
func NewCA(t testing.TB, end time.Time) *CA {
	t.Helper()
	c := &CA{dir: t.TempDir(), key: newKey(t)}
	c.File = filepath.Join(c.dir, "ca.pem")
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: end,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &c.key.PublicKey, c.key)
	if err != nil {
		t.Fatal(err)
	}
	if c.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	write(t, c.File, "CERTIFICATE", der)
	return c
}

// Issue makes a certificate for a name and for 127.0.0.0/29, and its key, and
// writes them to files in PEM.
func (c *CA) Issue(t testing.TB, name string, end time.Time) (certFile, keyFile string) {
	t.Helper()
	c.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1 + c.serial), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: end,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for i := range byte(8) {
		template.IPAddresses = append(template.IPAddresses, net.IPv4(127, 0, 0, i))
	}
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, c.cert, &key.PublicKey, c.key)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(c.dir, template.SerialNumber.String())
	write(t, base+".pem", "CERTIFICATE", der)
	write(t, base+".key", "PRIVATE KEY", bare)
	return base + ".pem", base + ".key"
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func write(t testing.TB, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
