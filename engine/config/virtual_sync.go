package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// IPVSSync is how connections are copied to the other director: what the
// kernel's sync daemons are told. The zero value is not at all; a zero but for
// Interface and ID is the kernel's default.
type IPVSSync struct {
	Interface string
	ID        int // 0 to 255; 0 takes in those of every cluster
	ByRole    bool
	MaxLen    int
	Group     string // an address; "" is the kernel's default
	Port, TTL int
}

// defaultSyncID is the cluster's where none is said.
const defaultSyncID = 1

// Limits of a message's length: the kernel makes the first of less.
const (
	minSyncLen = 1024
	maxSyncLen = 65507
)

const syncHint = "say interface=NAME,syncid=N and, if need be, mode=both or by-role, maxlen=N, group=ADDRESS, port=N, ttl=N"

// ipvsSync takes how connections are copied.
func ipvsSync(r *resolver, st *Statement) {
	s := IPVSSync{ID: defaultSyncID}
	var seen []string
	for word := range strings.SplitSeq(st.Text, ",") {
		name, value, _ := strings.Cut(word, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if slices.Contains(seen, name) {
			r.diag.errorf(st, 0, "", "%s stands twice", name)
			return
		}
		seen = append(seen, name)
		if hint, err := s.set(name, value); err != nil {
			r.diag.errorf(st, 0, hint, "%v", err)
			return
		}
	}
	if s.Interface == "" {
		r.diag.errorf(st, 0, syncHint, "ipvs_sync without an interface")
		return
	}
	r.c.Globals.IPVSSync = s
}

// set sets one of the words; hint is what to write in the place of a wrong one.
func (s *IPVSSync) set(name, value string) (hint string, err error) {
	switch name {
	case "interface":
		if !isInterface(value) {
			return "it is a name such as ip link shows, of 15 letters at most", fmt.Errorf("invalid interface %s", quote(value))
		}
		s.Interface = value
	case "mode":
		if value != "both" && value != "by-role" {
			return "both, or by-role for directors that are real servers too", fmt.Errorf("unknown mode %s", quote(value))
		}
		s.ByRole = value == "by-role"
	case "group":
		a, err := netip.ParseAddr(value)
		if err != nil || !a.IsMulticast() || a.Zone() != "" || a.Is4In6() {
			return "such as 224.0.0.81 or ff02::51", fmt.Errorf("%s is no multicast address", quote(value))
		}
		s.Group = a.String()
	case "syncid":
		return syncNumber(&s.ID, name, value, 0, 255)
	case "maxlen":
		return syncNumber(&s.MaxLen, name, value, minSyncLen, maxSyncLen)
	case "port":
		return syncNumber(&s.Port, name, value, 1, 65535)
	case "ttl":
		return syncNumber(&s.TTL, name, value, 1, 255)
	default:
		return syncHint, fmt.Errorf("unknown word %s for ipvs_sync", quote(name))
	}
	return "", nil
}

func syncNumber(into *int, name, value string, least, most int) (hint string, err error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		return fmt.Sprintf("a number from %d to %d", least, most), fmt.Errorf("%s is no %s", quote(value), name)
	}
	*into = n
	return "", nil
}

// String is s in the words of the configuration, "" for nothing.
func (s IPVSSync) String() string {
	if s.Interface == "" {
		return ""
	}
	words := []string{"interface=" + s.Interface, "syncid=" + strconv.Itoa(s.ID)}
	if s.ByRole {
		words = append(words, "mode=by-role")
	}
	if s.MaxLen != 0 {
		words = append(words, "maxlen="+strconv.Itoa(s.MaxLen))
	}
	if s.Group != "" {
		words = append(words, "group="+s.Group)
	}
	if s.Port != 0 {
		words = append(words, "port="+strconv.Itoa(s.Port))
	}
	if s.TTL != 0 {
		words = append(words, "ttl="+strconv.Itoa(s.TTL))
	}
	return strings.Join(words, ",")
}

// syncTables claims the sync daemons of each table that virtual services are in.
func (r *resolver) syncTables() {
	words := r.c.Globals.IPVSSync.String()
	if words == "" {
		return
	}
	r.ofTables([]string{"--sync"}, words)
}

// isInterface reports whether name can be an interface.
func isInterface(name string) bool {
	return name != "" && len(name) <= 15 && !strings.ContainsAny(name, "/: \t")
}
