package broken

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/table"
	"waggle/shared/waggletest"
)

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
	_, err := fail(t, "error")
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
	_, err := fail(t, "panic")
	t.Errorf("no panic, error %v", err)
}

func TestATimeoutWaitsUntilItIsEnded(t *testing.T) {
	t.Parallel()
	ctx, _ := waggletest.Context(t)
	ended, end := context.WithCancel(ctx.Context)
	end()
	ctx.Context = ended
	if _, err := double(ctx, []int{1}, Config{How: "timeout"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAKillEndsTheProcess(t *testing.T) {
	t.Parallel()
	if os.Getenv("BROKEN_TEST_KILL") != "" { // we are the process to be killed
		_, err := fail(t, "kill")
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

func TestAFailedStepHoldsTheRestBack(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"error", "panic"} {
		r := runJob(t, how)
		if failed := r.Failed(); r.Status != run.Failure || len(failed) != 1 || failed[0].Key != "broken_middle" {
			t.Errorf("how=%s: %s, failed %v", how, r.Status, failed)
		}
		if got, want := skipped(r), []run.StepKey{"broken_end", "broken_middle:check_numbers_are_positive"}; !slices.Equal(got, want) {
			t.Errorf("how=%s: skipped %v, want %v", how, got, want)
		}
	}
}

func TestAFailedCheckHoldsTheRestBack(t *testing.T) {
	t.Parallel()
	r := runJob(t, "check")
	if r.Status != run.Failure || len(r.Failed()) != 0 || len(r.Checks) != 1 || !r.Checks[0].Blocks() {
		t.Errorf("%s, failed %v, checks %v", r.Status, r.Failed(), r.Checks)
	}
	if got := skipped(r); !slices.Equal(got, []run.StepKey{"broken_end"}) {
		t.Errorf("skipped %v, want broken_end alone", got)
	}
}

func TestWithoutAFailureTheNumbersAreDoubledAndSummed(t *testing.T) {
	t.Parallel()
	r := runJob(t, "none")
	if r.Status != run.Success || len(r.Checks) != 1 || !r.Checks[0].Passed {
		t.Fatalf("%s %s, checks %v", r.Status, r.Error, r.Checks)
	}
	if numbers := waggletest.Output(t, r, brokenMiddle); !slices.Equal(numbers, []int{2, 4, 6}) {
		t.Errorf("doubled %v", numbers)
	}
	if total := waggletest.Output(t, r, brokenEnd); total != 12 {
		t.Errorf("total %d", total)
	}
}

func TestTheSourceWaitsUntilAFileIsThere(t *testing.T) {
	t.Parallel()
	for _, path := range []string{filepath.Join(t.TempDir(), "go"), "mem://broken/later/go"} {
		synctest.Test(t, func(t *testing.T) {
			ctx, _ := waggletest.Context(t)
			counted := make(chan error, 1)
			go func() {
				_, err := count(ctx, Config{Until: path})
				counted <- err
			}()
			time.Sleep(time.Minute)
			select {
			case err := <-counted:
				t.Fatalf("%s: it did not wait, %v", path, err)
			default:
			}
			if _, err := table.WriteCSV(t.Context(), table.At(path[:len(path)-len("/go")]), "go", []Config{}); err != nil {
				t.Fatal(err)
			}
			if err := <-counted; err != nil {
				t.Errorf("%s: %v", path, err)
			}
		})
	}
}

func TestWaitingEndsWithTheStep(t *testing.T) {
	t.Parallel()
	ctx, _ := waggletest.Context(t)
	ended, end := context.WithCancel(ctx.Context)
	time.AfterFunc(time.Millisecond, end)
	ctx.Context = ended
	if _, err := count(ctx, Config{Until: filepath.Join(t.TempDir(), "never")}); !errors.Is(err, context.Canceled) && !errors.Is(err, fault.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAnUnknownWayToFailIsAnErrorThatNamesThem(t *testing.T) {
	t.Parallel()
	_, err := fail(t, "explode")
	if err == nil || err.Error() != "how=explode is not a way to fail: use one of error, panic, timeout, kill, check, none" {
		t.Errorf("got %v", err)
	}
}

// fail runs broken_middle on what broken_source makes.
func fail(t *testing.T, how string) ([]int, error) {
	t.Helper()
	ctx, _ := waggletest.Context(t)
	numbers, err := count(ctx, Config{})
	if err != nil {
		return nil, err
	}
	return double(ctx, numbers, Config{How: how})
}

func runJob(t *testing.T, how string) *waggletest.Run {
	t.Helper()
	return waggletest.RunJob(t, Definitions, "gallery_broken", &waggletest.Options{Config: map[string]any{"how": how}})
}

func skipped(r *waggletest.Run) []run.StepKey {
	var keys []run.StepKey
	for _, s := range r.Skipped() {
		keys = append(keys, s.Key)
	}
	slices.Sort(keys)
	return keys
}
