// Package postfix starts a Postfix of its own for tests: on loopback, with its
// own folders and certificate, sending nothing anywhere. It keeps mail for one
// user in a Maildir, so that a test can look at what arrived.
//
// It is for tests only; it needs root, as Postfix does.
package postfix

import (
	"bytes"
	"fmt"
	"net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
	"text/template"
	"time"

	"github.com/mondhq/mond/plugins/plugintest/realserver"
)

// What this Postfix knows.
const (
	// Domain is where it takes mail for, and Host its own name.
	Domain = "example.test"
	Host   = "mx." + Domain
	// User is the address that has a mailbox; others in Domain are refused.
	User = "operator@" + Domain
	// Banned is a sender that is refused.
	Banned = "banned@" + Domain
)

// Where Debian's package has what is run.
const (
	program = "/usr/sbin/postfix"
	daemons = "/usr/lib/postfix/sbin"
)

// Server is a running Postfix.
type Server struct {
	// Port is that of SMTP with STARTTLS, Secure that of SMTP in TLS, Closed
	// that of an SMTP that refuses every client in its greeting. All are on
	// 127.0.0.1.
	Port, Secure, Closed uint16
	Certificate          realserver.Certificate

	dir, owner, group string
}

// Start starts one that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	realserver.Need(t, "postfix", program)
	realserver.NeedRoot(t)
	s := &Server{
		Port: realserver.Port(t), Secure: realserver.Port(t), Closed: realserver.Port(t),
		Certificate: realserver.NewCertificate(t), dir: realserver.Dir(t), owner: "postfix", group: "postdrop",
	}
	s.furnish(t)
	s.write(t, "etc/main.cf", mainCf)
	s.write(t, "etc/master.cf", masterCf)
	t.Cleanup(func() {
		if log, err := os.ReadFile(s.at("log")); err == nil && t.Failed() {
			t.Logf("postfix logged:\n%s", log)
		}
	})
	cmd := exec.Command(daemons+"/master", "-d", "-c", s.at("etc"))
	cmd.Env = append(os.Environ(), "MAIL_CONFIG="+s.at("etc"))
	realserver.Start(t, cmd, s.Port, s.Secure, s.Closed)
	return s
}

// Config is its folder of settings: sendmail(1) hands a mail to this Postfix if
// MAIL_CONFIG in its environment names it.
func (s *Server) Config() string { return s.at("etc") }

func (s *Server) at(name string) string { return filepath.Join(s.dir, name) }

// furnish makes the folders. Postfix's own script for that takes seconds.
func (s *Server) furnish(t testing.TB) {
	t.Helper()
	uid, gid := id(t, s.owner, s.group)
	for _, name := range []string{"etc", "queue", "queue/pid"} {
		must(t, os.Mkdir(s.at(name), 0o755))
	}
	own := func(name string, mode os.FileMode, group int) {
		must(t, os.Mkdir(s.at(name), 0o700))
		must(t, os.Chmod(s.at(name), mode))
		must(t, os.Chown(s.at(name), uid, group))
	}
	for _, name := range []string{"active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"} {
		own("queue/"+name, 0o700, 0)
	}
	own("queue/maildrop", 0o730, gid)
	own("queue/public", 0o710, gid)
	own("data", 0o700, 0)
	own("mail", 0o700, gid)
}

// id are the numbers of a user and a group.
func id(t testing.TB, owner, group string) (uid, gid int) {
	t.Helper()
	u, err := user.Lookup(owner)
	must(t, err)
	g, err := user.LookupGroup(group)
	must(t, err)
	uid, err = strconv.Atoi(u.Uid)
	must(t, err)
	gid, err = strconv.Atoi(g.Gid)
	must(t, err)
	return uid, gid
}

// write makes a file of a template.
func (s *Server) write(t testing.TB, name, text string) {
	t.Helper()
	uid, gid := id(t, s.owner, s.group)
	var b bytes.Buffer
	must(t, template.Must(template.New(name).Parse(text)).Execute(&b, map[string]any{
		"Dir": s.dir, "Owner": s.owner, "Group": s.group, "UID": uid, "GID": gid, "Daemons": daemons,
		"Domain": Domain, "Host": Host, "User": User, "Banned": Banned,
		"Port": s.Port, "Secure": s.Secure, "Closed": s.Closed,
		"Cert": s.Certificate.Cert, "Key": s.Certificate.Key,
	}))
	must(t, os.WriteFile(s.at(name), b.Bytes(), 0o644))
}

// Mails waits until n mails for User have arrived, and returns them in no
// particular order.
func (s *Server) Mails(t testing.TB, n int) []*mail.Message {
	t.Helper()
	const patience = 30 * time.Second
	box := s.at("mail/operator/new")
	for limit := time.Now().Add(patience); ; {
		files, _ := filepath.Glob(filepath.Join(box, "*"))
		if len(files) >= n {
			return read(t, files)
		}
		if time.Now().After(limit) {
			t.Fatalf("%d mails came in %v, want %d", len(files), patience, n)
		}
		time.Sleep(20 * time.Millisecond) // another process has to move on
	}
}

func read(t testing.TB, files []string) (mails []*mail.Message) {
	t.Helper()
	for _, f := range files {
		text, err := os.ReadFile(f)
		must(t, err)
		m, err := mail.ReadMessage(bytes.NewReader(text))
		if err != nil {
			t.Fatal(fmt.Errorf("%s: %w\n%s", f, err, text))
		}
		mails = append(mails, m)
	}
	return mails
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
