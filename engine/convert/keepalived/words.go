package keepalived

import (
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/convert/keepalived/lang"
	"github.com/mondhq/mond/plugins/spelling"
)

// keyword is one of keepalived's: carried over by take, or lost for the reason
// why, or both if part of it is.
type keyword struct {
	// why says why it is lost and what to do; empty if it is carried over.
	why string
	// take takes it in. It sets reader.skip if its block is not to be read.
	take func(*reader, *lang.Node)
	// in is the scope of its block; values is set if its block has no keywords.
	in     string
	values bool
	// closed is set if the words in its block are not reported one by one: the
	// block is lost as a whole.
	closed bool
}

// scope is what may stand in a block.
type scope map[string]keyword

// The scopes.
const (
	inRoot    = "the file"
	inGlobal  = "global_defs"
	inSSL     = "SSL"
	inVirtual = "virtual_server"
	inReal    = "real_server"
	inHTTP    = "HTTP_GET"
	inURL     = "url"
	inTCP     = "TCP_CHECK"
	inPing    = "PING_CHECK"
	inSMTP    = "SMTP_CHECK"
	inHost    = "host"
	inDNS     = "DNS_CHECK"
	inUDP     = "UDP_CHECK"
	inMisc    = "MISC_CHECK"
	inFile    = "FILE_CHECK"
	inBFD     = "BFD_CHECK"
	inTrack   = "track_file"

	inVRRP      = "vrrp_instance"
	inAuth      = "authentication"
	inHMAC      = "auth_hmac"
	inSync      = "vrrp_sync_group"
	inGARP      = "garp_group"
	inScript    = "vrrp_script"
	inProcess   = "vrrp_track_process"
	inPeer      = "bfd_instance"
	inTrackings = "track_group"
)

// scopes is the table of all keywords of keepalived 2.2.7, and of those that
// later versions up to 2.4.3 added.
func scopes() map[string]scope {
	all := map[string]scope{
		inRoot:    rootWords(),
		inGlobal:  globalWords(),
		inSSL:     sslWords(),
		inVirtual: virtualWords(),
		inReal:    realWords(),
	}
	for name, s := range checkerScopes() {
		all[name] = s
	}
	for name, s := range vrrpScopes() {
		all[name] = s
	}
	return all
}

// merge is one scope of several.
func merge(all ...scope) scope {
	out := scope{}
	for _, s := range all {
		for name, k := range s {
			out[name] = k
		}
	}
	return out
}

// lost is a scope of words that are all lost for one reason.
func lost(why, words string) scope {
	out := scope{}
	for w := range strings.FieldsSeq(words) {
		out[w] = keyword{why: why}
	}
	return out
}

// walk reads the lines of a block.
func (r *reader) walk(nodes []*lang.Node, in string) {
	for _, n := range nodes {
		k, ok := r.words[in][n.Name()]
		if !ok {
			r.unknown(n, in)
			continue
		}
		block := k.in != "" || k.values
		if n.Block && !block {
			r.w.Warnf(n.Pos, "take the block away", "%s takes no block", n.Name())
		}
		if block && !n.Block {
			r.w.Errorf(n.Pos, "write { and } round what belongs to it", "%s without a block", n.Name())
			continue
		}
		if k.why != "" && !r.closed {
			r.w.Lose(n.Pos, shown(n), "%s", k.why)
		}
		r.skip = false
		if k.take != nil {
			k.take(r, n)
		}
		if k.in != "" && !r.skip {
			was := r.closed
			r.closed = was || k.closed
			r.walk(n.Nodes, k.in)
			r.closed = was
		}
		r.skip = false
	}
}

// shown is a line as the report has it.
func shown(n *lang.Node) string {
	const most = 80
	if len(n.Line) > most {
		return strings.ToValidUTF8(n.Line[:most], "") + "..."
	}
	return n.Line
}

// maxStrange is for how many unknown words a hint is looked for: that takes
// long, and nobody reads more.
const maxStrange = 200

// unknown says of a word that keepalived does not know it there.
func (r *reader) unknown(n *lang.Node, in string) {
	if r.strange++; r.strange > maxStrange {
		r.w.Warnf(n.Pos, "", "unknown keyword %q in %s", n.Name(), in)
		return
	}
	hint := ""
	for _, name := range slices.Sorted(keys(r.words)) {
		if _, ok := r.words[name][n.Name()]; ok {
			hint = "it stands in " + name
			break
		}
	}
	if hint == "" {
		if near := spelling.Nearest(n.Name(), slices.Sorted(keys(r.words[in]))); near != "" {
			hint = "did you mean " + near + "?"
		} else {
			hint = "keepalived leaves it out, too"
		}
	}
	r.w.Warnf(n.Pos, hint, "unknown keyword %q in %s", n.Name(), in)
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// once reports whether a pointer is still nil, and complains if not: keepalived
// takes the first.
func (r *reader) once(n *lang.Node, free bool) bool {
	if !free {
		r.w.Warnf(n.Pos, "take one of them away", "%s is given twice: keepalived takes the first", n.Name())
	}
	return free
}

// missing says that words are missing.
func (r *reader) missing(n *lang.Node, what string) {
	pos := n.Pos
	if pos == (config.Pos{}) {
		pos = r.pos
	}
	r.w.Errorf(pos, "", "%s without %s: keepalived does not start", n.Name(), what)
}
