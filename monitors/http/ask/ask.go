// Package ask is what a web server is asked: the options that say so, and the
// request that comes of them, in the bytes of HTTP/1.1 or for HTTP/2.
//
// It sends nothing. What it is given in confidence - passwords, tokens, any
// header - goes into requests and nowhere else: no error and no String shows it.
package ask

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
)

// Options say what is asked for.
type Options struct {
	Path        Path
	agent       header
	host        header
	method      method
	headers     headers
	body        body
	contentType header
	compressed  bool
	auth        auth

	content *reach.Fresh[[]byte] // of --body @FILE
}

// Declare declares the options.
func (o *Options) Declare(fs *flag.FlagSet) {
	o.Path, o.agent, o.method = "/", "mond/http.monitor", http.MethodGet
	fs.Var(&o.Path, "u", "`path` to ask for, with the query if any")
	fs.Var(&o.agent, "a", "User-Agent `header` to send")
	fs.Var(&o.host, "host", "Host `header` to send; with TLS the name to expect, too (default: the host's name)")
	fs.Var(&o.method, "method", "`method` of the request, such as HEAD or POST (default: GET)")
	fs.Var(&o.headers, "header", "`\"Name: value\"` to send as well; may be repeated")
	fs.Var(&o.body, "body", "`text` to send, or @FILE to send what is in FILE")
	fs.Func("body-file", "`file` to send, the same as --body @FILE", func(path string) error { return o.body.Set("@" + path) })
	fs.Var(&o.contentType, "content-type", "Content-Type `header` of --body (default: application/x-www-form-urlencoded)")
	fs.BoolVar(&o.compressed, "compressed", false, "ask for a compressed body and decompress it (gzip, deflate)")
	o.auth.declare(fs)
}

// Validate judges the options together and reads the files.
func (o *Options) Validate() error {
	o.content = &reach.Fresh[[]byte]{Make: func(contents [][]byte) ([]byte, error) {
		if o.body.file == "" {
			return []byte(o.body.text), nil
		}
		return contents[0], nil
	}}
	if o.body.file != "" {
		o.content.Paths = []string{o.body.file}
	}
	if o.contentType != "" && !o.body.given {
		return errors.New("option --content-type: it needs --body")
	}
	if o.body.given && (o.method == http.MethodGet || o.method == http.MethodHead) {
		return fmt.Errorf("option --body: the method %s has none: --method POST or PUT sends one", o.method)
	}
	if _, err := o.content.Get(); err != nil {
		return monitor.Fault(fmt.Errorf("option --body: %w", err))
	}
	return errors.Join(o.headers.validate(o), o.auth.validate())
}

// Exposed is a sentence about a file with a secret that everybody can read,
// else empty.
func (o *Options) Exposed() string { return o.auth.file().Exposed() }

// Method is the method of a request for to.
func (o *Options) Method(to Target) string {
	if to.Fetch && o.method != http.MethodHead {
		return http.MethodGet
	}
	return string(o.method)
}

// Compressed reports whether a compressed body was asked for.
func (o *Options) Compressed() bool { return o.compressed }

// HasHost reports whether the Host header was chosen.
func (o *Options) HasHost() bool { return o.host != "" }

// Target is one thing to ask for.
type Target struct {
	// Host is the host to connect to, Port its port.
	Host string
	Port uint16
	TLS  bool
	// Authority is the Host header if a redirect gave it; else it is made of
	// Host and Port.
	Authority string
	Path      string
	// Foreign says that a redirect led away from the host that was asked first,
	// or from TLS: it is shown no credentials.
	Foreign bool
	// Fetch says that a redirect turned the method into GET, without a body.
	Fetch bool
}

// URL is the target as people write it.
func (o *Options) URL(to Target) string {
	scheme := "http://"
	if to.TLS {
		scheme = "https://"
	}
	return scheme + o.HostHeader(to) + to.Path
}

// HostHeader is the Host header: the host's name, and the port unless it is the
// usual one.
func (o *Options) HostHeader(to Target) string {
	switch {
	case to.Authority != "":
		return to.Authority
	case o.host != "":
		return string(o.host)
	}
	return authority(to, false)
}

// authority is a host and its port; the usual port only if it is always wanted.
func authority(to Target, always bool) string {
	host := to.Host
	if a, err := netip.ParseAddr(host); err == nil {
		host = a.WithZone("").String()
	}
	if always || to.Port != UsualPort(to.TLS) {
		return net.JoinHostPort(host, strconv.Itoa(int(to.Port)))
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// UsualPort is the port of a web server, with TLS or without.
func UsualPort(secure bool) uint16 {
	if secure {
		return 443
	}
	return 80
}

// ServerName is what the host is called in TLS: the name in the Host header if
// that was given, so that one server of many behind one name can be looked at.
func (o *Options) ServerName(to Target) string {
	if to.Authority == "" && o.host == "" {
		return to.Host
	}
	return o.Called(to)
}

// Called is the host's name, or its address, as the Host header has it.
func (o *Options) Called(to Target) string { return hostOf(o.HostHeader(to)) }

// hostOf is the host of an authority.
func hostOf(authority string) string {
	if name, _, err := net.SplitHostPort(authority); err == nil {
		return name
	}
	return strings.Trim(authority, "[]")
}

// bodyFor is the body to send to a target, nil for none.
func (o *Options) bodyFor(to Target) ([]byte, error) {
	if to.Fetch || !o.body.given {
		return nil, nil
	}
	return o.content.Get()
}

// hasLength reports whether a request announces its body's length: also that of
// an empty one, with methods that usually have one (RFC 9110, section 8.6).
func (o *Options) hasLength(method string) bool {
	return o.body.given || method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

// fields are the headers but those that have to do with the connection.
func (o *Options) fields(to Target, put func(name, value string)) error {
	put("User-Agent", string(o.agent))
	if !o.headers.has("Accept") || to.Foreign {
		put("Accept", "*/*")
	}
	if o.compressed {
		put("Accept-Encoding", "gzip, deflate")
	} else {
		put("Accept-Encoding", "identity")
	}
	if o.body.given && !to.Fetch {
		kind := "application/x-www-form-urlencoded"
		if o.contentType != "" {
			kind = string(o.contentType)
		}
		put("Content-Type", kind)
	}
	if to.Foreign {
		return nil
	}
	for _, h := range o.headers.list {
		put(h.name, h.value)
	}
	secret, err := o.auth.header()
	if secret != "" {
		put("Authorization", secret)
	}
	return err
}

// Bytes is the request in HTTP/1.1. through is the proxy that it goes through,
// unless that only joins the ends; nil is none.
func (o *Options) Bytes(to Target, through *Proxy) ([]byte, error) {
	method := o.Method(to)
	b := make([]byte, 0, 512)
	b = append(append(b, method...), ' ')
	if through != nil {
		b = append(append(b, "http://"...), authority(to, false)...)
	}
	b = append(append(b, to.Path...), " HTTP/1.1\r\nHost: "...)
	if through != nil {
		b = append(b, authority(to, false)...)
	} else {
		b = append(b, o.HostHeader(to)...)
	}
	b = append(b, "\r\n"...)
	err := o.fields(to, func(name, value string) { b = field(b, name, value) })
	if err != nil {
		return nil, err
	}
	if through != nil {
		b = through.authorize(b)
	}
	body, err := o.bodyFor(to)
	if err != nil {
		return nil, err
	}
	if !to.Fetch && o.hasLength(method) {
		b = field(b, "Content-Length", strconv.Itoa(len(body)))
	}
	b = append(b, "Connection: close\r\n\r\n"...)
	return append(b, body...), nil
}

// field appends a header.
func field(b []byte, name, value string) []byte {
	b = append(append(b, name...), ": "...)
	return append(append(b, value...), "\r\n"...)
}

// Request is the request for HTTP/2.
func (o *Options) Request(ctx context.Context, to Target) (*http.Request, error) {
	body, err := o.bodyFor(to)
	if err != nil {
		return nil, err
	}
	path, query, asks := strings.Cut(to.Path, "?")
	if strings.HasPrefix(path, "//") {
		path = "//" + o.HostHeader(to) + path // it would be taken for a host
	}
	req := &http.Request{
		Method: o.Method(to), Host: o.HostHeader(to), Header: http.Header{},
		// Opaque, since the path is to be sent as it is written.
		URL: &url.URL{Scheme: "https", Host: authority(to, false), Opaque: path, RawQuery: query, ForceQuery: asks},
	}
	if o.body.given && !to.Fetch {
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
	}
	return req.WithContext(ctx), o.fields(to, func(name, value string) { req.Header.Add(name, value) })
}
