package rpc

import "github.com/mondhq/mond/plugins/rpc/pb"

// Kind tells a monitor from an alert.
type Kind uint8

// The kinds, with their numbers on the wire.
const (
	Unknown Kind = iota
	Monitor
	Alert
)

// String is "monitor", "alert" or "unknown".
func (k Kind) String() string {
	switch k {
	case Monitor:
		return "monitor"
	case Alert:
		return "alert"
	case Unknown:
	}
	return "unknown"
}

// MarshalText is [Kind.String], for JSON.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Manifest is what a resident plugin says of itself.
type Manifest struct {
	Kind     Kind   `json:"kind"`
	Name     string `json:"name"`
	Synopsis string `json:"synopsis"`
	Flags    []Flag `json:"flags"`
	// Caps are the capabilities it wants, such as "cap_net_raw".
	Caps []string `json:"caps,omitempty"`
	// MaxInflight is how many checks it takes at once; 0 leaves it to the
	// host.
	MaxInflight int `json:"max_inflight,omitempty"`
	// Keeper means that it takes claims.
	Keeper bool `json:"keeper,omitempty"`
	// Watcher means that it also speaks unasked.
	Watcher bool `json:"watcher,omitempty"`
	// Elector means that it decides who holds groups of addresses, Holder that
	// it holds them.
	Elector bool `json:"elector,omitempty"`
	Holder  bool `json:"holder,omitempty"`
}

// Flag is an option of a plugin.
type Flag struct {
	Name    string `json:"name"`
	Usage   string `json:"usage"`
	Default string `json:"default,omitempty"`
	// Switch means that it takes no value.
	Switch bool `json:"switch,omitempty"`
}

// Problem is what is wrong with one argument.
type Problem struct {
	// Index of the argument, from 0; -1 for all of them together.
	Index   int
	Message string
}

// EncodeManifest writes m.
func EncodeManifest(m Manifest) *pb.Manifest {
	p := &pb.Manifest{
		Kind: pb.Kind(m.Kind),
		Name: text(m.Name), Synopsis: text(m.Synopsis),
		Caps: texts(m.Caps), MaxInflight: uint32(max(m.MaxInflight, 0)), //nolint:gosec // small
		Keeper: m.Keeper, Watcher: m.Watcher, Elector: m.Elector, Holder: m.Holder,
	}
	for _, f := range m.Flags {
		p.Flags = append(p.Flags, &pb.Flag{
			Name: text(f.Name), Usage: text(f.Usage), Default: text(f.Default), Switch: f.Switch,
		})
	}
	return p
}

// DecodeManifest is the inverse of [EncodeManifest].
func DecodeManifest(p *pb.Manifest) Manifest {
	m := Manifest{
		Name: p.GetName(), Synopsis: p.GetSynopsis(),
		Caps: p.GetCaps(), MaxInflight: int(min(p.GetMaxInflight(), 1<<20)),
		Keeper: p.GetKeeper(), Watcher: p.GetWatcher(), Elector: p.GetElector(), Holder: p.GetHolder(),
	}
	if k := p.GetKind(); k == pb.Kind_MONITOR || k == pb.Kind_ALERT {
		m.Kind = Kind(k) //nolint:gosec // one of two
	}
	for _, f := range p.GetFlags() {
		m.Flags = append(m.Flags, Flag{Name: f.Name, Usage: f.Usage, Default: f.Default, Switch: f.Switch})
	}
	return m
}

// EncodeProblems writes what is wrong with a list of arguments.
func EncodeProblems(list []Problem) *pb.ValidateReply {
	out := &pb.ValidateReply{}
	for _, p := range list {
		out.Problems = append(out.Problems, &pb.Problem{
			Index: int32(p.Index), Message: Cut(p.Message, 4<<10), //nolint:gosec // an index of a short list
		})
	}
	return out
}

// DecodeProblems is the inverse of [EncodeProblems].
func DecodeProblems(p *pb.ValidateReply) []Problem {
	var out []Problem
	for _, one := range p.GetProblems() {
		out = append(out, Problem{Index: int(one.Index), Message: one.Message})
	}
	return out
}
