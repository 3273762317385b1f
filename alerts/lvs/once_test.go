package lvs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/alerts/internal/shared"
	"github.com/mondhq/mond/alerts/lvs/ipvs"
	"github.com/mondhq/mond/alerts/lvs/words"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/getopt"
)

// program runs lvs.alert once as a program would, with these sockets.
func program(t *testing.T, sockets []string, args string, kind alert.Kind) error {
	t.Helper()
	fs := flag.NewFlagSet(Name, flag.ContinueOnError)
	a := NewFactory(Options{Sockets: sockets, Log: slog.New(slog.DiscardHandler)})(fs)
	if _, err := getopt.Parse(fs, strings.Fields(args)); err != nil {
		t.Fatal(err)
	}
	return a.Alert(t.Context(), alert.Request{Group: "shop", Service: "http", Kind: kind, Summary: "web1"})
}

func tableFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "table")
	must(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%v, file:\n%s\nwant:\n%s", err, got, want)
	}
}

func TestOnce(t *testing.T) {
	file := tableFile(t, shop+row1)
	args := web1 + " --table " + file
	for _, c := range []struct {
		name string
		args string
		kind alert.Kind
		want string
	}{
		{"startup says nothing", args, alert.Startup, shop + row1},
		{"a test edits nothing", args, alert.Test, shop + row1},
		{"failure", args, alert.Failure, shop},
		{"failure again", args, alert.Failure, shop},
		{"ack says nothing", args, alert.Ack, shop},
		{"up", args, alert.Up, shop + row1},
		{"up again", args, alert.Up, shop + row1},
		{"trap", args, alert.Trap, shop},
		{"its own -u", args + " -u", alert.Failure, shop + row1},
	} {
		t.Run(c.name, func(t *testing.T) {
			must(t, program(t, []string{}, c.args, c.kind))
			wantFile(t, file, c.want)
		})
	}
}

func TestOnceIsIdempotent(t *testing.T) {
	file := tableFile(t, shop+row1)
	before, err := os.Stat(file)
	must(t, err)
	must(t, program(t, []string{}, web1+" --table "+file, alert.Up))
	after, err := os.Stat(file)
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("what was so already was written: %v", err)
	}
}

func TestOnceErrors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "none")
	err := program(t, []string{}, web1+" --table "+empty, alert.Up)
	if !errors.Is(err, ipvs.ErrNoService) || !strings.Contains(err.Error(), empty+": -A -t 10.0.0.3:80") {
		t.Errorf("got %v, want what to do about the missing service", err)
	}
	must(t, program(t, []string{}, web1+" --table "+empty, alert.Failure)) // out it is
	if err := program(t, []string{}, web1+" --table "+empty, alert.Test); !errors.Is(err, ipvs.ErrNoService) {
		t.Errorf("test: %v, want ErrNoService", err)
	}
	if err := program(t, []string{}, "", alert.Failure); !alert.IsPermanent(err) {
		t.Errorf("without arguments: %v, want a permanent error", err)
	}
	broken := tableFile(t, "-A -t www:http\n")
	if err := program(t, []string{}, web1+" --table "+broken, alert.Failure); !alert.IsPermanent(err) {
		t.Errorf("a broken file: %v, want a permanent error", err)
	}
	if err := program(t, []string{}, web1+" --table /no/such/folder/table", alert.Up); err == nil {
		t.Error("a folder that is not there was accepted")
	}
}

// On a machine without IPVS the real thing says so.
func TestOnceWithoutKernel(t *testing.T) {
	if k, err := ipvs.OpenKernel(); !errors.Is(err, ipvs.ErrNoKernel) {
		if err == nil {
			must(t, k.Close())
		}
		return // this one has IPVS: alerts/lvs/lab_test.go is for it
	}
	for _, kind := range []alert.Kind{alert.Up, alert.Failure, alert.Test} {
		err := program(t, []string{}, web1, kind)
		if !errors.Is(err, ipvs.ErrNoKernel) || !alert.IsPermanent(err) {
			t.Errorf("%v: got %v, want ErrNoKernel", kind, err)
		}
	}
}

func TestLockBesideTheSocket(t *testing.T) {
	dir := t.TempDir()
	opt := Options{Sockets: []string{"/no/such/dir/lvs.sock", filepath.Join(dir, socketName)}}
	unlock, err := lockKernel(t.Context(), opt, words.Job{})
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := lockKernel(ctx, opt, words.Job{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second one got %v, want to wait", err)
	}
	unlock()
	unlock, err = lockKernel(t.Context(), opt, words.Job{})
	must(t, err)
	unlock()
}

// resident is a keeper with a socket in a short path.
func resident(t *testing.T, fake *ipvs.Fake) (*rig, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "lvs")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, socketName)
	return newRig(t, fake, func(o *Options) { o.Sockets, o.StateDir = []string{socket}, dir }), socket
}

func TestOrdersGoToTheOwner(t *testing.T) {
	r, socket := resident(t, shopTable())
	r.keep(true, claim(web1))
	at := []string{"/no/such/socket", socket}

	must(t, program(t, at, web1, alert.Failure)) // claimed: one more reason
	r.want(shop)
	r.keep(true, claim(web1))
	r.want(shop) // which stands beside the claims
	must(t, program(t, at, web1, alert.Up))
	r.want(shop + row1)

	r.keep(false, claim(web1, down))
	err := program(t, at, web1, alert.Up)
	if err == nil || !alert.IsPermanent(err) || !strings.Contains(err.Error(), "stays out: because") {
		t.Errorf("in against a claim: %v", err)
	}
	r.want(shop)

	must(t, program(t, at, web2, alert.Up)) // not claimed: one edit
	r.want(shop + row2)
	must(t, program(t, at, web2, alert.Failure))
	r.want(shop)
	err = program(t, at, strings.ReplaceAll(web2, ".3:80", ".4:80"), alert.Up)
	if err == nil || !strings.Contains(err.Error(), "ipvsadm -A") {
		t.Errorf("in a service that is missing: %v", err)
	}
}

func TestOrderOnProvisional(t *testing.T) {
	r, socket := resident(t, shopTable())
	r.keep(true, claim(web1, provisional))
	if err := program(t, []string{socket}, web1, alert.Up); err == nil || !strings.Contains(err.Error(), "until its service was checked") {
		t.Errorf("got %v", err)
	}
}

// An order in the owner's own process needs no socket.
func TestOrderInProcess(t *testing.T) {
	r := newRig(t, shopTable(), nil)
	r.keep(true, claim(web1))
	must(t, r.make(web1).Alert(t.Context(), alert.Request{Kind: alert.Failure}))
	r.want(shop)
}

// An order to be out survives the owner.
func TestOrderIsRemembered(t *testing.T) {
	fake, dir := shopTable(), t.TempDir()
	same := func(o *Options) { o.StateDir = dir }
	first := newRig(t, fake, same)
	first.keep(true, claim(web1))
	must(t, first.make(web1).Alert(t.Context(), alert.Request{Kind: alert.Failure}))
	first.end()
	second := newRig(t, fake, same)
	second.keep(true, claim(web1))
	second.want(shop)
	why := second.report().Tables[0].Rows[0].Why
	if len(why) != 2 || why[0].Claim != handID || !why[0].Down || why[0].Since.IsZero() {
		t.Errorf("why: %+v", why)
	}
	must(t, second.make(web1).Alert(t.Context(), alert.Request{Kind: alert.Up}))
	second.want(shop + row1)
}

func TestOrderBeforeTheFullSet(t *testing.T) {
	r := newRig(t, shopTable(), nil)
	_ = r.alert.Keep(t.Context(), false, nil)
	if err := r.make(web1).Alert(t.Context(), alert.Request{Kind: alert.Failure}); !errors.Is(err, errNoFull) {
		t.Errorf("got %v, want errNoFull", err)
	}
}

func TestSocketOfTheDead(t *testing.T) {
	r, socket := resident(t, shopTable())
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	must(t, err)
	l.SetUnlinkOnClose(false)
	must(t, l.Close())
	r.keep(true, claim(web1))
	must(t, program(t, []string{socket}, web1, alert.Failure))
	r.want(shop)
	if st, err := os.Stat(socket); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", st.Mode(), err)
	}
	r.end()
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket stayed: %v", err)
	}
}

// Two owners on one state directory: the second keeps its tables all the same.
func TestSecondOwner(t *testing.T) {
	first, socket := resident(t, shopTable())
	first.keep(true, claim(web1))
	second := newRig(t, shopTable(), func(o *Options) { o.Sockets = []string{socket} })
	second.keep(true, claim(web2))
	second.want(shop + row2)
	must(t, program(t, []string{socket}, web1, alert.Failure))
	first.want(shop)
	second.end()
	if !strings.Contains(second.log.String(), "is another lvs.alert resident") {
		t.Errorf("log:\n%s", second.log)
	}
}

func TestNonsenseOnTheSocket(t *testing.T) {
	r, socket := resident(t, shopTable())
	r.keep(true, claim(web1))
	for _, text := range []string{"hello\n", "{}\n", `{"args":["-V","x"]}` + "\n", strings.Repeat("x", maxOrder+1)} {
		c, err := net.Dial("unix", socket)
		must(t, err)
		_, err = c.Write([]byte(text))
		must(t, err)
		var v verdict
		if err := json.NewDecoder(c).Decode(&v); err != nil || v.OK || !v.Permanent {
			t.Errorf("%.20q: %+v, %v; want a permanent refusal", text, v, err)
		}
		must(t, c.Close())
	}
	r.want(shop + row1)
}

func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		peer, own uint32
		ok        bool
	}{{0, 500, true}, {500, 500, true}, {500, 0, false}, {501, 500, false}} {
		if err := allowed(c.peer, c.own); (err == nil) != c.ok {
			t.Errorf("%d at %d's: %v", c.peer, c.own, err)
		}
	}
}

func TestRecordOfGarbage(t *testing.T) {
	dir := t.TempDir()
	text := `{"kind":"owned","args":["-V","10.0.0.3:80","-R","192.168.0.1"]}
not json
{"kind":"owned","args":["-V"]}
{"kind":"dreamt","args":["-V","10.0.0.3:80","-R","192.168.0.1"]}
{"kind":"hand","args":["-V","10.0.0.3:80","-R","192.168.0.2"],"reason":"r"}
`
	must(t, os.WriteFile(filepath.Join(dir, recordName), []byte(text), 0o600))
	var log bytes.Buffer
	r := openRecord(dir, slog.New(slog.NewTextHandler(&log, nil)))
	if r.count() != 2 || len(r.hand) != 1 {
		t.Errorf("%d lines, %d by hand; want 2 and 1", r.count(), len(r.hand))
	}
	if n := strings.Count(log.String(), "unreadable"); n != 3 {
		t.Errorf("%d complaints, want 3:\n%s", n, &log)
	}
	again := openRecord(t.TempDir(), slog.New(slog.DiscardHandler))
	text1, _ := r.text()
	bad := again.read(text1)
	if text2, _ := again.text(); bad != nil || !bytes.Equal(text1, text2) {
		t.Errorf("its own text is read differently: %v\n%s", bad, text2)
	}
}

// The record forgets what nobody claims once its row is gone.
func TestRecordForgets(t *testing.T) {
	r := newRig(t, shopTable(), nil)
	r.keep(true, claim(web1), claim(web2))
	r.keep(true, claim(web1))
	owned := func() int {
		n, err := shared.Ask(t.Context(), r.alert.owner.Work(), func(d *desk) (int, error) { return d.record.count(), nil })
		must(t, err)
		return n
	}
	if n := owned(); n != 2 {
		t.Errorf("%d owned, want 2: the row is there still", n)
	}
	row := virtual("10.0.0.3:80")
	must(t, r.fake.DeleteDestination(t.Context(), row, mustReal(t, web2)))
	r.resync()
	if n := owned(); n != 1 {
		t.Errorf("%d owned, want 1", n)
	}
}
