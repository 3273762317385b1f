package site

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/plugins/host"
)

// virtual judges the keeper of a virtual service and the words that it will
// be given.
func (j *judge) virtual(v *config.Virtual) {
	k := j.find(host.Alert, v.Program)
	switch {
	case k.err != nil:
		j.problem(v.Pos, k.err)
		return
	case !k.manifest.Keeper:
		j.problem(v.Pos, fmt.Errorf("virtual service %s: %s (%s) keeps no table: want the resident lvs.alert", v.Name, v.Program, k.program.Path))
		return
	}
	j.programs[v.Program] = k.use()
	for _, r := range j.rows(v) {
		j.row(k, v, r)
	}
}

// shaped is a row of a virtual service, for all that differ from it in nothing but
// numbers and addresses of the same kind: there may be ten thousand.
type shaped struct {
	shape string
	pos   config.Pos
	words []string
}

// rows are one of each shape, which do not change as long as v does not.
func (j *judge) rows(v *config.Virtual) []shaped {
	all, known := j.memory.rows[v]
	if !known {
		all = rowsOf(v)
	}
	j.shaped[v] = all
	return all
}

func rowsOf(v *config.Virtual) (all []shaped) {
	add := func(pos config.Pos, words []string) {
		kinds := make([]string, len(words))
		for i, w := range words {
			kinds[i] = kindOfWord(w)
		}
		shape := "row " + strings.Join(kinds, " ")
		if !slices.ContainsFunc(all, func(r shaped) bool { return r.shape == shape }) {
			all = append(all, shaped{shape, pos, words})
		}
	}
	for i := range v.Rows {
		add(v.Pos, slices.Concat(v.Rows[i].Target, v.Rows[i].More))
	}
	for i := range v.Members {
		weight := strconv.Itoa(v.Pool.Members[i].Weight)
		for _, r := range v.Members[i].Rows {
			add(v.Members[i].Pos, slices.Concat(r.Target, r.More, []string{"-W", weight}))
		}
	}
	return all
}

// row lets the keeper judge the words of one row, which come from values that the
// configuration has judged.
func (j *judge) row(k *known, v *config.Virtual, r shaped) {
	if k.judged[r.shape] {
		return
	}
	before := len(j.diags)
	j.arguments(k, &config.Command{Pos: r.pos, Program: v.Program, Args: r.words})
	k.judged[r.shape] = len(j.diags) == before
}

// kindOfWord is w, or what kind of number or address it is.
func kindOfWord(w string) string {
	if !strings.ContainsAny(w, "0123456789") { // most words, and errors are dear
		return w
	}
	if _, err := strconv.Atoi(w); err == nil {
		return "#"
	}
	if at, err := netip.ParseAddrPort(w); err == nil {
		return family(at.Addr()) + ":"
	}
	if at, err := netip.ParseAddr(w); err == nil {
		return family(at)
	}
	return w
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "4"
	}
	return "6"
}
