package keepalived

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mondhq/mond/engine/convert/keepalived/lang"
)

// Reasons that several words share.
const (
	notSNMP = "mond speaks no SNMP: its figures are at /metrics, and monctl shows them"
	noUser  = "mond runs programs as its own user: begin the command with setpriv or sudo -u USER"
)

// virtualWords stand in a virtual_server.
func virtualWords() scope {
	v := func(r *reader) *virtual { return r.virtual }
	return merge(
		planWords(1, func(r *reader) *plan { return &r.virtual.plan }),
		scope{
			"ip_family":               {take: takeFamily},
			"lvs_sched":               {take: takeScheduler},
			"lb_algo":                 {take: takeScheduler},
			"hashed":                  {why: "keepalived 2.2.7 reads the word and does nothing with it"},
			"ops":                     flagTo(func(r *reader) *opt[bool] { return &v(r).ops }),
			"flag-1":                  {take: takeFlag},
			"flag-2":                  {take: takeFlag},
			"flag-3":                  {take: takeFlag},
			"sh-port":                 {take: takeFlag},
			"sh-fallback":             {take: takeFlag},
			"mh-port":                 {take: takeFlag},
			"mh-fallback":             {take: takeFlag},
			"lvs_method":              methodTo(func(r *reader) *opt[method] { return &v(r).method }),
			"lb_kind":                 methodTo(func(r *reader) *opt[method] { return &v(r).method }),
			"persistence_engine":      wordTo(func(r *reader) *opt[string] { return &v(r).engine }),
			"persistence_timeout":     {take: takePersistence},
			"persistence_granularity": {take: takeGranularity},
			"protocol":                {take: takeProtocol},
			"ha_suspend":              flagTo(func(r *reader) *opt[bool] { return &v(r).suspend }),
			"smtp_alert":              yesTo(func(r *reader) *opt[bool] { return &v(r).smtp }),
			"virtualhost":             wordTo(func(r *reader) *opt[string] { return &v(r).host }),
			"snmp_name":               {why: notSNMP},
			"alpha":                   flagTo(func(r *reader) *opt[bool] { return &v(r).alpha }),
			"omega":                   {why: "mond calls nobody when it ends: the table stays as it is, and the reals serve on"},
			"quorum_up":               scriptTo(func(r *reader) **script { return &v(r).up }),
			"quorum_down":             scriptTo(func(r *reader) **script { return &v(r).down }),
			"quorum":                  numberTo(1, maxCount, func(r *reader) *opt[int] { return &v(r).quorum }),
			"hysteresis":              numberTo(0, maxCount, func(r *reader) *opt[int] { return &v(r).hysteresis }),
			"weight":                  weightTo(1, func(r *reader) *opt[int] { return &v(r).weight }),
			"inhibit_on_failure":      flagTo(func(r *reader) *opt[bool] { return &v(r).inhibit }),
			"sorry_server":            {take: takeSorry},
			"sorry_server_inhibit": sorryTo(func(_ *reader, n *lang.Node, s *sorry) {
				s.inhibit = opt[bool]{true, true, n.Pos}
			}),
			"sorry_server_lvs_method": sorryTo(func(r *reader, n *lang.Node, s *sorry) {
				if m, ok := r.readMethod(n); ok {
					s.method = m
				}
			}),
			"real_server": {take: takeReal, in: inReal},
		})
}

// realWords stand in a real_server.
func realWords() scope {
	re := func(r *reader) *real { return r.real }
	return merge(
		planWords(1, func(r *reader) *plan { return &r.real.plan }),
		scope{
			"weight":             weightTo(0, func(r *reader) *opt[int] { return &re(r).weight }),
			"lvs_method":         methodTo(func(r *reader) *opt[method] { return &re(r).method }),
			"uthreshold":         numberTo(0, maxCount, func(r *reader) *opt[int] { return &re(r).upper }),
			"lthreshold":         numberTo(0, maxCount, func(r *reader) *opt[int] { return &re(r).lower }),
			"inhibit_on_failure": yesTo(func(r *reader) *opt[bool] { return &re(r).inhibit }),
			"notify_up":          scriptTo(func(r *reader) **script { return &re(r).up }),
			"notify_down":        scriptTo(func(r *reader) **script { return &re(r).down }),
			"alpha":              yesTo(func(r *reader) *opt[bool] { return &re(r).alpha }),
			"smtp_alert":         yesTo(func(r *reader) *opt[bool] { return &re(r).smtp }),
			"virtualhost":        wordTo(func(r *reader) *opt[string] { return &re(r).host }),
			"snmp_name":          {why: notSNMP},

			"TCP_CHECK":   {take: takeCheck, in: inTCP},
			"HTTP_GET":    {take: takeCheck, in: inHTTP},
			"SSL_GET":     {take: takeCheck, in: inHTTP},
			"SMTP_CHECK":  {take: takeCheck, in: inSMTP},
			"DNS_CHECK":   {take: takeCheck, in: inDNS},
			"UDP_CHECK":   {take: takeCheck, in: inUDP},
			"PING_CHECK":  {take: takeCheck, in: inPing},
			"MISC_CHECK":  {take: takeCheck, in: inMisc},
			"FILE_CHECK":  {take: takeCheck, in: inFile},
			"BFD_CHECK":   {why: "mond speaks no BFD: let FRR speak it and trap mond, or rely on the other checks", in: inBFD, closed: true},
			"track_files": {why: "write a FILE_CHECK for each"},
		})
}

func takeCheck(r *reader, n *lang.Node) {
	r.check = &check{node: n, kind: n.Name()}
	r.real.checks = append(r.real.checks, r.check)
	r.extra(n, 0)
}

// commonWords are of every checker that asks by itself.
func commonWords() scope {
	return merge(
		planWords(0, func(r *reader) *plan { return &r.check.plan }),
		scope{
			"alpha":            yesTo(func(r *reader) *opt[bool] { return &r.check.alpha }),
			"log_all_failures": {why: "mond keeps every failure that counts in its history, and shows the last one"},
		})
}

// connectionWords say where a checker connects to, and from where.
func connectionWords() scope {
	return scope{
		"connect_ip":      addressTo(func(r *reader) *opt[netip.Addr] { return &r.check.to }),
		"connect_port":    numberTo(1, 65535, func(r *reader) *opt[int] { return &r.check.port }),
		"bindto":          addressTo(func(r *reader) *opt[netip.Addr] { return &r.check.source }),
		"bind_if":         wordTo(func(r *reader) *opt[string] { return &r.check.link }),
		"bind_port":       {why: "the next check would fail while the port of the last one is in TIME_WAIT: the kernel chooses one"},
		"connect_timeout": secondsTo(time.Microsecond, func(r *reader) *opt[time.Duration] { return &r.check.connect }),
		"fwmark":          numberTo(0, maxCount, func(r *reader) *opt[int] { return &r.check.mark }),
	}
}

func addressTo(at func(*reader) *opt[netip.Addr]) keyword {
	return keyword{take: func(r *reader, n *lang.Node) {
		if addr, ok := r.address(n, 0); ok {
			*at(r) = opt[netip.Addr]{addr, true, n.Pos}
		}
		r.extra(n, 1)
	}}
}

// checkerScopes are the words of each checker.
func checkerScopes() map[string]scope {
	c := func(r *reader) *check { return r.check }
	connected := merge(commonWords(), connectionWords())
	misc := commonWords()
	delete(misc, "connect_timeout") // it connects to nothing
	return map[string]scope{
		inTCP:  connected,
		inPing: connected,
		inHTTP: merge(connected, httpWords()),
		inURL:  urlWords(),
		inSMTP: merge(connected, scope{
			"helo_name": wordTo(func(r *reader) *opt[string] { return &c(r).helo }),
			"host":      {take: takeHost},
		}),
		inHost: merge(commonWords(), connectionWords()),
		inDNS: merge(connected, scope{
			"type": {take: takeRecord},
			"name": wordTo(func(r *reader) *opt[string] { return &c(r).name }),
		}),
		inUDP: merge(connected, scope{
			"payload":          hexTo(false, func(r *reader) *opt[string] { return &c(r).payload }),
			"require_reply":    {take: takeReply},
			"min_reply_length": numberTo(0, 65535, func(r *reader) *opt[int] { return &c(r).least }),
			"max_reply_length": numberTo(0, 65535, func(r *reader) *opt[int] { return &c(r).most }),
		}),
		inMisc: merge(misc, scope{
			"misc_path":    {take: takeMisc},
			"misc_timeout": numberTo(0, 4294, func(r *reader) *opt[int] { return &c(r).timeout }),
			"misc_dynamic": {take: func(r *reader, _ *lang.Node) { c(r).dynamic = true }},
			"user":         {why: noUser},
		}),
		inFile: {
			"track_file": wordTo(func(r *reader) *opt[string] { return &c(r).file }),
			"weight":     {take: takeFileWeight},
			"dynamic":    {why: "a word of later versions: the weight is the figure in the file, times weight, in any case"},
		},
		inBFD:   lost("", "name alpha"),
		inTrack: trackWords(),
	}
}

func httpWords() scope {
	c := func(r *reader) *check { return r.check }
	return scope{
		"nb_get_retry":  numberTo(0, maxCount, func(r *reader) *opt[int] { return &c(r).retry }),
		"virtualhost":   wordTo(func(r *reader) *opt[string] { return &c(r).host }),
		"http_protocol": {take: takeVersion},
		"enable_sni":    {take: takeSNI},
		"sni_name":      {why: "http.monitor asks for the certificate of its --host; a name of its own for SNI is --sni: add it to the line"},
		"tls_compliant": {}, // http.monitor always says that it ends
		"fast_recovery": {}, // each url is a check of its own here, and none waits for another
		"url":           {take: takeURL, in: inURL},
	}
}

// takeVersion judges the version of HTTP; http.monitor speaks 1.1 and asks for
// the end of the connection, which every server of 1.0 understands.
func takeVersion(r *reader, n *lang.Node) {
	if !slices.Contains([]string{"1.0", "1.0C", "1.0c", "1.1"}, n.Arg(0)) {
		r.w.Warnf(n.At(0), ignored, "http_protocol: %q is none of 1.0, 1.0C and 1.1", n.Arg(0))
	}
}

// takeSNI judges enable_sni: http.monitor always says which name it asks for,
// that of --host.
func takeSNI(r *reader, n *lang.Node) {
	if yes, ok := r.yes(n); ok && !yes {
		r.w.Lose(n.Pos, shown(n), "http.monitor always names the host that it asks for when it begins TLS")
	}
}

func takeURL(r *reader, n *lang.Node) {
	r.url = &url{node: n}
	r.check.urls = append(r.check.urls, r.url)
	r.extra(n, 0)
}

func urlWords() scope {
	const offsets = "http.monitor looks at the whole body, up to --max-size"
	return scope{
		"path":             wordTo(func(r *reader) *opt[string] { return &r.url.path }),
		"digest":           {take: takeDigest},
		"status_code":      {take: takeStatus},
		"virtualhost":      wordTo(func(r *reader) *opt[string] { return &r.url.host }),
		"regex":            {take: takeRegex},
		"regex_no_match":   {take: func(r *reader, _ *lang.Node) { r.url.not = true }},
		"regex_options":    {take: takeRegexOptions},
		"regex_min_offset": {why: offsets},
		"regex_max_offset": {why: offsets},
		"regex_stack":      {why: "RE2 needs no stack: its time is bounded by the length of the body"},
	}
}

func takeDigest(r *reader, n *lang.Node) {
	text := n.Arg(0)
	switch {
	case n.Args() == 0:
		r.missing(n, "a digest")
	case len(text) != 32 || strings.Trim(text, "0123456789abcdefABCDEF") != "":
		r.w.Warnf(n.At(0), ignored, "digest: %q is not 32 hexadecimal digits", text)
	case r.once(n, !r.url.digest.set):
		r.url.digest = opt[string]{strings.ToLower(text), true, n.Pos}
	}
}

// takeStatus reads codes and ranges of them.
func takeStatus(r *reader, n *lang.Node) {
	if n.Args() == 0 {
		r.w.Warnf(n.Pos, "", "status_code without a code")
	}
	for i := range n.Args() {
		low, high, is := strings.Cut(n.Arg(i), "-")
		if !is {
			high = low
		}
		good := func(s string) bool { return len(s) == 3 && digits(s) && s >= "100" && s <= "599" }
		if !good(low) || !good(high) || low > high {
			r.w.Warnf(n.At(i), "a code is from 100 to 599, a range is 200-299; keepalived ignores it", "status_code: %q", n.Arg(i))
			continue
		}
		r.url.status = append(r.url.status, n.Arg(i))
	}
}

func takeRegex(r *reader, n *lang.Node) {
	words, ok := n.Escaped()
	if !ok || len(words) != 2 {
		r.w.Warnf(n.Pos, `write regex "EXPRESSION", with backslashes doubled; `+ignored, "regex: keepalived cannot read the expression")
		return
	}
	r.url.regex = opt[string]{words[1].Text, true, n.Pos}
}

func takeRegexOptions(r *reader, n *lang.Node) {
	for i := range n.Args() {
		r.url.options = append(r.url.options, opt[string]{n.Arg(i), true, n.At(i)})
	}
}

// takeHost reads a host of an SMTP_CHECK: a check of its own, otherwise the
// same.
func takeHost(r *reader, n *lang.Node) {
	outer := r.check
	h := &check{node: n, kind: outer.kind}
	if !n.Block {
		r.w.Errorf(n.Pos, "write { and } round what belongs to it", "host without a block")
		return
	}
	outer.hosts = append(outer.hosts, h)
	r.check = h
	r.walk(n.Nodes, inHost)
	r.check = outer
}

const records = "A NS CNAME SOA MX TXT AAAA RRSIG DNSKEY"

func takeRecord(r *reader, n *lang.Node) {
	if !slices.Contains(strings.Fields(records), n.Arg(0)) {
		r.w.Warnf(n.At(0), "it is one of "+records+"; "+ignored, "type: %q", n.Arg(0))
		return
	}
	r.check.record = opt[string]{n.Arg(0), true, n.Pos}
}

// hexText reads bytes in hexadecimal digits, with X for any digit if wild.
func hexText(words []lang.Word, wild bool) (string, bool) {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(w.Text)
	}
	set := "0123456789abcdefABCDEF"
	if wild {
		set += "xX"
	}
	s := b.String()
	return s, s != "" && len(s)%2 == 0 && strings.Trim(s, set) == ""
}

func hexTo(wild bool, at func(*reader) *opt[string]) keyword {
	return keyword{take: func(r *reader, n *lang.Node) {
		s, ok := hexText(n.Words[1:], wild)
		if !ok {
			r.w.Warnf(n.At(0), "write two hexadecimal digits for each byte; "+ignored, "%s: no bytes", n.Name())
			return
		}
		*at(r) = opt[string]{s, true, n.Pos}
	}}
}

func takeReply(r *reader, n *lang.Node) {
	r.check.require = true
	if n.Args() > 0 {
		hexTo(true, func(r *reader) *opt[string] { return &r.check.reply }).take(r, n)
	}
}

func takeMisc(r *reader, n *lang.Node) {
	command, ok := r.command(n)
	if !ok {
		return
	}
	r.check.command = command
	if words, _ := n.Escaped(); len(words) > 2 {
		r.w.Warnf(words[2].Pos, `write misc_path "PROGRAM ARGUMENTS"`, "misc_path: keepalived does not give the program %q, for it stands outside of the quotes", words[2].Text)
	}
}

func takeFileWeight(r *reader, n *lang.Node) {
	w, ok := r.number(n, 0, -maxWeight, maxWeight)
	if !ok {
		return
	}
	reverse := false
	switch n.Arg(1) {
	case "", "noreverse":
	case "reverse":
		reverse = true
	default:
		r.w.Warnf(n.At(1), ignored, "weight: %q is neither reverse nor noreverse", n.Arg(1))
		return
	}
	if r.check != nil && r.file == nil {
		r.check.weight, r.check.reverse = opt[int]{w, true, n.Pos}, reverse
		return
	}
	r.file.weight, r.file.reverse = opt[int]{w, true, n.Pos}, reverse
}

// takeTrack begins a track_file.
func takeTrack(r *reader, n *lang.Node) {
	if n.Args() == 0 {
		r.missing(n, "a name")
		r.skip = true
		return
	}
	r.file = &tracked{}
	r.files[n.Arg(0)] = r.file
	r.walk(n.Nodes, inTrack)
	r.file = nil
	r.skip = true
}

func trackWords() scope {
	return scope{
		"file":      wordTo(func(r *reader) *opt[string] { return &r.file.path }),
		"weight":    {take: takeFileWeight},
		"init_file": {why: "mond writes no such file: one that is missing counts as 0"},
	}
}
