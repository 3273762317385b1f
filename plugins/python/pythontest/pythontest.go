// Package pythontest is for tests of plugins that are written in Python.
package pythontest

import (
	"os"
	"os/exec"
	"testing"
)

// Need skips the test where plugins in Python cannot serve, by the name of what
// is missing; where nothing may be skipped (MOND_NOSKIP) it ends it.
func Need(t testing.TB) {
	t.Helper()
	out, err := exec.Command("/usr/bin/python3", "-c", "import grpc, google.protobuf").CombinedOutput()
	if err == nil {
		return
	}
	if os.Getenv("MOND_NOSKIP") != "" {
		t.Fatalf("packages python3-grpcio and python3-protobuf are missing: %v\n%s", err, out)
	}
	t.Skipf("packages python3-grpcio and python3-protobuf are missing: %v\n%s", err, out)
}
