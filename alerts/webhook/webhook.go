// Package webhook is webhook.alert: it tells of an event by an HTTP request to
// an URL, with the notice as JSON (wording.Notice) or with a body that a
// template of the operator's makes.
//
// It queues nothing and does not wait for a service that is busy: an error says
// whether another try may help, and the outbox makes it. Each try carries the
// same Idempotency-Key. URLs often are secrets of their own (Slack's, Teams'):
// no error shows more of one than its host.
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mondhq/mond/alerts/internal/numbers"
	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/alert/told"
	"github.com/mondhq/mond/plugins/alert/wording"
	"github.com/mondhq/mond/plugins/credential"
)

// Name is the program's name in mon.cf.
const Name = "webhook.alert"

// Synopsis is what it does, in one sentence.
const Synopsis = "tells of failures and recoveries by a request to a web service"

// SignatureHeader is the default of --signature-header.
const SignatureHeader = "X-Mond-Signature-256"

// Alert is one webhook.alert line: options, and the URLs in words.
type Alert struct {
	words     *flag.FlagSet
	urlOf     credential.File
	method    method
	headers   headers
	template  wording.File
	content   string
	vars      variables
	varFiles  variables
	bearerOf  credential.File
	user      string
	password  credential.File
	secretOf  credential.File
	signature headerName
	tls       credential.TLS
	proxy     string
	follow    bool
	ok        numbers.Set
	timeout   time.Duration

	memory told.Memory
}

// New declares the options of webhook.alert.
func New(fs *flag.FlagSet) alert.Alert {
	a := &Alert{
		words: fs, method: http.MethodPost, signature: SignatureHeader, headers: headers{}, vars: variables{}, varFiles: variables{},
		ok: numbers.New(200, 599, "200-299"),
	}
	fs.Var(&a.urlOf, "url-file", "`FILE` whose first line is one more URL, for one that is a secret")
	fs.Var(&a.method, "method", "`METHOD` of the request: POST, PUT or PATCH")
	fs.Var(a.headers, "header", "\"`NAME: VALUE`\" to send, too; may be given more than once")
	fs.Var(&a.template, "template", "`FILE` with a template of the body (default: the notice as JSON)")
	fs.StringVar(&a.content, "content-type", "application/json", "`TYPE` of the body; one of JSON is only sent if it is valid")
	fs.Var(a.vars, "var", "`NAME=VALUE` for the template to use by {{.Var \"NAME\"}}; may be given more than once")
	fs.Var(a.varFiles, "var-file", "`NAME=FILE`: the same with the first line of a file, for secrets")
	fs.Var(&a.bearerOf, "bearer-file", "`FILE` whose first line is the bearer token to send")
	fs.StringVar(&a.user, "user", "", "`NAME` to log in by (Basic)")
	fs.Var(&a.password, "password-file", "`FILE` whose first line is the password of --user")
	fs.Var(&a.secretOf, "secret-file", "`FILE` whose first line is the key to sign the body with (HMAC-SHA256)")
	fs.Var(&a.signature, "signature-header", "`NAME` of the header for sha256=SIGNATURE")
	a.tls.Declare(fs)
	fs.StringVar(&a.proxy, "proxy", "", "`URL` of a proxy: http, https or socks5 (default: none, whatever the environment says)")
	fs.BoolVar(&a.follow, "follow", false, "follow redirects that repeat the request (307, 308) on the same host")
	fs.Var(&a.ok, "ok", "`LIST` of the statuses that are well")
	fs.DurationVar(&a.timeout, "timeout", 30*time.Second, "longest `TIME` for the requests to all URLs")
	return a
}

// Validate judges options and URLs together, and tries the template.
func (a *Alert) Validate() error {
	if a.words.NArg() == 0 && !a.urlOf.Given() {
		return errors.New("no URL: name at least one, as in \"webhook.alert https://hooks.example.com/mond\", or a --url-file")
	}
	for _, word := range a.words.Args() {
		if _, err := a.parseURL(word); err != nil {
			return err
		}
	}
	if err := errors.Join(a.validateAuth(), a.tls.Validate(), a.validateProxy()); err != nil {
		return err
	}
	if a.timeout <= 0 {
		return fmt.Errorf("--timeout %v: must be more than 0", a.timeout)
	}
	return a.validateBody()
}

func (a *Alert) validateAuth() error {
	switch {
	case (a.user == "") != !a.password.Given():
		return errors.New("--user and --password-file go together")
	case strings.Contains(a.user, ":"):
		return errors.New("--user: a name for Basic has no colon (RFC 7617)")
	case a.user != "" && a.bearerOf.Given():
		return errors.New("--user and --bearer-file: only one of them can be given")
	case (a.user != "" || a.bearerOf.Given()) && a.headers["Authorization"] != "":
		return errors.New("--header Authorization: goes with neither --user nor --bearer-file")
	case a.signature != SignatureHeader && !a.secretOf.Given():
		return errors.New("--signature-header needs --secret-file")
	}
	return nil
}

func (a *Alert) validateProxy() error {
	if a.proxy == "" {
		return nil
	}
	u, err := url.Parse(a.proxy)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" {
		return errors.New("--proxy: want http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT")
	}
	return nil
}

// parseURL reads an URL without repeating it in the error.
func (a *Alert) parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("an URL cannot be read: want http://HOST/... or https://HOST/...")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%.60q is no URL: want http://HOST/... or https://HOST/...", u.Scheme+":"+"...")
	case u.Hostname() == "":
		return nil, errors.New("an URL names no host: want http://HOST/... or https://HOST/...")
	case u.User != nil:
		return nil, fmt.Errorf("the URL at %s holds a name or password: use --user and --password-file", u.Host)
	case u.Scheme == "http" && a.tls.Given():
		return nil, fmt.Errorf("%s is not asked by TLS: --ca, --cert, --key and --insecure go with https", u.Host)
	}
	return u, nil
}

// validateBody tries the template with a notice of each kind.
func (a *Alert) validateBody() error {
	if _, _, err := mime.ParseMediaType(a.content); err != nil {
		return fmt.Errorf("--content-type %q: %w", a.content, err)
	}
	if !a.template.Given() {
		if !a.isJSON() || len(a.vars)+len(a.varFiles) > 0 {
			return errors.New("--content-type, --var and --var-file go with --template")
		}
		return nil
	}
	vars := map[string]string{}
	for name, value := range a.vars {
		vars[name] = value
	}
	for name := range a.varFiles {
		if vars[name] != "" {
			return fmt.Errorf("--var and --var-file: %s is set twice", name)
		}
		vars[name] = "sample"
	}
	for _, n := range wording.Samples() {
		if _, err := a.render(context.Background(), n.With(vars)); err != nil {
			return fmt.Errorf("try --template with a notice of kind %s: %w", n.Kind, err)
		}
	}
	return nil
}

// isJSON reports whether the body is to be JSON: application/json, or a type
// with +json at its end.
func (a *Alert) isJSON() bool {
	kind, _, _ := mime.ParseMediaType(a.content)
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}

// body is what is sent.
func (a *Alert) body(ctx context.Context, r alert.Request) ([]byte, error) {
	n := wording.Of(r)
	if !a.template.Given() {
		return n.JSON(), nil
	}
	vars := map[string]string{}
	for name, value := range a.vars {
		vars[name] = value
	}
	for name, path := range a.varFiles {
		file := credential.File(path)
		value, err := file.Read()
		if err != nil {
			return nil, fmt.Errorf("option --var-file %s: %w", name, err)
		}
		vars[name] = value
	}
	return a.render(ctx, n.With(vars))
}

func (a *Alert) render(ctx context.Context, n wording.Notice) ([]byte, error) {
	text, err := a.template.Render(ctx, n)
	if err != nil {
		return nil, err
	}
	if !a.isJSON() {
		return []byte(text), nil
	}
	var any json.RawMessage
	if err := json.Unmarshal([]byte(text), &any); err != nil {
		return nil, fmt.Errorf("%s makes no valid JSON: %w%s (insert texts by {{json .Summary}})", a.template.String(), err, near(text, err))
	}
	return []byte(text), nil
}

// near is where in text JSON breaks off.
func near(text string, err error) string {
	e, ok := errors.AsType[*json.SyntaxError](err)
	if !ok || e.Offset > int64(len(text)) {
		return ""
	}
	before := text[:e.Offset]
	last := before[strings.LastIndexByte(before, '\n')+1:]
	return fmt.Sprintf(" in line %d behind %q", strings.Count(before, "\n")+1, last[max(0, len(last)-40):])
}

// Alert sends one request to each URL.
func (a *Alert) Alert(ctx context.Context, r alert.Request) error {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	urls := a.words.Args()
	if a.urlOf.Given() {
		one, err := a.urlOf.Read()
		if err != nil {
			return fmt.Errorf("option --url-file: %w", err)
		}
		urls = append(urls[:len(urls):len(urls)], one)
	}
	body, err := a.body(ctx, r)
	if err != nil {
		return fmt.Errorf("body of the request: %w", err)
	}
	return a.memory.Each(r.ID, urls, func(text string) error { return a.tell(ctx, text, r, body) })
}
