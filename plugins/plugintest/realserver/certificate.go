package realserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
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

// Certificate is one that nobody but the test trusts, for 127.0.0.1 and
// localhost.
type Certificate struct {
	// Cert and Key are files in PEM; Cert is its own authority.
	Cert, Key string
	// Config is that of a server in the test itself.
	Config *tls.Config
}

// NewCertificate makes a certificate that is good for an hour.
func NewCertificate(t testing.TB) Certificate {
	t.Helper()
	return CertificateUntil(t, time.Now().Add(time.Hour))
}

// CertificateUntil makes one that ends when it is told to, and is for further
// names.
func CertificateUntil(t testing.TB, end time.Time, names ...string) Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: end,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: append([]string{"localhost"}, names...),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	dir := Dir(t)
	return Certificate{
		Cert:   write(t, filepath.Join(dir, "cert.pem"), "CERTIFICATE", der),
		Key:    write(t, filepath.Join(dir, "key.pem"), "PRIVATE KEY", private),
		Config: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
	}
}

func write(t testing.TB, path, kind string, der []byte) string {
	t.Helper()
	must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
