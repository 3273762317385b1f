package mailalert

import (
	"fmt"
	"net/mail"
	"regexp"
	"strings"
)

// localUser is the name of a user of this machine, which mon's users write
// where an address belongs.
var localUser = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._+-]*$`)

// parseAddresses reads the operands of a line; one word may hold several
// addresses with commas between.
func parseAddresses(words []string) ([]mail.Address, error) {
	var out []mail.Address
	for _, w := range words {
		list, err := parseWord(w)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

func parseWord(word string) ([]mail.Address, error) {
	if list, err := mail.ParseAddressList(word); err == nil && !strings.ContainsAny(word, "\r\n") {
		out := make([]mail.Address, len(list))
		for i, a := range list {
			out[i] = *a
		}
		return out, nil
	}
	var out []mail.Address
	for part := range strings.SplitSeq(word, ",") {
		a, err := parseAddress(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// parseAddress reads one address, or the name of a local user, which becomes
// an Address without an "@".
func parseAddress(s string) (mail.Address, error) {
	if localUser.MatchString(s) {
		return mail.Address{Address: s}, nil
	}
	if strings.ContainsAny(s, "\r\n") {
		return mail.Address{}, fmt.Errorf("address %q: it holds a line break", s)
	}
	a, err := mail.ParseAddress(s)
	if err != nil {
		return mail.Address{}, fmt.Errorf("address %q is neither a local user nor NAME@DOMAIN: %w", s, err)
	}
	return *a, nil
}

// qualify completes a local user with the name of this host, as sendmail does.
func qualify(a mail.Address, host string) mail.Address {
	if !strings.Contains(a.Address, "@") {
		a.Address += "@" + host
	}
	return a
}

// header is a as it stands in a header.
func header(a mail.Address) string {
	if !strings.Contains(a.Address, "@") {
		return a.Address
	}
	return a.String()
}
