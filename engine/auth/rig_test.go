package auth

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Hashes, with their passwords.
const (
	secret  = "abNANd1rDfiNc"                      // "secret"
	trappw  = "tpXOGnTcd7hjs"                      // "trappw"
	hashOfX = "$1$abc$OGyl6dDvZCDiGmIVbeuCq/"      // "x"
	hunter2 = "$6$saltsalt$8iYtNHxjWRl.NF6oNZ5tF." // "hunter2", with the rest
	rest    = "iKFlQREaXBLlSmZKP6dy9l5z3vsooWNW0/GZ6Nej73/TFug6pIPSqbJoCT6dfnj."
)

var (
	here  = netip.MustParseAddr("127.0.0.1")
	there = netip.MustParseAddr("192.0.2.1")
)

// rig is an Auth with files of its own.
type rig struct {
	*Auth
	dir  string
	opt  Options
	mu   sync.Mutex
	now  time.Time
	said bytes.Buffer
}

// set writes an auth.cf and a userfile.
func set(t testing.TB, authFile, userFile string, types ...string) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir(), now: start}
	r.write(t, "auth.cf", authFile)
	r.write(t, "userfile", userFile)
	r.opt = Options{
		AuthFile: r.path("auth.cf"), UserFile: r.path("userfile"), AuthTypes: types, PamService: "mon",
		Passwd: r.path("passwd"), Shadow: r.path("shadow"), Getent: r.path("getent"),
		Log: slog.New(slog.NewTextHandler(&r.said, nil)),
		Now: func() time.Time { r.mu.Lock(); defer r.mu.Unlock(); return r.now },
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return nil, errors.New("there is no name server")
		},
	}
	return r
}

// read is New with the options of the rig.
func (r *rig) read(t testing.TB) *rig {
	t.Helper()
	var err error
	r.Auth, err = New(t.Context(), r.opt)
	check(t, err)
	return r
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

func (r *rig) write(t testing.TB, name, text string) {
	t.Helper()
	check(t, os.WriteFile(r.path(name), []byte(text), 0o755))
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func (r *rig) login(t testing.TB, from netip.Addr, user, password string) error {
	return r.Login(t.Context(), from, user, password)
}

// want fails if err is not nil and ok, or an error with a text.
func want(t *testing.T, what string, err error, text string) {
	t.Helper()
	switch {
	case text == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case text != "" && (err == nil || !strings.Contains(err.Error(), text)):
		t.Errorf("%s: error %v, want one with %q", what, err, text)
	case err != nil && strings.Contains(err.Error(), "\n"):
		t.Errorf("%s: error of several lines: %q", what, err)
	}
}
