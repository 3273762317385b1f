package ldirectord

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/mondhq/mond/engine/config"
)

// speak is the monitor that asks as ldirectord negotiates; nil if that is
// nothing.
func (c *conversion) speak(q *question, limit int) *line {
	t := seconds(limit)
	l := &line{}
	switch s := q.p.service; s {
	case "none":
		return nil
	case "http", "https":
		return c.web(q, l.say("http.monitor").at(q).say("-t", t))
	case "http_proxy":
		return c.proxy(q, t)
	case "smtp", "submission":
		return l.say("smtp.monitor").at(q).say("-t", t)
	case "imap", "imaps", "pop", "pops", "nntp":
		return c.greeting(q, l.say("tcp.monitor").at(q).say("-t", t))
	case "ftp":
		return c.ftp(q, l.say("ftp.monitor").at(q).say("-t", t))
	case "dns":
		return c.dns(q, l.say("dns.monitor").at(q).say("-t", t))
	case "simpletcp":
		return c.simple(q, t)
	case "sip":
		return c.sip(q, t)
	default:
		return c.database(q, t)
	}
}

// at is where what is said of a directive of q belongs.
func (q *question) at(name string) config.Pos {
	if v := q.p.values[name]; v.given() {
		return v.pos
	}
	return q.place
}

// match adds an option with the pattern that an answer must match.
func (c *conversion) match(q *question, l *line, option string) *line {
	return c.matching(q, l, option, pattern)
}

func (c *conversion) matching(q *question, l *line, option string, translate func(string) (string, error)) *line {
	if q.receive == "" {
		return l
	}
	re, err := translate(q.receive)
	if err != nil {
		c.w.Lose(q.at("receive"), `receive = "`+q.receive+`"`, "mond's patterns are RE2, which does not have all of Perl's: %v. It is left out: any answer is good, which is less than ldirectord wants", err)
		return l
	}
	return l.say(option, re)
}

// web is a page: redirects are followed, only 2xx is good, certificates are not
// looked at.
func (c *conversion) web(q *question, l *line) *line {
	if q.p.service == "https" {
		l.say("--tls", "--insecure")
	}
	l.say("-u", q.request, "--redirects", "7", "--status", "200-299")
	if v := q.p.values["virtualhost"]; v.given() {
		l.say("--host", v.text)
	}
	if q.p.values["httpmethod"].text != "HEAD" {
		return c.match(q, l, "-m")
	}
	l.say("--method", "HEAD")
	if q.receive != "" {
		c.w.Warnf(q.at("httpmethod"), "use GET, or no receive", "the answer to HEAD has no body, so that nothing can match receive: ldirectord never finds these servers well")
		c.w.Lose(q.at("receive"), `receive = "`+q.receive+`"`, "with httpmethod = HEAD nothing can match it; it is left out, and the status alone counts")
	}
	return l
}

// proxy asks for a page of another host through the real server.
func (c *conversion) proxy(q *question, t string) *line {
	u, err := url.Parse(strings.TrimPrefix(q.request, "/"))
	if err != nil || u.Hostname() == "" || u.Scheme != "http" {
		c.w.Lose(q.at("request"), `request = "`+strings.TrimPrefix(q.request, "/")+`"`, "a proxy is asked for a whole URL, http://HOST/...; this is none, so that the port is only connected to")
		return (&line{}).say("tcp.monitor").at(q).say("-t", t)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	l := (&line{}).say("http.monitor", "-p", port, "-t", t)
	real := "$real"
	if q.p.six {
		real = "[$real]"
	}
	l.param("--proxy http://" + real + ":" + strconv.Itoa(q.port) + "/")
	l.say("-u", u.RequestURI(), "--redirects", "7", "--status", "200-299")
	if q.p.values["httpmethod"].text == "HEAD" {
		l.say("--method", "HEAD")
	} else {
		c.match(q, l, "-m")
	}
	return l.say(u.Hostname()).param(";;")
}

// greeting is a service that greets, and where one may log in.
func (c *conversion) greeting(q *question, l *line) *line {
	name := q.p.service
	l.say("--service", strings.TrimSuffix(name, "s"))
	if strings.HasSuffix(name, "s") {
		l.say("--tls", "--insecure")
	}
	if v := q.p.values["login"]; v.given() && name != "nntp" {
		l.say("--user", v.text, "--password", q.p.values["passwd"].text)
	}
	return l
}

// ftp fetches a file.
func (c *conversion) ftp(q *question, l *line) *line {
	user, password := q.p.values["login"].text, q.p.values["passwd"].text
	if user == "" {
		user = "anonymous"
	}
	l.say("--user", user)
	if password == "" && user != "anonymous" {
		password = "ldirectord@"
	}
	if password != "" {
		l.say("--password", password)
	}
	if q.receive == "" {
		c.w.Warnf(q.at("service"), "give request and receive", "without receive ldirectord takes every FTP server for good, even one that is dead; mond wants to be let in")
		return l
	}
	return c.match(q, l.say("--retr", q.request), "--match")
}

// dns compares addresses, or names if an address is asked for.
func (c *conversion) dns(q *question, l *line) *line {
	name := strings.TrimPrefix(q.request, "/")
	if name == "" {
		name = "."
	}
	if q.p.protocol == "tcp" {
		l.say("--tcp")
	}
	l.say("-n", name)
	if _, err := netip.ParseAddr(name); err == nil {
		l.say("--type", "PTR")
	}
	if q.receive == "" {
		c.w.Warnf(q.at("service"), "give receive", "without receive ldirectord takes no answer for good: its DNS servers are always down; mond takes any answer")
		return l
	}
	return c.match(q, l, "--answer")
}

// simple is a dialogue of one line: what is sent is followed by the end of what
// there is to send, and each line of the answer is compared.
func (c *conversion) simple(q *question, t string) *line {
	request := strings.TrimPrefix(q.request, "/")
	if q.p.protocol == "udp" {
		l := (&line{}).say("udp.monitor").at(q).say("-t", t, "-s", sent(request))
		return c.matching(q, l, "-e", linePattern)
	}
	l := (&line{}).say("tcp.monitor").at(q).say("-t", t)
	if request != "" {
		l.say("-s", sent(request))
	}
	l.say("--half-close")
	if q.receive == "" {
		return l.say("--answer")
	}
	return c.matching(q, l, "-e", linePattern)
}

// sent is text as -s of our monitors has it: ldirectord knows \n, and takes any
// other backslash as it is.
func sent(s string) string {
	parts := strings.Split(s, `\n`)
	for i := range parts {
		parts[i] = strings.ReplaceAll(parts[i], `\`, `\\`)
	}
	return strings.Join(parts, `\n`)
}

// sip asks for the options of a user.
func (c *conversion) sip(q *question, t string) *line {
	user := q.p.values["login"].text
	if user == "" {
		user = "ldirectord@localhost"
	}
	user = sent(user)
	network, monitor := "UDP", "udp.monitor"
	if q.p.protocol == "tcp" {
		network, monitor = "TCP", "tcp.monitor"
	}
	request := strings.Join([]string{
		"OPTIONS sip:" + user + " SIP/2.0", "Via: SIP/2.0/" + network + " mond.invalid;branch=z9hG4bKmond;rport", "Max-Forwards: 70",
		"To: <sip:" + user + ">", "From: <sip:" + user + ">;tag=mond", "Call-ID: mond", "CSeq: 1 OPTIONS", "Contact: <sip:" + user + ">",
		"Accept: application/sdp", "Content-Length: 0", "", "",
	}, `\r\n`)
	return (&line{}).say(monitor).at(q).say("-t", t, "-s", request, "-e", `^SIP/2\.0 200 OK`)
}
