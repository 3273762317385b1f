package site

import (
	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/config/toml"
)

// Readers are the languages beside mon.cf that a configuration may be written
// in, by the end of a file's name.
func Readers() map[string]config.Reader {
	return map[string]config.Reader{".toml": toml.Parse}
}
