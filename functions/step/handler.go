package main

import (
	"context"

	"waggle/functions/deployment"
	"waggle/shared/cloud"
)

type stepper interface {
	Run(context.Context, cloud.Invocation, cloud.StepCall) error
}

type handler struct{ stepper stepper }

// handle answers nothing: nobody waits for an asynchronous call.
func (h handler) handle(ctx context.Context, call cloud.StepCall) (struct{}, error) {
	return struct{}{}, h.stepper.Run(ctx, deployment.Invocation(ctx), call)
}
