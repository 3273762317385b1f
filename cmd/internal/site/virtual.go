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
	for i := range v.Rows {
		j.row(k, v.Pos, v, slices.Concat(v.Rows[i].Target, v.Rows[i].More))
	}
	for i := range v.Members {
		weight := strconv.Itoa(v.Pool.Members[i].Weight)
		for _, r := range v.Members[i].Rows {
			j.row(k, v.Members[i].Pos, v, slices.Concat(r.Target, r.More, []string{"-W", weight}))
		}
	}
}

// row lets the keeper judge the words of one row. They come from values that
// the configuration has judged; of rows that differ in nothing but numbers and
// addresses of the same kind one is asked about: there may be ten thousand.
func (j *judge) row(k *known, pos config.Pos, v *config.Virtual, words []string) {
	shape := make([]string, len(words))
	for i, w := range words {
		shape[i] = kindOfWord(w)
	}
	id := "row " + strings.Join(shape, " ")
	if k.judged[id] {
		return
	}
	before := len(j.diags)
	j.arguments(k, &config.Command{Pos: pos, Program: v.Program, Args: words})
	k.judged[id] = len(j.diags) == before
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
