package run_test

import (
	"testing"

	"waggle/shared/run"
)

func TestABlockingCheckBlocksWhenItFailedAsAnErrorOrDidNotRun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status   run.CheckStatus
		severity run.Severity
		blocks   bool
	}{
		{run.CheckSucceeded, run.SeverityError, false},
		{run.CheckFailed, run.SeverityError, true},
		{run.CheckFailed, "", true},
		{run.CheckFailed, run.SeverityWarn, false},
		{run.CheckExecutionFailed, run.SeverityWarn, true},
		{run.CheckExecutionFailed, run.SeverityError, true},
		{run.CheckSkipped, run.SeverityError, false},
	} {
		r := run.CheckResult{Status: c.status, Severity: c.severity, Blocking: true}
		if r.Blocks() != c.blocks {
			t.Errorf("%s with %q: %t", c.status, c.severity, r.Blocks())
		}
		if r.Blocking = false; r.Blocks() {
			t.Errorf("%s with %q blocks and is not blocking", c.status, c.severity)
		}
	}
}
