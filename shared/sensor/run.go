package sensor

import "waggle/shared/notice"

// Run is what a sensor of runs is told: what happened, why, what it blocks, and since when. Its Report and WarningsReport are
// messages, ready for Notify.
type Run = notice.Run

// Missed is what a sensor of missed ticks is told: of which schedule, when the run was to be launched, what became of it, and how many
// ticks before it were missed too. It is a message, ready for Notify.
type Missed = notice.Missed
