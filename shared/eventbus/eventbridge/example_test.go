package eventbridge_test

import (
	"errors"
	"fmt"

	"waggle/shared/eventbus/eventbridge"
)

// What a rule hands on to a queue, a function or another program is an envelope with the event.
func ExampleDecode() {
	e, err := eventbridge.Decode([]byte(`{"version": "0", "source": "waggle", "detail-type": "Run Status Change", "detail": {
		"id": "0199f3c2-1a2b-7c3d-8e4f-5a6b7c8d9e0f#71", "type": "Run Status Change", "job": "gallery", "status": "FAILURE", "reason": "STEP_FAILURE"}}`))
	fmt.Println(e.Job, e.Status, e.Reason, err)

	_, err = eventbridge.Decode([]byte(`{"version": "0", "source": "waggle", "detail-type": "Asset Stale", "detail": {}}`))
	fmt.Println(errors.Is(err, eventbridge.ErrUnknown), err)
	// Output:
	// gallery FAILURE STEP_FAILURE <nil>
	// true an event that is not known here: its detail-type is "Asset Stale" (deploy the version that published it, or find who else publishes so)
}
