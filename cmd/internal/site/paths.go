package site

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/mondhq/mond/engine/config"
)

// Settle gives the paths that neither the file nor the command line names
// places that this user can write to: mon's folders where they exist, else
// those of the system for root and systemd, else those of the user.
func Settle(g *config.Globals) {
	settle(g, "statedir", &g.StateDir, StateDir())
	settle(g, "logdir", &g.LogDir, g.StateDir)
	if _, set := g.Set["controlsocket"]; !set {
		g.ControlSocket = Socket()
	}
	if _, set := g.Set["pidfile"]; !set && os.Getuid() != 0 {
		g.PidFile = ""
	}
}

// settle replaces a default folder that does not exist.
func settle(g *config.Globals, name string, at *string, instead string) {
	if _, set := g.Set[name]; set {
		return
	}
	if info, err := os.Stat(*at); err != nil || !info.IsDir() {
		*at = instead
	}
}

// StateDir is where state is kept when nothing says where: systemd's
// StateDirectory, /var/lib/mond for root, else the user's.
func StateDir() string {
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" {
		return dir
	}
	if os.Getuid() == 0 {
		return "/var/lib/mond"
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "mond")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "state", "mond")
	}
	return userTemp()
}

// Socket is mond's control socket when nothing says where: /run/mond for root
// and systemd, else the user's.
func Socket() string {
	const name = "control.sock"
	if dir := os.Getenv("RUNTIME_DIRECTORY"); dir != "" {
		return filepath.Join(dir, name)
	}
	if os.Getuid() == 0 {
		return filepath.Join("/run/mond", name)
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "mond", name)
	}
	return filepath.Join(userTemp(), name)
}

// userTemp is a folder of this user's among the temporary ones.
func userTemp() string {
	return filepath.Join(os.TempDir(), "mond-"+strconv.Itoa(os.Getuid()))
}
