package trapalert

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mondhq/mond/alerts/internal/alerttest"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/trap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func alertLine(words ...string) (*Alert, error) { return alerttest.Line[*Alert](New, words...) }

func mustLine(t *testing.T, words ...string) *Alert {
	t.Helper()
	return alerttest.Must[*Alert](t, New, words...)
}

func request() alert.Request {
	return alert.Request{
		ID: "1", Group: "web", Service: "http", Kind: alert.Failure, Hosts: []string{"web1", "web2"}, Summary: "web2",
		Output: "web2\nconnection 'refused'\n\\20\n", Exit: 3, At: time.Unix(1700000000, 0), Env: map[string]string{},
	}
}

// daemon listens for traps on the loopback.
func daemon(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	check(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func receive(t *testing.T, c *net.UDPConn) string {
	t.Helper()
	check(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	b := make([]byte, trap.MaxPacket)
	n, err := c.Read(b)
	check(t, err)
	return string(b[:n])
}

func TestValidate(t *testing.T) {
	rows := []struct{ words, bad string }{
		{"mon.example.com", ""},
		{"-U u -P p -o 1 a b:2583 [::1]:99 ::1 192.0.2.1", ""},
		{"-o warn -U u --password-file /f a", ""},
		{"", "no host"},
		{"-U u", "no host"},
		{"a:0", "no HOST[:PORT]"},
		{"a:mon", "no HOST[:PORT]"},
		{"a:70000", "no HOST[:PORT]"},
		{"http://a", "no HOST[:PORT]"},
		{"-- -x", "no HOST[:PORT]"},
		{"-o bad a", "such as fail, ok"},
		{"-o 10 a", "from 0 to 9"},
		{"-P p --password-file f a", "only one"},
		{"--timeout 0s a", "more than 0"},
	}
	for _, r := range rows {
		t.Run(r.words, func(t *testing.T) {
			_, err := alertLine(strings.Fields(r.words)...)
			if r.bad == "" {
				check(t, err)
			} else if err == nil || !strings.Contains(err.Error(), r.bad) {
				t.Errorf("error is %v, want %q", err, r.bad)
			}
		})
	}
}

func TestPacket(t *testing.T) {
	c := daemon(t)
	file := filepath.Join(t.TempDir(), "password")
	check(t, os.WriteFile(file, []byte("s'p\nother\n"), 0o600))
	check(t, mustLine(t, "-U", "trapper", "--password-file", file, c.LocalAddr().String()).Alert(t.Context(), request()))
	want := "pro='0.3807'\nusr='trapper'\npas='s\\27p'\nspc='0'\nseq='0'\ntyp='trap'\ngrp='web'\nsvc='http'\nsta='3'\nspc='0'\n" +
		"tsp='1700000000'\nsum='web2'\ndtl='connection\\20\\27refused\\27\\0a\\\\20'\n"
	if d := cmp.Diff(want, receive(t, c)); d != "" {
		t.Error(d)
	}
}

func TestKinds(t *testing.T) {
	rows := []struct {
		kind       alert.Kind
		exit, stat int
		option     string
		sta, spc   int
		silent     bool
	}{
		{alert.Failure, 3, 0, "", 3, 0, false},
		{alert.Failure, 0, 0, "", 1, 0, false},
		{alert.Unset, 2, 0, "", 2, 0, false},
		{alert.Up, 4, 1, "", 0, 1, false},
		{alert.Trap, 1, 0, "linkdown", 1, 4, false},
		{alert.TrapTimeout, 0, 6, "", 1, 6, false},
		{alert.Startup, 0, 1, "5", 0, 5, false},
		{alert.Test, 1, 0, "", 1, 0, false},
		{alert.Ack, 1, 0, "", 0, 0, true},
		{alert.Disable, 0, 0, "", 0, 0, true},
	}
	for _, r := range rows {
		t.Run(fmt.Sprintf("%v %d", r.kind, r.exit), func(t *testing.T) {
			c := daemon(t)
			words := []string{c.LocalAddr().String()}
			if r.option != "" {
				words = append([]string{"-o", r.option}, words...)
			}
			req := request()
			req.Kind, req.Exit, req.Status = r.kind, r.exit, r.stat
			check(t, mustLine(t, words...).Alert(t.Context(), req))
			if r.silent {
				check(t, c.SetReadDeadline(time.Unix(1, 0)))
				if n, err := c.Read(make([]byte, 1)); err == nil {
					t.Errorf("%d bytes came", n)
				}
				return
			}
			got, problems := trap.Parse([]byte(receive(t, c)))
			if got.Status != r.sta || got.OpStatus != r.spc || len(problems) > 0 || got.Check() != nil {
				t.Errorf("%+v %v", got, problems)
			}
		})
	}
}

func TestWhoSends(t *testing.T) {
	rows := []struct {
		name, user, password string
		words                []string
		env                  map[string]string
	}{
		{"nobody", "", "", nil, nil},
		{"options", "u", "p", []string{"-U", "u", "-P", "p"}, nil},
		{"variables go before", "v", "q", []string{"-U", "u", "-P", "p"}, map[string]string{"MON_TRAP_USER": "v", "MON_TRAP_PASS": "q"}},
		{"one of each", "u", "q", []string{"-U", "u"}, map[string]string{"MON_TRAP_PASS": "q"}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			c := daemon(t)
			req := request()
			req.Env = r.env
			check(t, mustLine(t, append(r.words, c.LocalAddr().String())...).Alert(t.Context(), req))
			got, _ := trap.Parse([]byte(receive(t, c)))
			if got.User != r.user || got.Password != r.password {
				t.Errorf("%q, %q", got.User, got.Password)
			}
		})
	}
}

// TestTheOthersAreToldOnce: one host does not listen at first.
func TestTheOthersAreToldOnce(t *testing.T) {
	here, gone := daemon(t), daemon(t)
	address := gone.LocalAddr().(*net.UDPAddr)
	check(t, gone.Close())
	a := mustLine(t, here.LocalAddr().String(), address.String())
	for range 2 {
		err := a.Alert(t.Context(), request())
		if err == nil || alert.IsPermanent(err) || !strings.Contains(err.Error(), "nobody listens at UDP "+address.String()) {
			t.Fatal(err)
		}
	}
	back, err := net.ListenUDP("udp", address)
	check(t, err)
	defer back.Close()
	check(t, a.Alert(t.Context(), request()))
	receive(t, back)
	receive(t, here)
	check(t, here.SetReadDeadline(time.Unix(1, 0)))
	if _, err := here.Read(make([]byte, 1)); err == nil {
		t.Error("the host that had it was told again")
	}
	if a.memory.Len() != 0 {
		t.Error("remembered for nothing")
	}
}

func TestLongTextsAreCut(t *testing.T) {
	c := daemon(t)
	r := request()
	r.Output = "web2\n" + strings.Repeat("refused \n", 100_000)
	check(t, mustLine(t, c.LocalAddr().String()).Alert(t.Context(), r))
	packet := receive(t, c)
	got, problems := trap.Parse([]byte(packet))
	if len(packet) > maxPacket || len(packet) < maxPacket-6 || got.Summary != "web2" || !strings.HasSuffix(got.Detail, "...") || len(problems) > 0 {
		t.Errorf("%d bytes, summary %q, %v", len(packet), got.Summary, problems)
	}
	r.Group = strings.Repeat("g", maxPacket)
	if err := mustLine(t, c.LocalAddr().String()).Alert(t.Context(), r); !alert.IsPermanent(err) {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := mustLine(t, "127.0.0.1").Alert(ctx, request()); err == nil || alert.IsPermanent(err) || !strings.Contains(err.Error(), "trap to 127.0.0.1:2583: took too long") {
		t.Error(err)
	}
	a := mustLine(t, "-U", "u", "--password-file", filepath.Join(t.TempDir(), "none"), "127.0.0.1")
	if err := a.Alert(t.Context(), request()); err == nil || alert.IsPermanent(err) || !strings.Contains(err.Error(), "option --password-file: open ") {
		t.Error(err)
	}
}
