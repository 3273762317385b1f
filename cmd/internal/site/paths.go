package site

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/mondhq/mond/engine/config"
)

// Places are mond's own defaults as one user has them. A process that is to
// become another user takes them before; the zero value looks when it is used.
type Places struct {
	stateDir, socket string
	noPidFile        bool
}

// Here are the places of the user that this process is now.
func Here() Places {
	return Places{stateDir: StateDir(), socket: Socket(), noPidFile: os.Getuid() != 0}
}

// Settle gives the paths that neither the file nor the command line names
// places that the user can write to: mon's folders where they exist, else
// those of the system for root and systemd, else those of the user.
func (p Places) Settle(g *config.Globals) {
	if p == (Places{}) {
		p = Here()
	}
	settle(g, "statedir", &g.StateDir, p.stateDir)
	settle(g, "logdir", &g.LogDir, g.StateDir)
	if _, set := g.Set["controlsocket"]; !set {
		g.ControlSocket = p.socket
	}
	if _, set := g.Set["pidfile"]; !set && p.noPidFile {
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
