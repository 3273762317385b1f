package ftp

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mondhq/mond/monitors/tcp/replies/repliestest"
	"github.com/mondhq/mond/plugins/plugintest/realserver"
)

const hello = "hello from vsftpd\n"

// vsftpd starts a server for anonymous users that has a file and a listing. It
// takes every password but "wrong".
func vsftpd(t *testing.T, settings ...string) (port uint16) {
	t.Helper()
	const program = "/usr/sbin/vsftpd"
	realserver.Need(t, "vsftpd", program)
	dir := realserver.Dir(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"root", "empty"} {
		must(t, os.Mkdir(at(name), 0o755))
	}
	must(t, os.WriteFile(at("root/hello.txt"), []byte(hello), 0o644))
	must(t, os.WriteFile(at("root/big"), make([]byte, 3<<20), 0o644))
	must(t, os.WriteFile(at("root/secret"), nil, 0o600))
	must(t, os.WriteFile(at("banned"), []byte("wrong\n"), 0o644))
	port = realserver.Port(t)
	settings = append([]string{
		"listen=YES", "background=NO", "listen_address=127.0.0.1", fmt.Sprint("listen_port=", port),
		"anonymous_enable=YES", "local_enable=NO", "anon_root=" + at("root"), "secure_chroot_dir=" + at("empty"),
		"deny_email_enable=YES", "banned_email_file=" + at("banned"), "delay_failed_login=0", "max_login_fails=3",
		"ftpd_banner=test server", "seccomp_sandbox=NO", "use_localtime=NO", "xferlog_enable=NO",
	}, settings...)
	if os.Geteuid() != 0 {
		settings = append(settings, "run_as_launching_user=YES")
	}
	must(t, os.WriteFile(at("vsftpd.conf"), []byte(strings.Join(settings, "\n")+"\n"), 0o600))
	realserver.Start(t, exec.Command(program, at("vsftpd.conf")), port)
	return port
}

func TestVsftpd(t *testing.T) {
	port := vsftpd(t)
	for name, tt := range map[string]struct {
		options string
		ok      bool
		want    string
	}{
		"greeting":          {"", true, `"220 test server"`},
		"banner":            {"--banner ^test", true, `"220 test server"`},
		"wrong banner":      {"--banner ^other", false, `the greeting "220 test server" does not match "^other"`},
		"anonymous":         {"--user anonymous", true, `"220 test server", logged in as anonymous`},
		"with password":     {"--user anonymous --password right", true, `"220 test server", logged in as anonymous`},
		"bad password":      {"--user anonymous --password wrong", false, `log in as anonymous: PASS: the host answered "530 Login incorrect.", want 230 or 202`},
		"nobody":            {"--user bob --password wrong", false, `USER: the host answered "530 This FTP server is anonymous only.", want 230 or 331`},
		"file":              {"--retr hello.txt", true, `"220 test server", logged in as anonymous, RETR hello.txt: 18 bytes`},
		"file that matches": {"--retr hello.txt --match ^hello", true, `"220 test server", logged in as anonymous, RETR hello.txt: 18 bytes that match`},
		"file that does not": {"--retr hello.txt --match ^goodbye", false,
			`RETR hello.txt: the data do not match "^goodbye" (18 bytes)`},
		"SHA-256":          {fmt.Sprintf("--retr hello.txt --digest sha256:%x", sha256.Sum256([]byte(hello))), true, fmt.Sprintf("*RETR hello.txt: 18 bytes, sha256:%x", sha256.Sum256([]byte(hello)))},
		"MD5":              {fmt.Sprintf("--retr hello.txt --digest MD5:%X", md5.Sum([]byte(hello))), true, fmt.Sprintf("*RETR hello.txt: 18 bytes, md5:%x", md5.Sum([]byte(hello)))},
		"digest shown":     {"--retr hello.txt --digest md5", true, fmt.Sprintf("*RETR hello.txt: 18 bytes, md5:%x", md5.Sum([]byte(hello)))},
		"wrong digest":     {"--retr hello.txt --digest md5:" + strings.Repeat("00", 16), false, fmt.Sprintf("RETR hello.txt: the digest is md5:%x, want md5:%s (18 bytes)", md5.Sum([]byte(hello)), strings.Repeat("00", 16))},
		"big":              {"--retr big --max-size 4M", true, `"220 test server", logged in as anonymous, RETR big: 3145728 bytes`},
		"cut":              {"--retr big --max-size 2M", true, `"220 test server", logged in as anonymous, RETR big: the first 2097152 bytes`},
		"exactly":          {"--retr big --max-size 3M", true, `"220 test server", logged in as anonymous, RETR big: 3145728 bytes`},
		"digest of a part": {"--retr big --max-size 2M --digest sha256", false, `RETR big: --digest needs all of it, and it has more than --max-size 2M`},
		"missing":          {"--retr nothing", false, `RETR nothing: the host answered "550 Failed to open file.", want 125 or 150`},
		"unreadable":       {"--retr secret", false, `RETR secret: the host answered "550 Failed to open file.", want 125 or 150`},
		"listing":          {"--list .", true, `"220 test server", logged in as anonymous, LIST .: * bytes`},
		"in a listing":     {"--list . --match hello[.]txt", true, `"220 test server", logged in as anonymous, LIST .: * bytes that match`},
		"not in it":        {"--list . --match nothing", false, `LIST .: the data do not match "nothing" (* bytes)`},
		"old way":          {"--retr hello.txt --follow-pasv", true, `"220 test server", logged in as anonymous, RETR hello.txt: 18 bytes`},
		"no TLS":           {"--tls --insecure", false, `AUTH TLS: the host answered "530 Please login with USER and PASS.", want 234`},
	} {
		t.Run(name, func(t *testing.T) { repliestest.Judged(t, check(t, port, tt.options), tt.ok, tt.want) })
	}
}

func TestVsftpdWithoutEPSV(t *testing.T) {
	port := vsftpd(t, "cmds_denied=EPSV", "pasv_address=192.0.2.1")
	repliestest.Judged(t, check(t, port, "--retr hello.txt"), true,
		`"220 test server", logged in as anonymous, RETR hello.txt: 18 bytes; to PASV it names 192.0.2.1, which was not followed (--follow-pasv would)`)
	repliestest.Judged(t, check(t, port, "--retr hello.txt --follow-pasv --source 127.0.0.1 -t 500ms"), false, `*data connection: connect to 192.0.2.1:*`)
}

// dial connects for the length of a test.
func dial(t *testing.T, port uint16) *repliestest.Peer {
	t.Helper()
	c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return repliestest.NewPeer(c)
}

func TestVsftpdIsFull(t *testing.T) {
	port := vsftpd(t, "max_per_ip=1")
	for !strings.HasPrefix(dial(t, port).Heard(), "220") {
		// the connection that found out whether it listens is not over yet
	}
	repliestest.Judged(t, check(t, port, ""), false, `greeting: the host answered "421 There are too many connections from your internet address.", want 220 or 120`)
}

func TestVsftpdWithTLS(t *testing.T) {
	cert := realserver.NewCertificate(t)
	secure := []string{"ssl_enable=YES", "allow_anon_ssl=YES", "rsa_cert_file=" + cert.Cert, "rsa_private_key_file=" + cert.Key, "ssl_ciphers=HIGH"}
	greeted := `"220 test server", TLS 1.3, logged in as anonymous`
	for name, tt := range map[string]struct {
		settings []string
		options  string
		ok       bool
		want     string
	}{
		"session wanted": {[]string{"require_ssl_reuse=YES"}, "--tls --ca " + cert.Cert + " --retr hello.txt", true, greeted + ", RETR hello.txt: 18 bytes"},
		"listing":        {[]string{"require_ssl_reuse=YES"}, "--tls --ca " + cert.Cert + " --list . --match hello", true, greeted + ", LIST .: * bytes that match"},
		"cut":            {nil, "--tls --ca " + cert.Cert + " --retr big --max-size 1M", true, greeted + ", RETR big: the first 1048576 bytes"},
		"big":            {nil, "--tls --ca " + cert.Cert + " --retr big --max-size 4M", true, greeted + ", RETR big: 3145728 bytes"},
		"old way":        {[]string{"cmds_denied=EPSV"}, "--tls --ca " + cert.Cert + " --retr hello.txt", true, greeted + ", RETR hello.txt: 18 bytes"},
		"no session":     {[]string{"require_ssl_reuse=NO"}, "--tls --ca " + cert.Cert + " --retr hello.txt", true, greeted + ", RETR hello.txt: 18 bytes"},
		"missing":        {nil, "--tls --ca " + cert.Cert + " --retr nothing", false, `RETR nothing: the host answered "550 Failed to open file.", want 125 or 150`},
		"not trusted":    {nil, "--tls", false, "TLS handshake as 127.0.0.1: x509: certificate signed by unknown authority *"},
		"trusting all":   {nil, "--tls --insecure --user ftp", true, `"220 test server", TLS 1.3, logged in as ftp`},
		"wrong name":     {nil, "--tls --sni other --ca " + cert.Cert, false, "TLS handshake as other: x509: certificate is valid for *"},
		"implicit":       {[]string{"implicit_ssl=YES"}, "--tls-implicit --ca " + cert.Cert + " --retr hello.txt", true, `TLS 1.3, "220 test server", logged in as anonymous, RETR hello.txt: 18 bytes`},
		"implicit, not trusted": {[]string{"implicit_ssl=YES"}, "--tls-implicit", false,
			"TLS handshake as 127.0.0.1: x509: certificate signed by unknown authority *"},
		"plain where TLS is": {[]string{"implicit_ssl=YES"}, "-t 500ms", false, "no answer in T: wait for the greeting; nothing came"},
		"plain is refused": {[]string{"force_anon_logins_ssl=YES"}, "--user anonymous", false,
			`USER: the host answered "530 Anonymous sessions must use encryption.", want 230 or 331`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repliestest.Judged(t, check(t, vsftpd(t, append(secure, tt.settings...)...), tt.options), tt.ok, tt.want)
		})
	}
}
