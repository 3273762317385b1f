package clients

import (
	"regexp"
	"slices"
	"strings"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
)

// changing are what is another in every run, and what stands for it. The order
// counts.
var changing = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d( [A-Z]+)? \d{4}\b`), "CTIME"},
	{regexp.MustCompile(`\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d\b`), "CTIME"},
	{regexp.MustCompile(`\b1[789]\d{8}\b`), "EPOCH"},
	{regexp.MustCompile(`(\\20)1[789]\d{8}(\\)`), "${1}EPOCH$2"},
	{regexp.MustCompile(`\b(timer=)[1-9]\d*`), "${1}N"},
	{regexp.MustCompile(`\b(monitor_duration=)\d+`), "${1}N"},
	{regexp.MustCompile(`\b(failure_duration=)\d+`), "${1}N"},
	{regexp.MustCompile(`(?m)^(EPOCH \S+ \S+ EPOCH )\d+ `), "${1}N "},
	{regexp.MustCompile(`(reset PID )\d+\\?@[\w.-]+`), "${1}N@HOST"},
	{regexp.MustCompile(`(?m)^(server |g a )\d+$`), "${1}PID"},
	{regexp.MustCompile(`\b(line )\d+\b`), "${1}N"},
}

// normal is text without what changes from run to run.
func normal(d *daemons.Daemon, text string) string {
	_, port, _ := strings.Cut(d.Address, ":")
	text = strings.ReplaceAll(text, d.Dir, "DIR")
	return normalText(regexp.MustCompile(`\b`+port+`\b`).ReplaceAllString(text, "PORT"))
}

// normalText is text of no particular daemon.
func normalText(text string) string {
	for _, c := range changing {
		text = c.what.ReplaceAllString(text, c.by)
	}
	return text
}

// isStatus matches the line that ends a reply.
var isStatus = regexp.MustCompile(`^\d{3} `)

// ordered matches the status of replies whose lines are in an order.
var ordered = regexp.MustCompile(`^220 list (aliases|dtlog) completed`)

// names matches the status of a reply that is one line of names.
var names = regexp.MustCompile(`^220 list aliasgroups completed`)

// sortReplies sorts the lines of each reply, whose order is chance in mon: a
// reply ends with its status.
func sortReplies(text string) string {
	all := lines(text)
	from := 0
	for i, line := range all {
		if isStatus.MatchString(line) || strings.HasPrefix(line, "$ ") {
			if !ordered.MatchString(line) {
				slices.Sort(all[from:i])
			}
			if names.MatchString(line) && i > from {
				words := strings.Fields(all[i-1])
				slices.Sort(words)
				all[i-1] = strings.Join(words, " ")
			}
			from = i + 1
		}
	}
	return strings.Join(all, "\n") + "\n"
}

// passing are times in tables that pass while the test runs.
var passing = regexp.MustCompile(`\b([1-9]\d*s|(\d{5} days, )?\d\d:\d\d:\d\d|\d{5} da)\b`)

// sortLines sorts all lines and makes one blank of several: for tables with
// columns, whose rows are in an order that is chance in mon.
func sortLines(text string) string {
	all := strings.FieldsFunc(passing.ReplaceAllString(text, "TIME"), func(r rune) bool { return r == '\n' || r == '\f' })
	for i := range all {
		all[i] = strings.Join(strings.Fields(all[i]), " ")
	}
	slices.Sort(all)
	return strings.Join(slices.DeleteFunc(all, func(line string) bool { return line == "" }), "\n") + "\n"
}

// dumped is the output of testdata/client.pl without what changes.
func dumped(text string) string {
	text = regexp.MustCompile(`("(?:timer|monitor_duration|failure_duration|downtime)" => )"?[1-9]\d*"?`).ReplaceAllString(text, "${1}N")
	text = regexp.MustCompile(`("(?:monitor_duration|downtime)" => )0`).ReplaceAllString(text, "${1}N")
	return text
}
