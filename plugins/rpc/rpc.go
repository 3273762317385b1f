// Package rpc is what mond and its resident plugins agree on: the handshake,
// the limits of a message, and how the types of plugins/monitor and
// plugins/alert are written on the wire (plugins/rpc/pb).
//
// It starts no process and keeps no state: plugins/host is the one end,
// plugins/serve the other. Authors of plugins need neither it nor gRPC's
// types.
package rpc

import (
	"context"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/mondhq/mond/plugins/rpc/pb"
)

// ProtocolVersion is the version of the wire; a plugin of another one is
// refused at its start.
const ProtocolVersion = 1

// The magic cookie tells a plugin that mond, not a shell, has started it. It
// is a courtesy, no protection.
const (
	CookieKey   = "MOND_PLUGIN"
	CookieValue = "c3b1f5f2-5b0e-4a9a-8f6b-resident"
)

// LifelineEnv names the variable that holds the number of the descriptor whose
// end tells a plugin that its host is gone.
const LifelineEnv = "MOND_LIFELINE_FD"

// TimeoutEnv names the variable that gives a program which is started classic
// its time limit: a Go duration such as "10s", or a number of seconds.
const TimeoutEnv = "MOND_TIMEOUT"

// PluginName is the one name in go-plugin's set of plugins.
const PluginName = "mond"

// Limits of the wire.
const (
	// MaxItems is the number of jobs or results in one message.
	MaxItems = 256
	// MaxBytes is the size at which a message gets no further item; one item
	// may be larger.
	MaxBytes = 256 << 10
	// MaxOutput is the size of the text of one check (summary and detail);
	// what is more is cut, with a mark.
	MaxOutput = 64 << 10
	// MaxHosts is the size of what one result may say of single hosts.
	MaxHosts = 512 << 10
	// MaxSubject is the size of the names, hosts and arguments of one check
	// and, apart from that, of its environment.
	MaxSubject = 384 << 10
	// HostReceives is the largest message that a host takes from a plugin.
	HostReceives = 1 << 20
	// PluginReceives is the largest message that a plugin takes from its
	// host: a keeper's full set is one message.
	PluginReceives = 64 << 20
)

// Handshake is what both ends give to go-plugin.
func Handshake() goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{
		ProtocolVersion:  ProtocolVersion,
		MagicCookieKey:   CookieKey,
		MagicCookieValue: CookieValue,
	}
}

// glue joins the generated code to go-plugin. server is nil in the host, where
// Dispense returns a [pb.PluginClient].
type glue struct {
	goplugin.NetRPCUnsupportedPlugin
	server pb.PluginServer
}

// Set is the set of plugins that both ends give to go-plugin; server is nil in
// the host.
func Set(server pb.PluginServer) goplugin.PluginSet {
	return goplugin.PluginSet{PluginName: &glue{server: server}}
}

// GRPCServer registers the plugin's service.
func (g *glue) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	pb.RegisterPluginServer(s, g.server)
	return nil
}

// GRPCClient makes the host's end.
func (g *glue) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return pb.NewPluginClient(c), nil
}

// window is the size of the flow-control windows. A fixed one, not below 64
// KiB, also ends gRPC's estimate of the bandwidth, which answers every message
// with a ping of its own: on a socket of this machine that measures nothing
// and doubles the frames.
const window = 1 << 20

// ServerOptions are the limits of a plugin's gRPC server.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(PluginReceives),
		grpc.MaxSendMsgSize(HostReceives),
		grpc.InitialWindowSize(window),
		grpc.InitialConnWindowSize(window),
	}
}

// DialOptions are the limits of a host's connection. go-plugin sets MaxInt32
// before them, so they have to be given to it.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithInitialWindowSize(window),
		grpc.WithInitialConnWindowSize(window),
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(HostReceives),
			grpc.MaxCallSendMsgSize(PluginReceives),
		),
	}
}
