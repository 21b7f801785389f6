package main

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"waggle/shared/cloud"
	"waggle/shared/run"
)

type calls struct {
	looks int
	at    cloud.Invocation
	died  run.ID
}

func (c *calls) Look(context.Context) error { c.looks++; return nil }

func (c *calls) Died(_ context.Context, at cloud.Invocation, id run.ID) error {
	c.at, c.died = at, id
	return nil
}

func handled(t *testing.T, payload []byte) *calls {
	t.Helper()
	var r request
	if err := json.Unmarshal(payload, &r); err != nil {
		t.Fatal(err)
	}
	c := &calls{}
	if _, err := (handler{c}).handle(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheClockHasItLook(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	if c := handled(t, sample); c.looks != 1 || c.died != "" {
		t.Errorf("%+v", c)
	}
}

func TestAnInvocationThatWasGivenUpNamesItsRun(t *testing.T) {
	t.Parallel()
	c := handled(t, []byte(`{"version":"1.0","timestamp":"2026-11-22T02:00:03.123Z",
		"requestContext":{"requestId":"8f5b9c1e","functionArn":"arn:aws:lambda:eu-west-1:123456789012:function:waggle-prod-run:7","condition":"RetriesExhausted","approximateInvokeCount":1},
		"requestPayload":{"run":"0199f3c2-1a2b-7c3d-8e4f-5a6b7c8d9e0f","hops":2},
		"responseContext":{"statusCode":200,"executedVersion":"7","functionError":"Unhandled"},
		"responsePayload":{"errorType":"Runtime.ExitError"}}`))
	if c.looks != 0 || c.died != "0199f3c2-1a2b-7c3d-8e4f-5a6b7c8d9e0f" || c.at.Worker() != "waggle-prod-run:7/8f5b9c1e" {
		t.Errorf("%+v", c)
	}
}

func TestAStepOrATickThatWasGivenUpHoldsNoRun(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		`{"requestContext":{"requestId":"1","functionArn":"arn:aws:lambda:eu-west-1:1:function:waggle-prod-step:7"},"requestPayload":{"run":"0199f3c2","step":"a","attempt":1}}`,
		`{"requestContext":{"requestId":"1","functionArn":"arn:aws:lambda:eu-west-1:1:function:waggle-prod-run:7"},"requestPayload":{"schedule":"nightly","time":"2026-11-22T02:00:00Z"}}`,
	} {
		if c := handled(t, []byte(payload)); c.looks != 1 || c.died != "" {
			t.Errorf("%s: %+v", payload, c)
		}
	}
}
