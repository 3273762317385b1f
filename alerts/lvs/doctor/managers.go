package doctor

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Manager is a program that sets the addresses of an interface, and may take
// from it what it did not set.
type Manager struct {
	Program string // one of the constants below
	Link    string
	File    string // in which the interface is set up, or that says so
	Keeps   string // KeepConfiguration= of systemd-networkd
}

// The managers that are known.
const (
	Networkd       = "systemd-networkd"
	NetworkManager = "NetworkManager"
	Dhclient       = "dhclient"
)

// managers judges what network managers do to addresses that move.
func (r *report) managers() {
	for _, link := range r.moving() {
		for _, m := range r.facts.Managers {
			if m.Link == link {
				r.manager(m)
			}
		}
		r.arpNotify(link)
	}
	r.secondaries()
}

// moving are the links that addresses are brought to by a program of the
// configuration.
func (r *report) moving() []string {
	var links []string
	for _, a := range r.site.Holds {
		here := r.facts.holds(a)
		for _, h := range here {
			links = append(links, h.Link)
		}
		if link := r.facts.outer(a); len(here) == 0 && link != "" {
			links = append(links, link)
		}
	}
	return distinct(links)
}

func (r *report) manager(m Manager) {
	switch m.Program {
	case Networkd:
		r.networkd(m)
	case NetworkManager:
		r.add(Finding{
			Level: Warning, Code: "manager", Subject: Addresses,
			What: "NetworkManager manages " + m.Link + ", to which addresses move",
			Do:   "let it leave the interface alone for good, and set the interface's own addresses elsewhere (/etc/network/interfaces, systemd-networkd)",
			Run: []string{
				`printf '[keyfile]\nunmanaged-devices+=interface-name:` + m.Link + `\n' >/etc/NetworkManager/conf.d/mond-` + m.Link + ".conf",
				"nmcli general reload",
			},
			Why: "whenever it activates the interface anew it sets what its own profile says and nothing else: the addresses go, and are put back only after clients noticed",
		})
	case Dhclient:
		r.add(Finding{
			Level: Warning, Code: "manager", Subject: Addresses,
			What: "dhclient gets an address for " + m.Link + ", to which addresses move (" + m.File + ")",
			Do:   "give a director a fixed address; or give the addresses that move a label (ADDRESS/BITS/" + m.Link + ":NAME)",
			Why:  "when its lease ends its script flushes every address of the interface that has no other label",
		})
	}
}

// networkd judges by KeepConfiguration=: only "yes" leaves alone what is held
// for a time, as leased addresses are.
func (r *report) networkd(m Manager) {
	what := fmt.Sprintf("systemd-networkd sets up %s (%s), to which addresses move, and", m.Link, m.File)
	switch m.Keeps {
	case "yes":
		r.ok("manager", Addresses, "systemd-networkd leaves alone what others set on "+m.Link)
		return
	case "static":
		what += " keeps only permanent ones (KeepConfiguration=static)"
	default:
		what += " removes what it did not set"
	}
	dir := "/etc/systemd/network/" + filepath.Base(m.File) + ".d"
	r.add(Finding{
		Level: Warning, Code: "manager", Subject: Addresses,
		What: what,
		Do:   "set KeepConfiguration=yes for the interface; where rules come with the addresses, ManageForeignRoutingPolicyRules=no in /etc/systemd/networkd.conf, too",
		Run: []string{
			"mkdir -p " + dir,
			`printf '[Network]\nKeepConfiguration=yes\n' >` + dir + "/mond.conf",
			"networkctl reload",
		},
		Why: "each restart, upgrade and reload of it takes the addresses and their routes away, leased ones with KeepConfiguration=static, too; they are put back only after clients noticed",
	})
}

// arpNotify is advice: the holder announces by itself, the kernel is sooner.
func (r *report) arpNotify(link string) {
	if n, ok := r.facts.Sysctls.Most(link, "arp_notify"); ok && n == 0 {
		path := "net/ipv4/conf/" + link + "/arp_notify"
		r.add(Finding{
			Level: Advice, Code: "arp-notify", Subject: Addresses,
			What: "arp_notify is 0 on " + link + ", to which addresses move",
			Do:   "set it to 1, and keep it in /etc/sysctl.d",
			Run:  []string{SysctlCommand(path, "1")},
			Why:  "the kernel then announces addresses itself when the interface comes up or gets another hardware address, even while no program runs",
		})
	}
}

// secondaries judges addresses that go when another one is removed.
func (r *report) secondaries() {
	for _, vip := range r.site.Holds {
		for _, h := range r.facts.holds(vip) {
			same := func(a Addr) bool { return a.Link == h.Link && a.Prefix.Masked() == h.Prefix.Masked() && a != h }
			n, ok := r.facts.Sysctls.Most(h.Link, "promote_secondaries")
			if !vip.Is4() || !ok || n != 0 || !slices.ContainsFunc(r.facts.Addrs, same) {
				continue
			}
			path := "net/ipv4/conf/" + h.Link + "/promote_secondaries"
			r.add(Finding{
				Level: Warning, Code: "secondaries", Subject: Addresses,
				What: fmt.Sprintf("%s is one of several addresses of %s on %s, and promote_secondaries is 0", vip, h.Prefix.Masked(), h.Link),
				Do:   "hold it as " + Host(vip).String() + "; or set promote_secondaries to 1, and keep it in /etc/sysctl.d",
				Run:  []string{SysctlCommand(path, "1")},
				Why:  "whoever removes the first address of a network from an interface takes all others with it",
			})
		}
	}
}

// ManagerOf is the manager of a link by the file that systemd-networkd or
// NetworkManager keeps of it: lines KEY=VALUE. ok is false if it is left alone.
func ManagerOf(program, link string, lines []string) (m Manager, ok bool) {
	m = Manager{Program: program, Link: link}
	for _, line := range lines {
		switch key, value, _ := strings.Cut(strings.TrimSpace(line), "="); key {
		case "NETWORK_FILE":
			m.File, ok = value, value != ""
		case "managed":
			ok = value == "true"
		}
	}
	return m, ok
}

// Keeps is what KeepConfiguration= is after lines of a .network file, was what
// it was before them.
func Keeps(lines []string, was string) string {
	for _, line := range lines {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "KeepConfiguration="); ok {
			was = value
			if slices.Contains([]string{"1", "true", "on", "y"}, strings.ToLower(value)) {
				was = "yes"
			}
		}
	}
	return was
}
