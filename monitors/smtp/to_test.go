package smtpmon

import (
	"flag"
	"io"
	"testing"

	"github.com/mondhq/mond/plugins/resolve"
)

func TestToIsOfTwoKinds(t *testing.T) {
	for _, tt := range []struct {
		args          []string
		connect, mail string
		refused       bool
	}{
		{[]string{"--to", "10.0.0.3:25"}, "10.0.0.3:25", "", false},
		{[]string{"--to", "[2001:db8::3]:25", "--to", "operator@example.com"}, "[2001:db8::3]:25", "operator@example.com", false},
		{[]string{"--to", "postmaster"}, "", "postmaster", false},
		{[]string{"--to", "10.0.0.3", "--rcpt", "a@[192.0.2.1]"}, "10.0.0.3", "a@[192.0.2.1]", false},
		{[]string{"--to", "two words"}, "", "", true},
	} {
		fs := flag.NewFlagSet(Name, flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		p := With(new(resolve.Resolver))(fs).(*probe)
		err := fs.Parse(tt.args)
		if (err != nil) != tt.refused || p.To.String() != tt.connect || p.to.String() != tt.mail {
			t.Errorf("%q: connects to %q, mails to %q, %v", tt.args, &p.To, &p.to, err)
		}
	}
}
