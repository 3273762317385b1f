package config

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// Every directive is in the manual, with its help; no line of text is taken
// for a request of roff.
func TestMan(t *testing.T) {
	var b bytes.Buffer
	if err := WriteMan(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, k := range Keywords() {
		if !strings.Contains(page, "\n.B "+roff(k.Name)) || !strings.Contains(page, roff(k.Help)) {
			t.Errorf("%s of scope %s is not in the manual", k.Name, k.Scope)
		}
	}
	requests := map[string]bool{}
	for line := range strings.Lines(page) {
		if word := strings.Fields(line + " x")[0]; strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			requests[word] = true
		}
	}
	for word := range requests {
		if !strings.Contains(" .TH .SH .PP .TP .IP .B .I .BR .nf .fi .RS .RE ", " "+word+" ") {
			t.Errorf("a line begins with %s", word)
		}
	}
	if err := WriteMan(broken{}); err == nil {
		t.Error("no error of a writer that fails")
	}
}

// broken is a writer that takes nothing.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestKeywords(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Keywords() {
		id := k.Scope.String() + " " + k.Name
		if seen[id] {
			t.Errorf("%s is there twice", id)
		}
		seen[id] = true
		if k.apply == nil || k.Help == "" || !strings.HasSuffix(k.Help, ".") || k.Since == "" || k.Name != strings.ToLower(k.Name) {
			t.Errorf("%s is not whole: %+v", id, k)
		}
	}
	// What mon 1.3.6 reads, by its manual and its parser.
	for scope, names := range map[string]string{
		"global": "alertdir mondir basedir cfbasedir logdir statedir authfile authtype pamservice userfile serverport trapport serverbind " +
			"trapbind clientallow cltimeout maxprocs histlength historicfile historictime dtlogfile dtlogging monerrfile pidfile randstart " +
			"syslog_facility startupalerts_on_reset dep_recur_limit dep_behavior dep_memory unack_summary exclude_period monremote",
		"service": "interval failure_interval monitor allow_empty_group description exclude_hosts exclude_period randskew traptimeout " +
			"trapduration depend alertdepend monitordepend hostdepend dep_behavior dep_memory redistribute unack_summary",
		"period": "alert upalert startupalert ackalert disablealert alertevery alertafter upalertafter numalerts no_comp_alerts " +
			"alerts_dont_count alertexitrange",
		"top": "hostgroup watch view alias",
	} {
		for name := range strings.FieldsSeq(names) {
			if !seen[scope+" "+name] {
				t.Errorf("%s %s is missing", scope, name)
			}
		}
	}
}

// Every directive says what its value is made of, and the same as the form of
// its arguments that people read.
func TestForms(t *testing.T) {
	byArgs := map[string]Form{
		"": FormFlag, "TIMEVAL": FormTime, "NUMBER": FormNumber, "PORT": FormNumber, "yes|no": FormYes, "[yes|no]": FormYes,
		"DIR[:DIR...]": FormPaths, "HOST...": FormWords, "N[-M]": FormCounts,
	}
	for _, k := range Keywords() {
		want, known := byArgs[k.Args]
		if k.Form == 0 || known && k.Form != want || (k.Form == FormYes) != (k.yes != nil) || strings.Contains(k.Args, "[ARG...]") && k.Form != FormCommand {
			t.Errorf("%s %s: form %d does not fit %q", k.Scope, k.Name, k.Form, k.Args)
		}
	}
}
