package config

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// WriteMan writes the manual page mon.cf(5) in roff. The lists of directives
// in it are those of [Keywords].
func WriteMan(w io.Writer) error {
	m := manual{bufio.NewWriter(w)}
	m.head()
	m.syntax()
	m.mond()
	m.virtual()
	m.directives()
	m.differences()
	m.tail()
	return m.Flush()
}

// manual writes roff.
type manual struct{ *bufio.Writer }

// line writes one line of roff as it is.
func (m manual) line(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }

func (m manual) section(name string) { m.line(".SH %q", name) }

// text writes paragraphs; they are parted by empty lines.
func (m manual) text(paragraphs string) {
	for i, p := range strings.Split(strings.TrimSpace(paragraphs), "\n\n") {
		if i > 0 {
			m.line(".PP")
		}
		m.line("%s", roff(p))
	}
}

// item writes one entry of a list.
func (m manual) item(head, text string) {
	m.line(".TP\n%s\n%s", head, roff(text))
}

// example writes lines as they are.
func (m manual) example(lines string) {
	m.line(".PP\n.nf\n.RS 4\n%s\n.RE\n.fi\n.PP", roff(strings.Trim(lines, "\n")))
}

// roff is text with what roff would take for its own escaped.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

func (m manual) head() {
	m.line(`.TH MON.CF 5 "" mond "File Formats"`)
	m.section("NAME")
	m.line(`mon.cf \- what mond watches, and whom it tells`)
	m.section("DESCRIPTION")
	m.text(`
The file says which services on which hosts are checked, how often and by which program, and what is called when a service fails or is good again.
It is the file of mon 1.3, read as mon reads it; what is new stands below a line syntax = mond only, which mon refuses.
What mon passes over in silence is reported here, with its place in the file; monctl check prints all of it and starts nothing.

Variables come first. A hostgroup names hosts; the watch of the same name holds the services that are checked on them; a service has periods; and a period has the alerts that are called while the time is in it.`)
	m.example(`
alertdir = /usr/lib/mon/alert.d
mondir   = /usr/lib/mon/mon.d

hostgroup www1 www1.example.com

watch www1
    service http
        description the shop
        interval 10s
        monitor http.monitor -p 80
        period wd {Mon-Fri} hr {8am-6pm}
            alertevery 1h
            alert mail.alert web@example.com
            upalert mail.alert web@example.com`)
}

func (m manual) syntax() {
	m.section("LINES")
	m.text(`
A line whose first character is a # is a comment. Behind other words there are comments only below a line syntax = mond; see SYNTAX OF MOND. A line that ends in a backslash is continued on the next one, whose blanks in front are dropped; comments in between are left out.

An empty line ends a hostgroup, watch, view or alias. Hence there is none inside a watch, and one after each hostgroup: without it the next lines would be more hosts.

Directives are in lower case. Names of groups, services, views and aliases are of letters, digits, dots, underscores and hyphens.

A file whose name ends in .m4 is passed through m4(1) first, as is any with the option -M of mond; errors are reported at the line of the source.`)
	m.section("TIMES")
	m.text(`
A TIMEVAL is a number and a unit without a blank between them: 100ms, 30s, 5m, 1.5h or 1d. The unit must be there.`)
	m.section("PROGRAMS")
	m.text(`
A program and its arguments are split at blanks. Quotes, single or double, keep blanks together; a backslash takes the next character as it is, but stays inside single quotes. Nothing else is special: no variables, no patterns, no shell. A quote that is not closed is an error.`)
	m.section("PERIODS OF TIME")
	m.text(`
A PERIOD is one or more scales, each with ranges: wd {Mon-Fri} hr {9am-4pm}. All scales must hold; several such groups may follow each other after commas, of which one must. A range includes its end: hr {9am-4pm} ends just before 5pm. An empty period is always, and none is never. Time is local.

The scales are yr (year), mo (month), wk (week of the month), yd (day of the year), md (day of the month), wd (day of the week, 1 or Sun is Sunday), hr, min and sec.`)
	m.section("DEPENDENCIES")
	m.text(`
An EXPRESSION names services as GROUP:SERVICE, or SELF:SERVICE for one of the same watch, and joins them by && or and, || or or, ! or not, and brackets. A service counts as true while it is good or was never checked. Every service that is named must be there, and none may depend on itself.`)
}

// mond is what holds below `syntax = mond` only.
func (m manual) mond() {
	m.section("SYNTAX OF MOND")
	m.text(`
A line`)
	m.example(`syntax = mond`)
	m.text(`
says that the file is none of mon's. Below it, and in all files that are included from there, comments may stand behind other words, and include, template, use, virtual and a watch of several hostgroups are read. Without it a file means what it means to mon. The command line cannot set it.

A # at the start of a word begins a comment, up to the end of the line; a backslash before the comment still continues the line. A # inside a word, between quotes or after a backslash is a plain one: /page#2, "call #2", \#2. Where words have no quotes, as in a description, only whole words between quotes count as quoted.`)
	m.section("INCLUDED FILES")
	m.text(`
A line include, outside of any record, is replaced by the lines of other files.`)
	m.example(`
syntax = mond

include conf.d/*.cf
include "local settings.cf"`)
	m.text(`
Each PATTERN is a path, or one with the wildcards *, ? and [...]; a relative one is under the folder of the file that includes. What wildcards match is read in order of the names. They pass over folders, over names that begin with a dot, and over what editors and packages leave: x~, x.bak, x.dpkg-old, x.rpmsave and the like. It is no error if they match nothing; a path without wildcards must be there.

Files whose name ends in .toml are read as TOML, those in .m4 go through m4(1) first, all others are read like this one. Variables count as if they stood at the place of the include. A record does not go on from one file to another. Errors name the file that the line stands in.

A file must not include itself, by whatever way. There may be 16 files inside each other, 1000 in all, and 64 MB of text.`)
	m.section("TEMPLATES")
	m.text(`
A template holds lines of services and periods, and use puts them where they are wanted, with values for its parameters.`)
	m.example(`
template web port path=/alive
    service http
        interval 10s
        monitor http.monitor -p $port -u $path
        use people

template people to=root
    period wd {Sun-Sat}
        alertevery 1h
        alert mail.alert $to
        upalert mail.alert $to

watch www1
    use web port=80
        interval 5s  # of service http
    service ftp
        interval 30s
        monitor ftp.monitor
        use people to="ann bob"`)
	m.text(`
A template is a record: the next empty line ends it. It may stand below its use, and in another file. Its lines may be any that may stand in a watch, in a service or in a period; what they may be where it is used is judged there, and the error names both places. Templates may use templates, up to 16 inside each other.

Parameters follow the name of the template: PARAM must be given, PARAM=DEFAULT may be. Their names are of letters, digits and underscores. In the lines of the template $PARAM, or ${PARAM}, stands for the value; so do $watch, the name of the hostgroup, $host, its only host, and $hosts, all of them. $host is an error where there are none or several. A dollar is written $$; one before anything but a letter, an underscore, a dollar or { may stand alone. Outside of templates, and of a watch of several hostgroups, a dollar is a plain character.

A line is split into words first: a value with blanks in it stays one word. Only $hosts, alone as a word, becomes a word for each host.

use may stand in a watch, in a service or in a period. Below it one is back where it stood: directives of the service may follow it, even if the template brought periods. If the template opened services, a directive that follows belongs to the last of them.

A directive that is given by a template and again by a line of the service or period itself counts as the latter says, wherever that stands; of two templates the later one counts. Alerts, and exclude_hosts, add up. A service or period of the same name, or label, as one that a template brought is the same one: its lines are added to it. A period of one's own that has a label and nothing behind it keeps the time of the template's.`)
	m.section("WATCHES OF SEVERAL HOSTGROUPS")
	m.text(`
watch NAME NAME... is read as if the record was written once for each hostgroup. $watch, $host and $hosts stand in it for what they do in a template.`)
	m.example(`
watch www1 www2 www3
    service ping
        description $watch answers
        interval 10s
        monitor fping.monitor`)
}

func (m manual) directives() {
	sections := map[Scope][2]string{
		ScopeGlobal:  {"VARIABLES", "A variable is written NAME = VALUE outside of any watch; the value runs to the end of the line, without quotes. Options of mond's command line override it."},
		ScopeTop:     {"RECORDS", "Each of these begins a record, which the next empty line ends."},
		ScopeService: {"SERVICES", "These stand in a service, above its first period. A line NAME=VALUE, in capitals and without blanks, sets a variable in the environment of its monitor and alerts."},
		ScopePeriod:  {"PERIODS AND ALERTS", "These stand in a period. All but the alerts themselves hold for the alerts of that period only."},
		ScopeVirtual: {"DIRECTIVES OF A VIRTUAL SERVICE", "These stand in a virtual service, above its periods and checks. Of the directives of a service, description, depend, alertdepend, dep_behavior, dep_memory, redistribute, unack_summary and notify may stand there too."},
		ScopeCheck:   {"DIRECTIVES OF A CHECK", "These stand in a check of a virtual service, beside those of a service."},
	}
	scope := Scope(255)
	for _, k := range Keywords() {
		if k.Scope != scope {
			scope = k.Scope
			m.section(sections[scope][0])
			m.text(sections[scope][1])
		}
		m.keyword(k)
	}
}

func (m manual) keyword(k Keyword) {
	form := k.Name
	switch {
	case k.Scope == ScopeGlobal:
		form += " = " + k.Args
	case k.Args != "":
		form += " " + k.Args
	}
	help := k.Help
	if k.Default != "" {
		help += " Default: " + k.Default + "."
	}
	switch {
	case k.Scope == ScopeVirtual || k.Scope == ScopeCheck:
	case k.Gated:
		help += " New in " + k.Since + ", below syntax = mond only."
	case k.Since != "mon" && !strings.Contains(k.Since, " "):
		help += " New in " + k.Since + "."
	}
	m.item(".B "+roff(form), help)
}

// differences are where a file means something else here than to mon.
func (m manual) differences() {
	m.section("DIFFERENCES FROM MON")
	m.text("These are errors here, while mon starts and leaves something out:")
	for _, text := range []string{
		"a line outside of any record that is no directive, such as a service after an empty line inside a watch;",
		"a watch that a hostgroup, view or alias swallowed because the empty line between them is missing;",
		"a continued line at the end of the file;",
		"a quote that is not closed, for which mon runs the first host as a program;",
		"a hostgroup whose name has other characters than a name may have;",
		"a dependency that cannot be read, or on a service that is not there, or on itself, for which mon tells nobody anything;",
		"blanks in an exit= filter, words before the numbers of alertafter, and numbers that are none.",
	} {
		m.line(".IP \\(bu 2\n%s", roff(text))
	}
	m.line(".PP")
	m.text(`
unack_summary may stand alone, and means yes, as mon's own manual has it. Missing directories and a missing authfile do not keep the file from being read. snmp, snmpport and ocfile of old files are passed over with a warning.

A monitor has 60 seconds unless timeout says otherwise; mon waits for ever. A file with monitors that try many hosts one after the other may need a larger timeout.`)
}

func (m manual) tail() {
	m.section("FILES")
	m.item(".I "+roff("/etc/mon/mon.cf"), "The file, unless the option -c of mond names another one.")
	m.section("SEE ALSO")
	m.line(".BR mond.toml (5),\n.BR mond (8),\n.BR monctl (1),\n.BR m4 (1),\n.BR crontab (5)")
}
