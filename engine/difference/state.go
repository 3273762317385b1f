package difference

import "slices"

// state are about disabling, acknowledging, tests and state files.
func state() []Difference { return slices.Concat(steering(), resets(), stateFiles()) }

// steering are about what operators change one by one.
func steering() []Difference {
	return []Difference{
		{
			Name: "disable host with a pattern",
			Mon:  "Takes the host for a regular expression, and gives every host that matches the name *pattern.",
			Ours: "A host is the one of that name.",
			Why:  "db. is no host, and must not rename two of them.",
		},
		{
			Name: "set opstatus",
			Mon:  "set G S opstatus NAME stores the word, which is in no list of failures or successes.",
			Ours: "The service has that status, by its number; a status that is good ends an outage, and nobody is told.",
			Why:  "It is what the command is for.",
		},
		{
			Name: "set with a value that cannot be",
			Mon:  "Takes every value for every variable.",
			Ours: "Refuses, with a reason, what the variable cannot be, what was seen by a check, and a monitor that the configuration does not name. Names that nobody knows are kept, 64 of them.",
			Why:  "An interval of soon stops the checks of a service.",
		},
		{
			Name: "set interval while a failure_interval counts",
			Mon:  "Changes the one that counts now, until the next success.",
			Ours: "Changes the interval; set failure_interval changes the other.",
			Why:  "A value that was set should not be lost with the next success.",
		},
		{
			Name: "get of exclude_hosts and _last_alert",
			Mon:  "Answers HASH and an address of its memory, and nothing.",
			Ours: "Answers the hosts, and the time of the last alert of any period.",
			Why:  "It is what is asked for.",
		},
		{
			Name: "set _ack 0",
			Mon:  "Ends an acknowledgement and leaves its comment.",
			Ours: "Ends it, with its comment; another number is refused.",
			Why:  "ack makes one, and notes who did.",
		},
		{
			Name: "clear timers and alertafter N TV",
			Mon:  "Keeps the count of failures in the window, and the time of the last alert where there is no alertevery.",
			Ours: "Clears the count, the clock and the time of the last alert of every period.",
			Why:  "Alerts are to begin anew.",
		},
	}
}

// resets are about beginning anew.
func resets() []Difference {
	return []Difference{
		{
			Name: "reset and monitors that run",
			Mon:  "Ends every monitor and waits for each, also where the configuration turns out bad.",
			Ours: "A reset that keeps the state lets them run; one that does not ends them without waiting, and a bad configuration ends none.",
			Why:  "A monitor that ignores the signal stops mon for good.",
		},
		{
			Name: "reset keepstate",
			Mon:  "Forgets how long the last check took, the value of dependencies and that a failure_interval counts.",
			Ours: "Keeps them.",
			Why:  "It is what its name says.",
		},
		{
			Name: "reset and servers that are out",
			Mon:  "Knows nothing of tables.",
			Ours: "A server that is out stays out over a reset without keepstate, until its service's next verdict.",
			Why:  "A reset must not put clients on a server that is down.",
		},
	}
}

// stateFiles are about mon's files in statedir, and what is told to others.
func stateFiles() []Difference {
	return []Difference{
		{
			Name: "statedir/opstatus and = or backslash in a summary",
			Mon:  "Writes both as they are, and loads something else than it saved.",
			Ours: "Writes them as \\3d and \\5c, which mon and mond load as they were.",
			Why:  "What is saved should be what is loaded.",
		},
		{
			Name: "statedir/opstatus at the start",
			Mon:  "-l all loads it whatever its age.",
			Ours: "-l all loads it if it is newer than what mond remembers itself; loadstate opstatus loads it in any case.",
			Why:  "mond always remembers; a file that was saved last month is not what was.",
		},
		{
			Name: "statedir/disabled at the start",
			Mon:  "-l adds what the file names.",
			Ours: "-l makes what the file names all that is disabled; without -l mond goes on with what it remembers.",
			Why:  "What was enabled under mon meanwhile should not be disabled again.",
		},
		{
			Name: "alert_count",
			Mon:  "Counts the calls of alerts since the start.",
			Ours: "Counts them over restarts, until a reset without keepstate.",
			Why:  "A restart should change nothing.",
		},
		{
			Name: "monremote",
			Mon:  "Starts the program beside everything else, however many run already and for as long as it takes, and hands host names to the shell as they are.",
			Ours: "Runs it once at a time, in the order of the commands, for a minute at most each; a host name is one word.",
			Why:  "An enable must not overtake its disable, and a name is no command.",
		},
	}
}
