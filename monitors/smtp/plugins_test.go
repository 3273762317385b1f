package smtpmon

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/mondhq/mond/monitors/tcp/replies/repliestest"
	"github.com/mondhq/mond/plugins/plugintest/postfix"
	"github.com/mondhq/mond/plugins/plugintest/realserver"
)

// Debian's check_smtp gives the same verdicts. It looks at no certificate's
// signature, so we are not to either.
func TestSameVerdictAsCheckSMTP(t *testing.T) {
	const program = "/usr/lib/nagios/plugins/check_smtp"
	realserver.Need(t, "monitoring-plugins-basic", program)
	server := postfix.Start(t)
	for name, tt := range map[string]struct {
		port         func(t *testing.T) uint16
		ours, theirs string
		ok           bool
	}{
		"postfix":          {at(server.Port), "", "", true},
		"STARTTLS":         {at(server.Port), "--require-tls --insecure", "-S", true},
		"sender":           {at(server.Port), "--from a@b.example", "-f a@b.example", true},
		"closed":           {at(server.Closed), "", "", false},
		"nobody":           {func(t *testing.T) uint16 { return realserver.Port(t) }, "", "", false},
		"full":             {scripted("421 too busy"), "", "", false},
		"other":            {scripted("SSH-2.0-x"), "", "", false},
		"silent":           {scripted(), "", "", false},
		"no STARTTLS":      {scripted("220 a", "> EHLO *", "250-a\r\n250 SIZE", "> *"), "--require-tls", "-S", false},
		"no way to log in": {scripted("220 a", "> EHLO *", "250-a\r\n250 SIZE", "> *", "503 no"), "--user bob --password x", "-A LOGIN -U bob -P x", false},
		"wrong password": {scripted("220 a", "> EHLO *", "250-a\r\n250 AUTH LOGIN", "> AUTH LOGIN", "334 VXNlcm5hbWU6", "> Ym9i", "334 UGFzc3dvcmQ6", "> eA==", "535 no", "> *"),
			"--user bob --password x", "-A LOGIN -U bob -P x", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := tt.port(t)
			seconds := "2" // so that who is silent does not take long
			if tt.ok {
				seconds = "10"
			}
			r := check(t, port, "-t "+seconds+" "+tt.ours)
			args := append([]string{"-H", "127.0.0.1", "-p", fmt.Sprint(port), "-t", seconds}, strings.Fields(tt.theirs)...)
			out, err := exec.Command(program, args...).CombinedOutput()
			if _, ran := errors.AsType[*exec.ExitError](err); err != nil && !ran {
				t.Fatal(err)
			}
			if r.Failing() == tt.ok || (err == nil) != tt.ok {
				t.Errorf("we say %s; %s says %s (%v); want ok %v", strings.TrimSpace(r.Detail), program, out, err, tt.ok)
			}
		})
	}
}

func at(port uint16) func(*testing.T) uint16 { return func(*testing.T) uint16 { return port } }

func scripted(steps ...string) func(t *testing.T) uint16 {
	return func(t *testing.T) uint16 { return repliestest.Serve(t, repliestest.Play(t, steps...)) }
}
