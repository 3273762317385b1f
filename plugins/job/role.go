package job

import (
	"github.com/mondhq/mond/plugins/monitor"
	"github.com/mondhq/mond/plugins/role"
)

// Election is a service whose monitor elects, with what there is to know of
// this machine.
type Election struct {
	Program string
	Request monitor.Request
	Site    role.Site
}

// Token is a token with the service that it comes from.
type Token struct {
	role.Token

	// Of and Service are the watch and the service whose monitor elects.
	Of, Service string
	// Left says in the place of a token that the election ended as it was told,
	// because mond leaves.
	Left bool
}

// Shared is what an elector says of sharing, with the service that it comes from.
type Shared struct {
	role.Shared

	// Of and Service are those of the service whose monitor elects.
	Of, Service string
}

// Stand is how a group stands with the holder of that name.
type Stand struct {
	role.Stand

	Program string
}
