package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// clientSite is a watch of a trap alone and one of a monitor.
const clientSite = `hostgroup web w1 w2

hostgroup bell b1

watch web
    service up
        interval 1h
        monitor fine.monitor
        period
            alert note.alert

watch bell
    service rings
        period
            alert note.alert
            upalert note.alert
`

// alice may do everything, bob may look; both have the password "secret".
const clientAuth = `command section
list: all
test: alice
term: alice
disable: alice
reload: alice

trap section
127.0.0.1 ringer $5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA
`

func clientFiles() map[string]string {
	return map[string]string{
		"mon.d/fine.monitor": "#!/bin/sh\nexit 0\n",
		"alert.d/note.alert": "#!/bin/sh\necho \"$MON_ALERTTYPE $MON_GROUP $MON_SERVICE $(head -n 1)\" >>DIR/told\n",
		"auth.cf":            clientAuth,
		"users":              "alice: $5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA\n",
	}
}

// startClients starts mond with those files and more variables.
func startClients(t *testing.T, variables string) *daemons.Daemon {
	t.Helper()
	return daemons.Mond(t, daemons.Site{
		Config: "authtype = userfile\nuserfile = DIR/users\n" + variables + clientSite, Files: clientFiles(),
	})
}

func wantStatus(t *testing.T, c *daemons.Client, command, want string) {
	t.Helper()
	if _, got := c.Ask(command); got != want {
		t.Errorf("%s: %q, want %q", command, got, want)
	}
}

// A client logs in, does what it may and no more, and ends the daemon.
func TestClientsOfMon(t *testing.T) {
	d := startClients(t, "")
	c := d.Dial()
	wantStatus(t, c, "disable service web up", "520 command could not be executed, unknown command")
	wantStatus(t, c, "login alice wrong", "530 login unsuccessful")
	wantStatus(t, c, "login alice secret", "220 login accepted")
	wantStatus(t, c, "disable service web up", "220 disable service completed")
	if data, _ := c.Ask("list disabled"); !slices.Equal(data, []string{"watch web service up"}) {
		t.Errorf("disabled: %q", data)
	}
	d.Until("mon's state file has it", func() bool { return d.Read("state/disabled") == "disable service web up\n" })
	wantStatus(t, c, "test config", "220 test config completed OK, no errors found")
	d.File("mon.cf", d.Read("mon.cf")+"\nwatch web\n")
	data, status := c.Ask("test config")
	if status != "520 test config completed, errors found in config file" || !strings.Contains(strings.Join(data, "\n"), "mon.cf:") {
		t.Errorf("a bad file: %q, %q", data, status)
	}
	d.File("auth.cf", strings.Replace(clientAuth, "list: all", "list: alice", 1))
	wantStatus(t, c, "reload auth", "220 reload completed")
	wantStatus(t, d.Dial(), "list state", "520 command could not be executed, unknown command")
	if log := d.Read("output"); strings.Contains(log, "secret") || strings.Contains(log, "login alice") || !strings.Contains(log, "test config") {
		t.Error("a password is in the log, or no command")
	}
	wantStatus(t, c, "term", "220 terminating server")
	if code := d.Wait(); code != 0 {
		t.Errorf("told to end, mond exits with %d", code)
	}
}

// The same protocol in TLS, with the certificate that the file names.
func TestClientsWithTLS(t *testing.T) {
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	writePair(t, cert, key, 7, time.Now())
	port := daemons.FreePort(t)
	d := startClients(t, "tlsport = "+port+"\ntlscert = "+cert+"\ntlskey = "+key+"\n")
	pool, text := x509.NewCertPool(), readFile(t, cert)
	pool.AppendCertsFromPEM([]byte(text))
	var conn *tls.Conn
	d.Until("the port with TLS is open", func() (open bool) {
		c, err := tls.Dial("tcp", "127.0.0.1:"+port, &tls.Config{RootCAs: pool, ServerName: "director"})
		conn = c
		return err == nil
	})
	defer conn.Close()
	if _, err := conn.Write([]byte("list state\n")); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || line != "scheduler running\n" {
		t.Errorf("%q, %v", line, err)
	}
}

// Traps are judged, routed and told of; monctl sends them.
func TestTraps(t *testing.T) {
	d := startClients(t, "")
	send := func(password string, words ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), filepath.Join(binDir, "monctl"), append([]string{"trap", "-U", "ringer", "--group", "bell", "--service", "rings"}, append(words, d.Address)...)...)
		cmd.Env = append(os.Environ(), "MON_TRAP_PASS="+password)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	send("wrong", "--status", "1", "--summary", "forged")
	send("secret", "--status", "3", "--summary", "it rings")
	d.Until("the alert is called", func() bool { return strings.Contains(d.Read("told"), "trap bell rings it rings") })
	send("secret", "--status", "0", "--summary", "silence")
	d.Until("the upalert is called", func() bool { return strings.Contains(d.Read("told"), "up bell rings it rings") })
	if told := d.Read("told"); strings.Contains(told, "forged") {
		t.Errorf("a forged trap was taken:\n%s", told)
	}
}

// Nobody who did not ask for mon's ports gets them; who asked and cannot have
// them is told.
func TestPortsOfMon(t *testing.T) {
	s := newSite(t)
	s.configure("\nhostgroup web w1\n\nwatch web\n    service up\n        period\n            alert note.alert\n")
	if err := os.MkdirAll(s.path("alert.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path("alert.d/note.alert"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.start()
	if log := readFile(t, s.log); !strings.Contains(log, "mon's clients are not served") {
		t.Errorf("nothing says that no port is open:\n%s", log)
	}
	s.stop()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, tt := range []struct{ name, variables, want string }{
		{"auth file missing", "serverbind = 127.0.0.1\nserverport = " + daemons.FreePort(t) + "\ncfbasedir = " + s.dir + "/none\n", "auth.cf"},
		{"port taken", "serverbind = 127.0.0.1\nserverport = " + strconv.Itoa(l.Addr().(*net.TCPAddr).Port) + "\n", "address already in use; set serverbind and serverport"},
		{"no certificate", "tlsport = " + daemons.FreePort(t) + "\n", "tlsport without a certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := s.head() + "trapbind = 127.0.0.1\ntrapport = " + daemons.FreePort(t) + "\n" + tt.variables + "\nhostgroup web w1\n\nwatch web\n    service up\n        period\n            alert note.alert\n"
			if err := os.WriteFile(s.path("mon.cf"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), filepath.Join(binDir, "mond"), "-c", s.path("mon.cf"), "--log", "stderr").CombinedOutput()
			if err == nil || !strings.Contains(string(out), tt.want) {
				t.Errorf("%v, want %q in\n%s", err, tt.want, out)
			}
		})
	}
}

// mon's way to give -l and -M.
func TestOptionsThatMayStandAlone(t *testing.T) {
	for _, tt := range []struct {
		args  []string
		state string
		m4    string
	}{
		{[]string{"-l"}, "disabled", ""},
		{[]string{"-l", "all"}, "all", ""},
		{[]string{"-l", "-S"}, "disabled", ""},
		{[]string{"--loadstate=opstatus"}, "opstatus", ""},
		{[]string{"-M", "-l", "none"}, "none", "m4"},
		{[]string{"-M", "/usr/bin/m4"}, "", "/usr/bin/m4"},
	} {
		o, err := parseFlags(tt.args)
		if err != nil || o.loadState != tt.state || o.m4 != tt.m4 {
			t.Errorf("%q: state %q, m4 %q, %v", tt.args, o.loadState, o.m4, err)
		}
	}
	if _, err := parseFlags([]string{"-l", "some"}); err == nil {
		t.Error("-l some was taken")
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
