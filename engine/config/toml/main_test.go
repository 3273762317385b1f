package toml

import "context"

// bg is for the properties, which have no context of their own.
var bg = context.Background()
