package main

import (
	"context"
	"errors"

	"waggle/functions/deployment"
	"waggle/shared/cloud"
)

// request asks for a run, or says that a schedule's time has come.
type request struct {
	cloud.RunCall
	Schedule string `json:"schedule"`
	Time     string `json:"time"` // of the tick, RFC 3339
}

type runner interface {
	Run(context.Context, cloud.Invocation, cloud.RunCall) error
	Tick(ctx context.Context, at cloud.Invocation, scheduled string) error
}

type handler struct{ runner runner }

// handle answers nothing: nobody waits for an asynchronous call.
func (h handler) handle(ctx context.Context, r request) (struct{}, error) {
	at := deployment.Invocation(ctx)
	var err error
	if r.Schedule != "" {
		err = h.runner.Tick(ctx, at, r.Time)
	} else {
		err = h.runner.Run(ctx, at, r.RunCall)
	}
	var left *cloud.LeftRunningError
	if errors.As(err, &left) {
		deployment.Exit(err)
	}
	return struct{}{}, err
}
