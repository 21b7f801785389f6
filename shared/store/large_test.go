package store_test

import (
	"strings"
	"testing"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store"
)

func TestARequestThatLeavesNoRoomIn400KBIsRefusedBeforeAnythingIsStored(t *testing.T) {
	onEach(t, func(b *backend) {
		if _, err := b.Launch(b.Context(), run.Request{Job: "other", Config: run.Config{"text": strings.Repeat("x", 340<<10)}}); err != nil {
			b.Fatalf("340 KB: %v", err)
		}
		large := run.Request{Job: "job", Config: run.Config{"text": strings.Repeat("x", 350<<10)}}
		_, errLaunch := b.Launch(b.Context(), large)
		_, _, errOnce := b.LaunchOnce(b.Context(), large, "key")
		for _, err := range []error{errLaunch, errOnce} {
			if b.wantCode(fault.TooLarge, err); !strings.Contains(err.Error(), "what is asked of the run has ") {
				b.Errorf("%v does not say what is too large", err)
			}
		}
		if _, found, err := b.RunOf(b.Context(), "job", "key"); err != nil || found {
			b.Errorf("the key is there: %t, %v", found, err)
		}
		if list, _, err := b.Runs(b.Context(), store.Filter{Job: "job"}, 5, ""); err != nil || len(list) > 0 {
			b.Errorf("there is a run: %v, %v", list, err)
		}
	})
}
