package main

import (
	"context"

	"waggle/bench/figures"
	"waggle/bench/workload"
	"waggle/shared/embedded"
	"waggle/shared/run"
)

// verify opens a home and compares the whole record of the run with what it must hold.
func verify(ctx context.Context, w workload.Workload, home string, id run.ID) (err error) {
	s, err := embedded.Open(ctx, home, nil)
	if err != nil {
		return err
	}
	defer func() {
		if closing := s.Close(); err == nil {
			err = closing
		}
	}()
	v, err := w.Inspect(ctx, s, id)
	if err != nil {
		return err
	}
	return figures.Print(v)
}
