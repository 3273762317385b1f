package words

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mondhq/mond/alerts/lvs/ipvs"
)

// defaultSyncID is the cluster's where none is said. It is not 0, by which a
// backup would take in the connections of every cluster on the link.
const defaultSyncID = 1

const (
	modeBoth   = "both"
	modeByRole = "by-role"
)

// setSync reads interface=NAME,syncid=N and so on.
func (a *Arguments) setSync(s string) error {
	a.sync, a.syncByRole = ipvs.Sync{ID: defaultSyncID}, false
	seen := map[string]bool{}
	for word := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(word, "=")
		if seen[name] {
			return fmt.Errorf("%s stands twice", name)
		}
		seen[name] = true
		if err := a.syncWord(name, value); err != nil {
			return err
		}
	}
	if a.sync.Link == "" {
		return errors.New("interface=NAME is missing: the link to the other director")
	}
	return a.sync.Validate()
}

func (a *Arguments) syncWord(name, value string) (err error) {
	switch name {
	case "interface":
		a.sync.Link = value
	case "mode":
		a.syncByRole = value == modeByRole
		if value != modeBoth && value != modeByRole {
			return fmt.Errorf("mode is both or by-role, not %q", value)
		}
	case "group":
		a.sync.Group, err = netip.ParseAddr(value)
		if err != nil {
			return fmt.Errorf("group is a multicast address such as 224.0.0.81, not %q", value)
		}
	case "syncid":
		a.sync.ID, err = syncNumber[uint8](name, value, 0, 255)
	case "maxlen":
		a.sync.MaxLen, err = syncNumber[uint16](name, value, ipvs.MinSyncMaxLen, 65507)
	case "port":
		a.sync.Port, err = syncNumber[uint16](name, value, 1, 65535)
	case "ttl":
		a.sync.TTL, err = syncNumber[uint8](name, value, 1, 255)
	default:
		return fmt.Errorf("%q: say interface, syncid, mode, maxlen, group, port and ttl, each as NAME=VALUE, with commas between", name)
	}
	return err
}

func syncNumber[T uint8 | uint16](name, value string, least, most uint64) (T, error) {
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s is a number from %d to %d, not %q", name, least, most, value)
	}
	return T(n), nil
}

// syncWord is what --sync takes.
func (j Job) syncWord() string {
	s := j.Sync
	text := fmt.Sprintf("interface=%s,syncid=%d", s.Link, s.ID)
	if j.ByRole {
		text += ",mode=" + modeByRole
	}
	for name, value := range s.Asked() {
		text += "," + name + "=" + value
	}
	return text
}
