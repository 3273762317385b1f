package mailalert

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is an SMTP server on the loopback that follows a script.
type server struct {
	// answer gives the reply to a command line, "" for the usual one and
	// silence for none at all. "CONNECT" and "DATA-END" stand for the greeting
	// and for the end of a mail.
	answer func(line string) string
	// offers are lines of the reply to EHLO.
	offers []string
	// tls is used for STARTTLS, or from the first byte with implicit.
	tls      *tls.Config
	implicit bool

	addr string

	mu    sync.Mutex
	lines []string
	mails []envelope
}

// envelope is a mail that was accepted.
type envelope struct {
	from, to, text string
	encrypted      bool
}

func (e envelope) parse(t *testing.T) *mail.Message {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(e.text))
	check(t, err)
	return m
}

const silence = "silence"

func (s *server) start(t *testing.T) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	s.addr = l.Addr().String()
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() { s.session(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		sessions.Wait() // every session ends: the client closes its line
	})
	return s
}

// talk is one connection, before or after STARTTLS.
type talk struct {
	conn      net.Conn
	text      *textproto.Reader
	encrypted bool
	envelope  envelope
}

func (s *server) session(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	t := &talk{conn: conn}
	if s.implicit {
		t.encrypt(s.tls)
	}
	t.text = textproto.NewReader(bufio.NewReader(t.conn))
	if !s.reply(t, "CONNECT", "220 test") {
		return
	}
	for {
		line, err := t.text.ReadLine()
		if err != nil || !s.command(t, line) {
			return
		}
	}
}

func (t *talk) encrypt(config *tls.Config) {
	t.conn = tls.Server(t.conn, config)
	t.text = textproto.NewReader(bufio.NewReader(t.conn))
	t.encrypted = true
}

// command answers one line and reports whether the session goes on.
func (s *server) command(t *talk, line string) bool {
	s.mu.Lock()
	s.lines = append(s.lines, line)
	s.mu.Unlock()
	verb, arg, _ := strings.Cut(line, " ")
	switch verb {
	case "EHLO":
		reply := "250-test\r\n"
		for _, o := range s.offers {
			if o != "STARTTLS" || !t.encrypted {
				reply += "250-" + o + "\r\n"
			}
		}
		return s.reply(t, line, reply+"250 HELP")
	case "STARTTLS":
		if !s.reply(t, line, "220 go") {
			return false
		}
		t.encrypt(s.tls)
		return true
	case "AUTH":
		return s.reply(t, line, "235 welcome")
	case "MAIL":
		t.envelope = envelope{from: arg, encrypted: t.encrypted}
	case "RCPT":
		t.envelope.to = arg
	case "DATA":
		if s.answer != nil && s.answer(line) != "" {
			return s.reply(t, line, "")
		}
		return s.reply(t, line, "354 go") && s.data(t)
	case "QUIT":
		s.reply(t, line, "221 bye")
		return false
	}
	return s.reply(t, line, "250 ok")
}

func (s *server) data(t *talk) bool {
	text, err := io.ReadAll(t.text.DotReader())
	if err != nil {
		return false
	}
	t.envelope.text = string(text)
	if s.answer == nil || s.answer("DATA-END") == "" {
		s.mu.Lock()
		s.mails = append(s.mails, t.envelope)
		s.mu.Unlock()
	}
	return s.reply(t, "DATA-END", "250 queued")
}

func (s *server) reply(t *talk, line, usual string) bool {
	if s.answer != nil {
		if a := s.answer(line); a != "" {
			usual = a
		}
	}
	if usual == silence {
		_, _ = io.Copy(io.Discard, t.conn) // until the client gives up
		return false
	}
	_, err := io.WriteString(t.conn, usual+"\r\n")
	return err == nil
}

func (s *server) got() []envelope {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]envelope(nil), s.mails...)
}

func (s *server) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

// certificate makes a certificate for 127.0.0.1 and the file that trusts it.
func certificate(t *testing.T) (config *tls.Config, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(t, err)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	check(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, ca
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
