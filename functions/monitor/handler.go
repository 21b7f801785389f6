package main

import (
	"context"
	"strings"

	"waggle/shared/cloud"
	"waggle/shared/run"
)

// request is the tick of the monitor's clock, or what Lambda says of an invocation that it gave up.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
type request struct {
	RequestContext struct {
		RequestID   string `json:"requestId"`
		FunctionARN string `json:"functionArn"` // with the version
		Condition   string `json:"condition"`
	} `json:"requestContext"`
	RequestPayload struct {
		Run  run.ID      `json:"run"`
		Step run.StepKey `json:"step"`
	} `json:"requestPayload"`
}

type monitor interface {
	Look(context.Context) error
	Died(context.Context, cloud.Invocation, run.ID) error
}

type handler struct{ monitor monitor }

// handle answers nothing: nobody waits for an asynchronous call.
func (h handler) handle(ctx context.Context, r request) (struct{}, error) {
	if r.RequestPayload.Run == "" || r.RequestPayload.Step != "" { // nothing died that holds a run
		return struct{}{}, h.monitor.Look(ctx)
	}
	_, function, _ := strings.Cut(r.RequestContext.FunctionARN, ":function:")
	return struct{}{}, h.monitor.Died(ctx, cloud.Invocation{Function: function, Request: r.RequestContext.RequestID}, r.RequestPayload.Run)
}
