// Package twin proves that mond tells people what mon would have told them. Its
// tests run scenarios (testdata/scenarios) under Debian's mon, take down what
// happened and whom it called, and give the same events at the same times to
// the engine: the calls must be the same, to the last word and variable, but
// for what engine/difference names.
//
// It holds tests only. It does not compare when checks are run, nor what
// clients are answered.
package twin
