package clients

import (
	"path/filepath"
	"testing"

	"github.com/mondhq/mond/cmd/internal/daemons"
)

// perl runs a part of testdata/client.pl, which calls the methods of
// Mon::Client.
func perl(part string) step {
	return step{"Mon::Client " + part, func(t *testing.T, d *daemons.Daemon) string {
		script, err := filepath.Abs("testdata/client.pl")
		if err != nil {
			t.Error(err)
		}
		text := call{program: "/usr/bin/perl", args: []string{script, part, "HOST", "PORT"}}.run(t, d)
		return dumped(text)
	}}
}
