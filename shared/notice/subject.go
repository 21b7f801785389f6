package notice

import "waggle/shared/notify"

// RunOf returns the run that a report of a failure or of a success is about; false for other messages.
func RunOf(m notify.Sendable) (Run, bool) {
	switch r := m.(type) {
	case failureReport:
		return r.run, true
	case successReport:
		return r.run, true
	}
	return Run{}, false
}
