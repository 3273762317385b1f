package dnsmon

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// zone is a zone file of which nsd makes example.test.
func zone(serial int) string {
	var long strings.Builder
	for i := range 40 {
		fmt.Fprintf(&long, "long TXT \"string %02d of those that make this answer too long for a datagram\"\n", i)
	}
	return fmt.Sprintf(`$ORIGIN example.test.
$TTL 300
@     SOA ns1 hostmaster %d 3600 900 604800 60
@     NS  ns1
@     MX  10 mail
@     MX  20 Mail2
@     TXT "v=spf1 " "-all"
ns1   A   127.0.0.1
www   A   192.0.2.1
www   A   192.0.2.2
www   AAAA 2001:db8::1
mail  A   192.0.2.1
short 5 A 192.0.2.9
alias CNAME www
off   CNAME www.example.com.
sub   NS  ns.elsewhere.test.
%s`, serial, long.String())
}

// nsd starts Debian's nsd at 127.0.0.1 and, with an older serial, at 127.0.0.2.
func nsd(t *testing.T) (port, tlsPort uint16, ca string) {
	t.Helper()
	program, err := exec.LookPath("nsd")
	if err != nil {
		program = "/usr/sbin/nsd"
	}
	if _, err := os.Stat(program); err != nil {
		missing(t, "nsd is not here (Debian: nsd)")
	}
	dir := t.TempDir()
	ca = certify(t, dir)
	port, tlsPort = freePort(t), freePort(t)
	start(t, program, filepath.Join(dir, "one"), "127.0.0.1", port, tlsPort, dir, 2026010105)
	start(t, program, filepath.Join(dir, "two"), "127.0.0.2", port, tlsPort, dir, 2026010102)
	return port, tlsPort, ca
}

// missing skips, or fails where skipping is not allowed.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("MOND_NOSKIP") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// freePort is one that is free for UDP and TCP on 127.0.0.1 and 127.0.0.2.
func freePort(t *testing.T) uint16 {
	t.Helper()
	for range 50 {
		port, ok := tryPort()
		if ok {
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func tryPort() (uint16, bool) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, false
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).AddrPort().Port()
	for _, at := range []string{"127.0.0.1", "127.0.0.2"} {
		c, err := net.ListenPacket("udp", fmt.Sprintf("%s:%d", at, port))
		if err != nil {
			return 0, false
		}
		defer c.Close()
	}
	other, err := net.Listen("tcp", fmt.Sprintf("127.0.0.2:%d", port))
	if err != nil {
		return 0, false
	}
	other.Close()
	return port, true
}

// start starts one nsd and returns when it serves.
func start(t *testing.T, program, dir, at string, port, tlsPort uint16, keys string, serial int) {
	t.Helper()
	conf := fmt.Sprintf(`server:
  ip-address: %[1]s@%[2]d
  ip-address: %[1]s@%[3]d
  port: %[2]d
  tls-port: %[3]d
  tls-service-key: "%[5]s/key.pem"
  tls-service-pem: "%[5]s/cert.pem"
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "%[4]s"
  zonelistfile: "%[4]s/zone.list"
  xfrdfile: "%[4]s/xfrd.state"
  xfrdir: "%[4]s"
  pidfile: "%[4]s/pid"
remote-control:
  control-enable: no
zone:
  name: example.test
  zonefile: zone
`, at, port, tlsPort, dir, keys)
	must(t, os.Mkdir(dir, 0o700))
	must(t, os.WriteFile(dir+"/conf", []byte(conf), 0o600))
	must(t, os.WriteFile(dir+"/zone", []byte(zone(serial)), 0o600))
	cmd := exec.Command(program, "-d", "-c", dir+"/conf")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	said, err := cmd.StderrPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		_ = cmd.Wait()
	})
	var log strings.Builder
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		log.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "nsd started") {
			return // what more it says is little and fits in the pipe
		}
	}
	t.Fatalf("nsd does not start:\n%s", log.String())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestNSD(t *testing.T) {
	port, tlsPort, ca := nsd(t)
	for name, tt := range map[string]struct {
		options string
		ok      bool
		want    string
	}{
		"A":                   {"-n www.example.test", true, "A www.example.test. NOERROR, 192.0.2.1, 192.0.2.2"},
		"case, dot":           {"-n WWW.Example.test.", true, "A WWW.Example.test. NOERROR, 192.0.2.1, 192.0.2.2"},
		"AAAA":                {"-n www.example.test --type aaaa --expect 2001:DB8::1 --match exact", true, "AAAA www.example.test. NOERROR, 2001:db8::1"},
		"alias":               {"-n alias.example.test --expect 192.0.2.2", true, "A alias.example.test. NOERROR, 192.0.2.1, 192.0.2.2"},
		"alias outside":       {"-n off.example.test", false, "A off.example.test.: the answer has other records, but none that was asked for: www.example.com."},
		"alias as such":       {"-n off.example.test --type CNAME --answer ^www", true, "CNAME off.example.test. NOERROR, www.example.com."},
		"MX":                  {"-n example.test --type MX --expect 20_MAIL2.example.test,10_mail.example.test. --match exact", true, "MX example.test. NOERROR, 10 mail.example.test., 20 mail2.example.test."},
		"TXT":                 {"-n example.test --type TXT --expect v=spf1_-all", true, `TXT example.test. NOERROR, "v=spf1 -all"`},
		"TXT in quotes":       {`-n example.test --type TXT --expect "v=spf1_","-all"`, false, `TXT example.test.: "v=spf1 ", "-all" is missing, there is "v=spf1 -all"`},
		"truncated":           {"-n long.example.test --type TXT --min-answers 40 --answer string.39", true, "TXT long.example.test. NOERROR, *"},
		"tcp":                 {"-n long.example.test --type TXT --min-answers 40 --tcp", true, "TXT long.example.test. NOERROR, *"},
		"edns":                {"-n long.example.test --type TXT --min-answers 41 --edns 4096", false, "TXT long.example.test.: the answer has 40 records, want 41"},
		"authority":           {"-n www.example.test --authoritative", true, "A www.example.test. NOERROR, 192.0.2.1, 192.0.2.2"},
		"a delegation":        {"-n x.sub.example.test --authoritative", false, "A x.sub.example.test.: the answer is not authoritative"},
		"no recursion":        {"-n www.example.test --recursion offered", false, "A www.example.test.: the server offers no recursion"},
		"recursion denied":    {"-n www.example.test --recursion denied", true, "A www.example.test. NOERROR, 192.0.2.1, 192.0.2.2"},
		"unknown name":        {"-n no.example.test", false, "A no.example.test.: the answer is NXDOMAIN, want NOERROR"},
		"unknown as wanted":   {"-n no.example.test --rcode NXDOMAIN", true, "A no.example.test. NXDOMAIN"},
		"foreign zone":        {"-n www.example.com", false, "A www.example.com.: the answer is REFUSED*"},
		"empty":               {"-n www.example.test --type MX", false, "MX www.example.test.: the answer is empty (NOERROR without records)"},
		"empty is well":       {"-n www.example.test --type MX --min-answers 0", true, "MX www.example.test. NOERROR"},
		"one of them":         {"-n www.example.test --expect 192.0.2.7,192.0.2.1 --match any", true, "A www.example.test. NOERROR, 192.0.2.1, 192.0.2.2"},
		"none of them":        {"-n www.example.test --expect 192.0.2.7,192.0.2.8 --match any", false, "A www.example.test.: none of 192.0.2.7, 192.0.2.8 is there, but 192.0.2.1, 192.0.2.2"},
		"one is missing":      {"-n www.example.test --expect 192.0.2.7,192.0.2.1", false, "A www.example.test.: 192.0.2.7 is missing, there is 192.0.2.1, 192.0.2.2"},
		"one too many":        {"-n www.example.test --expect 192.0.2.1 --match exact", false, "A www.example.test.: there is 192.0.2.2 as well"},
		"no match":            {"-n www.example.test --answer ^10", false, `A www.example.test.: none of the records matches "^10": 192.0.2.1, 192.0.2.2`},
		"ttl":                 {"-n short.example.test --ttl-min 60", false, "A short.example.test.: 192.0.2.9 has 5 seconds to live, want 60"},
		"unsigned":            {"-n www.example.test --dnssec", false, "A www.example.test.: the answer is neither called authentic nor signed (DNSSEC)"},
		"any type":            {"-n www.example.test --type ANY", true, "ANY www.example.test. NOERROR, *"},
		"server's name":       {"-n id.server --class CH --type TXT", true, "TXT id.server. NOERROR, *"},
		"zone":                {"--zone example.test", true, "SOA example.test. NOERROR, serial 2026010105"},
		"two zones, one here": {"--zone example.test --zone example.com", false, "1 of 2 questions: SOA example.com.: the answer is REFUSED*"},
		"below the zone":      {"--zone www.example.test", false, "SOA www.example.test.: the answer is empty (NOERROR without records)"},
		"query":               {"--query www.example.test --query example.test:MX --query example.test:soa", true, "3 questions answered as they should be"},
		"query, value":        {"--query www.example.test:A:192.0.2.2", true, "A www.example.test. NOERROR, 192.0.2.1, 192.0.2.2"},
		"query, IPv6":         {"--query www.example.test:AAAA:2001:db8::1", true, "AAAA www.example.test. NOERROR, 2001:db8::1"},
		"query, name":         {"--query www.example.test:A:mail.example.test", true, "A www.example.test. NOERROR, 192.0.2.1, 192.0.2.2"},
		"query, other name":   {"--query www.example.test:A:short.example.test", false, "A www.example.test.: it shares no record with short.example.test.: 192.0.2.1, 192.0.2.2 against 192.0.2.9"},
		"query, no name":      {"--query www.example.test:A:no.example.test", false, "A www.example.test.: compare: A no.example.test.: the answer is NXDOMAIN, want NOERROR"},
		"query, other value":  {"--query www.example.test:A:192.0.2.9", false, "A www.example.test.: 192.0.2.9 is missing, there is 192.0.2.1, 192.0.2.2"},
		"cache":               {"--caching_only --query www.example.test --retry 3 --retransmit 1 --timeout 5", true, "A www.example.test. NOERROR, 192.0.2.1, 192.0.2.2"},
		"not a cache's":       {"--query x.sub.example.test", false, "A x.sub.example.test.: the answer is not authoritative"},
		"debug":               {"-n short.example.test --debug", true, "A short.example.test. NOERROR [short.example.test. 5 IN A 192.0.2.9]"},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, "127.0.0.1", port, tt.options)
			judged(t, r, tt.ok, "127.0.0.1: "+tt.want)
		})
	}
	t.Run("tls", func(t *testing.T) {
		r := check(t, "127.0.0.1", tlsPort, "--tls --ca "+ca+" -n long.example.test --type TXT --min-answers 40")
		judged(t, r, true, "127.0.0.1: TXT long.example.test. NOERROR, *")
		r = check(t, "127.0.0.1", tlsPort, "--tls -n www.example.test")
		judged(t, r, false, "127.0.0.1: TLS handshake as 127.0.0.1: *")
		r = check(t, "127.0.0.1", port, "-t 2 --tls --insecure -n www.example.test")
		judged(t, r, false, "127.0.0.1: *")
	})
	t.Run("masters", func(t *testing.T) { masters(t, port) })
}

// masters compares the two servers.
func masters(t *testing.T, port uint16) {
	for name, tt := range map[string]struct {
		hosts, options string
		exit           int
		summary        string
		detail         string
	}{
		"behind":       {"127.0.0.2", "--master 127.0.0.1", 1, "127.0.0.2", "127.0.0.2: SOA example.test.: serial 2026010102, the master has 2026010105"},
		"near enough":  {"127.0.0.2", "--master 127.0.0.1 --serial_threshold 3", 0, "", "127.0.0.2: SOA example.test. NOERROR, serial 2026010102"},
		"nearly":       {"127.0.0.2", "--master 127.0.0.1 --serial_threshold 2", 1, "127.0.0.2", "127.0.0.2: SOA example.test.: serial 2026010102, *"},
		"itself":       {"127.0.0.1", "--master 127.0.0.1", 0, "", "127.0.0.1: SOA example.test. NOERROR, serial 2026010105"},
		"by name":      {"one two", "--master one", 1, "two", "two: SOA example.test.: serial 2026010102, the master has 2026010105*"},
		"ahead":        {"127.0.0.1", "--master 127.0.0.2", 1, "127.0.0.1", "127.0.0.1: SOA example.test.: serial 2026010105, the master has 2026010102"},
		"disagree":     {"127.0.0.1", "--master 127.0.0.1 --master 127.0.0.2", 252, "127.0.0.1 127.0.0.2", "master 127.0.0.1 127.0.0.2: SOA example.test.: their serials differ: 2026010105 and 2026010102*"},
		"agree enough": {"127.0.0.1", "--master 127.0.0.2 --master 127.0.0.1 --serial_threshold 5", 0, "", "127.0.0.1: SOA example.test. NOERROR, serial 2026010105"},
		"dead":         {"127.0.0.1", "--master 127.0.0.3", 252, "127.0.0.3", "master 127.0.0.3: SOA example.test.: ask 127.0.0.3:P: connection refused*"},
		"both dead":    {"127.0.0.1 127.0.0.4", "--master 127.0.0.3", 252, "127.0.0.3 127.0.0.4", "master 127.0.0.3: SOA example.test.: ask 127.0.0.3:P: connection refused*"},
		"one dead":     {"127.0.0.1", "--master 127.0.0.3 --master 127.0.0.1", 0, "master 127.0.0.3 failed, another did not", "master 127.0.0.3: SOA example.test.: ask 127.0.0.3:P: connection refused*"},
		"failsingle":   {"127.0.0.1", "--master 127.0.0.3 --master 127.0.0.1 --failsingle", 251, "127.0.0.3", "master 127.0.0.3: SOA example.test.: ask 127.0.0.3:P: connection refused*"},
		"no authority": {"127.0.0.1", "--zone sub.example.test --master 127.0.0.1", 252, "127.0.0.1", "master 127.0.0.1: SOA sub.example.test.: the answer is not authoritative*"},
		"count":        {"127.0.0.2 127.0.0.5 127.0.0.1 127.0.0.4", "--master 127.0.0.1", 3, "127.0.0.2 127.0.0.4 127.0.0.5", "127.0.0.2: *"},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, tt.hosts, port, "--zone example.test "+tt.options)
			if r.Blind() || r.Exit != tt.exit || r.Summary != tt.summary {
				t.Errorf("%v, exit %d, %q; want %d, %q", r.Cause, r.Exit, r.Summary, tt.exit, tt.summary)
			}
			judged(t, r, tt.exit == 0, tt.detail)
		})
	}
	r := check(t, "127.0.0.1", port, "--zone example.test --master nobody")
	if r.Cause != monitorLocal || !strings.Contains(r.Summary, "no serial of a master to compare with: name nobody has no address") {
		t.Errorf("a master without an address: %v, %s", r.Cause, r.Output())
	}
}
