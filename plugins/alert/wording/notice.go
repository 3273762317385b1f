package wording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/alert"
)

// Version is that of the JSON form of a [Notice]. Members may be added under
// the same version; it changes when one is removed or means something else.
const Version = 1

// maxText bounds Output and Detail of a Notice, in bytes; a text that is longer
// ends in a mark.
const maxText = 32 << 10

// Notice is what a template sees of a notice, and its stable form in JSON.
type Notice struct {
	// Version is 1.
	Version int `json:"version"`
	// ID is equal for every try at the same notice.
	ID string `json:"id"`
	// Kind is mon's word: failure, up, startup, trap, traptimeout, ack, disable
	// or test.
	Kind string `json:"kind"`
	// Heading is ALERT, UPALERT, or the kind in capitals.
	Heading string `json:"heading"`
	Group   string `json:"group"`
	Service string `json:"service"`
	// Description is the service's, empty without one.
	Description string `json:"description"`
	// Status is mon's word for the opstatus, OpStatus its number.
	Status   string `json:"status"`
	OpStatus int    `json:"opstatus"`
	// Exit is the monitor's exit status.
	Exit  int      `json:"exit"`
	Hosts []string `json:"hosts"`
	// Summary is one line; at an upalert it is that of the last failure.
	Summary string `json:"summary"`
	// Detail is what the monitor said beyond the summary, of any number of
	// lines; 32 KiB at most.
	Detail string `json:"detail"`
	// Ack is the comment of an acknowledgement, empty without one.
	Ack string `json:"ack"`
	// At is the time of the event, in JSON as by RFC 3339.
	At time.Time `json:"at"`
	// Since is when the failure began; absent from JSON, and zero, where that
	// is not known.
	Since time.Time `json:"since,omitzero"`
	// Repeated means that it may have been told before, Late that it was told
	// before it was safe on disk.
	Repeated bool `json:"repeated"`
	Late     bool `json:"late"`

	// Output is all that the monitor printed; 32 KiB at most. It, Env and the
	// variables are not in JSON: services keep passwords in their variables.
	Output string `json:"-"`
	// Env holds the service's variables and the MON_* ones.
	Env map[string]string `json:"-"`

	vars map[string]string
}

// Of is the notice in words.
func Of(r alert.Request) Notice {
	kind := r.Kind
	if !kind.Valid() {
		kind = alert.Failure
	}
	n := Notice{
		Version: Version, ID: valid(r.ID), Kind: kind.String(), Heading: kind.Heading(),
		Group: OneLine(r.Group, 400), Service: OneLine(r.Service, 400),
		Description: OneLine(r.Env["MON_DESCRIPTION"], 1000),
		Status:      Status(r.Status), OpStatus: r.Status, Exit: r.Exit, Hosts: []string{},
		Summary: OneLine(Summary(r), 1000), Detail: cut(Detail(r)), Ack: OneLine(r.Env["MON_ACK"], 1000),
		At: r.At.Local().Truncate(time.Millisecond), Since: since(r), Repeated: r.Repeated, Late: r.Late,
		Output: cut(valid(r.Output)), Env: r.Env,
	}
	for _, h := range r.Hosts {
		n.Hosts = append(n.Hosts, valid(h))
	}
	return n
}

// With is n with variables for templates to use by {{.Var "NAME"}}.
func (n Notice) With(vars map[string]string) Notice {
	n.vars = vars
	return n
}

// Var is a variable of the alert's own line; one that was not set is an error.
func (n Notice) Var(name string) (string, error) {
	value, ok := n.vars[name]
	if !ok {
		return "", fmt.Errorf("the variable %q is not set", name)
	}
	return value, nil
}

// Failing reports whether it tells that something fails: kinds failure, trap
// and traptimeout.
func (n Notice) Failing() bool {
	return n.Kind == "failure" || n.Kind == "trap" || n.Kind == "traptimeout"
}

// Up reports whether it tells of a recovery.
func (n Notice) Up() bool { return n.Kind == "up" }

// JSON is the notice as one JSON object in one line.
func (n Notice) JSON() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(n); err != nil { // a time beyond the year 9999
		n.At, n.Since = time.Time{}, time.Time{}
		b.Reset()
		_ = enc.Encode(n)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Samples are notices of every kind, to try a template with.
func Samples() []Notice {
	var all []Notice
	for k := alert.Failure; k.Valid(); k++ {
		n := Of(alert.Request{
			ID: "sample", Group: "web", Service: "http", Kind: k, Hosts: []string{"web1", "web2"},
			Summary: `web2 "quoted" \ <b>`, Output: "web2 \"quoted\" \\ <b>\nweb2: connection refused\n\ta \"line\"\n",
			At: time.Unix(1700000000, 0), Exit: 1, Env: map[string]string{"MON_DESCRIPTION": "the shop's site"},
		})
		all = append(all, n)
	}
	return all
}

// since is MON_FIRST_FAILURE as a time.
func since(r alert.Request) time.Time {
	if n, err := strconv.ParseInt(r.Env["MON_FIRST_FAILURE"], 10, 64); err == nil && n > 0 {
		return time.Unix(n, 0)
	}
	return time.Time{}
}

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// cut is at most the first maxText bytes of s.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "\n[cut at 32 KiB]"
}
