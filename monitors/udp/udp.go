// Package udp is the monitor that sends a datagram to a UDP port: it tells
// whether the answer is as it should be or, where none is expected, whether the
// host refuses the datagram.
//
// It knows no protocol: monitors/dns and others do. Without an expected answer
// it proves little: a host that is gone, a packet filter and a server that hangs
// are as silent as one that is well.
package udp

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"time"

	"github.com/mondhq/mond/monitors/tcp/escape"
	"github.com/mondhq/mond/monitors/tcp/reach"
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/resolve"
)

const (
	// Name is the monitor's name in mon.cf.
	Name = "udp.monitor"
	// Synopsis says in a line what it is for.
	Synopsis = "fails for hosts that refuse a datagram, or do not answer it as they should"
)

// maxDatagram is the longest datagram that IPv4 can carry.
const maxDatagram = 65507

// New declares the options of a udp monitor that resolves names by itself.
func New(fs *flag.FlagSet) monitor.Monitor { return With(new(resolve.Resolver))(fs) }

// With is New for monitors that share what they know of names.
func With(names *resolve.Resolver) monitor.New {
	return func(fs *flag.FlagSet) monitor.Monitor {
		p := &probe{again: 2, wait: reach.Seconds(time.Second)}
		p.Limit, p.Resolver = reach.Seconds(10*time.Second), names
		p.DeclareUDP(fs)
		fs.Var(&p.again, "r", "how `often` to send again while nothing is heard, 0 to 10")
		fs.Var(&p.send, "s", "`text` to send; \\n \\r \\t \\0 \\\\ \\xHH stand for bytes (default: an empty datagram)")
		fs.Var(&p.hex, "hex", "`bytes` to send, in hexadecimal digits such as \"ff ff 00\"")
		fs.Var(&p.expect, "e", "regular `expression` that an answer must match (RE2; a plain word matches itself)")
		fs.Var(&p.begins, "expect-hex", "`bytes` that an answer must begin with, in hexadecimal digits; X stands for any digit, as in \"0a XX 1X\"")
		fs.Var(&p.least, "min-length", "how many `bytes` an answer must have at least")
		fs.Var(&p.most, "max-length", "how many `bytes` an answer may have at most")
		fs.BoolVar(&p.answer, "answer", false, "an answer must come, whatever it says")
		fs.Var(&p.wait, "wait", "if no answer is expected: how many `seconds` a refusal may take to come. "+
			"That none comes proves little: a dead host, a packet filter and a server that hangs are silent as well. Expect an answer wherever there is one")
		return p
	}
}

// probe is the monitor with its options.
type probe struct {
	reach.Options
	again times
	send  escape.Text
	hex   hexBytes
	wanted
	answer bool
	wait   reach.Seconds
}

// Validate judges the options together.
func (p *probe) Validate() error {
	switch {
	case p.Port == 0:
		return errors.New("option -p: say which port, such as -p 514")
	case len(p.send) > 0 && len(p.hex) > 0:
		return errors.New("options -s and --hex: only one of them can be given")
	case len(p.send) > maxDatagram || len(p.hex) > maxDatagram:
		return fmt.Errorf("a datagram holds %d bytes at most", maxDatagram)
	case p.most.given && p.least.n > p.most.n:
		return errors.New("options --min-length and --max-length: no answer has so many bytes and so few")
	case p.most.given && len(p.begins) > p.most.n:
		return errors.New("options --expect-hex and --max-length: no answer that begins so is as short")
	}
	return p.Options.Validate()
}

// Check looks at every host of r.
func (p *probe) Check(ctx context.Context, r monitor.Request) monitor.Result {
	return monitor.EachHost{Look: p.look}.Check(ctx, r)
}

// look looks at one host.
func (p *probe) look(ctx context.Context, host string) (monitor.Host, error) {
	deadline := p.Deadline(ctx)
	to, err := p.Target(ctx, deadline, host, uint16(p.Port))
	if err != nil {
		return monitor.Host{}, err
	}
	if quiet := time.Now().Add(time.Duration(p.wait)); !p.expects() && quiet.Before(deadline) {
		deadline = quiet
	}
	h := hearing{wanted: &p.wanted, began: time.Now()}
	window := time.Until(deadline)
	answered, err := p.Ask(ctx, deadline, to, p.datagram(window), h.take)
	if err == nil && !answered && p.expects() {
		err = h.missing(to.String())
	}
	kept := p.Kept(host)
	if err != nil {
		return monitor.Host{}, fmt.Errorf("%w%s", err, kept)
	}
	return monitor.Host{Detail: "port " + strconv.Itoa(int(p.Port)) + h.said(window) + kept, Perf: h.perf()}, nil
}

// expects reports whether the host is to say something.
func (p *probe) expects() bool { return p.answer || p.wanted.given() }

// datagram is what is sent, spread over the time there is: pauses of 1, 2, 4...
// parts of it, of which the last is the wait after the last try.
func (p *probe) datagram(left time.Duration) reach.Datagram {
	send := []byte(p.send)
	if len(p.hex) > 0 {
		send = p.hex
	}
	tries := 1 + int(p.again)
	return reach.Datagram{Send: send, Tries: tries, Pause: left / (1<<tries - 1), Room: maxAnswer}
}
