package keepalived

import (
	"regexp"
	"strings"
)

// pages writes an HTTP_GET or SSL_GET: a check for each url, all of which must
// be good.
func (w *writer) pages(p *pool, s *server, c *check) []*probe {
	if len(c.urls) == 0 {
		w.w.Warnf(c.node.Pos, "keepalived leaves it out, too", "%s without a url", c.kind)
		return nil
	}
	if w.portless(s, c) {
		return nil
	}
	var all []*probe
	for _, u := range c.urls {
		if !u.path.set {
			w.w.Warnf(u.node.Pos, "keepalived leaves it out, too", "url without a path")
			continue
		}
		all = append(all, w.page(p, s, c, u))
	}
	return all
}

func (w *writer) page(p *pool, s *server, c *check, u *url) *probe {
	port := c.ask(s)
	pr := &probe{pos: u.node.Pos, base: "http-" + itoa(port)}
	pl := w.plan(p, s, c, pr)
	words := w.connect(s, c, pl, pr, port)
	if c.kind == "SSL_GET" {
		pr.base = "https-" + itoa(port)
		words = append(words, "--https", "--insecure") // keepalived verifies nothing
		if w.ssl.cert.set {
			words = append(words, "--cert", w.ssl.cert.v)
		}
		if w.ssl.key.set && w.ssl.cert.set {
			words = append(words, "--key", w.ssl.key.v)
		}
	}
	words = append(words, "-u", u.path.v)
	if host := u.host.or(c.host, s.host, p.host); host.set {
		words = append(words, "--host", host.v)
	}
	status := "200-299"
	if len(u.status) > 0 {
		status = strings.Join(u.status, ",")
	}
	words = append(words, "--status", status)
	if u.digest.set {
		words = append(words, "--digest", "md5:"+u.digest.v)
	}
	if u.regex.set {
		if expr, ok := w.regex(u); ok {
			option := "-m"
			if u.not {
				option = "--not-match"
			}
			words = append(words, option, expr)
		}
	}
	w.run(pr, c, pl, "http.monitor", words...)
	return pr
}

// regex is the expression of u for RE2; false if RE2 has no such thing.
func (w *writer) regex(u *url) (string, bool) {
	flags, dollar := "", true
	for _, o := range u.options {
		flag, harmless := regexOption(o.v)
		switch {
		case o.v == "dollar_endonly":
			dollar = false
		case flag != "":
			flags += flag
		case !harmless:
			w.lose(o.pos, "regex_options "+o.v, "RE2 has no such option: look whether the expression says the same without")
		}
	}
	expr := u.regex.v
	if dollar && !strings.Contains(flags, "m") {
		expr = endings(expr)
	}
	if flags != "" {
		expr = "(?" + flags + ")" + expr
	}
	if _, err := regexp.Compile(expr); err != nil {
		w.lose(u.regex.pos, "regex", "RE2 cannot do this (%v), so the body is not looked at: write --match yourself, or --json or --digest", err)
		return "", false
	}
	return expr, true
}

// regexOption is the flag of RE2 that is an option of PCRE2; harmless is set if
// the option changes nothing of what matches here.
func regexOption(name string) (flag string, harmless bool) {
	switch name {
	case "caseless":
		return "i", false
	case "multiline":
		return "m", false
	case "dotall":
		return "s", false
	case "ungreedy":
		return "U", false
	case "auto_callout", "never_ucp", "never_utf", "never_backslash_c", "no_auto_capture", "no_auto_possess", "no_dotstar_anchor", "no_start_optimize", "utf", "use_offset_limit":
		return "", true
	}
	return "", false
}

// endings writes a $ as PCRE means it: before a newline at the end of the body
// as well.
func endings(expr string) string {
	if !strings.Contains(expr, "$") {
		return expr
	}
	var b strings.Builder
	class := false
	for i := 0; i < len(expr); i++ {
		switch c := expr[i]; {
		case c == '\\' && i+1 < len(expr):
			b.WriteByte(c)
			i++
			b.WriteByte(expr[i])
			continue
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '$' && !class:
			b.WriteString(`\n?$`)
			continue
		}
		b.WriteByte(expr[i])
	}
	return b.String()
}
