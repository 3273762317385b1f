package smtpmon

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/mondhq/mond/monitors/tcp/replies"
)

func TestOptions(t *testing.T) {
	for args, want := range map[string]string{
		"":                               "",
		"-p 587 -t 5":                    "",
		"--starttls --insecure":          "",
		"--require-tls --sni mx.example": "",
		"--tls --insecure":               "",
		"--lmtp --expect-ext SIZE,8bitmime --expect-ext DSN": "",
		"--user bob --password x --insecure-auth":            "",
		"--from <> --to a@b":                                 "",
		"--ehlo [IPv6:2001:db8::1]":                          "",
		"--tls --starttls":                                   "options --tls and --starttls or --require-tls",
		"--tls --require-tls":                                "options --tls and --starttls or --require-tls",
		"--starttls --require-tls":                           "options --starttls and --require-tls",
		"--insecure":                                         "option --insecure: it needs --tls",
		"--user bob":                                         "option --user: it needs --password-file or --password",
		"--insecure-auth":                                    "option --insecure-auth: it needs --user",
		"--from a@b\r\nDATA":                                 "want a mail address",
		"--from a@b>\rDATA":                                  "want a mail address",
		"--to <a@b":                                          "want a mail address",
		"--to a>b@c":                                         "want a mail address",
		"--to=":                                              "want a mail address",
		"--to größer@b":                                      "want a mail address",
		"--to " + strings.Repeat("z", 321):                   "want a mail address",
		"--ehlo mx\r\nRCPT":                                  "want a name",
		"--ehlo a_b;c":                                       "want a name",
		"--ehlo=":                                            "want a name",
		"--expect-ext SIZE,":                                 "want the name of an extension",
		"--expect-ext S\nX":                                  "want the name of an extension",
		"--user b\r\nQUIT --password x":                      "option --user: want text without control characters",
		"--banner (":                                         "want a regular expression",
		"-4 -6":                                              "only one of them",
	} {
		t.Run(args, func(t *testing.T) {
			var words []string
			if args != "" {
				words = strings.Split(args, " ")
			}
			_, err := configure(words...)
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		})
	}
}

func TestPort(t *testing.T) {
	for args, want := range map[string]uint16{"": 25, "--starttls": 25, "--tls": 465, "--lmtp": 24, "--lmtp --tls": 465, "--tls -p 25": 25} {
		m, err := configure(strings.Fields(args)...)
		must(t, err)
		if got := m.(*probe).port(); got != want {
			t.Errorf("%s: %d, want %d", args, got, want)
		}
	}
}

func TestUsage(t *testing.T) {
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	var b strings.Builder
	fs.SetOutput(&b)
	New(fs)
	fs.PrintDefaults()
	for _, want := range []string{"(default 25, with --tls 465, with --lmtp 24)\n", "(default 30s)", "-expect-ext extension\n", "-from address\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("usage lacks %q:\n%s", want, b.String())
		}
	}
}

func TestOffers(t *testing.T) {
	o := offered(replies.Reply{Code: 250, Lines: []string{"mx SIZE", "size 100", "", "AUTH=LOGIN PLAIN", "auth plain xoauth2"}})
	if !o.has("SIZE") || o.has("MX") || o.has("AUTH=LOGIN") || !slices.Equal(o.words("AUTH"), []string{"LOGIN", "PLAIN", "PLAIN", "XOAUTH2"}) {
		t.Errorf("%v", o)
	}
	if got := o.String(); got != `"SIZE 100, AUTH LOGIN PLAIN, AUTH PLAIN XOAUTH2"` {
		t.Error(got)
	}
	if got := offered(replies.Reply{Code: 250, Lines: []string{"mx", strings.Repeat("ß", 400)}}).String(); len(got) > 310 {
		t.Error(got)
	}
}

func FuzzOffers(f *testing.F) {
	for _, seed := range []string{"mx\nSIZE 100\nAUTH PLAIN", "", "\n\n", "mx\nAUTH=", "mx\n\xff\x1b", "mx\nAUTH=AUTH=x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o := offered(replies.Reply{Code: 250, Lines: strings.Split(text, "\n")})
		for _, words := range o {
			if !o.has(words[0]) || len(o.words(words[0])) < len(words)-1 {
				t.Errorf("%q lost %q", text, words)
			}
		}
		if s := o.String(); len(s) > 310 || strings.ContainsAny(s, "\n\r\x1b") {
			t.Errorf("%q is shown as %q", text, s)
		}
	})
}

func FuzzOptions(f *testing.F) {
	for _, seed := range []string{"a@b", "<a@b>", "<>", "a@b>\r\nDATA", "mx.example", "[::1]", "SIZE,DSN", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var a, b address
		if a.Set(text) == nil && (b.Set(a.String()) != nil || a != b || strings.ContainsAny(a.path(), "\r\n\x00 ") || strings.Count(a.path(), ">") != 1) {
			t.Errorf("address %q: %q, %q", text, a, b)
		}
		var n, m name
		if n.Set(text) == nil && (m.Set(n.String()) != nil || n != m || strings.ContainsAny(text, "\r\n\x00 ")) {
			t.Errorf("name %q: %q, %q", text, n, m)
		}
		var e, g extensions
		if e.Set(text) == nil && (g.Set(e.String()) != nil || !slices.Equal(e, g)) {
			t.Errorf("extensions %q: %q, %q", text, e, g)
		}
	})
}
