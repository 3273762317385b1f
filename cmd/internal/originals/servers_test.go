package originals

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
	"github.com/mondhq/mond/plugins/plugintest/postfix"
	"github.com/mondhq/mond/plugins/plugintest/realserver"
)

// machine is what is watched: servers at 127.0.0.1, on their well-known ports.
// There is nothing at 127.0.0.9, and no way to 198.51.100.1.
type machine struct {
	mail *postfix.Server
	idle *daemons.Daemon // a mon to be watched
	desk *desk
}

// newMachine starts the servers until the test ends.
func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{mail: postfix.Start(t), desk: newDesk(t)}
	dir := realserver.Dir(t)
	cert := realserver.CertificateUntil(t, time.Now().Add(365*24*time.Hour), "www.example.test")
	for _, start := range []func(*testing.T, string, realserver.Certificate){web, files21, names, mailboxes, directory, agent, terminal, portmapper} {
		start(t, dir, cert)
	}
	remnant(t)
	m.idle = daemons.Mon(t, daemons.Site{
		Config: "hostgroup idle 127.0.0.1\n\nwatch idle\n    service none\n        interval 1h\n        monitor true.monitor\n        period\n            alert true.alert\n",
		Files:  map[string]string{"mon.d/true.monitor": "#!/bin/sh\n", "alert.d/true.alert": "#!/bin/sh\n"},
	})
	return m
}

// put writes a file below dir.
func put(t *testing.T, dir, name, format string, args ...any) string {
	t.Helper()
	path := filepath.Join(dir, name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, fmt.Appendf(nil, format, args...), 0o644))
	return path
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// web is nginx.
func web(t *testing.T, dir string, c realserver.Certificate) {
	t.Helper()
	put(t, dir, "www/index.html", "<h1>it works</h1>\n")
	conf := put(t, dir, "nginx.conf", `user root;
daemon off;
pid %[1]s/nginx.pid;
error_log stderr error;
worker_processes 1;
events { }
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	ssl_certificate %[2]s;
	ssl_certificate_key %[3]s;
	server {
		listen 127.0.0.1:80;
		listen 127.0.0.1:443 ssl;
		root %[1]s/www;
		location /broken { return 503; }
	}
}
`, dir, c.Cert, c.Key)
	realserver.Start(t, exec.Command("/usr/sbin/nginx", "-c", conf), 80, 443)
}

// files21 is vsftpd.
func files21(t *testing.T, dir string, _ realserver.Certificate) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Join(dir, "ftp/empty"), 0o755))
	conf := put(t, dir, "vsftpd.conf", `listen=YES
background=NO
listen_address=127.0.0.1
anonymous_enable=YES
local_enable=NO
anon_root=%[1]s/ftp
secure_chroot_dir=%[1]s/ftp/empty
seccomp_sandbox=NO
xferlog_enable=NO
`, dir)
	realserver.Start(t, exec.Command("/usr/sbin/vsftpd", conf), 21)
}

// names is nsd: example.test, and a list of bad senders that has 127.0.0.1.
func names(t *testing.T, dir string, _ realserver.Certificate) {
	t.Helper()
	const head = "$TTL 300\n@ SOA ns1.example.test. hostmaster.example.test. 7 3600 900 604800 60\n@ NS ns1.example.test.\n"
	put(t, dir, "example", head+"ns1 A 127.0.0.1\nwww A 127.0.0.1\nmailhost A 127.0.0.1\n@ MX 10 mailhost\n")
	put(t, dir, "listed", head+"1.0.0.127 A 127.0.0.2\n")
	put(t, dir, "clean", head)
	conf := put(t, dir, "nsd.conf", `server:
  ip-address: 127.0.0.1
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "%[1]s"
  zonelistfile: "%[1]s/zone.list"
  xfrdfile: "%[1]s/xfrd.state"
  xfrdir: "%[1]s"
  pidfile: "%[1]s/nsd.pid"
remote-control:
  control-enable: no
zone:
  name: example.test
  zonefile: example
zone:
  name: listed.test
  zonefile: listed
zone:
  name: clean.test
  zonefile: clean
`, dir)
	realserver.Start(t, exec.Command("/usr/sbin/nsd", "-d", "-c", conf), 53)
}

// mailboxes is dovecot: POP3, IMAP, both in TLS too, and LMTP. User and
// password are "ANONYMOUS", as imap.monitor has it.
func mailboxes(t *testing.T, dir string, c realserver.Certificate) {
	t.Helper()
	put(t, dir, "dovecot/passwords", "ANONYMOUS:{PLAIN}ANONYMOUS\n")
	put(t, dir, "dovecot/home/ANONYMOUS/mail/new/1.1.test", "Subject: new\nMessage-Id: <1@example.test>\n\nnew\n")
	for _, sub := range []string{"cur", "tmp"} {
		must(t, os.MkdirAll(filepath.Join(dir, "dovecot/home/ANONYMOUS/mail", sub), 0o755))
	}
	must(t, exec.Command("chown", "-R", "mail:mail", filepath.Join(dir, "dovecot/home")).Run())
	conf := put(t, dir, "dovecot.conf", `base_dir = %[1]s/dovecot/run
state_dir = %[1]s/dovecot/state
log_path = /dev/stderr
protocols = imap pop3 lmtp
listen = 127.0.0.1
ssl_cert = <%[2]s
ssl_key = <%[3]s
disable_plaintext_auth = no
auth_username_format = %%u
first_valid_uid = 1
mail_location = maildir:~/mail
passdb {
  driver = passwd-file
  args = %[1]s/dovecot/passwords
}
userdb {
  driver = static
  args = uid=mail gid=mail home=%[1]s/dovecot/home/%%u
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = 2003
  }
}
`, dir, c.Cert, c.Key)
	realserver.Start(t, exec.Command("/usr/sbin/dovecot", "-F", "-c", conf), 110, 143, 993, 995, 2003)
}

// directory is slapd.
func directory(t *testing.T, dir string, _ realserver.Certificate) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Join(dir, "ldap"), 0o755))
	conf := put(t, dir, "slapd.conf", `include /etc/ldap/schema/core.schema
pidfile %[1]s/slapd.pid
database ldif
directory %[1]s/ldap
suffix "dc=example,dc=test"
`, dir)
	entry := put(t, dir, "entry.ldif", "dn: dc=example,dc=test\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n")
	if out, err := exec.Command("/usr/sbin/slapadd", "-f", conf, "-l", entry).CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v\n%s", err, out)
	}
	realserver.Start(t, exec.Command("/usr/sbin/slapd", "-d", "0", "-h", "ldap://127.0.0.1:389", "-f", conf), 389)
}

// agent is snmpd.
func agent(t *testing.T, dir string, _ realserver.Certificate) {
	t.Helper()
	conf := put(t, dir, "snmpd.conf", "agentaddress udp:127.0.0.1:161\nrocommunity public 127.0.0.1\nsysName monhost\n")
	cmd := exec.Command("/usr/sbin/snmpd", "-f", "-Lo", "-C", "-c", conf)
	cmd.Env = append(os.Environ(), "SNMP_PERSISTENT_DIR="+dir, "MIBS=")
	realserver.Start(t, cmd)
}

// terminal is busybox telnetd that asks for a name.
func terminal(t *testing.T, dir string, _ realserver.Certificate) {
	t.Helper()
	login := put(t, dir, "login", "#!/bin/sh\nprintf 'monhost login: '\nread name\n")
	must(t, os.Chmod(login, 0o755))
	realserver.Start(t, exec.Command("busybox", "telnetd", "-F", "-b", "127.0.0.1:23", "-l", login), 23)
}

// portmapper is rpcbind.
func portmapper(t *testing.T, _ string, _ realserver.Certificate) {
	t.Helper()
	realserver.Start(t, exec.Command("/usr/sbin/rpcbind", "-f", "-w"), 111)
}

// remnant is a process whose program was replaced, for deleted-mapped.monitor.
func remnant(t *testing.T) {
	t.Helper()
	const program = "/usr/local/bin/remnant"
	text, err := os.ReadFile("/usr/bin/sleep")
	must(t, err)
	must(t, os.WriteFile(program, text, 0o755))
	realserver.Start(t, exec.Command(program, "1000"))
	must(t, os.Remove(program))
}

// ports puts the ports of this machine into words of a configuration.
func (m *machine) ports() *strings.Replacer {
	_, mon, _ := strings.Cut(m.idle.Address, ":")
	return strings.NewReplacer("SMTPS", fmt.Sprint(m.mail.Secure), "SMTP", fmt.Sprint(m.mail.Port), "REFUSING", fmt.Sprint(m.mail.Closed), "MONPORT", mon)
}
