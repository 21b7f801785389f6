package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"waggle/bench/figures"
)

// function is one of those that were built.
type function struct {
	name    string
	program string   // unzipped, for this machine
	zip     int64    // bytes, of the architecture that is deployed
	env     []string // what a deployment tells it
	event   string   // one that leaves it nothing to do
}

// unzip takes the program out of its zip.
func unzip(archive, folder string) (string, error) {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }()
	if len(r.File) != 1 || r.File[0].Name != "bootstrap" {
		return "", fmt.Errorf("%s is not one program called bootstrap", archive)
	}
	in, err := r.File[0].Open()
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	program := filepath.Join(folder, "bootstrap")
	out, err := os.OpenFile(program, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(out, in)
	return program, errors.Join(err, out.Close())
}

// instance is a process of a function.
type instance struct {
	api    *runtimeAPI
	cmd    *exec.Cmd
	output bytes.Buffer
	init   time.Duration // from its start until it asks for an event
}

func (f *function) start(ctx context.Context) (*instance, error) {
	api, err := serveRuntime()
	if err != nil {
		return nil, err
	}
	i := &instance{api: api, cmd: exec.CommandContext(ctx, f.program)}
	i.cmd.Env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + api.address, "AWS_LAMBDA_FUNCTION_NAME=waggle-bench-" + f.name, "AWS_LAMBDA_FUNCTION_VERSION=1",
		"_HANDLER=bootstrap"}, f.env...)
	i.cmd.Stdout, i.cmd.Stderr = &i.output, &i.output
	began := time.Now()
	if err := i.cmd.Start(); err != nil {
		api.close()
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- i.cmd.Wait() }()
	select {
	case at := <-api.ready:
		i.init = at.Sub(began)
		return i, nil
	case err := <-ended:
		api.close()
		return nil, fmt.Errorf("%s ended: %w\n%s", f.name, err, i.output.String())
	case <-ctx.Done():
		i.stop()
		return nil, ctx.Err()
	}
}

func (i *instance) stop() {
	_ = i.cmd.Process.Kill()
	i.api.close()
}

// measure starts a function several times, and calls the last process several times.
func (f *function) measure(ctx context.Context, starts, calls int) (figure, error) {
	var inits, warm []float64
	for n := range starts {
		i, err := f.start(ctx)
		if err != nil {
			return figure{}, err
		}
		inits = append(inits, float64(i.init.Microseconds())/1000)
		if n == starts-1 {
			for c := range calls + 1 {
				took, err := i.api.invoke(ctx, f.event)
				if err != nil {
					i.stop()
					return figure{}, fmt.Errorf("%s: %w\n%s", f.name, err, i.output.String())
				}
				if c > 0 { // the first opens connections
					warm = append(warm, float64(took.Microseconds())/1000)
				}
			}
		}
		i.stop()
	}
	return figure{Function: f.name, ZipMB: figures.Round(float64(f.zip) / (1 << 20)), InitMS: figures.Round(figures.Median(inits)), WarmMS: figures.Round(figures.Median(warm)),
		Starts: starts, Calls: calls}, nil
}
