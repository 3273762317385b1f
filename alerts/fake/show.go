package fake

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/alerts/fake/hold"
)

// Holding is how one group stands, for people and programs.
type Holding struct {
	Group string `json:"group"`
	// By says who asks for it: "token" or "claim".
	By     string `json:"by"`
	Hold   bool   `json:"hold"`
	Epoch  uint64 `json:"epoch,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Held of Total addresses are in the kernel.
	Held      int    `json:"held"`
	Total     int    `json:"total"`
	Addresses []Spot `json:"addresses"`
	// Token is for how long the newest token still permits to renew.
	Token string `json:"token_left,omitempty"`
	For   string `json:"held_for,omitempty"`
	Error string `json:"error,omitempty"`
	// Last is what was done last, at Changed.
	Last    string    `json:"last,omitempty"`
	Changed time.Time `json:"changed,omitzero"`
	// The counters since this program started.
	Takes     uint64  `json:"takes"`
	Renewals  uint64  `json:"renewals"`
	PutBack   uint64  `json:"put_back"`
	TooLate   uint64  `json:"too_late"`
	Refused   uint64  `json:"tokens_refused"`
	Announced Account `json:"announced"`
}

// Spot is one address.
type Spot struct {
	Address   string `json:"address"`
	Interface string `json:"interface,omitempty"`
	Here      bool   `json:"here"`
	// Left is until when the kernel has it: "" for good, or not at all.
	Left string `json:"lease_left,omitempty"`
	// FromLo: it goes back to lo at the end.
	FromLo bool `json:"from_lo,omitempty"`
}

// holdings are all groups, by name.
func (d *desk) holdings() []Holding {
	d.look()
	list := []Holding{}
	for _, key := range slices.Sorted(maps.Keys(d.groups)) {
		list = append(list, d.holding(d.groups[key]))
	}
	return list
}

func (d *desk) holding(m *managed) Holding {
	t, _ := m.Token()
	now := d.Now()
	h := Holding{
		Group: m.name, By: "claim", Hold: t.Hold, Epoch: t.Epoch, Reason: t.Reason, Total: len(m.Line.Addresses),
		Error: d.wrong(m), Last: m.detail, Changed: m.changed, Takes: m.Takes, Renewals: m.Renewed, PutBack: m.PutBacks,
		TooLate: m.LateOnes, Refused: m.Refused, Announced: d.Announcer.Account(m.name),
	}
	if m.byLine {
		h.By = "token"
		if t.Hold {
			h.Token = max(t.Until-now, 0).Round(time.Millisecond).String()
		}
	}
	if m.Held() {
		h.For = (now - m.Since).Round(time.Second).String()
	}
	h.Held, _ = held(d.view, m)
	for _, a := range m.Line.Addresses {
		s := Spot{Address: a.Prefix.String(), Interface: a.Device}
		for _, at := range hold.Present(d.view, m.Line, m.Taken()) {
			if r, ok := d.view.Row(at.Prefix, at.Index); ok && at.Prefix == a.Prefix {
				s.here(r, at, now)
			}
		}
		for _, from := range m.Moved() {
			s.FromLo = s.FromLo || from.Prefix.Addr() == a.Prefix.Addr()
		}
		h.Addresses = append(h.Addresses, s)
	}
	return h
}

func (s *Spot) here(r address.Row, at address.Address, now time.Duration) {
	s.Here, s.Interface = true, at.Device
	if !r.Permanent() {
		s.Left = max(r.Expires-now, 0).Round(10 * time.Millisecond).String()
	}
}

func inJSON(list []Holding) string {
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return fmt.Sprintf("%q\n", err.Error()) // strings and numbers cannot fail
	}
	return string(text) + "\n"
}

// inText is a paragraph for each group.
func inText(list []Holding) string {
	if len(list) == 0 {
		return "no group of addresses is declared\n"
	}
	var out strings.Builder
	for _, h := range list {
		h.text(&out)
	}
	return out.String()
}

func (h Holding) text(out *strings.Builder) {
	fmt.Fprintf(out, "group %s: %s\n", h.Group, h.state())
	if h.Reason != "" {
		fmt.Fprintf(out, "  why: %s\n", h.Reason)
	}
	if h.Error != "" {
		fmt.Fprintf(out, "  error: %s\n", h.Error)
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, s := range h.Addresses {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", s.Address, s.Interface, s.state())
	}
	_ = w.Flush()
	fmt.Fprintf(out, "  taken %d times, renewed %d, put back %d, too late %d; announced %d, failed %d\n",
		h.Takes, h.Renewals, h.PutBack, h.TooLate, h.Announced.Sent, h.Announced.Failed)
}

func (h Holding) state() string {
	text := "not held here"
	switch {
	case h.Held == h.Total && h.Total > 0:
		text = "held here"
	case h.Held > 0:
		text = fmt.Sprintf("%d of %d held here", h.Held, h.Total)
	}
	if h.For != "" {
		text += " for " + h.For
	}
	if h.By == "token" && h.Epoch > 0 {
		text += fmt.Sprintf(", epoch %d", h.Epoch)
	}
	return text
}

func (s Spot) state() string {
	text := "not here"
	switch {
	case s.Here && s.Left != "":
		text = "here, for " + s.Left + " more"
	case s.Here:
		text = "here, for good"
	}
	if s.FromLo {
		text += ", goes back to lo"
	}
	return text
}
