package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/trap"
	packet "github.com/mondhq/mond/plugins/trap"
)

// trapDoor lets in ann with her password.
type trapDoor struct{}

func (trapDoor) Trap(_ netip.Addr, user, password string) error {
	if user != "ann" || password != "it's secret" {
		return errors.New("not ann")
	}
	return nil
}

// trapDaemon receives traps as mond does; it answers its address and where they
// arrive.
func trapDaemon(t *testing.T) (address string, taken <-chan packet.Trap) {
	t.Helper()
	conn, err := trap.Listen(t.Context(), "127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	all := make(chan packet.Trap, 100) // more than a test sends
	r := trap.New(trap.Options{Auth: trapDoor{}, Take: func(_ context.Context, list []trap.Arrival) []error {
		for _, a := range list {
			all <- a.Trap
		}
		return make([]error, len(list))
	}})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(ctx, conn) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return conn.LocalAddr().String(), all
}

// What is sent arrives as it was meant, and is let in.
func TestTrap(t *testing.T) {
	address, taken := trapDaemon(t)
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("it's secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const line = "trap|--group|db|--service|disk|-U|ann|--status|"
	for _, tt := range []struct {
		name, line, in string
		want           packet.Trap
	}{
		{"options", "3|--summary|it's \"full\" \\ x|--detail|one\ntwo", "", packet.Trap{Status: 3, Summary: `it's "full" \ x`, Detail: "one\ntwo"}},
		{"no detail", "0|--summary|fine", "not read", packet.Trap{OpStatus: 1, Summary: "fine"}},
		{"standard input", "255", "db1\r\nfull\nvery\n", packet.Trap{Status: 255, Summary: "db1", Detail: "full\nvery"}},
		{"nothing on standard input", "1", "", packet.Trap{Status: 1}},
		{"detail from standard input", "1|--summary|db1|--detail|-", "full\nvery\n", packet.Trap{Status: 1, Summary: "db1", Detail: "full\nvery"}},
		{"password from a file", "0|--summary|x|--password-file|" + password, "", packet.Trap{OpStatus: 1, Summary: "x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("MON_TRAP_PASS", "it's secret")
			if strings.Contains(tt.line, "file") {
				t.Setenv("MON_TRAP_PASS", "")
			}
			var out, errs bytes.Buffer
			if code := run(append(strings.Split(line+tt.line, "|"), address), strings.NewReader(tt.in), &out, &errs); code != 0 || out.Len()+errs.Len() > 0 {
				t.Fatalf("exit %d: %s%s", code, &out, &errs)
			}
			select {
			case got := <-taken:
				if time.Since(got.Time) > time.Minute {
					t.Errorf("it is of %v", got.Time)
				}
				want := tt.want
				want.Protocol, want.Type, want.User, want.Group, want.Service, want.HasStatus, want.Time = packet.Protocol, "trap", "ann", "db", "disk", true, got.Time
				if got != want {
					t.Errorf("it arrives as\n%+v, want\n%+v", got, want)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("it does not arrive")
			}
		})
	}
}

// A host that does not listen does not keep the others from theirs.
func TestTrapToSeveral(t *testing.T) {
	address, taken := trapDaemon(t)
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := c.LocalAddr().String()
	_ = c.Close()
	t.Setenv("MON_TRAP_USER", "ann")
	t.Setenv("MON_TRAP_PASS", "it's secret")
	var out, errs bytes.Buffer
	code := run([]string{"trap", "--group", "g", "--service", "s", "--status", "1", "--summary", "x", nobody, address}, nil, &out, &errs)
	if code != 1 || !strings.Contains(errs.String(), "nobody listens at UDP "+nobody) {
		t.Errorf("exit %d: %s", code, &errs)
	}
	select {
	case got := <-taken:
		if got.Summary != "x" {
			t.Errorf("it arrives as %+v", got)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not arrive")
	}
}

func TestTrapRefused(t *testing.T) {
	t.Setenv("MON_TRAP_USER", "")
	t.Setenv("MON_TRAP_PASS", "hush")
	const names = "trap|--group|g|--service|s|"
	for _, tt := range []struct {
		line string
		code int
		says string
	}{
		{"trap", 2, "want a HOST"},
		{"trap|--group|g|--status|0|h", 2, "want --group and --service"},
		{names + "h", 2, "want --status"},
		{names + "--status|-1|h", 2, "from 0 to 255"},
		{names + "--status|256|h", 2, "from 0 to 255"},
		{names + "--status|ok|h", 2, "invalid argument"},
		{names + "--status|0|--summary|x|h:mon", 2, "no HOST[:PORT]"},
		{names + "--status|0|--detail|x|h", 2, "--detail without --summary"},
		{names + "--status|0|--summary|x|h", 2, "a password without a name"},
		{names + "--status|0|--summary|x|-U|u|--password-file|/no/such|h", 1, "--password-file: open /no/such"},
		{"--json|" + names + "--status|0|h", 2, "nothing to print as JSON"},
	} {
		t.Run(tt.line, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := run(strings.Split(tt.line, "|"), strings.NewReader(""), &out, &errs)
			if code != tt.code || !strings.Contains(errs.String(), tt.says) {
				t.Errorf("exit %d: %s", code, &errs)
			}
			if strings.Contains(errs.String(), "hush") {
				t.Errorf("it shows the password: %s", &errs)
			}
		})
	}
}
