package notify

import "waggle/shared/fault"

// Check returns the mistake in a call of Notify: nothing to send, no channel, or a nil one.
func Check(message Sendable, channels []*Channel) error {
	switch {
	case message == nil:
		return fault.New(fault.Invalid, "Notify of a nil message")
	case len(channels) == 0:
		return fault.New(fault.Invalid, "Notify without a channel")
	}
	for i, c := range channels {
		if c.Definition() == nil {
			return fault.New(fault.Invalid, "channel %d of Notify is nil", i+1)
		}
	}
	return nil
}
