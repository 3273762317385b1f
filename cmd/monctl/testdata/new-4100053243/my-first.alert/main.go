// Command my-first.alert tells by a line in a file: when, what, who and why.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mondhq/mond/plugins/alert"
	"github.com/mondhq/mond/plugins/serve"
)

func main() {
	serve.Main(serve.Alert("my-first.alert", "appends a line to a file", myfirst))
}

// myfirst declares the options and returns what tells of one event. An error
// means that nobody was told: mond tries again.
func myfirst(fs *flag.FlagSet) alert.Alert {
	name := fs.String("f", "told.log", "`file` to append to, in mond's logdir")
	return alert.Func(func(_ context.Context, r alert.Request) error {
		path := *name
		if !filepath.IsAbs(path) {
			path = filepath.Join(r.Env["MON_LOGDIR"], path)
		}
		file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(file, "%s %s %s:%s %s\n", r.At.Format(time.DateTime), r.Kind, r.Group, r.Service, r.Summary)
		return errors.Join(err, file.Close())
	})
}
