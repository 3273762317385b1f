package ldirectord

import (
	"strconv"
	"strings"
)

// standard is the package of the Nagios plugins that mond has no monitor for.
const standard = "it is asked by a Nagios plugin of the package monitoring-plugins-standard, a process for each check"

// database is a service that mond has no monitor for: a Nagios plugin asks it.
func (c *conversion) database(q *question, t string) *line {
	p := q.p
	login, password := p.values["login"].text, p.values["passwd"].text
	request := strings.TrimPrefix(q.request, "/")
	port := strconv.Itoa(q.port)
	args := []string{"-H", "{host}", "-P", port}
	option := func(name, text string) {
		if text != "" {
			args = append(args, name, text)
		}
	}
	switch p.service {
	case "ldap", "ldaps":
		return c.ldap(q, t)
	case "mysql":
		option("-u", login)
		option("-p", password)
		option("-d", p.values["database"].text)
		return c.query(q, t, "check_mysql_query", args, "-q", request)
	case "pgsql":
		option("-l", login)
		option("-p", password)
		option("-d", p.values["database"].text)
		return c.query(q, t, "check_pgsql", args, "-q", request)
	case "radius":
		option("-u", login)
		option("-p", password)
		option("-F", "/etc/radiusclient/radiusclient.conf")
		c.w.Lose(q.at("secret"), "secret of radius", "check_radius reads it from the file of its option -F, in the form of radiusclient: write it there. %s", standard)
		return c.plugin(q, t, "check_radius", args)
	}
	c.w.Lose(q.at("service"), "service = "+p.service, "mond does not speak it, so that the port is only connected to; name a program of your own with nagios.monitor --plugin")
	return (&line{}).say("tcp.monitor").at(q).say("-t", t)
}

// ldap reads one entry.
func (c *conversion) ldap(q *question, t string) *line {
	p := q.p
	args := []string{"-H", "{host}", "-p", strconv.Itoa(q.port), "-3", "-b", strings.TrimPrefix(q.request, "/")}
	if login, password := p.values["login"].text, p.values["passwd"].text; login != "" && password != "" {
		args = append(args, "-D", login, "-P", password)
	}
	if p.service == "ldaps" {
		args = append(args, "-S")
	}
	if q.receive != "" {
		c.w.Lose(q.at("receive"), `receive = "`+q.receive+`"`, "ldirectord compares the name of the entry with it, check_ldap is content with the entry")
	}
	c.w.Lose(q.at("service"), "service = "+p.service, "%s", standard)
	return c.plugin(q, t, "check_ldap", args)
}

// query is a plugin that asks a database; ldirectord wants a row, the plugin a
// number in it.
func (c *conversion) query(q *question, t, plugin string, args []string, option, request string) *line {
	if q.p.values["login"].text == "" || request == "" {
		c.w.Warnf(q.at("service"), "give login and request", "without login and request ldirectord takes every database for dead")
	}
	if request != "" {
		args = append(args, option, request)
	}
	c.w.Lose(q.at("request"), "service = "+q.p.service, "%s; ldirectord is content with a row, it wants a number in the first column of the first one, such as SELECT 1", standard)
	return c.plugin(q, t, plugin, args)
}

// plugin runs a Nagios plugin.
func (c *conversion) plugin(q *question, t, name string, args []string) *line {
	for i := range args {
		if args[i] != "{host}" {
			args[i] = shellQuote(args[i])
		}
	}
	return (&line{}).say("nagios.monitor", "--plugin", name, "--warning-fails", "-t", t, "--args", strings.Join(args, " "))
}
