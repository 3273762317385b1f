package rpc

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// maxSummary is the most of a summary that is sent; mon shows it on one line.
const maxSummary = 16 << 10

// EncodeSubject writes the part of a request that is the same every time. It
// is an error when it is larger than [MaxSubject].
func EncodeSubject(number uint32, r monitor.Request) (*pb.Subject, error) {
	s := &pb.Subject{
		Number: number,
		Group:  text(r.Group), Service: text(r.Service),
		Hosts: texts(r.Hosts), Args: texts(r.Args),
	}
	if n := size(s.Hosts) + size(s.Args) + len(s.Group) + len(s.Service); n > MaxSubject {
		return nil, fmt.Errorf("send %s:%s to its plugin: hosts and arguments take %d bytes, %d are allowed (split the hostgroup)",
			r.Group, r.Service, n, MaxSubject)
	}
	return s, nil
}

// DecodeSubject is the inverse of [EncodeSubject]; the Env of the request is
// for [DecodeEnv] to fill.
func DecodeSubject(s *pb.Subject) monitor.Request {
	return monitor.Request{Group: s.Group, Service: s.Service, Hosts: s.Hosts, Args: s.Args}
}

// EncodeEnv writes an environment, nil when it is empty. It is an error when it
// is larger than [MaxSubject]; each value is cut at [MaxOutput] before.
func EncodeEnv(env map[string]string) ([]string, error) {
	list := pairs(env)
	if n := size(list); n > MaxSubject {
		return nil, fmt.Errorf("send an environment of %d bytes to a plugin: %d are allowed", n, MaxSubject)
	}
	return list, nil
}

// DecodeEnv is the inverse of [EncodeEnv].
func DecodeEnv(list []string) map[string]string { return unpair(list) }

// Remaining is a duration in the milliseconds of a Job: rounded up, so that a
// check that is still due is never sent with nothing left.
func Remaining(d time.Duration) uint32 {
	ms := (d + time.Millisecond - 1) / time.Millisecond
	return uint32(min(max(ms, 0), 1<<32-1)) //nolint:gosec // in range by min and max
}

// JobSize is about the size of j on the wire.
func JobSize(j *pb.Job) int { return 16 + size(j.Env) }

// SubjectSize is about the size of s on the wire.
func SubjectSize(s *pb.Subject) int {
	return 16 + len(s.Group) + len(s.Service) + size(s.Hosts) + size(s.Args)
}

// EncodeResult writes what a check found, cut to the limits of the wire. An
// exit status out of 0 to 255 is no verdict: the result becomes blind.
func EncodeResult(id uint64, r monitor.Result, now time.Time) *pb.Result {
	if r.Cause == monitor.Exited && (r.Exit < 0 || r.Exit > 255) || !r.Cause.Valid() {
		r = monitor.Blinded(monitor.Garbled, fmt.Sprintf("the check answered cause %d, exit %d", r.Cause, r.Exit))
	}
	out := &pb.Result{
		Id:    id,
		Cause: pb.Cause(r.Cause),
		Exit:  uint32(r.Exit & 0xff), //nolint:gosec // in range, see above
		Warn:  r.Warn,
		Took:  int64(r.Took),
	}
	out.Summary, out.Detail = cutOutput(r.Summary, r.Detail)
	if !r.Started.IsZero() {
		out.BeganAgo = max(int64(now.Sub(r.Started)), 1)
	}
	out.Hosts = encodeHosts(r.Hosts)
	return out
}

// cutOutput brings summary and detail to MaxOutput together. A summary is one
// line; further ones go to the detail.
func cutOutput(summary, detail string) (string, string) {
	if first, rest, more := strings.Cut(summary, "\n"); more {
		summary, detail = first, rest+"\n"+detail
	}
	if len(summary) > maxSummary {
		detail = summary + "\n" + detail
	}
	summary = line(summary, maxSummary)
	if len(detail) == 0 {
		return summary, ""
	}
	return summary, Cut(detail, MaxOutput-len(summary))
}

// DecodeResult reads what a plugin sent; what makes no sense is blind. A result
// that does not say when it began, began before it took as long as it took.
func DecodeResult(p *pb.Result, now time.Time) monitor.Result {
	took := time.Duration(max(p.GetTook(), 0))
	r := monitor.Result{
		Cause:   monitor.Cause(p.GetCause() & 0xff), //nolint:gosec // in range by the mask
		Warn:    p.GetWarn(),
		Summary: p.GetSummary(), Detail: p.GetDetail(),
		Took: took, Started: now.Add(-took),
	}
	if ago := p.GetBeganAgo(); ago > 0 {
		r.Started = now.Add(-time.Duration(ago))
	}
	if p.GetCause() < 0 || p.GetCause() > 255 || !r.Cause.Valid() || r.Cause == monitor.Exited && p.GetExit() > 255 {
		return garbled(r, p)
	}
	if r.Cause == monitor.Exited {
		r.Exit = int(p.GetExit())
	}
	r.Hosts = decodeHosts(p.GetHosts())
	return r
}

func garbled(r monitor.Result, p *pb.Result) monitor.Result {
	why := "the plugin answered cause " + strconv.Itoa(int(p.GetCause())) + ", exit " + strconv.FormatUint(uint64(p.GetExit()), 10)
	g := monitor.Blinded(monitor.Garbled, why)
	g.Started, g.Took, g.Detail = r.Started, r.Took, r.Output()
	return g
}

// ResultSize is about the size of r on the wire.
func ResultSize(r *pb.Result) int {
	n := 32 + len(r.Summary) + len(r.Detail)
	for _, h := range r.Hosts {
		n += hostSize(h)
	}
	return n
}

func hostSize(h *pb.Host) int {
	return 16 + len(h.Name) + len(h.Detail) + size(h.PerfNames) + 8*len(h.PerfValues)
}

// encodeHosts keeps all hosts, without their texts and figures once these have
// used up half of MaxHosts. Should the names alone be too much, none is kept:
// half a list would pass for a whole one.
func encodeHosts(hosts []monitor.Host) []*pb.Host {
	if len(hosts) == 0 {
		return nil
	}
	out := make([]*pb.Host, len(hosts))
	total := 0
	for i := range hosts {
		out[i] = encodeHost(&hosts[i], total < MaxHosts/2)
		total += hostSize(out[i])
		if total > MaxHosts {
			return nil
		}
	}
	return out
}

func encodeHost(h *monitor.Host, whole bool) *pb.Host {
	p := &pb.Host{Name: line(h.Name, 255), State: pb.HostState_FAILED, Took: int64(h.Took)}
	if h.OK {
		p.State = pb.HostState_OK
	}
	if !whole {
		return p
	}
	p.Detail = Cut(h.Detail, 4<<10)
	for name, v := range h.Perf {
		if len(p.PerfNames) == 64 {
			break
		}
		p.PerfNames = append(p.PerfNames, line(name, 64))
		p.PerfValues = append(p.PerfValues, v)
	}
	return p
}

func decodeHosts(list []*pb.Host) []monitor.Host {
	if len(list) == 0 {
		return nil
	}
	out := make([]monitor.Host, 0, len(list))
	for _, p := range list {
		if p.GetState() == pb.HostState_OK || p.GetState() == pb.HostState_FAILED {
			out = append(out, decodeHost(p))
		}
	}
	return out
}

func decodeHost(p *pb.Host) monitor.Host {
	h := monitor.Host{
		Name: p.Name, Detail: p.Detail,
		OK: p.State == pb.HostState_OK, Took: time.Duration(max(p.Took, 0)),
	}
	for i, name := range p.PerfNames {
		if i < len(p.PerfValues) {
			if h.Perf == nil {
				h.Perf = make(map[string]float64, len(p.PerfNames))
			}
			h.Perf[name] = p.PerfValues[i]
		}
	}
	return h
}
