package ftp

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/monitors/tcp/reach/reachtest"
	"github.com/mondhq/mond/monitors/tcp/replies/repliestest"
)

func TestCertificatesThatEnd(t *testing.T) {
	ca := reachtest.NewCA(t, time.Now().Add(100*24*time.Hour))
	own, err := tls.LoadX509KeyPair(ca.Issue(t, "files", time.Now().Add(10*24*time.Hour+time.Hour)))
	must(t, err)
	open := filepath.Join(t.TempDir(), "password")
	must(t, errors.Join(os.WriteFile(open, []byte("hunter2\n"), 0o600), os.Chmod(open, 0o644)))
	const ends = `the certificate of "files" ends in 10 days, on *`
	login := []string{"> USER bob", "331 password", "> PASS hunter2", "230 in", "> PBSZ 0", "200 ok", "> PROT P", "200 ok"}
	for options, want := range map[string]string{
		"--tls --cert-warn 10":                                    `"220 ready", TLS 1.3`,
		"--tls --cert-warn 11 --cert-fail 10":                     "warning: " + ends + `; "220 ready", TLS 1.3`,
		"--tls --cert-fail 11":                                    ends + " (--cert-fail 11)",
		"--tls-implicit --cert-warn 11":                           "warning: " + ends + `; TLS 1.3, "220 ready"`,
		"--tls-implicit --cert-fail 11":                           ends + " (--cert-fail 11)",
		"--tls --cert-warn 11 --user bob --password-file " + open: "warning: " + ends + `; everybody can read the secret *; "220 ready", TLS 1.3, logged in as bob`,
	} {
		implicit, fails := strings.Contains(options, "implicit"), strings.Contains(options, "fail 11")
		port := repliestest.Serve(t, func(p *repliestest.Peer) {
			script := []string{"220 ready"}
			if !implicit {
				repliestest.Play(t, "220 ready", "> AUTH TLS", "234 go", repliestest.HangUp)(p)
				script = nil
			}
			p.Secure(&tls.Config{Certificates: []tls.Certificate{own}})
			if fails {
				p.UntilHangup()
				return
			}
			if strings.Contains(options, "bob") {
				script = append(script, login...)
			}
			repliestest.Play(t, append(script, "> QUIT", "221 bye")...)(p)
		})
		r := check(t, port, "--ca "+ca.File+" "+options)
		repliestest.Judged(t, r, !fails, want)
		if r.Warn != strings.HasPrefix(want, "warning") {
			t.Errorf("%s: warns %v", options, r.Warn)
		}
	}
}
