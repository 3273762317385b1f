package reach

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Days is an option's value: a number of days from 0 to 3650, or none.
type Days struct {
	n     int
	given bool
}

// maxDays is the longest time that anybody looks ahead.
const maxDays = 3650

// String is the number, empty without one.
func (d *Days) String() string {
	if !d.given {
		return ""
	}
	return strconv.Itoa(d.n)
}

// Set reads a number of days.
func (d *Days) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n > maxDays {
		return fmt.Errorf("want a number of days from 0 to %d", maxDays)
	}
	d.n, d.given = int(n), true
	return nil
}

// after reports whether less than d is left.
func (d *Days) after(left time.Duration) bool {
	return d.given && left < time.Duration(d.n)*day
}

const day = 24 * time.Hour

// validateExpiry judges --cert-warn and --cert-fail together.
func (t *TLS) validateExpiry() error {
	if t.CertWarn.given && t.CertFail.given && t.CertWarn.n <= t.CertFail.n {
		return errors.New("option --cert-warn: it must be more days than --cert-fail, or it never warns")
	}
	return nil
}

// Expiry judges how long the peer's certificates are still good: an error as
// --cert-fail says, a warning as --cert-warn says, neither if all is well. The
// warning is for [monitor.Warning], once the rest of the check went well.
func (t *TLS) Expiry(state tls.ConnectionState, now time.Time) (warning string, err error) {
	if !t.CertWarn.given && !t.CertFail.given {
		return "", nil
	}
	cert := Ending(state)
	if cert == nil {
		return "", errors.New("the host shows no certificate")
	}
	left := cert.NotAfter.Sub(now)
	switch {
	case t.CertFail.after(left):
		return "", fmt.Errorf("%s (--cert-fail %s)", ends(cert, left), &t.CertFail)
	case t.CertWarn.after(left):
		return ends(cert, left), nil
	}
	return "", nil
}

// Ending is the certificate of the peer that decides how long it is still
// trusted: of the chain that lasts longest the one that ends first. In a chain
// that was not verified (--insecure) it is the peer's own, for the others need
// not matter. It is nil if there is none.
func Ending(state tls.ConnectionState) *x509.Certificate {
	var best *x509.Certificate
	for _, chain := range state.VerifiedChains {
		if first := endsFirst(chain); best == nil || first.NotAfter.After(best.NotAfter) {
			best = first
		}
	}
	if best == nil && len(state.PeerCertificates) > 0 {
		best = state.PeerCertificates[0]
	}
	return best
}

// endsFirst is that certificate of a chain, which has one at least.
func endsFirst(chain []*x509.Certificate) *x509.Certificate {
	first := chain[0]
	for _, c := range chain[1:] {
		if c.NotAfter.Before(first.NotAfter) {
			first = c
		}
	}
	return first
}

// ends says when a certificate ends, or that it has.
func ends(c *x509.Certificate, left time.Duration) string {
	on := c.NotAfter.UTC().Format(time.DateOnly)
	switch days := int(left / day); {
	case left <= 0:
		return fmt.Sprintf("the certificate of %s has ended on %s", called(c), on)
	case days == 0:
		return fmt.Sprintf("the certificate of %s ends in %v, on %s", called(c), left.Round(time.Minute), on)
	case days == 1:
		return fmt.Sprintf("the certificate of %s ends in 1 day, on %s", called(c), on)
	default:
		return fmt.Sprintf("the certificate of %s ends in %d days, on %s", called(c), days, on)
	}
}

// called is whom a certificate is for, in a word or two.
func called(c *x509.Certificate) string {
	switch {
	case c.Subject.CommonName != "":
		return strconv.Quote(c.Subject.CommonName)
	case len(c.DNSNames) > 0:
		return strconv.Quote(c.DNSNames[0])
	case len(c.IPAddresses) > 0:
		return c.IPAddresses[0].String()
	}
	return "serial number " + c.SerialNumber.String()
}
