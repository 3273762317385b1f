package line

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const toldToClient = `opstatus 0 w1.example [connect: refused
] rec.monitor -p 80 "quoted arg" 'single q' back\\ slash
groups 220 db single web
failures web:http
watch web:http web:nohosts single:ping db:disk db:skip db:trap \3220:http
failurehist web:http 1795445194 it's down\09caf\c3\a9
failurehist \3220:http 1795445194 x1
alerthist alert web 1795445194 /alert.d/rec.alert (ops@example.com "two words") it's down
disabled w1.example single disk
deps 'db:trap  && single:ping' db:trap single:ping
aliases b shop the shop
\3220 lines like this
url http://shop.example/
description Web servers, "main" site
maxkeep 5
state 1,scheduler running
views onlydb webview
hosts *w1.example w2.example w3.example
get 'Web servers, "main" site'
ack 220 ack completed
unknown 520 unknown group
set 220 set completed
pids 27162
log 2
quit 220 quitting
`

// TestMonClient asks through the library that mon's own clients are made with.
func TestMonClient(t *testing.T) {
	if err := exec.CommandContext(t.Context(), "perl", "-MMon::Client", "-e1").Run(); err != nil {
		if os.Getenv("MOND_NOSKIP") != "" {
			t.Fatal("Mon::Client is missing: install mon-client")
		}
		t.Skip("Mon::Client is missing: install mon-client")
	}
	r := newSite(t)
	port := r.serve(t).(*net.TCPAddr).Port
	cmd := exec.CommandContext(t.Context(), "perl", "testdata/client.pl", strconv.Itoa(port))
	cmd.Stderr = t.Output()
	got, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(toldToClient, string(got)); diff != "" {
		t.Error(diff)
	}
	want := []string{`ack web:http by alice: "it's \"mine\"\nnow"`, `set web:http description="a 'b'" by alice`}
	if diff := cmp.Diff(want, r.mon.asked()); diff != "" {
		t.Error(diff)
	}
}
