package engine

import (
	"slices"
	"strconv"
	"time"

	"github.com/mondhq/mond/engine/opstatus"
	"github.com/mondhq/mond/engine/policy"
	"github.com/mondhq/mond/engine/store"
	"github.com/mondhq/mond/plugins/alert"
)

// notice is the next one.
func (l *loop) notice(s *service, d policy.Decision, was opstatus.State, summary, output string, now time.Time) store.Notice {
	return store.Notice{Request: l.request(s, d, was, summary, output, now)}
}

// queue queues the notice that was numbered last: in this turn's batch, and in
// the outbox, where it waits until that batch is on disk. It answers its ID.
func (l *loop) queue(s *service, d policy.Decision, n store.Notice, now time.Time) string {
	n.Seq, n.Program, n.Queued = l.lastSeq, d.Command.Program, now
	l.batch.Queued = append(l.batch.Queued, n)
	l.outbox.Add(n)
	l.opt.Log.Info("alert", "group", s.cfg.Key.Group, "service", s.cfg.Key.Service, "alert", d.Command.Program,
		"kind", d.Kind.String(), "period", d.Period, "reason", d.Reason.String())
	return n.Request.ID
}

// request is the next notice as its program sees it.
func (l *loop) request(s *service, d policy.Decision, was opstatus.State, summary, output string, now time.Time) alert.Request {
	l.lastSeq++
	return alert.Request{
		ID:    l.noticeID(s),
		Group: s.cfg.Key.Group, Service: s.cfg.Key.Service, Kind: d.Kind,
		Hosts: l.alertHosts(s), Args: d.Command.Args, Summary: summary, Output: output, At: now,
		Exit: exitOf(s.state, d.Kind), Status: s.state.Status.Number(),
		Env: l.alertEnv(s, d.Kind, was),
	}
}

// noticeID names a notice for ever: the time of the daemon's start is in it,
// since the numbers begin anew when the state is lost, and repeat those of
// notices that were told before they were on disk.
func (l *loop) noticeID(s *service) string {
	return strconv.FormatUint(l.lastSeq, 10) + "." + strconv.FormatInt(l.daemon.Started.UnixMilli(), 36) + "@" + s.cfg.Key.String()
}

// alertHosts are all hosts of the group that are not disabled; excluded hosts
// are among them, as under mon.
func (l *loop) alertHosts(s *service) []string {
	if s.group == nil {
		return nil
	}
	var hosts []string
	for _, h := range s.group.Hosts {
		if _, off := l.globals.Hosts[h]; !off && !s.group.Disabled[h] {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// restoreOutbox takes up what an earlier run left. After an unclean stop any
// of it may have been told.
func (l *loop) restoreOutbox(saved store.Saved) {
	list := slices.Clone(saved.Outbox)
	for i := range list {
		list[i].Request.Repeated = list[i].Request.Repeated || !saved.Clean
		l.lastSeq = max(l.lastSeq, list[i].Seq)
	}
	l.outbox.Restore(list)
}

// finished is what the store keeps of a notice that was told or given up.
func finished(n store.Notice, err error, attempts int, gaveUp bool) store.Batch {
	return store.Batch{Done: []uint64{n.Seq}, Events: []store.Event{alertRow(n, err, attempts, gaveUp, time.Now())}}
}
