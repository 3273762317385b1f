package smtpmon

import (
	"testing"

	"github.com/mondhq/mond/monitors/tcp/replies/repliestest"
	"github.com/mondhq/mond/plugins/plugintest/postfix"
)

func TestPostfix(t *testing.T) {
	server := postfix.Start(t)
	ca := " --ca " + server.Certificate.Cert
	const greeted = `"220 mx.example.test ESMTP Postfix"`
	for name, tt := range map[string]struct {
		port    uint16
		options string
		ok      bool
		want    string
	}{
		"plain":            {server.Port, "", true, greeted},
		"banner":           {server.Port, "--banner ^mx[.]example[.]test", true, greeted},
		"wrong banner":     {server.Port, "--banner Exim", false, "the greeting " + greeted + ` does not match "Exim"`},
		"own name":         {server.Port, "--ehlo director.example.test", true, greeted},
		"extensions":       {server.Port, "--expect-ext SIZE,pipelining --expect-ext STARTTLS", true, greeted + ", offers SIZE,PIPELINING,STARTTLS"},
		"none such":        {server.Port, "--expect-ext AUTH,SIZE", false, `the server does not offer AUTH; it offers "PIPELINING, SIZE * STARTTLS, *"`},
		"if offered":       {server.Port, "--starttls" + ca, true, greeted + ", TLS 1.3"},
		"required":         {server.Port, "--require-tls" + ca + " --expect-ext STARTTLS,SIZE", true, greeted + ", TLS 1.3, offers STARTTLS,SIZE"},
		"not trusted":      {server.Port, "--require-tls", false, "TLS handshake as 127.0.0.1: x509: certificate signed by unknown authority *"},
		"trusting all":     {server.Port, "--require-tls --insecure", true, greeted + ", TLS 1.3"},
		"wrong name":       {server.Port, "--starttls --sni mx.example.test" + ca, false, "TLS handshake as mx.example.test: x509: certificate is valid for localhost, not mx.example.test (--sni NAME expects another name)"},
		"implicit":         {server.Secure, "--tls" + ca, true, "TLS 1.3, " + greeted},
		"implicit, plain":  {server.Port, "--tls" + ca, false, "TLS handshake as 127.0.0.1: the port does not speak TLS: *"},
		"plain, implicit":  {server.Secure, "-t 500ms", false, "no answer in T: wait for the greeting; nothing came"},
		"sender":           {server.Port, "--from someone@example.com", true, greeted + ", takes mail from <someone@example.com>"},
		"banned sender":    {server.Port, "--from " + postfix.Banned, false, `MAIL FROM:<banned@example.test>: the host answered "554 5.7.1 <banned@example.test>: Sender address rejected: you are not welcome", want 250`},
		"recipient":        {server.Port, "--require-tls --from <> --to " + postfix.User + ca, true, greeted + ", TLS 1.3, takes mail from <>, to <operator@example.test>"},
		"nobody":           {server.Port, "--to nobody@example.test", false, `RCPT TO:<nobody@example.test>: the host answered "550 5.1.1 <nobody@example.test>: Recipient address rejected: User unknown in virtual mailbox table", want 250 or 251`},
		"relay":            {server.Secure, "--tls --to operator@elsewhere.example" + ca, false, `RCPT TO:<operator@elsewhere.example>: the host answered "550 5.1.1 *: this server sends nothing", want 250 or 251`},
		"refuses":          {server.Closed, "", false, `greeting: the host answered "554 5.7.1 <unknown[127.0.0.1]>: Client host rejected: Access denied", want 220`},
		"no LMTP":          {server.Port, "--lmtp", false, `LHLO: the host answered "50* want 250`},
		"no way to log in": {server.Port, "--user bob --password secret", false, `the server offers to log in neither by PLAIN nor by LOGIN; it offers "*"`},
	} {
		t.Run(name, func(t *testing.T) { repliestest.Judged(t, check(t, tt.port, tt.options), tt.ok, tt.want) })
	}
}
