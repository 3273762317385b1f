package reach

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"sync"

	"github.com/mondhq/mond/plugins/monitor"
)

// TLS are the options of a monitor that may speak TLS.
type TLS struct {
	On       bool
	Insecure bool
	// CA is a file of certificates in PEM to trust instead of the machine's.
	CA string
	// Name is what the peer is called, instead of the host's name.
	Name string

	once  sync.Once
	roots *x509.CertPool
	err   error
}

// Declare declares --tls, --insecure, --ca and --sni.
func (t *TLS) Declare(fs *flag.FlagSet) {
	fs.BoolVar(&t.On, "tls", t.On, "speak TLS")
	fs.BoolVar(&t.Insecure, "insecure", false, "with TLS: accept any certificate")
	fs.StringVar(&t.CA, "ca", "", "with TLS: trust the certificates in `file` (PEM) instead of the machine's")
	fs.StringVar(&t.Name, "sni", "", "with TLS: ask for the certificate of `name` and expect it (default: the host's name)")
}

// Validate judges the options together and reads the file of certificates.
func (t *TLS) Validate() error {
	switch {
	case !t.On && t.Insecure:
		return errors.New("option --insecure: it needs --tls")
	case !t.On && t.CA != "":
		return errors.New("option --ca: it needs --tls")
	case !t.On && t.Name != "":
		return errors.New("option --sni: it needs --tls")
	case t.Insecure && t.CA != "":
		return errors.New("options --ca and --insecure: only one of them can be given")
	}
	return t.load()
}

// load reads the file of certificates, once.
func (t *TLS) load() error {
	t.once.Do(func() {
		if t.CA == "" {
			return
		}
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			t.err = monitor.Fault(fmt.Errorf("option --ca: %w", err))
			return
		}
		t.roots = x509.NewCertPool()
		if !t.roots.AppendCertsFromPEM(pem) {
			t.err = monitor.Fault(fmt.Errorf("option --ca: %s holds no certificate in PEM", t.CA))
		}
	})
	return t.err
}

// Handshake begins TLS on a connection. name is what the peer is called unless
// --sni says otherwise; an address in figures is looked for in the certificate
// but not asked for. The connection's deadline holds.
func (t *TLS) Handshake(c *Conn, name string) (*tls.Conn, error) {
	if err := t.load(); err != nil {
		return nil, err
	}
	if t.Name != "" {
		name = t.Name
	}
	if a, err := netip.ParseAddr(name); err == nil {
		name = a.WithZone("").String()
	}
	secured := tls.Client(c, &tls.Config{
		ServerName:         name,
		RootCAs:            t.roots,
		ClientSessionCache: c.Sessions,
		InsecureSkipVerify: t.Insecure, //nolint:gosec // the operator asked for it
	})
	if err := secured.Handshake(); err != nil {
		return nil, handshakeError(name, err)
	}
	return secured, nil
}

// handshakeError says what to do about the usual faults.
func handshakeError(name string, err error) error {
	what := "TLS handshake as " + name
	if v, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		err = v.Err
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fmt.Errorf("%s: %w (--ca FILE trusts another, --insecure trusts any)", what, err)
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Errorf("%s: %w (--sni NAME expects another name)", what, err)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return fmt.Errorf("%s: the port does not speak TLS: %w", what, err)
	}
	return Failure(what, err)
}
