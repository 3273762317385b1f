// Command knock.monitor knocks at a port: it fails for hosts whose port does not
// open.
package main

import (
	"context"
	"flag"
	"net"

	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/serve"
)

func main() {
	serve.Main(serve.Monitor("knock.monitor", "fails for hosts whose port does not open", knock))
}

// knock declares the options and returns what looks at one host. An error
// means that the host failed.
func knock(fs *flag.FlagSet) monitor.Monitor {
	port := fs.String("p", "23", "TCP `port` to open")
	return monitor.PerHost(func(ctx context.Context, host string) (string, error) {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, *port))
		if err != nil {
			return "", err
		}
		return "port " + *port + " open", c.Close()
	})
}
