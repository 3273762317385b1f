package host

import (
	"context"
	"fmt"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/classic"
	"github.com/mondhq/mond/plugins/rpc"
	"github.com/mondhq/mond/plugins/rpc/pb"
)

// Send tells one notice and waits for it, until ctx ends. An error marked
// [alert.Permanent] would come again.
func (h *Host) Send(ctx context.Context, program string, r alert.Request) error {
	p, err := h.Find(Alert, program)
	if err != nil {
		return err
	}
	if !p.Resident {
		h.mu.Lock()
		e := h.exec(h.opt, p)
		h.mu.Unlock()
		e.Said = func(out string) { h.log.Info("alert printed", "alert", p.Name, "output", rpc.Cut(out, 4<<10)) }
		return classic.RunAlert(ctx, e, r)
	}
	return h.use(ctx, p, func(proc *process) error {
		reply, err := proc.rpc.Send(ctx, rpc.EncodeNotice(r))
		if err != nil {
			return err
		}
		return rpc.DecodeError(reply)
	})
}

// Keep tells a keeper what should hold now and waits for it, until ctx ends.
// Calls for one keeper go one at a time, in their order. Changes for a keeper
// that has no full set yet are refused with [ErrNoFullSet].
func (h *Host) Keep(ctx context.Context, program string, full bool, claims []alert.Claim) error {
	p, err := h.Find(Alert, program)
	if err != nil {
		return err
	}
	seq := h.sequence(program)
	select {
	case seq.turn <- struct{}{}:
		defer func() { <-seq.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	seq.generation++
	req := &pb.KeepRequest{Generation: seq.generation, Full: full, Claims: rpc.EncodeClaims(claims)}
	return h.use(ctx, p, func(proc *process) error {
		if !proc.manifest.Keeper {
			return alert.Permanent(fmt.Errorf("%s is no keeper: it takes notices only", p.Path))
		}
		reply, err := proc.rpc.Keep(ctx, req)
		if err != nil {
			return err
		}
		return rpc.DecodeKeep(reply)
	})
}

func (h *Host) sequence(program string) *sequence {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.keeping[program]
	if s == nil {
		s = &sequence{turn: make(chan struct{}, 1)}
		h.keeping[program] = s
	}
	return s
}
