package credential

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"os"
)

// TLS are the options of a client that speaks TLS: --ca, --cert, --key,
// --insecure. The files are read at each use.
type TLS struct {
	// CA is a file of certificates in PEM to trust instead of the machine's.
	CA string
	// Cert and Key are files in PEM that say who we are.
	Cert, Key string
	// Insecure accepts any certificate.
	Insecure bool
}

// Declare declares the options.
func (t *TLS) Declare(fs *flag.FlagSet) {
	fs.StringVar(&t.CA, "ca", "", "with TLS: trust the authorities in `FILE` (PEM) instead of the machine's")
	fs.StringVar(&t.Cert, "cert", "", "with TLS: show the certificate in `FILE` (PEM)")
	fs.StringVar(&t.Key, "key", "", "with TLS: `FILE` with the key of --cert (PEM)")
	fs.BoolVar(&t.Insecure, "insecure", false, "with TLS: accept any certificate")
}

// Given reports whether any of the options was given.
func (t *TLS) Given() bool { return t.CA != "" || t.Cert != "" || t.Key != "" || t.Insecure }

// Validate judges the options together, and reads the file of authorities.
func (t *TLS) Validate() error {
	switch {
	case t.Insecure && t.CA != "":
		return errors.New("options --ca and --insecure: only one of them can be given")
	case (t.Cert == "") != (t.Key == ""):
		return errors.New("options --cert and --key go together")
	}
	_, err := t.roots()
	return err
}

// Config is what crypto/tls wants to know to speak to the host called name.
func (t *TLS) Config(name string) (*tls.Config, error) {
	roots, err := t.roots()
	if err != nil {
		return nil, err
	}
	c := &tls.Config{
		ServerName: name, RootCAs: roots, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: t.Insecure, //nolint:gosec // the operator asked for it
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("options --cert and --key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func (t *TLS) roots() (*x509.CertPool, error) {
	if t.CA == "" {
		return nil, nil //nolint:nilnil // nil is the machine's own
	}
	pem, err := os.ReadFile(t.CA)
	if err != nil {
		return nil, fmt.Errorf("option --ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("option --ca: %s holds no certificate in PEM", t.CA)
	}
	return pool, nil
}

// Explain adds to an error of a TLS handshake what to do about it.
func Explain(err error) error {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fmt.Errorf("%w (--ca FILE trusts another authority)", err)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return fmt.Errorf("the port does not speak TLS: %w", err)
	}
	return err
}
