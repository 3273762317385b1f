package config

import (
	"path/filepath"
	"slices"
	"strings"
)

// paths are the variables that hold paths, as they were written.
type paths struct {
	baseDir, cfBaseDir, logDir, stateDir string
	alertDir, monDir, pluginDir          string
	authFile, userFile, tlsCert, tlsKey  string
	historicFile, dtLogFile              string
	monErrFile, pidFile, controlSocket   string
	maintenanceDir                       string
}

// defaultPaths are the paths that do not depend on what exists.
func defaultPaths() paths {
	return paths{
		baseDir: "/usr/lib/mon", cfBaseDir: "/etc/mon",
		alertDir:      "/usr/local/lib/mon/alert.d:alert.d",
		monDir:        "/usr/local/lib/mon/mon.d:mon.d",
		authFile:      "auth.cf",
		userFile:      "monusers.cf",
		dtLogFile:     "downtime.log",
		monErrFile:    "/dev/null",
		controlSocket: "/run/mond/control.sock",
	}
}

func path(field func(*paths) *string) meaning {
	return func(r *resolver, st *Statement) {
		if !r.empty(st) {
			*field(&r.paths) = st.Text
		}
	}
}

// optionalPath is a path that may be empty, which means none.
func optionalPath(field func(*paths) *string) meaning {
	return func(r *resolver, st *Statement) { *field(&r.paths) = st.Text }
}

// finishPaths puts relative paths where they belong. It waits for the whole
// file, since basedir may stand below what is under it.
func (r *resolver) finishPaths() {
	p, g := &r.paths, &r.c.Globals
	r.pathDefaults()
	dir := r.o.Dir
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	g.BaseDir, g.CfBaseDir = under(dir, p.baseDir), under(dir, p.cfBaseDir)
	g.LogDir, g.StateDir = under(g.BaseDir, p.logDir), under(g.BaseDir, p.stateDir)
	g.AlertDir, g.MonDir = list(g.BaseDir, p.alertDir), list(g.BaseDir, p.monDir)
	g.PluginDir = list(g.BaseDir, p.pluginDir)
	g.AuthFile, g.UserFile = under(g.CfBaseDir, p.authFile), under(g.CfBaseDir, p.userFile)
	g.TLSCert, g.TLSKey = under(g.CfBaseDir, p.tlsCert), under(g.CfBaseDir, p.tlsKey)
	g.HistoricFile, g.DtLogFile = under(g.LogDir, p.historicFile), under(g.LogDir, p.dtLogFile)
	g.MonErrFile, g.PidFile = under(dir, p.monErrFile), under(dir, p.pidFile)
	g.MaintenanceDir = under(g.CfBaseDir, p.maintenanceDir)
	g.ControlSocket = under(g.StateDir, p.controlSocket)
	r.checkUserFile()
	r.checkTLS()
}

// pathDefaults fills in the paths that depend on what exists.
func (r *resolver) pathDefaults() {
	p := &r.paths
	if p.logDir == "" {
		p.logDir = r.firstOf("log.d", "/var/log/mon")
	}
	if p.stateDir == "" {
		p.stateDir = r.firstOf("state.d", "/var/state/mon", "/var/lib/mon")
	}
	if _, set := r.c.Globals.Set["pidfile"]; !set {
		p.pidFile = filepath.Join(r.firstOf("/etc", "/run/mon", "/run"), "mon.pid")
	}
	if p.pluginDir == "" {
		p.pluginDir = strings.TrimLeft(r.o.PluginDir+":/usr/lib/mond/plugins", ":")
	}
}

// firstOf is the first of paths that exists, or other.
func (r *resolver) firstOf(other string, paths ...string) string {
	if i := slices.IndexFunc(paths, r.o.exists); i >= 0 {
		return paths[i]
	}
	return other
}

// under is path, below dir if it is relative; an empty one stays so.
func under(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// list splits directories at colons, with blanks around them if any.
func list(dir, dirs string) []string {
	var all []string
	for d := range strings.SplitSeq(dirs, ":") {
		if d = strings.Trim(d, blanks); d != "" {
			all = append(all, under(dir, d))
		}
	}
	return all
}

// checkUserFile reports a file of users that is named, used and not there.
func (r *resolver) checkUserFile() {
	g := &r.c.Globals
	pos, set := g.Set["userfile"]
	if !set || !slices.Contains(g.AuthType, "userfile") || r.o.exists(g.UserFile) {
		return
	}
	r.diag.add(r.c.file.Diagnose(Error, pos, "userfile "+quote(g.UserFile)+" is not there", "create it, or take userfile out of authtype"))
}
