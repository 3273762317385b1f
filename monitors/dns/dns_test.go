package dnsmon

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mondhq/mond/plugins/getopt"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

const monitorLocal = monitor.LocalFault

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// configure makes a monitor of a command line, in which an underscore within an
// argument that stands for data is a blank.
func configure(args ...string) (monitor.Monitor, error) {
	names := &resolve.Resolver{Func: func(_ context.Context, host string) ([]netip.Addr, error) {
		switch host {
		case "one":
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		case "two":
			return []netip.Addr{netip.MustParseAddr("127.0.0.2")}, nil
		}
		return nil, errors.New("no such host")
	}}
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	m := With(names)(fs)
	if _, err := getopt.Parse(fs, args); err != nil {
		return nil, err
	}
	return m, m.(monitor.Validator).Validate()
}

// check runs one check of hosts at a port. An underscore in the value of
// --expect is a blank.
func check(t testing.TB, hosts string, port uint16, options string) monitor.Result {
	t.Helper()
	args := strings.Fields(options)
	for i, a := range args {
		if i > 0 && args[i-1] == "--expect" {
			args[i] = strings.ReplaceAll(a, "_", " ")
		}
	}
	m, err := configure(append([]string{"-p", fmt.Sprint(port)}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Check(t.Context(), monitor.Request{Hosts: strings.Fields(hosts)})
}

// judged compares a Result with the detail that is wanted, of which an asterisk
// at the end stands for any more.
func judged(t *testing.T, r monitor.Result, ok bool, want string) {
	t.Helper()
	got := regexp.MustCompile(`\b[0-9.]+m?s\b`).ReplaceAllString(r.Detail, "T")
	got = regexp.MustCompile(`(127\.0\.0\.\d):\d+\b`).ReplaceAllString(got, "$1:P")
	got = strings.TrimSuffix(strings.TrimSuffix(got, "\n"), " (T)")
	begin, more := strings.CutSuffix(want, "*")
	if r.Blind() || r.Failing() == ok || got != begin && !(more && strings.HasPrefix(got, begin)) {
		t.Errorf("%v, exit %d\ngot  %s\nwant %s", r.Cause, r.Exit, got, want)
	}
}

// certify makes a certificate for 127.0.0.1 in dir: key.pem and cert.pem.
func certify(t *testing.T, dir string) (ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	ca = filepath.Join(dir, "cert.pem")
	must(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	return ca
}
