package site

import "github.com/mondhq/mond/engine/config"

// unserved are variables whose meaning this version does not serve yet: they
// are read and judged, and whoever sets one is told.
var unserved = map[string]string{
	"authfile":    "mon's TCP protocol",
	"authtype":    "mon's TCP protocol",
	"pamservice":  "mon's TCP protocol",
	"userfile":    "mon's TCP protocol",
	"serverport":  "mon's TCP protocol",
	"serverbind":  "mon's TCP protocol",
	"clientallow": "mon's TCP protocol",
	"cltimeout":   "mon's TCP protocol",
	"monremote":   "monremote",
}

// warn tells of what cfg asks for and does not get.
func warn(cfg *config.Config) config.Diagnostics {
	var diags config.Diagnostics
	say := func(pos config.Pos, what string) {
		diags = append(diags, cfg.File().Diagnose(config.Warning, pos, "this version of mond does not have "+what+" yet", "nothing else depends on it"))
	}
	for name, pos := range cfg.Globals.Set {
		if what, ok := unserved[name]; ok && pos.Line > 0 {
			say(pos, what)
		}
	}
	return diags
}
