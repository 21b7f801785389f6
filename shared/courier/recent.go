package courier

import (
	"waggle/shared/notice"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

// recent is what was read of runs for the event before. The events of one run come one after another, and each would read the run's log, what
// came before it, and the log of the run that succeeded before. The zero value knows nothing. What is kept of a run that has ended stays true;
// of one that goes on only the log counts that was read, and only for what is found in it.
type recent struct {
	run *runlog.Fold // that was read last; nil: none was

	ended   run.ID         // a run that has ended, of which history is; empty: of none
	history notice.History // what came before it, and what it logged

	success *run.Record // that was read last as the success before another; nil: none was
}
