package ask

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
)

// Proxy is an option's value: an HTTP proxy. What is wrong is kept for Validate,
// since errors of Set are shown with the value, which may hold a password.
type Proxy struct {
	Host string
	Port uint16
	auth string // of Proxy-Authorization
	err  error
}

// String is empty: there may be a password in it.
func (p *Proxy) String() string { return "" }

// Given reports whether there is a proxy.
func (p *Proxy) Given() bool { return p.Host != "" || p.err != nil }

// Set reads a URL.
func (p *Proxy) Set(text string) error {
	*p = Proxy{err: errors.New("option --proxy: want http://host:port, with user:password@ before the host if need be")}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil
	}
	port := uint64(80)
	if u.Port() != "" {
		port, err = strconv.ParseUint(u.Port(), 10, 16)
	}
	if err != nil || port == 0 || !plain(u.Hostname()) {
		return nil
	}
	*p = Proxy{Host: u.Hostname(), Port: uint16(port)}
	if u.User != nil {
		password, _ := u.User.Password()
		p.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))
	}
	return nil
}

// Validate says what is wrong with the value.
func (p *Proxy) Validate() error { return p.err }

// authorize appends the header for the proxy.
func (p *Proxy) authorize(b []byte) []byte {
	if p.auth == "" {
		return b
	}
	return field(b, "Proxy-Authorization", p.auth)
}

// Connect is the request for a connection with a target (RFC 9110, section
// 9.3.6).
func (p *Proxy) Connect(to Target) []byte {
	at := authority(to, true)
	b := append([]byte("CONNECT "+at+" HTTP/1.1\r\nHost: "), at...)
	b = append(b, "\r\nUser-Agent: mond/http.monitor\r\n"...)
	return append(p.authorize(b), "\r\n"...)
}
