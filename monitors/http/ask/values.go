package ask

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// Path is an option's value: what is asked for, from the first slash on.
type Path string

// String is the path.
func (p *Path) String() string { return string(*p) }

// Set reads a path; the first slash may be left out.
func (p *Path) Set(text string) error {
	switch {
	case strings.HasPrefix(text, "http://"), strings.HasPrefix(text, "https://"):
		return errors.New("want the path only, such as /index.html?a=1: the hosts are those of the hostgroup")
	case !plain(text):
		return errors.New("want ASCII without blanks: write them percent-encoded, a blank is %20")
	case strings.Contains(text, "#"):
		return errors.New("what follows a # is never sent: leave it out")
	}
	*p = Path("/" + strings.TrimPrefix(text, "/"))
	return nil
}

// plain reports whether text is ASCII without blanks and control characters.
func plain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// header is an option's value: the value of a header.
type header string

// String is the value.
func (h *header) String() string { return string(*h) }

// Set reads a value that cannot end the header.
func (h *header) Set(text string) error {
	if !oneLine(text) {
		return errors.New("want text without control characters")
	}
	*h = header(text)
	return nil
}

// oneLine reports whether text can be the value of a header.
func oneLine(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// method is an option's value: the method of a request.
type method string

// String is the method.
func (m *method) String() string {
	if *m == http.MethodGet {
		return "" // the usage says so
	}
	return string(*m)
}

// Set reads a method in any letters.
func (m *method) Set(text string) error {
	text = strings.ToUpper(text)
	if len(text) > 32 || text == "" || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" {
		return errors.New("want a method such as GET, HEAD, POST or PUT")
	}
	if text == http.MethodConnect {
		return errors.New("CONNECT is for proxies: --proxy uses it where it is needed")
	}
	*m = method(text)
	return nil
}

// body is an option's value: text to send, or the file that holds it.
type body struct {
	given      bool
	text, file string
}

// String is the value as Set reads it.
func (b *body) String() string {
	if b.file != "" {
		return "@" + b.file
	}
	return b.text
}

// Set reads text, or @ and the path of a file.
func (b *body) Set(text string) error {
	*b = body{given: true, text: text}
	if file, ok := strings.CutPrefix(text, "@"); ok {
		if file == "" {
			return errors.New("want the path of a file after @")
		}
		*b = body{given: true, file: file}
	}
	return nil
}

// headers is an option's value: headers to send. What is wrong is kept for
// validate, since errors of Set are shown with the value, which may be secret.
type headers struct {
	list []named
	err  error
}

type named struct{ name, value string }

// String is empty: a value may be secret.
func (h *headers) String() string { return "" }

// Set reads "Name: value".
func (h *headers) Set(text string) error {
	name, value, found := strings.Cut(text, ":")
	value = strings.Trim(value, " \t")
	switch {
	case !found || !token(name):
		h.err = errors.Join(h.err, errors.New(`option --header: want "Name: value", with a name of letters, figures and dashes`))
	case !oneLine(value):
		h.err = errors.Join(h.err, fmt.Errorf("option --header: the value of %s is empty or has control characters", name))
	default:
		h.list = append(h.list, named{textproto.CanonicalMIMEHeaderKey(name), value})
	}
	return nil
}

// token reports whether text can be the name of a header.
func token(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

func (h *headers) has(name string) bool {
	return slices.ContainsFunc(h.list, func(n named) bool { return n.name == name })
}

// validate judges the headers beside the other options.
func (h *headers) validate(o *Options) error {
	if h.err != nil {
		return h.err
	}
	for name, instead := range map[string]string{
		"Host": "--host", "User-Agent": "-a", "Accept-Encoding": "--compressed", "Content-Type": "--content-type",
		"Content-Length": "--body", "Transfer-Encoding": "--body", "Connection": "nothing", "Keep-Alive": "nothing",
		"Proxy-Authorization": "--proxy", "Proxy-Connection": "nothing", "Upgrade": "nothing", "Te": "nothing",
		"Trailer": "nothing", "Expect": "nothing",
	} {
		if h.has(name) && instead == "nothing" {
			return fmt.Errorf("option --header: %s belongs to the connection, which is this monitor's", name)
		}
		if h.has(name) {
			return fmt.Errorf("option --header: %s is said by %s", name, instead)
		}
	}
	if h.has("Authorization") && o.auth.given() {
		return errors.New("option --header: Authorization is said by --user or --bearer already")
	}
	return nil
}
