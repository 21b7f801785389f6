package main

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"waggle/shared/cloud"
)

type calls struct{ call cloud.StepCall }

func (c *calls) Run(_ context.Context, _ cloud.Invocation, call cloud.StepCall) error {
	c.call = call
	return nil
}

func TestTheSampleNamesAnAttempt(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	var call cloud.StepCall
	if err := json.Unmarshal(sample, &call); err != nil {
		t.Fatal(err)
	}
	c := &calls{}
	want := cloud.StepCall{Run: "0199f3c2-1a2b-7c3d-8e4f-5a6b7c8d9e0f", Step: "sales_transform", Attempt: 1, Wake: "waggle-prod-run:7"}
	if _, err := (handler{c}).handle(t.Context(), call); err != nil || c.call != want {
		t.Errorf("%+v, %v", c, err)
	}
}
