// Package site loads a configuration whole: it reads the file, looks every
// program up and lets the resident ones judge their arguments. mond does so
// at each start and reload, monctl check for a person. It runs nothing else.
package site

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mondhq/mond/engine"
	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/plugins/host"
)

// Options say what to load.
type Options struct {
	Path   string
	Config config.Options
	Host   *host.Host
	// Places, if not zero, are the defaults of the user that mond was started
	// as; it may be another by now.
	Places Places
	// Reconfigure gives the host the paths of a configuration before its
	// programs are looked up.
	Reconfigure func(g config.Globals)
	// Memory, if set, is what loads of the same configuration leave to the next, so
	// that one costs little where little changed.
	Memory *Memory
	// Found, if set, is told once of every program that was found, in the
	// order of the file.
	Found func(p host.Program)
}

// Memory is what was read and judged before. The zero value is empty; it is for
// one load at a time.
type Memory struct {
	Config config.Memory
	rows   map[*config.Virtual][]shaped
}

// Load reads and judges a whole configuration. The error is set only when the
// diagnostics hold one; warnings come back beside a good configuration.
func Load(ctx context.Context, o Options) (engine.Loaded, config.Diagnostics, error) {
	if o.Memory == nil {
		o.Memory = new(Memory)
	}
	o.Config.Memory = &o.Memory.Config
	loaded, diags, err := load(ctx, o)
	if len(diags) > 0 && o.Memory.Config.Used() { // what is remembered does not know its places
		o.Memory.Config.Forget()
		o.Found = nil // told
		return load(ctx, o)
	}
	return loaded, diags, err
}

func load(ctx context.Context, o Options) (engine.Loaded, config.Diagnostics, error) {
	cfg, diags := config.Load(ctx, o.Path, o.Config)
	if err := diags.Err(); err != nil {
		return engine.Loaded{}, diags, err
	}
	o.Places.Settle(&cfg.Globals)
	o.Reconfigure(cfg.Globals)
	j := judge{ctx: ctx, host: o.Host, file: cfg.File(), found: o.Found, programs: map[string]engine.Program{}, known: map[string]*known{}, memory: o.Memory, shaped: map[*config.Virtual][]shaped{}}
	for u := range cfg.Commands() {
		j.command(u)
	}
	for _, v := range cfg.Virtuals {
		j.virtual(v)
	}
	o.Memory.rows = j.shaped
	diags = append(diags, j.roles(cfg)...)
	diags = append(slices.DeleteFunc(diags, j.needsNoInterval(cfg)), j.diags...)
	diags.Sort()
	diags = diags.Compact()
	cfg.DropFile()
	installed := func() { o.Host.Prepare(j.inUse()) }
	return engine.Loaded{Config: cfg, Programs: j.programs, Hash: j.hash(cfg), Installed: installed}, diags, diags.Err()
}

// hash is the configuration's, which only another director is told; where
// nothing elects there is none, and it is not worth its time.
func (j *judge) hash(cfg *config.Config) uint64 {
	for _, p := range j.programs {
		if p.Elector {
			return cfg.Hash()
		}
	}
	return 0
}

// judge looks programs up, each once.
type judge struct {
	ctx      context.Context
	host     *host.Host
	file     *config.File
	found    func(p host.Program)
	programs map[string]engine.Program
	known    map[string]*known
	diags    config.Diagnostics
	memory   *Memory
	shaped   map[*config.Virtual][]shaped // of this load
}

// known is a program that was looked up.
type known struct {
	program  host.Program
	manifest host.Manifest
	err      error
	judged   map[string]bool // argument lists that were found good
}

// command judges one command of the file.
func (j *judge) command(u config.Use) {
	c := u.Command
	k := j.find(kindOf(u.Role), c.Program)
	if k.err != nil {
		j.problem(c.Pos, k.err)
		return
	}
	j.programs[c.Program] = k.use()
	if k.program.Resident {
		j.arguments(k, c)
	}
}

// use is what the engine must know of a program.
func (k *known) use() engine.Program {
	return engine.Program{
		Path: k.program.Path, Keeper: k.manifest.Keeper, History: !k.program.Resident, Watcher: k.manifest.Watcher,
		Elector: k.manifest.Elector, Holder: k.manifest.Holder,
	}
}

// roles takes what is to be held out of the periods. What a holder said of the
// same words is left out: its own reader is the one that TakeRoles uses, which
// knows the place better.
func (j *judge) roles(cfg *config.Config) config.Diagnostics {
	diags := cfg.TakeRoles(j.elects, j.holds)
	j.diags = slices.DeleteFunc(j.diags, func(d config.Diagnostic) bool {
		return slices.ContainsFunc(diags, func(r config.Diagnostic) bool {
			return r.Pos.File == d.Pos.File && r.Pos.Line == d.Pos.Line && r.Message == d.Message
		})
	})
	return diags
}

func (j *judge) elects(program string) bool { return j.programs[program].Elector }
func (j *judge) holds(program string) bool  { return j.programs[program].Holder }

// needsNoInterval finds the warnings that a service is never checked whose
// monitor speaks unasked.
func (j *judge) needsNoInterval(cfg *config.Config) func(config.Diagnostic) bool {
	var speak []*config.Service
	for _, s := range cfg.Services {
		if s.Monitor != nil && (s.Elects || j.programs[s.Monitor.Program].Watcher) && !s.Plan.Scheduled() {
			speak = append(speak, s)
		}
	}
	return func(d config.Diagnostic) bool {
		return slices.ContainsFunc(speak, d.Unscheduled)
	}
}

// Unlooked are the diagnostics of a configuration whose programs are not looked
// up, without what only who knows them can say: that a service without an
// interval is never checked. cfg may be nil.
func Unlooked(cfg *config.Config, diags config.Diagnostics) config.Diagnostics {
	if cfg == nil {
		return diags
	}
	return slices.DeleteFunc(diags, func(d config.Diagnostic) bool { return slices.ContainsFunc(cfg.Services, d.Unscheduled) })
}

// inUse are the programs that were found.
func (j *judge) inUse() []host.Program {
	var all []host.Program
	for _, k := range j.known {
		if k.err == nil {
			all = append(all, k.program)
		}
	}
	return all
}

func kindOf(r config.Role) host.Kind {
	if r == config.RoleMonitor {
		return host.Monitor
	}
	return host.Alert
}

// find looks a program up and, if it is resident, asks what it is.
func (j *judge) find(kind host.Kind, name string) *known {
	if k := j.known[name]; k != nil {
		return k
	}
	k := &known{judged: map[string]bool{}}
	j.known[name] = k
	if k.program, k.err = j.host.Find(kind, name); k.err != nil {
		return k
	}
	if j.found != nil {
		j.found(k.program)
	}
	if !k.program.Resident {
		return k
	}
	k.manifest, k.err = j.host.Describe(j.ctx, k.program)
	if k.err == nil && k.manifest.Kind != kind {
		k.err = fmt.Errorf("%s is of kind %s, wanted here: %s", name, k.manifest.Kind, kind)
	}
	return k
}

// arguments lets a resident program judge an argument list and points at the
// bad word.
func (j *judge) arguments(k *known, c *config.Command) {
	list := fmt.Sprintf("%q", c.Args)
	if k.judged[list] {
		return
	}
	problems, err := j.host.Validate(j.ctx, k.program, c.Args)
	if err != nil {
		j.problem(c.Pos, err)
		return
	}
	for _, p := range problems {
		pos := c.Pos
		if p.Index >= 0 && p.Index < len(c.ArgPos) {
			pos = c.ArgPos[p.Index]
		}
		j.problem(pos, errors.New(c.Program+": "+p.Message))
	}
	k.judged[list] = len(problems) == 0
}

func (j *judge) problem(pos config.Pos, err error) {
	j.diags = append(j.diags, j.file.Diagnose(config.Error, pos, err.Error(), ""))
}
