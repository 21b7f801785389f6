package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"waggle/shared/cloud"
)

type calls struct {
	run  cloud.RunCall
	tick string
	err  error
}

func (c *calls) Run(_ context.Context, _ cloud.Invocation, call cloud.RunCall) error {
	c.run = call
	return c.err
}

func (c *calls) Tick(_ context.Context, _ cloud.Invocation, scheduled string) error {
	c.tick = scheduled
	return c.err
}

func TestTheSampleNamesARun(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	var r request
	if err := json.Unmarshal(sample, &r); err != nil {
		t.Fatal(err)
	}
	c := &calls{}
	if _, err := (handler{c}).handle(t.Context(), r); err != nil || c.run != (cloud.RunCall{Run: "0199f3c2-1a2b-7c3d-8e4f-5a6b7c8d9e0f"}) {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestAProcessInWhichStepsStillRunEnds starts itself, since that is a process that ends.
func TestAProcessInWhichStepsStillRunEnds(t *testing.T) {
	const variable = "WAGGLE_TEST_LEFT_RUNNING"
	if os.Getenv(variable) != "" {
		_, _ = (handler{&calls{err: errors.Join(errors.New("no store"), &cloud.LeftRunningError{Steps: 1})}}).handle(t.Context(), request{})
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestAProcessInWhichStepsStillRunEnds$")
	cmd.Env = append(os.Environ(), variable+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), `"msg":"the function ends"`) || !strings.Contains(string(out), "steps ignored their cancellation") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestAScheduleSaysWhichTime(t *testing.T) {
	t.Parallel()
	var r request
	if err := json.Unmarshal([]byte(`{"schedule":"nightly","time":"2026-11-22T02:00:00Z"}`), &r); err != nil {
		t.Fatal(err)
	}
	c := &calls{err: errors.New("no store")}
	if _, err := (handler{c}).handle(t.Context(), r); !errors.Is(err, c.err) || c.tick != "2026-11-22T02:00:00Z" || c.run.Run != "" {
		t.Errorf("%+v, %v", c, err)
	}
}
