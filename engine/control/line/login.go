package line

import (
	"context"
	"errors"
	"time"
)

var errNobody = errors.New("no user is named")

// login lets a user in; the password is the rest of the line. Who was logged
// in stays so if it fails.
func login(c *session, args string) {
	user, password := cut(args)
	err := c.ask(func(ctx context.Context) error { return c.judge(ctx, user, password) })
	if err == nil {
		c.user = user
		c.opt.Log.Info("client logged in", "user", user, "address", c.name)
		c.out.status("220 login accepted")
		return
	}
	c.failed++
	c.over = c.failed >= c.lim.logins
	// No name: people type passwords where names belong.
	c.opt.Log.Warn("client could not log in", "address", c.name, "times", c.failed)
	c.out.status("530 login unsuccessful")
}

func (c *session) judge(ctx context.Context, user, password string) error {
	if user == "" {
		return errNobody
	}
	return c.opt.Auth.Login(ctx, c.from, user, password)
}

func checkAuth(c *session, args string) {
	word, _ := cut(args)
	if word == "" || !c.opt.Auth.May(c.user, word) {
		c.out.status("520 command could not be executed")
		return
	}
	c.out.status("220 command authorized")
}

func serverTime(c *session, _ string) {
	now := c.opt.Now()
	c.out.int(now.Unix()).text(" ").text(now.Local().Format(time.ANSIC)).end()
	c.out.status("220 servertime completed")
}
