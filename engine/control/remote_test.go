package control

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/engine/enginetest"
	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/view"
)

// steered is a Mon of which only the Controller is called.
type steered struct {
	Mon
	fake *fake
}

func (s steered) DisableService(ctx context.Context, key opstatus.Key, user, text string) error {
	return s.fake.DisableService(ctx, key, user, text)
}

func (s steered) EnableService(ctx context.Context, key opstatus.Key, user string) error {
	return s.fake.EnableService(ctx, key, user)
}

func (s steered) DisableWatch(ctx context.Context, group, user, text string) error {
	return s.fake.DisableWatch(ctx, group, user, text)
}

func (s steered) EnableWatch(ctx context.Context, group, user string) error {
	return s.fake.EnableWatch(ctx, group, user)
}

func (s steered) DisableHost(ctx context.Context, host, user, text string) error {
	return s.fake.note(ctx, true, "disable host %s", host)
}

func (s steered) EnableHost(ctx context.Context, host, user string) error {
	return s.fake.note(ctx, true, "enable host %s", host)
}

func (s steered) TestMonitor(ctx context.Context, key opstatus.Key) error {
	return s.fake.TestMonitor(ctx, key)
}

// remoteRig is a Remote with a program that writes down its words.
type remoteRig struct {
	t       *testing.T
	remote  *Remote
	log     *enginetest.Log
	dir     string
	mu      sync.Mutex
	program string
}

func newRemote(t *testing.T, adjust func(*Remote)) *remoteRig {
	t.Helper()
	board := view.NewBoard()
	board.Replace(configtest.Parse(t, "hostgroup www1 web1\n\nhostgroup two a b\n\nwatch www1\n    service http\n        interval 1m\n        monitor m.monitor\n\nwatch two\n    service x\n        interval 1m\n        monitor m.monitor\n"), nil, nil)
	g := &remoteRig{t: t, log: &enginetest.Log{}, dir: t.TempDir()}
	script := filepath.Join(g.dir, "told here.sh")
	text := "#!/bin/sh\nfor w in \"$@\"; do printf '<%s>' \"$w\"; done >>\"$(dirname \"$0\")/out\"\necho >>\"$(dirname \"$0\")/out\"\n"
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	g.program = "'" + script + "' first"
	g.remote = NewRemote(RemoteOptions{Mon: steered{fake: &fake{}}, Program: g.command, Board: board, Log: slog.New(slog.NewTextHandler(g.log, nil))})
	if adjust != nil {
		adjust(g.remote)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.remote.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return g
}

func (g *remoteRig) command() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.program
}

func (g *remoteRig) setCommand(text string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.program = text
}

// wait waits for a real process to have done something.
func (g *remoteRig) wait(what string, done func() bool) {
	g.t.Helper()
	for limit := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			g.t.Fatalf("%s did not happen; told %q, logged %s", what, g.told(), g.log)
		}
	}
}

func (g *remoteRig) told() []string {
	text, _ := os.ReadFile(filepath.Join(g.dir, "out"))
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// The program is told of what succeeded, in order, in mon's words; host names
// do not reach the shell as anything but words.
func TestRemoteIsTold(t *testing.T) {
	g := newRemote(t, nil)
	ctx, r := t.Context(), g.remote
	nasty := `a'b; touch "$HOME" $(id) *`
	for i, err := range []error{
		r.DisableService(ctx, web, "ann", "why"), r.EnableService(ctx, web, "ann"), r.DisableWatch(ctx, "www1", "ann", ""), r.EnableWatch(ctx, "www1", "ann"),
		r.DisableHost(ctx, "web1", "ann", ""), r.EnableHost(ctx, "a", "ann"), r.DisableHost(ctx, nasty, "ann", ""), r.TestMonitor(ctx, web),
	} {
		if err != nil {
			t.Error(i, err)
		}
	}
	if r.DisableService(ctx, opstatus.Key{Group: "no", Service: "no"}, "ann", "") == nil {
		t.Error("no error")
	}
	g.setCommand(" ")
	_ = r.DisableWatch(ctx, "www1", "ann", "")
	want := []string{
		"<first><disable><service><www1><http>", "<first><enable><service><www1><http>", "<first><disable><watch><www1>", "<first><enable><watch><www1>",
		"<first><disable><watch><www1>", "<first><disable><host><web1>", "<first><enable><host><a>", "<first><disable><host><" + nasty + ">", "<first><test><www1><http>",
	}
	g.wait("all of it", func() bool { return len(g.told()) >= len(want) })
	if got := strings.Join(g.told(), "\n"); got != strings.Join(want, "\n") {
		t.Errorf("told\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if s := g.log.String(); s != "" {
		t.Error(s)
	}
}

// A program that hangs is killed with what it started, one that fails is
// logged, and the next is run.
func TestRemoteThatHangs(t *testing.T) {
	g := newRemote(t, func(r *Remote) { r.limit = 200 * time.Millisecond })
	good := g.command()
	g.setCommand("sleep 1000 & sleep 1000; :")
	_ = g.remote.EnableWatch(t.Context(), "www1", "ann")
	g.wait("the end of the first", func() bool { return strings.Contains(g.log.String(), "was killed") })
	g.remote.limit = time.Hour // the others take as long as this machine needs; the log and the queue order this write
	g.setCommand("echo oops; exit 3; :")
	_ = g.remote.EnableWatch(t.Context(), "www1", "ann")
	g.setCommand(good)
	_ = g.remote.EnableWatch(t.Context(), "www1", "ann")
	g.wait("the third", func() bool { return strings.Contains(g.told()[0], "enable") })
	for _, want := range []string{"was killed", "exit status 3", "said=oops"} {
		if !strings.Contains(g.log.String(), want) {
			t.Errorf("no %q in %s", want, g.log)
		}
	}
}

// Commands that pile up are left out, and nobody waits.
func TestRemoteThatIsSlow(t *testing.T) {
	g := newRemote(t, func(r *Remote) { r.most = 3 })
	good := g.command()
	block := filepath.Join(g.dir, "go")
	g.setCommand(fmt.Sprintf("while [ ! -e '%s' ]; do sleep 0.02; done; :", block))
	_ = g.remote.EnableWatch(t.Context(), "www1", "ann")
	g.wait("the first", func() bool { g.remote.mu.Lock(); defer g.remote.mu.Unlock(); return len(g.remote.queue) == 0 })
	g.setCommand(good)
	for range 10 {
		if err := g.remote.EnableWatch(t.Context(), "www1", "ann"); err != nil {
			t.Error(err)
		}
	}
	if err := os.WriteFile(block, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	g.wait("the end", func() bool { return strings.Contains(g.log.String(), "caught up") })
	if n := len(g.told()); n != 3 {
		t.Errorf("%d commands", n)
	}
}
