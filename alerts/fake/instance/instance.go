// Package instance reads the files of the old fake: .fakerc, and for each
// address instance_config/IP.cfg. They were sourced by bash; here they are read
// as the assignments that they hold, and a line that would have to be executed
// is an error. What the old program did and this one does otherwise, or what it
// never did, is told as a warning.
//
// It touches no address: what is read is a [role.Group].
package instance

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/role"
)

// maxFile is the largest file that is read, in bytes.
const maxFile = 64 << 10

// Instance is what the files say of one address.
type Instance struct {
	Group role.Group
	// Passive means IFCONFIG=FALSE: somebody else adds and removes the address,
	// which is only announced.
	Passive bool
	// File is the file of the instance.
	File string
	// Warnings are sentences about what is not done as the files say.
	Warnings []string
}

// Files are where the old program's files lie.
type Files struct {
	// Folder is /etc/fake: it holds .fakerc and, unless that says otherwise,
	// instance_config and clear_routers.
	Folder string
	// Home has a .fakerc of its own, which is read after that; "" for none.
	Home string
}

// Load reads what there is for ip. Without a file for it, it is
// [fs.ErrNotExist].
func (f Files) Load(ip netip.Addr) (Instance, error) {
	rc, err := f.settings()
	if err != nil {
		return Instance{}, err
	}
	folder := cmpOr(rc["INSTANCE_CONFIG_DIR"], filepath.Join(f.Folder, "instance_config"))
	path := filepath.Join(folder, ip.String()+".cfg")
	text, err := read(path)
	if err != nil {
		return Instance{}, err
	}
	if err := assign(rc, path, text); err != nil {
		return Instance{}, err
	}
	in := Instance{File: path, Group: plain(ip)}
	if err := in.take(rc, ip); err != nil {
		return Instance{}, fmt.Errorf("%s: %w", path, err)
	}
	return in, in.routers(cmpOr(rc["CLEAR_ROUTERS_FILE"], filepath.Join(f.Folder, "clear_routers")))
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// settings are the assignments of both .fakerc.
func (f Files) settings() (map[string]string, error) {
	all := map[string]string{}
	for _, folder := range []string{f.Folder, f.Home} {
		path := filepath.Join(folder, ".fakerc")
		if folder == "" {
			continue
		}
		text, err := read(path)
		if err == nil {
			err = assign(all, path, text)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return all, nil
}

func read(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is larger than %d KB: it is no file of fake", path, maxFile>>10)
	}
	return string(text), err
}

func assign(into map[string]string, path, text string) error {
	if err := Assignments(into, text); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// plain is a group of one address as the old program held it: it took the
// address without asking whether somebody has it.
func plain(ip netip.Addr) role.Group {
	return role.Group{
		Name: ip.String(), Addresses: []role.Address{{Prefix: netip.PrefixFrom(ip, ip.BitLen())}},
		Priority: role.DefaultPriority, Failback: role.FailbackOff, Conflict: role.Takeover,
		Refresh: role.DefaultRefresh, ProgramLimit: role.DefaultProgramLimit,
	}
}

// dead are options that are told of when they are set, with what to do.
var dead = map[string]string{
	"FAKE_RSH":         "no other machine is logged in to",
	"FOREIGN_ARP":      "when the address is given back, who takes it announces itself",
	"FOREIGN_MACADDR":  "when the address is given back, who takes it announces itself",
	"SEND_ARP_TARG_HW": "a station that is told by a packet of its own is found by its address (SEND_ARP_TARG_IP)",
}

// known are the others.
var known = []string{
	"ARP_DELAY", "CLEAR_ROUTERS_FILE", "PID_DIR", "INSTANCE_CONFIG_DIR", "PATH", "SPOOF_IP", "IFCONFIG", "TARGET_INTERFACE",
	"SPOOF_NETMASK", "SPOOF_BROADCAST", "FOREIGN_INTERFACE", "SEND_ARP_TARG_IP",
}

// take gives the assignments their meaning.
func (in *Instance) take(set map[string]string, ip netip.Addr) error {
	if said := set["SPOOF_IP"]; said != ip.String() {
		return fmt.Errorf("SPOOF_IP is %q: it must be %s, as the file's name says", said, ip)
	}
	switch set["IFCONFIG"] {
	case "TRUE":
	case "FALSE":
		in.Passive = true
	default:
		return fmt.Errorf("IFCONFIG is %q: say TRUE or FALSE", set["IFCONFIG"])
	}
	if err := in.place(set); err != nil {
		return err
	}
	if err := in.timing(set["ARP_DELAY"]); err != nil {
		return err
	}
	if err := in.station(set["SEND_ARP_TARG_IP"]); err != nil {
		return err
	}
	in.warn(set)
	return nil
}

// place reads interface, netmask and broadcast address, in the words of
// [role.ParseAddress], which judges them.
func (in *Instance) place(set map[string]string) error {
	device := set["TARGET_INTERFACE"]
	if device == "" {
		return errors.New("TARGET_INTERFACE is missing: say the interface, such as eth0 or eth0:2")
	}
	word := set["SPOOF_IP"] + "/" + set["SPOOF_NETMASK"] + "/" + device
	if in.Passive {
		word = set["SPOOF_IP"] + "//" + device
	} else if set["SPOOF_NETMASK"] == "" {
		return errors.New("SPOOF_NETMASK is missing beside IFCONFIG=TRUE: say it, such as 255.255.255.0")
	}
	if b := set["SPOOF_BROADCAST"]; b != "" && !in.Passive && !strings.HasPrefix(set["SPOOF_NETMASK"], "255.255.255.255") {
		word += "/" + b
	}
	a, err := role.ParseAddress(word)
	if err != nil {
		return fmt.Errorf("SPOOF_IP, SPOOF_NETMASK, TARGET_INTERFACE and SPOOF_BROADCAST: %w", err)
	}
	in.Group.Addresses = []role.Address{a}
	return nil
}

// timing reads ARP_DELAY, seconds between a reply and a request without end: a
// pair is one refresh here, so twice that is as often.
func (in *Instance) timing(delay string) error {
	if delay == "" {
		return nil
	}
	s, err := strconv.ParseFloat(strings.TrimSuffix(delay, "s"), 64)
	if err != nil || s < 0.5 || s > 43200 {
		return fmt.Errorf("ARP_DELAY is %q: say seconds from 0.5 to 43200", delay)
	}
	in.Group.Refresh = time.Duration(2 * s * float64(time.Second)).Round(time.Millisecond)
	return nil
}

// station reads SEND_ARP_TARG_IP: what the old program's samples described and
// no release of it ever did.
func (in *Instance) station(word string) error {
	if word == "" {
		return nil
	}
	ip, err := netip.ParseAddr(word)
	if err != nil || !ip.Is4() {
		return fmt.Errorf("SEND_ARP_TARG_IP is %q: say the IPv4 address of a station", word)
	}
	in.Group.Tell = append(in.Group.Tell, ip)
	return nil
}

func (in *Instance) warn(set map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		why, is := dead[name]
		switch {
		case is && set[name] != "":
			in.Warnings = append(in.Warnings, fmt.Sprintf("%s: %s has no effect: %s", in.File, name, why))
		case !is && !slices.Contains(known, name):
			in.Warnings = append(in.Warnings, fmt.Sprintf("%s: %s is no option of fake and has no effect", in.File, name))
		}
	}
	if f := set["FOREIGN_INTERFACE"]; f != "" {
		in.Warnings = append(in.Warnings, in.File+": FOREIGN_INTERFACE has no effect: "+dead["FOREIGN_ARP"])
	}
}

// routers reads the list of routers whose caches the old program cleared by
// rsh: those named by address are told by a packet of their own, which has the
// same effect; the others cannot be.
func (in *Instance) routers(path string) error {
	text, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		for _, router := range strings.Fields(line) {
			in.router(path, router)
		}
	}
	return nil
}

func (in *Instance) router(path, router string) {
	ip, err := netip.ParseAddr(router)
	if err != nil || ip.Is4() != in.Group.Addresses[0].Prefix.Addr().Is4() {
		in.Warnings = append(in.Warnings, fmt.Sprintf("%s: router %s is not logged in to, and is told as every station is; name it by its address (or by --tell) to tell it by a packet of its own", path, router))
		return
	}
	if !slices.Contains(in.Group.Tell, ip) {
		in.Group.Tell = append(in.Group.Tell, ip)
	}
	in.Warnings = append(in.Warnings, fmt.Sprintf("%s: router %s is not logged in to: it is told by a packet of its own", path, router))
}
