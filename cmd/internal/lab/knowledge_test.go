package lab

import (
	"os/exec"
	"testing"
)

// What operators ordered of real servers on a director that dies holds on the
// other one, whose table had it before; what is ended there meanwhile ends on the
// first one, too, when it is back. Whole monds: it takes minutes, for LAB_ALL.
func TestTakeoversKeepMaintenance(t *testing.T) {
	s := newTwoDirectors(t, "dr")
	s.more = `    real 10.7.0.11
    real 10.7.0.12
    real 10.7.0.13
    drain forever idle 1h
`
	row := func(real, weight string) string {
		return "-a -t " + takeoverVIP + ":" + takeoverPort + " -r " + real + ":" + takeoverPort + " -g -w " + weight
	}
	const virtual = "-A -t " + takeoverVIP + ":" + takeoverPort + " -s rr"
	s.both(t)
	s.monctl(t, s.a, "maint", "10.7.0.11", "--note", "a new disk")
	s.monctl(t, s.a, "drain", "10.7.0.12")
	s.monctl(t, s.a, "weight", "10.7.0.13", "7")
	ordered := []string{virtual, row("10.7.0.10", "1"), row("10.7.0.12", "0"), row("10.7.0.13", "7")}
	s.a.untilTable(t, nil, gently, ordered...)
	s.b.untilTable(t, nil, gently, ordered...)

	s.order(t, s.a, "auto")
	s.powerOff(t)()
	s.holds(t, s.b)
	s.b.untilTable(t, nil, gently, ordered...)
	s.monctl(t, s.b, "maint", "--end", "10.7.0.11")
	s.monctl(t, s.b, "weight", "10.7.0.13", "--end")
	ended := []string{virtual, row("10.7.0.10", "1"), row("10.7.0.11", "1"), row("10.7.0.12", "0"), row("10.7.0.13", "1")}
	s.b.untilTable(t, nil, gently, ended...)
	s.a.untilTable(t, nil, gently, ordered...) // as it was when it died

	batch(t, s.a, "link set eth0 up", "link set eth1 up", "link set eth2 up")
	s.daemons[s.a].run(t)
	s.a.untilTable(t, nil, gently, ended...)
}

// monctl gives an order on a director, as an operator would.
func (s *twoDirectors) monctl(t *testing.T, n node, words ...string) {
	t.Helper()
	words = append([]string{"--socket", s.daemons[n].dir + "/sock"}, words...)
	run(t, exec.CommandContext(t.Context(), program(t, "monctl"), words...))
}
