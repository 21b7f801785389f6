package broken

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/metadata"
)

// quietStep is a step that nobody listens to.
type quietStep struct{ asset.Step }

func (quietStep) Handler() slog.Handler              { return slog.DiscardHandler }
func (quietStep) AddMetadata(metadata.Values, error) {}

func TestTheDefinitionsAreValid(t *testing.T) {
	t.Parallel()
	if err := Definitions.Validate(); err != nil {
		t.Error(err)
	}
	if got := brokenMiddle.Definition().Options.Timeout; got != 2*time.Second {
		t.Errorf("broken_middle may take %s, want 2s", got)
	}
	if got := config.Source().Config.Fields[0].Default; got != "error" {
		t.Errorf("how is %v by default, want error", got)
	}
}

func TestAnErrorSaysThatItIsDeliberate(t *testing.T) {
	t.Parallel()
	_, err := fail(t.Context(), "error")
	if err == nil || err.Error() != "deliberate failure: broken_middle was asked to fail (how=error)" {
		t.Errorf("got %v", err)
	}
}

func TestAPanicSaysThatItIsDeliberate(t *testing.T) {
	t.Parallel()
	defer func() {
		if got := recover(); got != "deliberate failure: broken_middle was asked to fail (how=panic)" {
			t.Errorf("recovered %v", got)
		}
	}()
	_, err := fail(t.Context(), "panic")
	t.Errorf("no panic, error %v", err)
}

func TestATimeoutWaitsUntilItIsEnded(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := fail(ended, "timeout"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAKillEndsTheProcess(t *testing.T) {
	t.Parallel()
	if os.Getenv("BROKEN_TEST_KILL") != "" { // we are the process to be killed
		_, err := fail(t.Context(), "kill")
		t.Fatalf("still alive, %v", err)
	}
	victim := exec.Command(os.Args[0], "-test.run=^TestAKillEndsTheProcess$")
	victim.Env = append(os.Environ(), "BROKEN_TEST_KILL=1")
	output, err := victim.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		t.Errorf("the process was not killed: %v, %s", err, output)
	}
}

func TestAFailedCheckNeedsOnlyABadValue(t *testing.T) {
	t.Parallel()
	for how, passes := range map[string]bool{"check": false, "none": true} {
		numbers, err := fail(t.Context(), how)
		if err != nil {
			t.Fatal(err)
		}
		if result, err := numbersArePositive(nil, numbers); err != nil || result.Passed != passes {
			t.Errorf("how=%s: passed %v, %v, for %v", how, result.Passed, err, numbers)
		}
	}
	if checkNumbersArePositive.Definition().Options.Blocking != true {
		t.Error("the check holds nothing back")
	}
}

func TestWithoutAFailureTheNumbersAreDoubledAndSummed(t *testing.T) {
	t.Parallel()
	numbers, err := fail(t.Context(), "none")
	if err != nil || !slices.Equal(numbers, []int{2, 4, 6}) {
		t.Errorf("doubled %v, %v", numbers, err)
	}
	if total, err := sum(asset.NewContext(t.Context(), quietStep{}), numbers); err != nil || total != 12 {
		t.Errorf("total %d, %v", total, err)
	}
}

func TestAnUnknownWayToFailIsAnErrorThatNamesThem(t *testing.T) {
	t.Parallel()
	_, err := fail(t.Context(), "explode")
	if err == nil || err.Error() != "how=explode is not a way to fail: use one of error, panic, timeout, kill, check, none" {
		t.Errorf("got %v", err)
	}
}

// fail runs broken_middle on what broken_source makes.
func fail(ctx context.Context, how string) ([]int, error) {
	step := asset.NewContext(ctx, quietStep{})
	numbers, err := count(step)
	if err != nil {
		return nil, err
	}
	return double(step, numbers, Config{How: how})
}
