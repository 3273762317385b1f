package site

import (
	"context"
	"fmt"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/plugins/host"
)

// Judge says whether a monitor can be run with the words of c: it is there
// and, if it is resident, takes them.
func Judge(ctx context.Context, h *host.Host, c config.Command) error {
	p, err := h.Find(host.Monitor, c.Program)
	if err != nil || !p.Resident {
		return err
	}
	problems, err := h.Validate(ctx, p, c.Args)
	if err != nil || len(problems) == 0 {
		return err
	}
	return fmt.Errorf("%s: %s", c.Program, problems[0].Message)
}
