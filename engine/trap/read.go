package trap

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const (
	// batchSize is how many datagrams one call of the kernel reads at most.
	batchSize = 32
	// maxDatagram is more than UDP carries.
	maxDatagram = 64 << 10
	// readRetry is how long a socket that answers with errors is left alone.
	readRetry = 100 * time.Millisecond
)

// read does nothing but move datagrams from the kernel to the queue, so that
// the kernel's buffer is empty when the next burst comes.
func (s *session) read(ctx context.Context, conn *net.UDPConn) error {
	// It asks nothing of IPv4: this is recvmmsg, whatever the socket is.
	batches := ipv4.NewPacketConn(conn)
	messages := make([]ipv4.Message, batchSize)
	for i := range messages {
		messages[i] = ipv4.Message{Buffers: [][]byte{make([]byte, maxDatagram)}, OOB: make([]byte, unix.CmsgSpace(4))}
	}
	list := make([]datagram, 0, batchSize)
	for {
		n, err := batches.ReadBatch(messages, 0)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			s.opt.Log.Error("traps cannot be read", "err", err)
			pause(ctx, readRetry)
			continue
		}
		list = appendDatagrams(list[:0], messages[:n])
		s.counts.overrun.Add(uint64(s.queue.put(list)))
		if n > 0 {
			s.counts.kernel(messages[n-1].OOB[:messages[n-1].NN])
		}
	}
}

// appendDatagrams copies what messages hold: they are used again.
func appendDatagrams(list []datagram, messages []ipv4.Message) []datagram {
	for _, m := range messages {
		if a, ok := m.Addr.(*net.UDPAddr); ok {
			list = append(list, datagram{slices.Clone(m.Buffers[0][:m.N]), addressOf(a)})
		}
	}
	return list
}

// addressOf is the address without port; an IPv4 one is one, on whatever
// socket it came in.
func addressOf(a *net.UDPAddr) netip.Addr { return a.AddrPort().Addr().Unmap() }

// kernel notes what the kernel says that it dropped since the socket was
// opened. It says so beside datagrams, once there is something to say.
func (c *counts) kernel(oob []byte) {
	if len(oob) == 0 {
		return
	}
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return
	}
	for _, m := range list {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_RXQ_OVFL && len(m.Data) >= 4 {
			c.missed.Store(binary.NativeEndian.Uint32(m.Data))
		}
	}
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
