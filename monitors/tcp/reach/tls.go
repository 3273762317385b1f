package reach

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"sync"

	"github.com/mondhq/mond/plugins/monitor"
)

// TLS are the options of a monitor that may speak TLS.
type TLS struct {
	On bool
	// Later says that the monitor may come to speak TLS without On, such as
	// after STARTTLS: then the other options need no --tls. It is to be set
	// before Validate.
	Later    bool
	Insecure bool
	// CA is a file of certificates in PEM to trust instead of the machine's.
	CA string
	// Name is what the peer is called, instead of the host's name.
	Name string
	// Cert is a file in PEM with the certificate to show a peer that asks for
	// one, and those that lead to its issuer; Key is that of its key, which may
	// be in Cert as well.
	Cert, Key string
	// CertWarn and CertFail are how long before its end a certificate of the
	// peer is a warning and a failure: see [TLS.Expiry].
	CertWarn, CertFail Days

	once  sync.Once
	files *Fresh[identity]
}

// identity is whom to trust and whom to be.
type identity struct {
	roots *x509.CertPool   // nil: whom the machine trusts
	own   *tls.Certificate // nil: nobody
}

// Declare declares --tls, --insecure, --ca, --sni, --cert, --key, --cert-warn
// and --cert-fail.
func (t *TLS) Declare(fs *flag.FlagSet) {
	fs.BoolVar(&t.On, "tls", t.On, "speak TLS")
	fs.BoolVar(&t.Insecure, "insecure", false, "with TLS: accept any certificate")
	fs.StringVar(&t.CA, "ca", "", "with TLS: trust the certificates in `file` (PEM) instead of the machine's")
	fs.StringVar(&t.Name, "sni", "", "with TLS: ask for the certificate of `name` and expect it (default: the host's name)")
	fs.StringVar(&t.Cert, "cert", "", "with TLS: show the certificate in `file` (PEM) to a host that asks for one")
	fs.StringVar(&t.Key, "key", "", "`file` of the key of --cert (PEM; default: it is in the same file)")
	fs.Var(&t.CertWarn, "cert-warn", "with TLS: warn when the host's certificate ends within so many `days`")
	fs.Var(&t.CertFail, "cert-fail", "with TLS: fail when the host's certificate ends within so many `days`")
}

// Validate judges the options together and reads the files of certificates.
func (t *TLS) Validate() error {
	for _, o := range []struct {
		name  string
		given bool
	}{
		{"insecure", t.Insecure}, {"ca", t.CA != ""}, {"sni", t.Name != ""}, {"cert", t.Cert != ""},
		{"key", t.Key != ""}, {"cert-warn", t.CertWarn.given}, {"cert-fail", t.CertFail.given},
	} {
		if o.given && !t.On && !t.Later {
			return fmt.Errorf("option --%s: it needs --tls", o.name)
		}
	}
	switch {
	case t.Insecure && t.CA != "":
		return errors.New("options --ca and --insecure: only one of them can be given")
	case t.Key != "" && t.Cert == "":
		return errors.New("option --key: it needs --cert")
	}
	_, err := t.identity()
	return errors.Join(t.validateExpiry(), err)
}

// identity is what the files say, as of now.
func (t *TLS) identity() (identity, error) {
	t.once.Do(func() {
		t.files = &Fresh[identity]{Make: t.read}
		if t.CA != "" {
			t.files.Paths = append(t.files.Paths, t.CA)
		}
		if t.Cert != "" {
			t.files.Paths = append(t.files.Paths, t.Cert, cmp.Or(t.Key, t.Cert))
		}
	})
	id, err := t.files.Get()
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		option := map[string]string{t.Key: "--key", t.Cert: "--cert", t.CA: "--ca"}[path.Path]
		err = fmt.Errorf("option %s: %w", option, err)
	}
	return id, monitor.Fault(err)
}

// read makes the identity of what the files hold.
func (t *TLS) read(contents [][]byte) (id identity, err error) {
	if t.CA != "" {
		id.roots = x509.NewCertPool()
		if !id.roots.AppendCertsFromPEM(contents[0]) {
			return id, fmt.Errorf("option --ca: %s holds no certificate in PEM", t.CA)
		}
		contents = contents[1:]
	}
	if t.Cert != "" {
		own, err := tls.X509KeyPair(contents[0], contents[1])
		if err != nil {
			return id, fmt.Errorf("option --cert: %s: %w", t.Cert, err)
		}
		id.own = &own
	}
	return id, nil
}

// Handshake begins TLS on a connection. name is what the peer is called unless
// --sni says otherwise; an address in figures is looked for in the certificate
// but not asked for. The connection's deadline holds.
func (t *TLS) Handshake(c *Conn, name string) (*tls.Conn, error) {
	return t.Client(c, cmp.Or(t.Name, name))
}

// Client is Handshake on any connection and with a peer whose name is known,
// whatever --sni says. protocols are offered for the time after (ALPN); the
// peer may still choose none.
func (t *TLS) Client(c net.Conn, name string, protocols ...string) (*tls.Conn, error) {
	id, err := t.identity()
	if err != nil {
		return nil, err
	}
	if a, err := netip.ParseAddr(name); err == nil {
		name = a.WithZone("").String()
	}
	cfg := &tls.Config{
		ServerName:         name,
		RootCAs:            id.roots,
		NextProtos:         protocols,
		InsecureSkipVerify: t.Insecure, //nolint:gosec // the operator asked for it
	}
	if id.own != nil {
		// Certificates would keep it back from a peer that names other issuers;
		// what to make of it is the peer's business.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return id.own, nil }
	}
	if own, ok := c.(*Conn); ok {
		cfg.ClientSessionCache = own.Sessions
	}
	secured := tls.Client(c, cfg)
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
