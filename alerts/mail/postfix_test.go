package mailalert

import (
	"fmt"
	"mime"
	"net/mail"
	"strings"
	"testing"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/plugintest/postfix"
)

// awkward are lines that a mail system may spoil: single dots and lines that
// begin with one, other alphabets, trailing blanks, what looks like a header or
// like the beginning of a mailbox entry, a long line.
var awkward = []string{
	".", "..", ". QUIT", ".hidden: refused", "größer als erwartet: 東京 ✓ \U0001F525", "From here on it hangs",
	"Subject: not one", "  indented\tand tabbed", "ends with blanks  ", "=3D is no equals sign", strings.Repeat("long line ", 300),
}

func TestMailToPostfix(t *testing.T) {
	server := postfix.Start(t)
	r := request()
	r.Summary = "web2: größer"
	r.Output = r.Summary + "\n" + strings.Join(awkward, "\n") + "\n"
	ways := map[string][]string{
		"plain":    {"--tls", "none"},
		"starttls": {"--tls", "starttls"},
		"require":  {"--tls", "require", "--ca", server.Certificate.Cert},
		"implicit": {"--tls", "implicit", "--ca", server.Certificate.Cert},
	}
	for name, words := range ways {
		port := server.Port
		if name == "implicit" {
			port = server.Secure
		}
		words = append(words, "--server", fmt.Sprint("127.0.0.1:", port), "-f", name+"@director.example", "--helo", "director.example", postfix.User)
		r.ID = name
		check(t, mustLine(t, words...).Alert(t.Context(), r))
	}
	seen := map[string]bool{}
	for _, m := range server.Mails(t, len(ways)) {
		way, _, _ := strings.Cut(strings.Trim(m.Header.Get("Return-Path"), "<>"), "@")
		t.Run(way, func(t *testing.T) { intact(t, m, way != "plain") })
		seen[way] = true
	}
	for way := range ways {
		if !seen[way] {
			t.Errorf("the mail by way of %s did not come", way)
		}
	}
}

// intact is an error of the test unless a mail says what was told.
func intact(t *testing.T, m *mail.Message, encrypted bool) {
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	check(t, err)
	if !strings.Contains(subject, "web2: größer") {
		t.Errorf("the subject is %q", subject)
	}
	if received := m.Header.Get("Received"); strings.Contains(received, "SMTPS id ") != encrypted {
		t.Errorf("encrypted is to be %v: %s", encrypted, received)
	}
	body := bodyOf(t, m)
	for _, line := range awkward {
		_, rest, ok := strings.Cut(body, "\n"+line+"\n")
		if !ok {
			t.Fatalf("%q is not a line, or not in its place, in:\n%s", line, body)
		}
		body = "\n" + rest
	}
}

func TestPostfixRefuses(t *testing.T) {
	server := postfix.Start(t)
	for name, tt := range map[string]struct {
		words     string
		want      string
		permanent bool
	}{
		"recipient":  {fmt.Sprintf("--server 127.0.0.1:%d --tls none nobody@%s", server.Port, postfix.Domain), "User unknown", true},
		"sender":     {fmt.Sprintf("--server 127.0.0.1:%d --tls none -f %s %s", server.Port, postfix.Banned, postfix.User), "you are not welcome", true},
		"client":     {fmt.Sprintf("--server 127.0.0.1:%d --tls none %s", server.Closed, postfix.User), "Access denied", true},
		"not proven": {fmt.Sprintf("--server 127.0.0.1:%d --tls require %s", server.Port, postfix.User), "certificate", false},
	} {
		t.Run(name, func(t *testing.T) {
			err := mustLine(t, strings.Fields(tt.words)...).Alert(t.Context(), request())
			if err == nil || !strings.Contains(err.Error(), tt.want) || alert.IsPermanent(err) != tt.permanent {
				t.Errorf("%v, permanent %v", err, alert.IsPermanent(err))
			}
		})
	}
}
