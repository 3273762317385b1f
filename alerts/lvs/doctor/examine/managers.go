package examine

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/doctor"
)

// managers reads which network managers set up the links of this machine, by
// what they keep in /run.
func (r *reader) managers() {
	for _, l := range r.facts.Links {
		index := strconv.Itoa(l.Index)
		state := slices.Collect(r.lines(filepath.Join(r.root, "/run/systemd/netif/links", index)))
		if m, ok := doctor.ManagerOf(doctor.Networkd, l.Name, state); ok {
			m.Keeps = r.keeps(m.File)
			r.facts.Managers = append(r.facts.Managers, m)
		}
		state = slices.Collect(r.lines(filepath.Join(r.root, "/run/NetworkManager/devices", index)))
		if m, ok := doctor.ManagerOf(doctor.NetworkManager, l.Name, state); ok {
			r.facts.Managers = append(r.facts.Managers, m)
		}
		r.dhclient(l.Name)
	}
}

// dhclient is there for a link where ifupdown says so.
func (r *reader) dhclient(link string) {
	path := "/run/dhclient." + link + ".pid"
	if _, err := os.Stat(filepath.Join(r.root, path)); err == nil {
		r.facts.Managers = append(r.facts.Managers, doctor.Manager{Program: doctor.Dhclient, Link: link, File: path})
	}
}

// keeps is KeepConfiguration= of a .network file with its drop-ins, which go in
// the order of their names, wherever they lie.
func (r *reader) keeps(path string) string {
	keeps := doctor.Keeps(slices.Collect(r.lines(filepath.Join(r.root, path))), "")
	dropins := map[string]string{}
	for _, dir := range []string{"/usr/lib", "/usr/local/lib", "/run", "/etc"} { // the later one wins
		paths, _ := filepath.Glob(filepath.Join(r.root, dir, "systemd/network", filepath.Base(path)+".d", "*.conf"))
		for _, p := range paths {
			dropins[filepath.Base(p)] = p
		}
	}
	names := []string{}
	for name := range dropins {
		names = append(names, name)
	}
	slices.SortFunc(names, strings.Compare)
	for _, name := range names {
		keeps = doctor.Keeps(slices.Collect(r.lines(dropins[name])), keeps)
	}
	return keeps
}
