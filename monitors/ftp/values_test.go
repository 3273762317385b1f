package ftp

import (
	"flag"
	"fmt"
	"strings"
	"testing"
)

func TestOptions(t *testing.T) {
	const sum = "sha256"
	for args, want := range map[string]string{
		"":                                    "",
		"-p 2121 -t 5":                        "",
		"-p 2121 -t 500ms -4 --reset":         "",
		"--tls --insecure":                    "",
		"--tls-implicit --insecure":           "",
		"--user anonymous":                    "",
		"--user ftp --password me@":           "",
		"--retr /f --match x --digest " + sum: "",
		"--retr /f --digest MD5:" + strings.Repeat("aB", 16): "",
		"--retr /f --max-size 64K --follow-pasv":             "",
		"--list / --match x":                                 "",
		"--user bob":                                         "option --user: it needs --password-file or --password",
		"--tls --tls-implicit":                               "only one of them",
		"--insecure":                                         "option --insecure: it needs --tls",
		"--ca f":                                             "option --ca: it needs --tls",
		"--retr /f --list /":                                 "options --retr and --list: only one of them",
		"--match x":                                          "option --match: it needs --retr or --list",
		"--list / --digest " + sum:                           "option --digest: it needs --retr",
		"--digest abc":                                       "want sha256:HEX or md5:HEX",
		"--digest sha256:ab":                                 "want 64 hexadecimal figures after sha256:",
		"--digest md5:":                                      "want 32 hexadecimal figures after md5:",
		"--digest sha256:" + strings.Repeat("zz", 32):        "want 64 hexadecimal figures",
		"--follow-pasv":                                      "option --follow-pasv: it needs --retr or --list",
		"--retr a\rDELE":                                     "want a path without control characters",
		"--list a\nDELE":                                     "want a path without control characters",
		"--retr=":                                            "want a path without control characters",
		"--user a\r\nDELE":                                   "option --user: want text without control characters",
		"--banner (":                                         "want a regular expression",
		"--max-size 1G":                                      "want a number of bytes",
		"-p 0":                                               "want a port",
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
	for args, want := range map[string]uint16{"": 21, "--tls --insecure": 21, "--tls-implicit": 990, "--tls-implicit -p 21": 21} {
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
	for _, want := range []string{"(default 21, with --tls-implicit 990)\n", "(default 30s)", "(default 1M)", "-retr path\n", "-digest sha256:HEX\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("usage lacks %q:\n%s", want, b.String())
		}
	}
}

func TestExtendedPort(t *testing.T) {
	for text, want := range map[string]uint16{
		"Entering Extended Passive Mode (|||6446|)": 6446, "(|||1|)": 1, "x (!!!65535!) y": 65535, "(|||6446|": 6446,
		"": 0, "(": 0, "()": 0, "(||||)": 0, "(|||0|)": 0, "(|||65536|)": 0, "(|||6446)": 0, "(||6446|)": 0, "(|1|::1|6446|)": 0,
		"(1116446 1)": 0, "(   80 )": 0, "|||6446|": 0, "(|||-1|)": 0, "(|||+1|)": 0,
	} {
		got, err := extendedPort(text)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}

func TestPassiveAddress(t *testing.T) {
	for text, want := range map[string]string{
		"Entering Passive Mode (127,0,0,1,4,1).": "127.0.0.1:1025", "127,0,0,1,0,21": "127.0.0.1:21",
		"227 is not it: =10,1,2,3,255,255": "10.1.2.3:65535", "(1,2,3) then (1,2,3,4,5,6)": "1.2.3.4:1286",
		"": "", "(127,0,0,1,4)": "", "(127,0,0,1,4,1,9)": "", "(127,0,0,256,4,1)": "", "(127,0,0,1,0,0)": "",
		"(127,0,0,1,,1)": "", "(127.0.0.1,4,1)": "", "(127, 0, 0, 1, 4, 1)": "",
	} {
		got, err := passiveAddress(text)
		if err == nil && got.String() != want || (err == nil) != (want != "") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func FuzzPorts(f *testing.F) {
	for _, seed := range []string{"(|||6446|)", "(!!!1!", "(1,2,3,4,5,6)", "1,2,3,4,5,6,7", "(,,,,,)", "(|||65536|)", "(\xff\xff\xff1\xff)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if port, err := extendedPort(text); err == nil && (port == 0 || !strings.Contains(text, fmt.Sprint(port))) {
			t.Errorf("%q: port %d", text, port)
		}
		if a, err := passiveAddress(text); err == nil && (a.Port() == 0 || !a.Addr().Is4()) {
			t.Errorf("%q: %v", text, a)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/pub/a b", "a\r\nDELE b", "", "größer"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var p, q path
		if p.Set(text) == nil && (q.Set(p.String()) != nil || p != q || strings.ContainsAny(text, "\r\n\x00")) {
			t.Errorf("path %q: %q, %q", text, p, q)
		}
	})
}
