package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mondhq/mond/engine/config/configtest"
	"github.com/mondhq/mond/plugins/monitor"
)

// What alerts are told of the past is as of before the event, but a failure's
// own summary. That all of it is as under mon is proved by cmd/internal/twin.
func TestVariablesOfAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, configtest.Replace(guide, "alert mail.alert wensong", "alert mail.alert wensong\n            ackalert mail.alert wensong"))
		r.start()
		r.runner.Set(web, monitor.Failed("first", ""))
		r.pass(11 * time.Second)
		r.must(r.engine.Ack(t.Context(), web, "ann", "on it"))
		r.up()
		r.pass(10 * time.Second)
		r.must(r.end())
		sent := r.sender.Sent()
		if len(sent) != 3 {
			t.Fatalf("told %v", r.told())
		}
		failure, ack, up := sent[0].Request.Env, sent[1].Request.Env, sent[2].Request.Env
		if said, known := failure["MON_LAST_OUTPUT"]; known || failure["MON_LAST_SUMMARY"] != "first" {
			t.Errorf("failure: output %q (%v), summary %q", said, known, failure["MON_LAST_SUMMARY"])
		}
		if ack["MON_LAST_SUMMARY"] != "first" || ack["MON_LAST_OUTPUT"] != "first\n" || ack["MON_ACK"] != "ann: on it" {
			t.Errorf("ack: %v", ack)
		}
		if up["MON_ACK"] != "ann: on it" || up["MON_LAST_SUCCESS"] != "0" || up["MON_LAST_OUTPUT"] != "first\n" || up["MON_FIRST_FAILURE"] == "0" {
			t.Errorf("up: %v", up)
		}
	})
}
