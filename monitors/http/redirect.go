package httpmon

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/mondhq/mond/monitors/http/ask"
	"github.com/mondhq/mond/monitors/http/exchange"
	"github.com/mondhq/mond/monitors/http/judge"
)

// redirects is an option's value: which redirects are followed.
type redirects struct {
	most int
	stay bool // with the host
}

const (
	// maxRedirects is the most that can be asked for.
	maxRedirects = 20
	// sameHost is how many are followed that stay with the host.
	sameHost = 10
)

// String is the value as Set reads it.
func (r *redirects) String() string {
	switch {
	case r.stay:
		return "same-host"
	case r.most == 0:
		return "no"
	}
	return strconv.Itoa(r.most)
}

// Set reads which.
func (r *redirects) Set(text string) error {
	switch text {
	case "no":
		*r = redirects{}
		return nil
	case "same-host":
		*r = redirects{sameHost, true}
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil || n > maxRedirects {
		return fmt.Errorf("want no, same-host, or a number up to %d", maxRedirects)
	}
	*r = redirects{most: int(n)}
	return nil
}

// location is where a redirect leads.
type location struct {
	code int
	to   string
}

// location is where an answer leads, if that is to be looked into.
func (r *redirects) location(resp *exchange.Response) *location {
	if r.most == 0 {
		return nil
	}
	switch resp.Code {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if to := resp.Header.Get("Location"); to != "" {
			return &location{resp.Code, to}
		}
	}
	return nil
}

// follow asks the host, and wherever redirects lead.
func (v *visit) follow(ctx context.Context) (judge.Verdict, error) {
	to := v.first(v.host)
	verdict, next, err := v.fetch(ctx, to)
	if next == nil {
		return verdict, err
	}
	been := []ask.Target{to}
	for next != nil {
		if to, err = v.turn(been, next); err != nil {
			return verdict, err
		}
		been = append(been, to)
		if verdict, next, err = v.fetch(ctx, to); err != nil {
			return verdict, fmt.Errorf("redirected to %s: %w", shown(v.web.ask.URL(to)), err)
		}
	}
	verdict.Detail += " at " + shown(v.web.ask.URL(to))
	return verdict, nil
}

// turn is the target of a redirect from the last of those that were asked.
func (v *visit) turn(been []ask.Target, l *location) (ask.Target, error) {
	from := been[len(been)-1]
	to, err := v.resolve(from, l)
	again := func(t ask.Target) bool { return v.web.ask.URL(t) == v.web.ask.URL(to) && t.Fetch == to.Fetch }
	switch {
	case err != nil:
		return to, err
	case slices.ContainsFunc(been, again):
		return to, fmt.Errorf("redirected in a circle: %s leads back to %s", shown(v.web.ask.URL(from)), shown(v.web.ask.URL(to)))
	case v.redirects.stay && to.Host != v.host:
		return to, fmt.Errorf("redirected to another host, %s (--redirects same-host)", shown(v.web.ask.URL(to)))
	case len(been) > v.redirects.most:
		return to, fmt.Errorf("redirected more than %d times, at last to %s", v.redirects.most, shown(v.web.ask.URL(to)))
	}
	return to, nil
}

// resolve is the target that a redirect means. One that names the host as it is
// named in the request stays with the host's address, for it is this server
// that is looked at and not whoever else has its name.
func (v *visit) resolve(from ask.Target, l *location) (ask.Target, error) {
	u, err := url.Parse(v.web.ask.URL(from))
	if err == nil {
		u, err = u.Parse(l.to)
	}
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ask.Target{}, fmt.Errorf("redirected with status %d to what is no URL of a web server: %q", l.code, shown(l.to))
	}
	to := ask.Target{Host: from.Host, TLS: u.Scheme == "https", Authority: u.Host, Foreign: from.Foreign, Fetch: from.Fetch}
	if !strings.EqualFold(u.Hostname(), v.web.ask.Called(from)) {
		to.Host, to.Foreign = u.Hostname(), true
	}
	if from.TLS && !to.TLS {
		to.Foreign = true
	}
	if l.code == http.StatusSeeOther || l.code < http.StatusTemporaryRedirect && v.web.ask.Method(from) == http.MethodPost {
		to.Fetch = true // RFC 9110, sections 15.4.2 to 15.4.4
	}
	if to.Port, err = v.portOf(u, from); err != nil {
		return to, err
	}
	u.RawQuery = strings.ReplaceAll(u.RawQuery, " ", "%20")
	var path, host ask.Path
	if path.Set(u.RequestURI()) != nil || host.Set(u.Host) != nil || strings.Contains(u.Host, "%") { // no zone of theirs is one of ours
		return to, fmt.Errorf("redirected with status %d to what is no URL of a web server: %q", l.code, shown(l.to))
	}
	to.Path = string(path)
	return to, nil
}

// portOf is the port of a redirect's URL. As long as that has the authority of
// the request it is the port that was connected to, which the Host header need
// not know.
func (v *visit) portOf(u *url.URL, from ask.Target) (uint16, error) {
	secure := u.Scheme == "https"
	if secure == from.TLS && strings.EqualFold(u.Host, v.web.ask.HostHeader(from)) {
		return from.Port, nil
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return 0, fmt.Errorf("redirected to port %q, which there is not", shown(text))
		}
		return uint16(n), nil
	}
	return ask.UsualPort(secure), nil
}

// maxURL is how many bytes of a URL are shown.
const maxURL = 120

// shown is what is shown of a URL.
func shown(url string) string {
	if len(url) <= maxURL {
		return url
	}
	return url[:maxURL] + "..."
}
