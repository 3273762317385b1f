package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"
)

// method is an option's value: a method that carries a body.
type method string

// String is the method.
func (m *method) String() string { return string(*m) }

// Set reads a method.
func (m *method) Set(text string) error {
	switch text = strings.ToUpper(text); text {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		*m = method(text)
		return nil
	}
	return errors.New("want POST, PUT or PATCH")
}

// headerName is an option's value: the name of a header that may be set.
type headerName string

// String is the name.
func (h *headerName) String() string { return string(*h) }

// Set reads a name.
func (h *headerName) Set(text string) error {
	name, err := nameOf(text)
	*h = headerName(name)
	return err
}

// headers is an option's value that gathers: headers to send, by their
// canonical name.
type headers map[string]string

// String is empty: values may be secrets.
func (h headers) String() string { return "" }

// Set reads one header.
func (h headers) Set(text string) error {
	name, value, ok := strings.Cut(text, ":")
	if !ok {
		return errors.New("want NAME: VALUE")
	}
	name, err := nameOf(strings.TrimSpace(name))
	if err != nil {
		return err
	}
	value = strings.TrimSpace(value)
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return errors.New("the value holds control characters")
	}
	if _, twice := h[name]; twice {
		return fmt.Errorf("%s is given twice", name)
	}
	h[name] = value
	return nil
}

// nameOf is a header's name in its canonical form.
func nameOf(text string) (string, error) {
	const signs = "!#$%&'*+-.^_`|~" // of a token, RFC 9110 5.6.2
	if text == "" || strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(signs, r)
	}) {
		return "", fmt.Errorf("%.60q is no name of a header", text)
	}
	name := textproto.CanonicalMIMEHeaderKey(text)
	switch name {
	case "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Trailer", "Te", "Keep-Alive":
		return "", fmt.Errorf("%s belongs to the connection and cannot be set", name)
	case "Content-Type":
		return "", errors.New("Content-Type has an option of its own, --content-type")
	case "Idempotency-Key":
		return "", errors.New("Idempotency-Key is the notice's own")
	}
	return name, nil
}

// variables is an option's value that gathers NAME=VALUE.
type variables map[string]string

// String is empty: values may be secrets.
func (v variables) String() string { return "" }

// Set reads one variable.
func (v variables) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" || value == "" {
		return errors.New("want NAME=VALUE")
	}
	if _, twice := v[name]; twice {
		return fmt.Errorf("%s is given twice", name)
	}
	v[name] = value
	return nil
}
