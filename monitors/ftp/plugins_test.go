package ftp

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/mondhq/mond/monitors/tcp/replies/repliestest"
	"github.com/mondhq/mond/plugins/plugintest/realserver"
)

// Debian's check_ftp, which looks at the greeting only, gives the same
// verdicts.
func TestSameVerdictAsCheckFTP(t *testing.T) {
	const program = "/usr/lib/nagios/plugins/check_ftp"
	realserver.Need(t, "monitoring-plugins-basic", program)
	for name, tt := range map[string]struct {
		port func(t *testing.T) uint16
		ok   bool
	}{
		"vsftpd":       {func(t *testing.T) uint16 { return vsftpd(t) }, true},
		"nobody":       {func(t *testing.T) uint16 { return realserver.Port(t) }, false},
		"full":         {scripted("421 too many users"), false},
		"other":        {scripted("SSH-2.0-x"), false},
		"silent":       {scripted(), false},
		"several":      {scripted("220-a\r\n220 b", "> QUIT", "221 bye"), true},
		"no goodbye":   {scripted("220 a", "> QUIT", repliestest.HangUp), true},
		"hangs up":     {scripted(repliestest.HangUp), false},
		"refused QUIT": {scripted("220 a", "> QUIT", "500 what"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := tt.port(t)
			r := check(t, port, "-t 2")
			out, err := exec.Command(program, "-H", "127.0.0.1", "-p", fmt.Sprint(port), "-t", "2").CombinedOutput()
			if _, ran := errors.AsType[*exec.ExitError](err); err != nil && !ran {
				t.Fatal(err)
			}
			if r.Failing() == tt.ok || (err == nil) != tt.ok {
				t.Errorf("we say %s; %s says %s (%v); want ok %v", strings.TrimSpace(r.Detail), program, out, err, tt.ok)
			}
		})
	}
}

func scripted(steps ...string) func(t *testing.T) uint16 {
	return func(t *testing.T) uint16 { return repliestest.Serve(t, repliestest.Play(t, steps...)) }
}
