package lvscf

import (
	"flag"
	"testing"

	"github.com/mondhq/mond/engine/convert/converttest"
)

var update = flag.Bool("update", false, "write the golden files")

func TestGolden(t *testing.T) { converttest.Golden(t, Format(), *update) }
