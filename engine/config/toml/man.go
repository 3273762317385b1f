package toml

import (
	"io"
	"strings"

	"github.com/mondhq/mond/engine/config"
)

// WriteMan writes the manual page mond.toml(5) in roff. The keys in it are the
// directives of [config.Keywords].
func WriteMan(w io.Writer) error {
	m := config.NewManual(w, "MOND.TOML", "mond.toml", "the configuration of mond in TOML")
	m.Section("DESCRIPTION")
	m.Text(`
A configuration whose file name ends in .toml is read as TOML. It says what a mon.cf says, by the same words: every directive of mon.cf(5) is a key here, and means what it means there. monctl convert writes one as the other, with its comments.`)
	m.Example(manExample)
	manRules(m)
	headings := map[config.Scope][2]string{
		config.ScopeGlobal:  {"VARIABLES", "These stand at the top of the file, above the first table, or they would belong to that table."},
		config.ScopeTop:     {"TABLES", "Keys of these tables are names; one with dots stands in quotes."},
		config.ScopeService: {"SERVICES", "These stand in a service. Beside them env = { NAME = \"value\" } holds variables for its monitor and alerts."},
		config.ScopePeriod:  {"PERIODS AND ALERTS", "These stand in a period."},
		config.ScopeVirtual: {"VIRTUAL SERVICES", "These stand in a virtual service, with description, depend, alertdepend, dep_behavior, dep_memory, redistribute, unack_summary, notify, env and period for its own service. See VIRTUAL SERVICES in mon.cf(5)."},
		config.ScopeCheck:   {"CHECKS", "These stand in a check of a virtual service, beside the keys of a service."},
	}
	scope := config.Scope(255)
	for _, k := range config.Keywords() {
		if k.Name == "syntax" {
			continue // TOML needs none
		}
		if k.Scope != scope {
			scope = k.Scope
			m.Section(headings[scope][0])
			m.Text(headings[scope][1])
		}
		help := helpOf(k)
		if k.Default != "" {
			help += " Default: " + k.Default + "."
		}
		m.Item(keyForm(k), help)
	}
	return m.Also("mon.cf (5)", "mond (8)", "monctl-convert (1)", "monctl-check (1)")
}

const manExample = `
alertdir = "/usr/lib/mon/alert.d"
mondir = "/usr/lib/mon/mon.d"

[hostgroup]
www1 = ["www1.example.com"]

[watch.www1.service.http]
description = "the shop"
interval = "10s"
monitor = "http.monitor -p 80"

[[watch.www1.service.http.period]]
when = "wd {Mon-Fri} hr {8am-6pm}"
alertevery = "1h"
alert = "mail.alert web@example.com"
upalert = "mail.alert web@example.com"`

func manRules(m config.Manual) {
	m.Section("VALUES")
	m.Text(`
Keys that are not known, values of another type than the key takes, and keys given twice are errors; monctl check prints all of them with their place.

Times are strings with their unit: "10s", never 10. Counts are integers. What stands alone in a mon.cf is true, and false is as if it was not there. A program and its words are one string, split as in a mon.cf, or a list of words: "http.monitor -u '/a b'" is ["http.monitor", "-u", "/a b"].

What may stand several times in a mon.cf, such as alert, is a list here: alert = ["a.alert", "b.alert x"] is two lines, and an element may be a list of words itself. One alone needs no list.

A line end within a string counts as a blank, but for variables in env and for words in quotes. All ways that TOML has to write a thing do: dotted keys, inline tables, lists of tables, literal and multi-line strings.`)
	m.Section("ORDER")
	m.Text(`
Hostgroups, watches, services and periods come in the order of the file. Of the lines of a period only those of one kind have an order. Variables hold for the whole file: dep_behavior, dep_memory, unack_summary and notify, which in a mon.cf hold for what stands below them, hold for every service here.

What a template brings comes first: keys that stand beside use count more.`)
}

// helpOf is what a directive does, where a mon.cf has it otherwise.
func helpOf(k config.Keyword) string {
	switch {
	case k.Scope == config.ScopeGlobal && k.Repeat && k.Form != config.FormGrant:
		return "The " + k.Name + " of every service that sets none of its own."
	case k.Form != config.FormRecord:
		return k.Help
	}
	switch k.Name {
	case "hostgroup":
		return "Lists of hosts. A host with a * before it is disabled from the start."
	case "view":
		return "Sets of groups, and of group:service, that clients may restrict their lists to."
	case "alias":
		return "Free text for clients, of one line or more."
	case "watch":
		return "The services of the hostgroup of that name, or of several: then it is as if written for each. Without such a hostgroup, one with the single host NAME is made."
	case "template":
		return "Services, periods and their keys, that use puts elsewhere: use = [\"NAME PARAM=VALUE\"]. See TEMPLATES in mon.cf(5)."
	case "virtual":
		return "A virtual service of the kernel's table, its real servers and what checks them."
	case "check":
		return "A check: a service for each real. In a list of tables, [[virtual.NAME.check]], its name is a key of its own, and may be left out: it is then that of the monitor and its option -p, such as http-80. In a template it is [template.NAME.check.NAME]."
	case "service":
		return "A service of the watch. In a template it is [template.NAME.service.NAME]."
	case "period":
		return "A period: when its alerts are called. Without when: always. The name is needed where two have the same when."
	}
	return k.Help
}

// keyForm is how a directive is written.
func keyForm(k config.Keyword) string {
	arg := strings.Trim(k.Args, `"`)
	switch k.Form {
	case config.FormFlag:
		return k.Name + " = true"
	case config.FormYes:
		return k.Name + " = true|false"
	case config.FormNumber:
		return k.Name + " = " + arg
	case config.FormCounts:
		return k.Name + ` = NUMBER, or "` + arg + `"`
	case config.FormWords, config.FormPaths, config.FormQuoted:
		word, _, _ := strings.Cut(strings.TrimSuffix(arg, "..."), "[")
		return k.Name + ` = ["` + word + `", ...]`
	case config.FormGrant:
		return k.Name + ` = { "PROGRAM" = ["CAPABILITY", ...] }`
	case config.FormRecord:
		return recordForm(k.Name)
	case config.FormText, config.FormTime, config.FormTimeWord, config.FormPhrase, config.FormCommand:
	}
	return k.Name + ` = "` + arg + `"`
}

// recordForm is how a table is written.
func recordForm(name string) string {
	switch name {
	case "hostgroup":
		return `[hostgroup] NAME = ["HOST", ...]`
	case "view":
		return `[view] NAME = ["MEMBER", ...]`
	case "alias":
		return `[alias] NAME = "TEXT"`
	case "watch":
		return `[watch.NAME] or [watch."NAME NAME..."]`
	case "template":
		return `[template.NAME] params = ["PARAM", "PARAM=DEFAULT", ...]`
	case "virtual":
		return `[virtual.NAME]`
	case "check":
		return `[virtual.NAME.check.NAME]`
	case "service":
		return `[watch.NAME.service.NAME]`
	case "period":
		return `[[watch.NAME.service.NAME.period]] name = "LABEL" when = "PERIOD"`
	}
	return "[" + name + "]"
}
