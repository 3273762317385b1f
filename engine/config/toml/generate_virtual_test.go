package toml

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/mondhq/mond/engine/config"
)

// pool is a value of a directive of a virtual service; n tells virtual services
// apart.
func (s *site) pool(k config.Keyword, n int) string {
	switch k.Name {
	case "address":
		return s.pick(k.Name, fmt.Sprintf("tcp 10.%d.0.3:80", n), fmt.Sprintf("tcp  10.%d.0.3-10.%d.0.9:80", n, n))
	case "scheduler":
		return s.pick(k.Name, "wlc", "sh  sh-port flag-1")
	case "forward":
		return s.pick(k.Name, "dr", "tun gue  6080 csum", "tun")
	case "persistent":
		return s.pick(k.Name, "6m", "90s /24", "1h  255.255.0.0")
	case "netns":
		return s.pick(k.Name, "blue")
	case "real":
		return s.pick(k.Name, fmt.Sprintf("192.%d.0.1 weight 5", n), fmt.Sprintf("192.%d.0.1:80  name r%d", n, n), fmt.Sprintf("192.%d.0.1-4 on_fail drain", n))
	case "standby":
		return s.pick(k.Name, fmt.Sprintf("1 192.%d.1.1", n), fmt.Sprintf("2  192.%d.1.1 upper 9 lower 3", n))
	case "fallback":
		return s.pick(k.Name, fmt.Sprintf("192.%d.2.1 forward nat", n), fmt.Sprintf("192.%d.2.1", n))
	case "start":
		return s.pick(k.Name, "adopt", "optimistic")
	case "need":
		return s.pick(k.Name, "all", "any", "1")
	case "quorum", "standby_quorum":
		return s.pick(k.Name, "1", "1 weight", "50%  hysteresis 10%", "1 members", "2 members down 1")
	case "panic":
		return s.pick(k.Name, "below 50%", "below  50% until 60%")
	case "eject":
		return s.pick(k.Name, "at most 2", "at  most 20%")
	case "on_fail":
		return s.pick(k.Name, "remove", "quiesce")
	case "drain":
		return s.pick(k.Name, "none", "10m", "forever  idle 5s")
	case "ramp":
		return s.pick(k.Name, "100s", "100s steps 7  doubling")
	case "warn":
		return s.pick(k.Name, "50%")
	case "weight_limits":
		return s.pick(k.Name, "min 10% max 200%", "ignore 5%  every 20s step 10%")
	case "maintenance_dir":
		return s.pick(k.Name, "/a", "m x")
	case "maintenance_at":
		return s.pick(k.Name, "* wd {Sun}", "*  hr {1-2}, hr {5}")
	case "on":
		return s.pick(k.Name, "primary", "primary  fallback", "all")
	}
	return s.value(k)
}

// virtuals writes virtual services, of which the first has every directive.
func (s *site) virtuals(directives, check, period []config.Keyword) {
	if !s.mond {
		return
	}
	for n := range rapid.IntRange(1, 3).Draw(s.t, "virtuals") {
		s.line(0, fmt.Sprint("virtual v", n))
		for _, k := range directives {
			once := k.Name == "address" || k.Name == "real"
			if k.Name == "one_packet" || n > 0 && !once && s.flip("leave out") {
				continue // it is for UDP
			}
			s.line(4, strings.TrimSpace(k.Name+" "+s.pool(k, n)))
			if k.Repeat && !once && k.Name != "standby" && k.Name != "fallback" && s.flip("again") {
				s.line(4, k.Name+" "+s.pool(k, n))
			}
		}
		if s.flip("pool") {
			s.line(4, "description the pool of $virtual")
			s.line(4, "NET=$vip  x")
			s.line(4, "period p:")
			s.line(8, "alert mail.alert $virtual")
		}
		if s.flip("template") {
			s.line(4, "use checked by=a.monitor")
		}
		for c := range rapid.IntRange(0, 3).Draw(s.t, "checks") {
			s.check(n, c, check, period)
		}
		s.blank()
	}
}

func (s *site) check(n, c int, directives, period []config.Keyword) {
	name := s.pick("name", "", fmt.Sprint(" c", c), " same", fmt.Sprint(" $virtual-", c))
	s.line(4, "check"+name)
	s.line(8, fmt.Sprintf("monitor m%d.monitor -p ${port}%d -x \"$real $$\"", c, n*10+c))
	if name == " same" {
		s.line(8, []string{"on primary", "on standby", "on fallback"}[c])
		return
	}
	if s.flip("use") {
		s.line(8, "use settings")
	}
	for _, k := range directives {
		if s.flip("leave out") || slices.Contains([]string{"monitor", "schedule", "depend", "exclude_hosts", "weight_from"}, k.Name) {
			continue
		}
		if k.Name == "through" || strings.HasSuffix(k.Name, "depend") {
			continue
		}
		s.line(8, strings.TrimSpace(k.Name+" "+s.pool(k, n)))
	}
	if s.flip("period") {
		s.line(8, "period all: wd {Mon-Fri}")
		for _, k := range period[:2] {
			s.line(12, k.Name+" "+s.value(k))
		}
	}
}
