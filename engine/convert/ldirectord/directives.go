package ldirectord

import (
	"strconv"
	"strings"
)

// scope says where a directive may stand.
type scope uint8

const (
	global scope = 1 << iota
	virtual
)

// form says what the value of a directive looks like.
type form uint8

const (
	text     form = iota // whatever stands behind the =
	number               // a whole number above 0
	whole                // a whole number
	yesNo                // yes or no
	quoted               // text in double quotes, which must be there
	unquoted             // text in double quotes or without
	word                 // the first word
	letters              // lower-case letters
	status               // a list of states of the daemon
	check                // a type of check
	service              // what speaks there
	method               // GET or HEAD
	protocol             // tcp, udp or fwm
	place                // real, fallback: judged when the section is known
	bare                 // yes, no or nothing
)

// directive is one that ldirectord knows.
type directive struct {
	name  string
	scope scope
	form  form
}

// directives are all of them; a name may stand here twice if its value looks
// different in the two scopes.
func directives() []directive {
	const both = global | virtual
	return []directive{
		{"checktimeout", both, number}, {"negotiatetimeout", both, number}, {"connecttimeout", both, number}, {"timeout", global, number},
		{"checkinterval", both, number}, {"checkcount", both, number}, {"failurecount", both, number},
		{"quiescent", both, yesNo}, {"readdquiescent", global, yesNo}, {"cleanstop", both, yesNo},
		{"autoreload", global, yesNo}, {"fork", global, yesNo}, {"supervised", global, bare},
		{"callback", global, quoted}, {"logfile", global, quoted}, {"execute", global, text}, {"maintenancedir", global, text},
		{"fallback", both, place}, {"fallback6", both, place}, {"fallbackcommand", global, text}, {"fallbackcommand", virtual, unquoted},
		{"emailalert", both, unquoted}, {"emailalertfrom", global, text}, {"emailalertfreq", both, whole}, {"emailalertstatus", both, status}, {"smtp", both, word},
		{"real", virtual, place}, {"real6", virtual, place},
		{"checktype", virtual, check}, {"service", virtual, service}, {"checkcommand", virtual, unquoted}, {"checkport", virtual, number},
		{"request", virtual, quoted}, {"receive", virtual, quoted}, {"httpmethod", virtual, method}, {"virtualhost", virtual, unquoted},
		{"login", virtual, quoted}, {"passwd", virtual, quoted}, {"database", virtual, quoted}, {"secret", virtual, quoted}, {"load", virtual, quoted},
		{"scheduler", virtual, letters}, {"schedflags", virtual, word}, {"persistent", virtual, whole}, {"netmask", virtual, word},
		{"protocol", virtual, protocol}, {"ops", virtual, yesNo},
		{"monitorfile", virtual, unquoted}, {"servicename", virtual, text}, {"comment", virtual, text},
	}
}

// find is the directive of that name in any scope, or nil.
func find(name string) *directive { return findIn(name, global|virtual) }

func findIn(name string, where scope) *directive {
	for _, d := range directives() {
		if d.name == name && d.scope&where != 0 {
			return &d
		}
	}
	return nil
}

// names are those of a scope, for hints.
func namesOf(where scope) []string {
	var all []string
	for _, d := range directives() {
		if d.scope&where != 0 {
			all = append(all, d.name)
		}
	}
	return all
}

// services are what ldirectord can speak, with the port that tells which.
func services() []struct {
	name string
	port int
} {
	return []struct {
		name string
		port int
	}{
		{"dns", 53}, {"ftp", 21}, {"http", 80}, {"https", 443}, {"http_proxy", 3128}, {"imap", 143}, {"imaps", 993}, {"ldap", 389}, {"ldaps", 636},
		{"mysql", 3306}, {"nntp", 119}, {"none", 0}, {"oracle", 1521}, {"pgsql", 5432}, {"pop", 110}, {"pops", 995}, {"radius", 1812}, {"simpletcp", 0},
		{"sip", 5060}, {"smtp", 25}, {"submission", 587},
	}
}

// guess is the service of a port.
func guess(port int) string {
	for _, s := range services() {
		if s.port == port && port != 0 {
			return s.name
		}
	}
	return "none"
}

// portOf is the port of a service, or 0.
func portOf(name string) int {
	for _, s := range services() {
		if s.name == name {
			return s.port
		}
	}
	return 0
}

func serviceNames() []string {
	var all []string
	for _, s := range services() {
		all = append(all, s.name)
	}
	return all
}

// judge makes a value of a text, or says what it wants to be.
func (d *directive) judge(s string) (v string, n int, want string) {
	first, _, _ := strings.Cut(s, " ")
	switch d.form {
	case number, whole:
		return judgeNumber(d, s)
	case yesNo, bare:
		return s, 0, unless(s == "yes" || s == "no", "yes or no")
	case quoted, unquoted:
		inner, ok := unquote(s)
		if !ok && d.form == quoted {
			return "", 0, "text in double quotes"
		}
		return inner, 0, unless(inner != "", "something")
	case letters:
		return first, 0, unless(first != "" && strings.Trim(first, "abcdefghijklmnopqrstuvwxyz") == "", "a name in lower-case letters")
	case status:
		return s, 0, judgeStatus(s)
	case check:
		return judgeCheck(first)
	case service:
		return first, 0, unless(isOneOf(first, serviceNames()...), "one of "+strings.Join(serviceNames(), ", "))
	case method:
		up := strings.ToUpper(first)
		return up, 0, unless(up == "GET" || up == "HEAD", "GET or HEAD")
	case protocol:
		return first, 0, unless(isOneOf(first, "tcp", "udp", "fwm"), "tcp, udp or, for a firewall mark, fwm")
	case word:
		return first, 0, unless(first != "", "a word")
	case text, place:
	}
	return s, 0, unless(s != "", "something")
}

// unless is what is wanted, unless it is there.
func unless(good bool, want string) string {
	if good {
		return ""
	}
	return want
}

func isOneOf(s string, all ...string) bool {
	for _, a := range all {
		if s == a {
			return true
		}
	}
	return false
}

// maxNumber is the largest number that is taken: a day of seconds goes into it,
// and no sum of a few overflows.
const maxNumber = 1 << 24

// judgeNumber takes the figures that the text begins with, as ldirectord does.
func judgeNumber(d *directive, s string) (string, int, string) {
	digits := s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
	n, err := strconv.Atoi(digits)
	most, least := maxNumber, 1
	if d.name == "checkport" {
		most = 65535
	}
	if d.form == whole {
		least = 0
	}
	return digits, n, unless(err == nil && n >= least && n <= most, "a whole number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most))
}

func judgeStatus(s string) string {
	list := strings.Split(s, ",")
	for _, name := range list {
		name = strings.TrimSpace(name)
		if !isOneOf(name, "all", "none", "starting", "running", "stopping", "reloading") {
			return "none, all, or a list of starting, running, stopping and reloading"
		}
		if name == "none" && len(list) > 1 {
			return "none alone, or others"
		}
	}
	return ""
}

func judgeCheck(s string) (string, int, string) {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n < 10000 {
		return "combined", n, ""
	}
	known := isOneOf(s, "connect", "negotiate", "ping", "off", "on", "external", "external-perl")
	return s, 0, unless(known, "connect, negotiate, ping, on, off, external, external-perl, or how many times it connects before it negotiates")
}

// unquote is what stands between the first quote, with which s must begin, and
// the last.
func unquote(s string) (string, bool) {
	if !strings.HasPrefix(s, `"`) || strings.LastIndexByte(s, '"') == 0 {
		return s, false
	}
	return s[1:strings.LastIndexByte(s, '"')], true
}
