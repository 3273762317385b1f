package reach_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/tcp/reach"
)

// secure reads a command line.
func secure(args ...string) (*reach.TLS, error) {
	s := new(reach.TLS)
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	s.Declare(fs)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	return s, s.Validate()
}

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	cert := func(name string, left time.Duration) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotAfter: now.Add(left)}
	}
	const day = 24 * time.Hour
	leaf, long, short := cert("web", 20*day), cert("ca", 900*day), cert("old ca", 5*day)
	for name, tt := range map[string]struct {
		args    string
		state   tls.ConnectionState
		warning string
		err     string
	}{
		"not asked":         {"", chained(leaf), "", ""},
		"long enough":       {"--cert-warn 20 --cert-fail 7", chained(leaf, long), "", ""},
		"ends soon":         {"--cert-warn 21 --cert-fail 7", chained(leaf, long), `the certificate of "web" ends in 20 days, on 2026-05-21`, ""},
		"ends too soon":     {"--cert-warn 30 --cert-fail 21", chained(leaf, long), "", `the certificate of "web" ends in 20 days, on 2026-05-21 (--cert-fail 21)`},
		"tomorrow":          {"--cert-warn 2", chained(cert("web", 30*time.Hour)), `the certificate of "web" ends in 1 day, on 2026-05-02`, ""},
		"today":             {"--cert-warn 2", chained(cert("web", 90*time.Minute)), `the certificate of "web" ends in 1h30m0s, on 2026-05-01`, ""},
		"has ended":         {"--cert-fail 0", tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert("web", -day)}}, "", `the certificate of "web" has ended on 2026-04-30 (--cert-fail 0)`},
		"the issuer's ends": {"--cert-warn 10", chained(leaf, short), `the certificate of "old ca" ends in 5 days, on 2026-05-06`, ""},
		"of two chains the longer counts": {"--cert-warn 10", tls.ConnectionState{
			VerifiedChains: [][]*x509.Certificate{{leaf, short}, {leaf, long}},
		}, "", ""},
		"not verified": {"--cert-warn 10", tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf, short}}, "", ""},
		"none":         {"--cert-warn 10", tls.ConnectionState{}, "", "the host shows no certificate"},
		"without a name": {"--cert-warn 30", chained(&x509.Certificate{DNSNames: []string{"a.example"}, NotAfter: now.Add(3 * day)}),
			`the certificate of "a.example" ends in 3 days, on 2026-05-04`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := secure(append([]string{"--tls"}, strings.Fields(tt.args)...)...)
			if err != nil {
				t.Fatal(err)
			}
			warning, err := s.Expiry(tt.state, now)
			if got := text(err); warning != tt.warning || got != tt.err {
				t.Errorf("%q, %q\nwant %q, %q", warning, got, tt.warning, tt.err)
			}
		})
	}
}

// chained is a connection whose certificates were verified.
func chained(chain ...*x509.Certificate) tls.ConnectionState {
	return tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{chain}, PeerCertificates: chain[:1]}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestTLSOptions(t *testing.T) {
	for args, want := range map[string]string{
		"--cert-warn 7":          "option --cert-warn: it needs --tls",
		"--cert-fail 7":          "option --cert-fail: it needs --tls",
		"--cert x":               "option --cert: it needs --tls",
		"--tls --key x":          "option --key: it needs --cert",
		"--tls --cert /no/cert":  "option --cert: open /no/cert: no such file or directory",
		"--tls --cert /dev/null": "option --cert: read /dev/null: it is no regular file",
		"--tls --cert expiry_test.go --key /no/key": "option --key: open /no/key: no such file or directory",
		"--tls --cert expiry_test.go":               "option --cert: expiry_test.go: tls: failed to find any PEM data in certificate input",
		"--tls --cert-warn 7 --cert-fail 7":         "option --cert-warn: it must be more days than --cert-fail, or it never warns",
		"--tls --cert-warn 3651":                    `invalid value "3651" for flag -cert-warn: want a number of days from 0 to 3650`,
		"--tls --cert-warn -1":                      `invalid value "-1" for flag -cert-warn: want a number of days from 0 to 3650`,
		"--tls --cert-warn 7d":                      `invalid value "7d" for flag -cert-warn: want a number of days from 0 to 3650`,
	} {
		if _, err := secure(strings.Fields(args)...); text(err) != want {
			t.Errorf("%s: got %v\nwant %s", args, err, want)
		}
	}
}

func TestLaterNeedsNoTLS(t *testing.T) {
	s := &reach.TLS{Later: true, Insecure: true}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
}
