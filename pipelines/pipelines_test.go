package pipelines_test

import (
	"testing"

	"waggle/pipelines"
	"waggle/shared/run"
)

func TestAllDefinitionsAreValidTogether(t *testing.T) {
	t.Parallel()
	if err := pipelines.Definitions.Validate(); err != nil {
		t.Error(err)
	}
}

func TestEveryJobHasItsAssetsAndTheirChecks(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"gallery": 11 + 5, "gallery_broken": 3 + 1} {
		p, err := pipelines.Definitions.Plan(run.Request{Job: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if len(p.Steps) != want {
			t.Errorf("%s has %d steps, want %d", name, len(p.Steps), want)
		}
	}
}
