package clients

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/mondhq/mond/plugins/plugintest/daemons"
	"github.com/mondhq/mond/plugins/plugintest/realserver"
)

// limit is how long a page may take on a busy machine.
const limit = 60 * time.Second

// visitor is somebody in front of a browser who writes down what they see.
type visitor struct {
	t   *testing.T
	d   *daemons.Daemon
	ctx context.Context
	url string
	// seen is what was seen before the page that is last.
	seen strings.Builder
	last string
	// err ends the visit: nothing is done after it.
	err error
}

// rows are the rows of the innermost tables of a page, and what stands outside
// of tables.
const rows = `(() => {
	const rows = [];
	for (const row of document.querySelectorAll("tr"))
		if (!row.querySelector("table")) rows.push(row.textContent.replace(/\s+/g, " "));
	const rest = document.body.cloneNode(true);
	for (const table of rest.querySelectorAll("table")) table.remove();
	return rows.join("\n") + "\n" + rest.innerText;
})()`

// browser starts a browser, whose visitors come each with cookies of their own.
func browser(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, chromedp.ExecPath("/usr/bin/chromium-headless-shell"), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // it lives as long as the context of the first action
		t.Fatal(err)
	}
	return ctx
}

// visitors is a step that takes a visitor through the pages.
func visitors(browser context.Context, name string, visit func(*visitor)) step {
	return step{name, func(t *testing.T, d *daemons.Daemon) string {
		ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
		defer cancel()
		v := &visitor{t: t, d: d, ctx: ctx, url: web(t, d)}
		if v.err = chromedp.Do(ctx); v.err == nil {
			visit(v)
		}
		if v.err != nil {
			t.Errorf("%s: %v; seen so far:\n%s", name, v.err, v.told())
		}
		return v.told()
	}}
}

// open opens a page of the server.
func (v *visitor) open(path string) {
	v.t.Helper()
	v.visit("open "+path, chromedp.Navigate(v.url+path))
}

// visit does something that leads to another page, and writes down its text.
func (v *visitor) visit(what string, action chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	if v.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, action)
	if err != nil {
		v.err = fmt.Errorf("%s: %w", what, err)
		return
	}
	title := see(v, chromedp.Title())
	text := see(v, chromedp.Evaluate[string](rows))
	v.write(fmt.Sprintf("=== %s: %d %s\n%s\n", what, response.Status, title, page(v.d, text)))
}

// write writes down what is seen.
func (v *visitor) write(text string) {
	v.seen.WriteString(v.last)
	v.last = text
}

// told is all that was written down.
func (v *visitor) told() string { return normal(v.d, v.seen.String()+v.last) }

// only keeps of the page that is last whether it says something: for one that
// shows what is just changing.
func (v *visitor) only(text string) {
	v.t.Helper()
	if v.err == nil && !strings.Contains(v.last, text) {
		v.err = fmt.Errorf("the page does not say %q:\n%s", text, v.last)
	}
	v.last = "=== a page that says: " + text + "\n"
}

// see is what an action finds.
func see[T any](v *visitor, action chromedp.Action[T]) (value T) {
	v.t.Helper()
	if v.err != nil {
		return value
	}
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	value, v.err = chromedp.Run(ctx, action)
	return value
}

// follow clicks the first link whose text begins so.
func (v *visitor) follow(text string) {
	v.t.Helper()
	v.visit("follow "+text, chromedp.Click(chromedp.Search("//a[starts-with(normalize-space(translate(., '\u00a0', ' ')), \""+text+"\")]")))
}

// press clicks a button.
func (v *visitor) press(value string) {
	v.t.Helper()
	v.visit("press "+value, chromedp.Click(chromedp.Search(`//input[@type="submit" and @value="`+value+`"]`)))
}

// fill writes into a field, or chooses from a menu.
func (v *visitor) fill(name, value string) {
	v.t.Helper()
	see(v, chromedp.SetValue(chromedp.Search(`//*[@name="`+name+`"]`), value))
}

// choose clicks a radio button or a box.
func (v *visitor) choose(name, value string) {
	v.t.Helper()
	see(v, chromedp.Click(chromedp.Search(`//input[@name="`+name+`" and @value="`+value+`"]`)))
}

// cookies writes down the cookies.
func (v *visitor) cookies() {
	v.t.Helper()
	all := strings.Split(see(v, chromedp.Evaluate[string]("document.cookie")), "; ")
	slices.Sort(all)
	v.write("cookies: " + strings.Join(all, "; ") + "\n")
}

// spans are times in words and as mon.cgi writes them, and shares of time.
var spans = regexp.MustCompile(`\d+\.\d+%|(\d+ (year|day|hour|minute|second)s?(, )?)+|(\d+[dhm] ?)*\d+s\b|\d\d:\d\d:\d\d(, \d+-\w+-\d+| on \w+, \d+-\w+-\d+)?|\w+day, \w+ \d+, \d{4} at \d\d:\d\d:\d\d`)

// page is the text of a page without what changes and without the bar of
// commands: lines in order of the alphabet, since mon's is chance.
func page(d *daemons.Daemon, text string) string {
	text = strings.ReplaceAll(normal(d, text), "\u00a0", " ")
	text = regexp.MustCompile(`(Server PID is |running as PID |\(monitor_duration\))\d+`).ReplaceAllString(text, "${1}N")
	var kept []string
	for line := range strings.Lines(sortLines(spans.ReplaceAllString(text, "TIME"))) {
		if !strings.HasPrefix(line, "Show Operational Status (") {
			kept = append(kept, line)
		}
	}
	return strings.Join(slices.Compact(kept), "")
}

func needBrowser(t *testing.T) {
	t.Helper()
	needClients(t)
	realserver.Need(t, "chromium-headless-shell", "/usr/bin/chromium-headless-shell")
	realserver.Need(t, "mon", "/usr/lib/cgi-bin/mon.cgi")
	realserver.Need(t, "mon", "/usr/lib/cgi-bin/monshow.cgi")
}

// TestBrowser looks at mon.cgi and monshow.cgi, logs in and acts.
func TestBrowser(t *testing.T) {
	needBrowser(t)
	t.Parallel()
	b := browser(t)
	compare(t, stagedSite(), stage,
		[]step{visitors(b, "monshow.cgi", monshowCGI), visitors(b, "mon.cgi front", monCGIFront), visitors(b, "mon.cgi details", monCGIDetails)},
		[]step{visitors(b, "mon.cgi acts", monCGIActs)})
}

// monshowCGI follows the links of monshow.cgi.
func monshowCGI(v *visitor) {
	v.open("/monshow.cgi")
	v.follow("ACK FAIL")
	v.follow("Back to web table")
	v.follow("late")
	v.open("/monshow.cgi?disabled=1")
	v.open("/monshow.cgi?detail=web,nosuch")
	v.open("/monshow.cgi/nosuch")
}

// monCGIFront looks at the pages of the bar of commands before anybody logs in:
// mon.cgi logs in as readonly. The full view breaks off with today's Perl.
func monCGIFront(v *visitor) {
	v.open("/mon.cgi")
	v.cookies()
	v.follow("Show Operational Status (full)")
	v.follow("(failures only)")
	v.follow("Show Alert History")
	v.follow("Show Downtime Log")
	v.follow("List Disabled")
	v.follow("List Mon PIDs")
}

// monCGIDetails looks at services and groups, and through a view.
func monCGIDetails(v *visitor) {
	v.open("/mon.cgi?command=query_group&args=web")
	v.follow("ping")
	v.open("/mon.cgi?command=svc_details&args=db,trap")
	v.fill("setview", "webview")
	v.press("Change View")
	v.cookies()
	v.fill("setview", "--all--")
	v.press("Change View")
}

// monCGIActs tries to disable a service, is refused and asked who it is, acts
// as alice, does what the bar of commands offers, and logs out.
func monCGIActs(v *visitor) {
	v.open("/mon.cgi?command=svc_details&args=web,http")
	v.follow("(DISABLE service")
	v.fill("username", "alice")
	v.fill("password", "wrong")
	v.press("Login")
	v.follow("log off")
	v.follow("log in")
	v.fill("username", "alice")
	v.fill("password", "secret")
	v.press("Login")
	v.cookies()
	v.open("/mon.cgi?command=svc_details&args=web,http")
	v.follow("(DISABLE service")
	v.open("/mon.cgi?command=svc_details&args=web,http")
	v.follow("(ENABLE service")
	v.open("/mon.cgi?command=svc_details&args=web,http")
	v.fill("ackcomment", `on it, "quotes" & <b>`)
	v.press("ack")
	hold(v)
	v.open("/mon.cgi?command=query_group&args=web")
	v.choose("host_w1.example", "dis")
	v.choose("host_w3.example", "ena")
	v.choose("svc_ping", "dis")
	v.press("Apply Changes")
	for _, command := range []string{
		"Stop scheduler", "Start scheduler", "Save scheduler state", "Load scheduler state", "Reload auth file", "Test Mon Config File", "Reset Mon",
	} {
		v.follow(command)
	}
	v.follow("log off")
	v.cookies()
}

// hold has a monitor started that is still running when its page is looked
// at.
func hold(v *visitor) {
	v.d.File("say/web.late", "while [ -e DIR/say ]; do sleep 0.2; done\n")
	v.open("/mon.cgi?command=svc_details&args=web,late")
	v.follow("Test service late")
	v.only("220 test monitor completed")
	c := v.d.Dial()
	v.d.Until("the monitor runs", func() bool { return strings.Contains(shown(c, "list pids"), "web late ") })
	v.follow("Reload this page immediately")
}
