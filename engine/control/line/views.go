package line

import (
	"slices"
	"strings"

	"github.com/mondhq/mond/engine/config"
	"github.com/mondhq/mond/engine/opstatus"
)

// filter says what a view shows. The zero filter shows all.
type filter struct {
	groups   map[string]bool // nil is all
	services map[opstatus.Key]bool
}

// group reports whether a whole group is shown, service whether a service is.
func (f filter) group(name string) bool { return f.groups == nil || f.groups[name] }

func (f filter) service(key opstatus.Key) bool { return f.group(key.Group) || f.services[key] }

// filter is that of the view that was selected. One that has left the
// configuration shows all, so that nothing that fails is hidden.
func (c *session) filter() filter {
	v := c.findView(c.view)
	if v == nil {
		return filter{}
	}
	f := filter{groups: map[string]bool{}, services: map[opstatus.Key]bool{}}
	for _, m := range v.Members {
		if group, service, one := strings.Cut(m, ":"); one {
			f.services[opstatus.Key{Group: group, Service: service}] = true
		} else {
			f.groups[m] = true
		}
	}
	return f
}

func (c *session) findView(name string) *config.View {
	views := c.config().Views
	i := slices.IndexFunc(views, func(v config.View) bool { return v.Name == name })
	if i < 0 {
		return nil
	}
	return &views[i]
}

const noView = "no view selected -- all groups will be displayed"

func setView(c *session, args string) {
	words := fields(args)
	switch {
	case len(words) > 1:
		c.out.status("500 Unknown setview command")
		return
	case len(words) == 0:
		c.view = ""
		c.out.text(noView).end()
	case c.findView(words[0]) == nil:
		c.out.text("504 unknown view ").status(words[0])
		return
	default:
		c.view = words[0]
		c.out.text("selecting view ").text(c.view).end()
	}
	c.out.status("220 setview completed")
}

func getView(c *session, _ string) {
	if c.view == "" {
		c.out.text(noView).end()
	} else {
		c.out.text("view ").text(c.view).text(" selected").end()
	}
	c.out.status("220 getview completed")
}

func listViews(c *session, _ string) {
	var names []string
	for _, v := range c.config().Views {
		names = append(names, v.Name)
	}
	slices.Sort(names)
	c.out.text("views ").text(strings.Join(names, " ")).end()
	c.out.status("220 list group completed")
}
