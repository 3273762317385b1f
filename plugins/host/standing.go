package host

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mondhq/mond/plugins/alert"
)

// Standing asks the keeper of that name how the rows of its claims for some
// services stand in its table.
func (h *Host) Standing(ctx context.Context, program string, services []string) ([]alert.Standing, error) {
	text, err := h.Show(ctx, program, "standing "+strings.Join(services, " "))
	if err != nil {
		return nil, err
	}
	var rows []alert.Standing
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, fmt.Errorf("ask %s how its table stands: it answers no list of rows: %w", program, err)
	}
	return rows, nil
}

// Copying asks the keeper of that name how its copying of connections stands,
// for each of its tables.
func (h *Host) Copying(ctx context.Context, program string) ([]alert.Copying, error) {
	text, err := h.Show(ctx, program, "copying")
	if err != nil {
		return nil, err
	}
	var rows []alert.Copying
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, fmt.Errorf("ask %s how connections are copied: it answers no list of tables: %w", program, err)
	}
	return rows, nil
}
