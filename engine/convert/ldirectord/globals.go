package ldirectord

import (
	"strings"
)

// globals writes what ldirectord's variables mean for the whole daemon; those
// of checks are written where they count.
func (c *conversion) globals() {
	v := c.file.values
	c.w.Resident(c.pos)
	if m := v["maintenancedir"]; m.given() {
		c.w.Global(m.pos, "maintenance_dir", m.text)
		c.w.Note(from(m))
	}
	if l := v["logfile"]; l.given() {
		c.logfile(l)
	}
	c.w.Blank(c.pos)
	c.old()
	c.lost()
}

// logfile is a path or a facility of syslog.
func (c *conversion) logfile(l value) {
	if strings.ContainsAny(l.text, "/.") {
		c.lose(l, "logfile", "mond logs to its standard error, the journal or syslog: see the option --log of mond")
		return
	}
	c.w.Global(l.pos, "syslog_facility", l.text)
	c.w.Note(from(l))
}

// old warns of what ldirectord itself does not read any more.
func (c *conversion) old() {
	const now = "write checktimeout and negotiatetimeout"
	if v := c.file.values["timeout"]; v.given() {
		c.w.Warnf(v.pos, now, "timeout is of old ldirectords, today's refuses the file; it is taken for both checktimeout and negotiatetimeout where these are not given")
	}
	if v := c.file.values["connecttimeout"]; v.given() {
		c.w.Warnf(v.pos, now, "connecttimeout is of old ldirectords, today's refuses the file; it is taken for negotiatetimeout")
	}
	if v := c.file.values["checkcount"]; v.given() {
		c.w.Warnf(v.pos, "see failurecount", "ldirectord calls checkcount deprecated; it is for pings only")
	}
}

// lose notes a directive that is not carried over.
func (c *conversion) lose(v value, name, why string, args ...any) {
	c.w.Lose(v.pos, name+" = "+v.raw, why, args...)
}

// lost notes the variables that have no place in a configuration of mond.
func (c *conversion) lost() {
	v := c.file.values
	for _, l := range []struct{ name, only, why string }{
		{"autoreload", "yes", "mond reads its files again when it is told to: by SIGHUP or monctl reload"},
		{"autoreload", "no", "it says what mond does anyway: files are read again on SIGHUP or monctl reload"},
		{"callback", "", "mond does not watch its files, and has nobody to tell of a change"},
		{"supervised", "", "mond stays in the foreground unless it is started with -f"},
		{"fork", "", "mond checks everything side by side in any case, each check at its own interval"},
	} {
		if d := v[l.name]; d.given() && (l.only == "" || d.text == l.only) {
			c.lose(d, l.name, "%s", l.why)
		}
	}
	for _, e := range c.file.execute {
		c.lose(e, "execute", "it starts another ldirectord: convert that file too, and include the result")
	}
	c.leftovers()
}

// leftovers are differences in what happens at the start and the end.
func (c *conversion) leftovers() {
	c.readded()
	clean := c.file.values["cleanstop"]
	if !clean.given() {
		if len(c.file.virtuals) > 0 {
			c.w.Lose(c.pos, "cleanstop, which is yes by default", "mond leaves the table as it is when it ends, so that clients are served meanwhile; ipvsadm -D removes a service")
		}
		return
	}
	if clean.text == "yes" {
		c.lose(clean, "cleanstop", "mond leaves the table as it is when it ends; ipvsadm -D removes a service")
	}
}

// readded notes what becomes of quiescent real servers that somebody took out:
// for mond's readdquiescent is always yes.
func (c *conversion) readded() {
	const why = "mond keeps the table as the configuration says: a real server that is quiescent is in it, with weight 0, even if somebody took it out"
	switch d := c.file.values["readdquiescent"]; {
	case !d.given() && c.quiesces():
		c.w.Lose(c.pos, "readdquiescent, which is no by default", why)
	case !d.given():
	case !c.quiesces():
		c.lose(d, "readdquiescent", "no virtual service is quiescent")
	case d.text == "no":
		c.lose(d, "readdquiescent", why)
	}
}

// quiesces reports whether any virtual service is quiescent.
func (c *conversion) quiesces() bool {
	for _, s := range c.file.virtuals {
		if yes, _ := c.yes(s, "quiescent"); yes {
			return true
		}
	}
	return false
}

// timeouts are the time limits of a section in seconds, each with where it
// comes from: the two take each other's place before the defaults.
func (c *conversion) timeouts(s *section) (check, negotiate value) {
	g := c.file.values
	first := func(all ...value) value {
		for _, v := range all {
			if v.given() {
				return v
			}
		}
		return value{}
	}
	gCheck := first(g["checktimeout"], g["timeout"])
	gNegotiate := first(g["negotiatetimeout"], g["connecttimeout"], g["timeout"])
	vNegotiate := first(s.values["negotiatetimeout"], s.values["connecttimeout"])
	check = first(s.values["checktimeout"], vNegotiate, gCheck, gNegotiate)
	negotiate = first(vNegotiate, s.values["checktimeout"], gNegotiate, gCheck)
	if !check.given() {
		check.n = 5
	}
	if !negotiate.given() {
		negotiate.n = 30
	}
	return check, negotiate
}

// interval is the pause between two checks; that of a section only counts in
// an ldirectord that forks.
func (c *conversion) interval(s *section) value {
	v := c.file.values["checkinterval"]
	if own := s.values["checkinterval"]; own.given() && c.file.values["fork"].text == "yes" {
		v = own
	}
	if !v.given() {
		v.n = 10
	}
	return v
}

// count is a number of a section or of the file, 1 by default.
func (c *conversion) count(s *section, name string) value {
	v := c.effective(s, name)
	if !v.given() {
		v.n = 1
	}
	return v
}
