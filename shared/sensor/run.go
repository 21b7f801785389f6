package sensor

import "waggle/shared/notice"

// Run is what a sensor of runs is told: what happened, why, what it blocks, and since when. Its Report and WarningsReport are
// messages, ready for Notify.
type Run = notice.Run
