package engine

import (
	"errors"
	"fmt"
	"time"

	"waggle/shared/duration"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

// cancel cancels the run: steps are asked to stop and no more start.
func (x *execution) cancel() {
	if x.stopping != nil {
		return
	}
	x.journal.Append(runlog.Event{Type: runlog.RunCanceling, Message: "asked to cancel"})
	x.halt(errCanceled, x.engine.opts.Grace)
}

// halt asks all steps to stop, and gives up those that have not after a grace.
func (x *execution) halt(why error, grace time.Duration) {
	if x.stopping != nil && why != errFailed {
		return
	}
	x.stopping = why
	x.giveUp = x.store.Now().Add(grace)
	for _, a := range x.running {
		a.stop(why)
	}
}

func (x *execution) closeResources() {
	if err := x.resources.close(); err != nil {
		x.journal.Append(runlog.Event{Type: runlog.Log, Level: levelWarning, Message: cutTo(err.Error(), inlineText)})
	}
}

// stuck ends a run whose steps wait for what never comes, which only a mistake in this package can bring about.
func (x *execution) stuck() End {
	x.closeResources()
	x.failRun(&runlog.Failure{Reason: run.RunException, Error: fmt.Sprintf("%d steps wait for what never comes; this is a bug in Waggle", x.left)})
	return Ended
}

// finish ends the run, or this execution.
func (x *execution) finish() End {
	x.closeResources()
	switch {
	case errors.Is(x.stopping, errFailed):
		return HandedOver
	case errors.Is(x.stopping, errCanceled):
		x.journal.Append(runlog.Event{Type: runlog.RunCanceled})
	case errors.Is(x.stopping, errRunTimeout):
		x.failRun(&runlog.Failure{Reason: run.Timeout, Error: fmt.Sprintf("%v: %s", errRunTimeout, duration.Text(x.timeLimit()))})
	case x.left > 0:
		return HandedOver
	case x.firstError != "":
		x.failRun(&runlog.Failure{Reason: run.StepFailure, Error: x.firstError})
	default:
		x.journal.Append(runlog.Event{Type: runlog.RunSuccess})
	}
	return Ended
}

func (x *execution) failRun(f *runlog.Failure) {
	f.Error, f.WillRetry = cutTo(f.Error, 2*inlineText), x.retried(f.Reason)
	x.journal.Append(runlog.Event{Type: runlog.RunFailure, Level: levelError, Message: brief(f.Error), Data: f})
}
