package main

import (
	"context"
	"fmt"
	"os"

	"waggle/pipelines"
	"waggle/shared/embedded"
	"waggle/shared/engine"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

func main() {
	ctx := context.Background()
	if err := pipelines.Definitions.Validate(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	s, err := embedded.Open(ctx, ".waggle", nil)
	if err != nil {
		panic(err)
	}
	id, err := s.Launch(ctx, run.Request{Job: os.Args[1]})
	if err != nil {
		panic(err)
	}
	e := engine.New(s, pipelines.Definitions, &engine.Options{Worker: embedded.Worker()})
	out, err := e.Run(ctx, id, &engine.RunOptions{Observe: func(e *runlog.Event) { fmt.Println(e.Time.Format("05.000000"), e.Type, e.Step, e.Message) }})
	fmt.Println(out.Record.Status, out.Record.Error, err)
	s.Close()
}
