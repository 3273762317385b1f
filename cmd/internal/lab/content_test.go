package lab

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The example of distribution by content does what it says: a real whose shop is
// dead leaves though its nginx lives, and one that is drained loses no request.
func TestContent(t *testing.T) {
	newCluster(t)
	director.run(t, "ipvsadm -C")
	text, err := os.ReadFile("../../../etc/examples/content/mond.cf")
	must(t, err)
	var shop func()
	for _, rs := range []node{rs1, rs2} {
		rs.web(t, "down")
		startNginx(t, rs)
		shop = startShop(t, rs)
	}
	install(t, strings.NewReplacer("alert mail.alert root", "alert file.alert "+filepath.Join(t.TempDir(), "told"), "ramp 60s", "ramp 10s").Replace(string(text)))
	d := startMond(t)
	full1, full2 := "-a -t 10.0.0.3:80 -r 192.168.0.1:80 -g -w 10", "-a -t 10.0.0.3:80 -r 192.168.0.2:80 -g -w 10"
	untilTable(t, d, service, full1, full2)
	d.is(t, "nginx1:alive", "ok")
	d.is(t, "nginx2:alive", "ok")
	wantAnswers(t, virtualURL+"name", 10, rs1, rs2)
	wantAnswers(t, virtualURL+"shop/name", 10, rs1, rs2)

	shop()
	untilTable(t, d, service, full1)
	wantAnswers(t, virtualURL+"shop/name", 10, rs1)
	startShop(t, rs2)
	untilTable(t, d, service, full1, full2)

	director.run(t, "ipvsadm --set 900 1 300")
	slow := download(t, virtualURL+"big")
	from := busy(t)
	monctl(t, "drain", from)
	wantOne(t, map[string]node{"nginx1": rs2, "nginx2": rs1}[from])
	if got, err := io.Copy(io.Discard, slow); err != nil || got != bigSize {
		t.Errorf("the client got %d bytes of %d (%v)", got, bigSize, err)
	}
	slow.Close()
	untilTable(t, d, service, map[string]string{"nginx1": full2, "nginx2": full1}[from])
	d.end(t, syscall.SIGTERM)
}

// bigSize is that of a file that no socket's buffers hold.
const bigSize = 24 << 20

// download begins a download from the client; it goes on as far as it is read.
func download(t *testing.T, url string) io.ReadCloser {
	t.Helper()
	dial := func(ctx context.Context, network, addr string) (c net.Conn, err error) {
		err = client.enter(func() (err error) {
			c, err = (&net.Dialer{}).DialContext(ctx, network, addr)
			return err
		})
		return c, err
	}
	web := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	answer, err := web.Get(url)
	must(t, err)
	t.Cleanup(func() { answer.Body.Close() })
	return answer.Body
}

// busy is the real that has a connection.
func busy(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(director.run(t, "ipvsadm -Lnc")) {
		if f := strings.Fields(line); len(f) == 6 && f[2] == "ESTABLISHED" {
			return map[string]string{"192.168.0.1:80": "nginx1", "192.168.0.2:80": "nginx2"}[f[5]]
		}
	}
	t.Fatal("nobody has the client's connection")
	return ""
}

// wantOne fails the test unless new clients get this real only.
func wantOne(t *testing.T, rs node) {
	t.Helper()
	wantAnswers(t, virtualURL+"name", 10, rs)
}

// startNginx starts the example's nginx on a real server.
func startNginx(t *testing.T, rs node) {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	config, err := os.ReadFile("../../../etc/examples/content/nginx.conf")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "nginx.conf"), append([]byte("user root;\n"), config...), 0o644))
	must(t, os.MkdirAll(filepath.Join(dir, "files"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "files", "name"), []byte(string(rs)+"\n"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "files", "big"), make([]byte, bigSize), 0o644))
	cmd := rs.command(context.Background(), "nginx", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-g", "daemon off;")
	begin(t, cmd)
	until(t, nil, "nginx listens", func() bool { return strings.Contains(rs.run(t, "ss -ltn"), ":80 ") })
}

// startShop starts what is behind nginx; kill kills it.
func startShop(t *testing.T, rs node) (kill func()) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"alive": "alive\n", "name": string(rs) + "\n"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return begin(t, rs.command(context.Background(), "busybox", "httpd", "-f", "-p", "127.0.0.1:8081", "-h", dir))
}

// begin starts a program that ends with the test, or when kill is called: by
// SIGTERM, for nginx has workers that would outlive it. So its context must not
// be the test's, which kills.
func begin(t *testing.T, cmd *exec.Cmd) (kill func()) {
	t.Helper()
	must(t, cmd.Start())
	kill = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
	t.Cleanup(kill)
	return kill
}
