package difference

// alerts are about deciding who is told (engine/policy, engine/opstatus).
func alerts() []Difference {
	return []Difference{
		{
			Name: "order of periods",
			Mon:  "Periods are asked in an order that changes with every start.",
			Ours: "Periods are asked, and their lines called, in the order of the file.",
			Why:  "The same file should do the same thing twice.",
		},
		{
			Name: "upalertafter",
			Mon:  "Is read and never looked at: every upalert is sent.",
			Ours: "An upalert is sent only if the outage lasted at least that long.",
			Why:  "It is what the manual promises.",
		},
		{
			Name: "alertdepend",
			Mon:  "Without a depend line it is never evaluated, which silences the service's failures for good.",
			Ours: "It holds back alerts while the expression is false, and only then.",
			Why:  "It is what the manual promises.",
		},
		{
			Name: "disablealert",
			Mon:  "Is never called, since the service counts as disabled by then.",
			Ours: "Is called when the service, or its watch, is disabled.",
			Why:  "There is no other use for it.",
		},
		{
			Name: "redistribute",
			Mon:  "With arguments it is looked up by the whole line and not found.",
			Ours: "Is called with its arguments.",
			Why:  "It is what the manual promises.",
		},
		{
			Name: "trapduration",
			Mon:  "When it ends the status becomes ok in silence: no upalert, no entry in the downtime log, counters and acknowledgement stay.",
			Ours: "When it ends a failing service recovers, with all that follows from a success.",
			Why:  "Whoever was told of the failure must be told that it is over.",
		},
		{
			Name: "dep_memory",
			Mon:  "Is read and has no effect.",
			Ours: "A dependency counts as failed for that long after its last failure.",
			Why:  "It is what the manual promises.",
		},
		{
			Name: "alertevery, alertafter and upalertafter with less than a second",
			Mon:  "All times are whole seconds, cut off.",
			Ours: "Times in whole seconds are compared in whole seconds, rounded; shorter ones exactly.",
			Why:  "A check that ends a millisecond early must not make alertevery miss a whole interval.",
		},
		{
			Name: "a clock that is set back",
			Mon:  "alertevery holds back all alerts until the clock has caught up.",
			Ours: "The time of the last alert is ignored when it is in the future, and alertafter starts anew.",
			Why:  "An alert too many is better than a silent night.",
		},
		{
			Name: "alerts that are keepers (lvs.alert, fake.alert)",
			Mon:  "Is a call like any other: an upalert held back by a period, an acknowledgement, a stopped scheduler or a restart leaves the server out for good.",
			Ours: "The first success after it takes a server in again, whatever holds back upalerts, if an upalert line with the same words stands in any period; startupalert, ackalert, disablealert lines do nothing.",
			Why:  "A server that works belongs in the table.",
		},
	}
}
