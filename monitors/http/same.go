package httpmon

import (
	"context"
	"fmt"
	"sync"

	"github.com/mondhq/mond/monitors/http/judge"
	"github.com/mondhq/mond/plugins/monitor"
)

// poll compares the hosts of one check: whose page differs from that of most
// fails, for it serves what is out of date. Hosts that failed have no vote.
type poll struct {
	mu    sync.Mutex
	votes map[string]judge.Digest // by host
}

// with is how w looks at a host when the hosts are compared.
func (p *poll) with(w *web) func(context.Context, string) (monitor.Host, error) {
	return func(ctx context.Context, host string) (monitor.Host, error) {
		h, part, err := w.examine(ctx, host)
		if err == nil || monitor.Warns(err) {
			p.vote(host, part)
		}
		return h, err
	}
}

func (p *poll) vote(host string, part judge.Digest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.votes == nil {
		p.votes = map[string]judge.Digest{}
	}
	p.votes[host] = part
}

// settle judges the hosts together; it is [monitor.EachHost.Together].
func (p *poll) settle(hosts []string, errs []error) {
	most, agreed, kinds := tally(p.votes)
	if kinds < 2 {
		return
	}
	settled := len(p.votes) >= enough && 2*agreed > len(p.votes)
	for i, host := range hosts {
		vote, ok := p.votes[host]
		switch {
		case !ok || settled && vote == most:
		case settled:
			errs[i] = fmt.Errorf("the page is not that of %d of the %d hosts (--same-as-others): digest %v, theirs %v", agreed, len(p.votes), vote, most)
		default:
			text := fmt.Sprintf("%d hosts have %d different pages and no majority tells which is right (--same-as-others): digest %v", len(p.votes), kinds, vote)
			if errs[i] != nil {
				text += "; " + errs[i].Error()
			}
			errs[i] = monitor.Warning(text)
		}
	}
}

// enough is how many hosts must have answered for a majority to mean anything:
// of two that differ nobody knows which is right.
const enough = 3

// tally counts votes: the most frequent, how many agreed on it, and how many
// different ones there are.
func tally(votes map[string]judge.Digest) (most judge.Digest, agreed, kinds int) {
	count := map[judge.Digest]int{}
	for _, v := range votes {
		count[v]++
		if count[v] > agreed {
			most, agreed = v, count[v]
		}
	}
	return most, agreed, len(count)
}
