package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/alert/wording"
	"github.com/mondhq/mond/plugins/credential"
)

const (
	maxAnswer    = 4 << 10  // of an answer's body, what is beyond is not read
	maxHeader    = 64 << 10 // of its header, net/http refuses what is beyond
	maxQuoted    = 200      // characters of the body in an error
	maxRedirects = 3
)

// tell makes one request to one URL.
func (a *Alert) tell(ctx context.Context, text string, r alert.Request, body []byte) error {
	u, err := a.parseURL(text)
	if err != nil {
		return alert.Permanent(err)
	}
	what := string(a.method) + " to " + u.Scheme + "://" + u.Host
	req, err := a.request(ctx, u, r, body)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	client, closing, err := a.client(u)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer closing()
	resp, err := client.Do(req)
	if err != nil {
		return a.unanswered(ctx, what, err)
	}
	defer func() { _ = resp.Body.Close() }()
	return a.judge(what, resp)
}

// request is what is sent.
func (a *Alert) request(ctx context.Context, u *url.URL, r alert.Request, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, string(a.method), u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the request cannot be made") // err shows the URL
	}
	req.Header.Set("Content-Type", a.content)
	req.Header.Set("User-Agent", "mond/webhook.alert")
	if r.ID != "" {
		req.Header.Set("Idempotency-Key", idempotencyKey(r.ID))
	}
	for name, value := range a.headers {
		req.Header.Set(name, value)
	}
	if host := a.headers["Host"]; host != "" {
		req.Host = host
	}
	return req, a.authorize(req, body)
}

// idempotencyKey is a notice's ID as a header can carry it.
func idempotencyKey(id string) string {
	if plain := wording.OneLine(id, 255); plain == id && ascii(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// authorize adds what proves who we are. The files are read each time.
func (a *Alert) authorize(req *http.Request, body []byte) error {
	if a.bearerOf.Given() {
		token, err := a.bearerOf.Read()
		if err != nil {
			return fmt.Errorf("option --bearer-file: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if a.user != "" {
		password, err := a.password.Read()
		if err != nil {
			return fmt.Errorf("option --password-file: %w", err)
		}
		req.SetBasicAuth(a.user, password)
	}
	if a.secretOf.Given() {
		key, err := a.secretOf.Read()
		if err != nil {
			return fmt.Errorf("option --secret-file: %w", err)
		}
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write(body)
		req.Header.Set(string(a.signature), "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	return nil
}

// client makes connections for one request: alerts are rare, and one that was
// kept open would rather be dead by the next.
func (a *Alert) client(u *url.URL) (client *http.Client, closing func(), err error) {
	t := &http.Transport{
		DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader, TLSHandshakeTimeout: a.timeout,
	}
	if t.TLSClientConfig, err = a.tls.Config(""); err != nil { // net/http fills in the name
		return nil, nil, err
	}
	if a.proxy != "" {
		proxy, err := url.Parse(a.proxy)
		if err != nil {
			return nil, nil, errors.New("--proxy cannot be read")
		}
		t.Proxy = http.ProxyURL(proxy)
	}
	return &http.Client{Transport: t, CheckRedirect: a.redirect}, t.CloseIdleConnections, nil
}

// redirect follows only what repeats the request as it is, to the same host by
// the same scheme: anything else would turn it into a GET, or show the headers
// and the notice to another.
func (a *Alert) redirect(next *http.Request, before []*http.Request) error {
	first := before[0]
	again := next.Response != nil && (next.Response.StatusCode == http.StatusTemporaryRedirect || next.Response.StatusCode == http.StatusPermanentRedirect)
	if !a.follow || !again || len(before) > maxRedirects || next.URL.Host != first.URL.Host || next.URL.Scheme != first.URL.Scheme {
		return http.ErrUseLastResponse
	}
	return nil
}

// unanswered explains why there is no answer, without the URL.
func (a *Alert) unanswered(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s took too long: %w", what, context.Cause(ctx))
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return fmt.Errorf("%s: %w", what, credential.Explain(err))
}

// judge makes a verdict of an answer: done, another try, or no use.
func (a *Alert) judge(what string, resp *http.Response) error {
	if a.ok.Has(resp.StatusCode) {
		return nil
	}
	// The body only tells people more; what keeps it from being read does not
	// matter. The request's context ends a slow one.
	said, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	err := fmt.Errorf("%s was answered by %d %s%s%s", what, resp.StatusCode, http.StatusText(resp.StatusCode), wait(resp), quoted(said))
	switch code := resp.StatusCode; {
	case code >= 300 && code < 400:
		return alert.Permanent(fmt.Errorf("%w (a redirect%s: name the new URL, or see --follow)", err, target(resp)))
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return err
	}
	return alert.Permanent(err)
}

// quoted is the beginning of an answer's body as the end of an error.
func quoted(body []byte) string {
	text := wording.OneLine(string(body), maxQuoted)
	if text == "" {
		return ""
	}
	return ": " + text
}

// wait is what Retry-After asks for, in words. The outbox has a time of its own.
func wait(resp *http.Response) string {
	text := wording.OneLine(resp.Header.Get("Retry-After"), 60)
	if text == "" {
		return ""
	}
	if d, err := time.ParseDuration(text + "s"); err == nil {
		text = d.String()
	}
	return " (try again after " + text + ")"
}

// target is the host that a redirect names.
func target(resp *http.Response) string {
	if u, err := resp.Location(); err == nil && u.Host != "" {
		return " to " + wording.OneLine(u.Scheme+"://"+u.Host, 200)
	}
	return ""
}
