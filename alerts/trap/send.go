package trapalert

import (
	"context"
	"fmt"
	"net"

	"github.com/mondhq/mond/alerts/internal/peer"
	"github.com/mondhq/mond/plugins/trap"
)

// Address is where a word of the line, HOST[:PORT], sends to.
func Address(word string) (string, error) {
	host, port, err := peer.Split(word, trap.Port)
	if err != nil {
		return "", fmt.Errorf("host %w", err)
	}
	return net.JoinHostPort(host, port), nil
}

// Pack is the packet of t, with as much of the detail as arrives for certain.
func Pack(t trap.Trap) ([]byte, error) {
	packet := t.Fit(maxPacket).Append(nil)
	if len(packet) > maxPacket {
		return nil, fmt.Errorf("trap about %.60s/%.60s: it takes %d bytes even without detail", t.Group, t.Service, len(packet))
	}
	return packet, nil
}

// Send sends a packet to an address. nil means that it was sent, not that it
// was taken; see the package's comment.
func Send(ctx context.Context, address string, packet []byte) error {
	if err := peer.Datagram(ctx, address, packet); err != nil {
		return fmt.Errorf("trap to %s: %w", address, err)
	}
	return nil
}
