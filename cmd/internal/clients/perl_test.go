package clients

import (
	"os"
	"testing"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// perl runs a part of testdata/client.pl, which calls the methods of
// Mon::Client.
func perl(part string) step {
	return step{"Mon::Client " + part, func(t *testing.T, d *daemons.Daemon) string {
		script, err := os.ReadFile("testdata/client.pl")
		if err != nil {
			t.Error(err)
		}
		d.File("client.pl", string(script))
		text := dumped(call{program: "/usr/bin/perl", args: []string{"DIR/client.pl", part, "HOST", "PORT"}}.run(t, d))
		if part == "odd" {
			return sortLines(text)
		}
		return text
	}}
}
