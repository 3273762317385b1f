package fake

import (
	"context"
	"log/slog"
	"slices"

	"github.com/mondhq/mond/alerts/fake/address"
	"github.com/mondhq/mond/alerts/fake/announce"
	"github.com/mondhq/mond/plugins/role"
)

// announcing is the Announcer that sends.
type announcing struct{ *announce.Announcer }

// newAnnouncing is one that sends until ctx ends. It looks after carrier and
// hardware addresses itself.
func newAnnouncing(ctx context.Context, network announce.Network, log *slog.Logger) announcing {
	a := announce.New(announce.Options{Network: network, Told: func(e announce.Event) { tell(log, e) }})
	go func() { _ = a.Run(ctx) }() // it ends with ctx
	return announcing{a}
}

// tell puts an event into the log.
func tell(log *slog.Logger, e announce.Event) {
	level := slog.LevelInfo
	if e.Kind == announce.Rival || e.Kind == announce.Failing || e.Kind == announce.Deaf {
		level = slog.LevelWarn
	}
	log.Log(context.Background(), level, e.String(), "group", e.Group)
}

func (n announcing) Took(line role.Group, at []address.Address) {
	n.Announcer.Took(announcement(line, at))
}

func (n announcing) Again(group, _ string) { n.Announcer.Again(group) }

func (n announcing) Account(group string) Account { return Account(n.Announcer.Account(group)) }

// announcement is what is to be announced of a group, on the interfaces it is on.
func announcement(line role.Group, at []address.Address) announce.Group {
	g := announce.Group{Name: line.Name, Tell: line.Tell, Refresh: line.Refresh}
	for _, a := range at {
		router := slices.ContainsFunc(line.Addresses, func(d role.Address) bool { return d.Router && d.Prefix.Addr() == a.Prefix.Addr() })
		g.Addresses = append(g.Addresses, announce.Address{Addr: a.Prefix.Addr(), Device: a.Device, Router: router})
	}
	return g
}
