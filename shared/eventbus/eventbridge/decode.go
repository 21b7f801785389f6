package eventbridge

import (
	"encoding/json"
	"errors"
	"slices"

	"waggle/shared/event"
	"waggle/shared/fault"
)

// ErrUnknown says that an envelope holds none of the events that this program knows: it is of a newer version, or not Waggle's.
var ErrUnknown = errors.New("an event that is not known here")

// envelope is an event as a rule hands it on.
type envelope struct {
	Version    string          `json:"version"` // of the envelope itself; EventBridge has had "0" alone
	Source     string          `json:"source"`
	DetailType event.Type      `json:"detail-type"`
	Detail     json.RawMessage `json:"detail"`
}

// Decode reads an event from what a rule handed on. What it does not know is ErrUnknown with fault.Incompatible: another source, a
// detail-type without a contract, another version. What does not read is fault.Corrupt. Fields that it does not know are passed over.
func Decode(data []byte) (event.Event, error) {
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return event.Event{}, fault.Wrap(fault.Corrupt, "read an event of EventBridge", err)
	}
	unknown := func(what, is string) (event.Event, error) {
		return event.Event{}, fault.New(fault.Incompatible, "%w: its %s is %q", ErrUnknown, what, is).WithHint("deploy the version that published it, or find who else publishes so")
	}
	switch {
	case e.Source != Source:
		return unknown("source", e.Source)
	case e.Version != "0":
		return unknown("version", e.Version)
	case !slices.Contains(event.Types(), e.DetailType):
		return unknown("detail-type", string(e.DetailType))
	}
	var detail event.Event
	if err := json.Unmarshal(e.Detail, &detail); err != nil {
		return event.Event{}, fault.Wrap(fault.Corrupt, "read the detail of an event of EventBridge", err)
	}
	if detail.Type != e.DetailType {
		return unknown("type", string(detail.Type))
	}
	if detail.ID == "" {
		return event.Event{}, fault.New(fault.Corrupt, "an event of EventBridge has no id in its detail")
	}
	return detail, nil
}
