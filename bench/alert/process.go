package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"waggle/shared/fault"
	"waggle/shared/run"
)

// process starts the program.
type process struct {
	home string
	jobs int
	env  []string
}

func (p process) command(ctx context.Context, args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"-child", strconv.Itoa(p.jobs), "--", "--home", p.home}, args...)...)
	cmd.Env = p.env
	return cmd, nil
}

// run runs a job to its end and returns the id of the run. Its status must be the wanted one, and the program must say that all was delivered.
func (p process) run(ctx context.Context, want run.Status, args ...string) (run.ID, error) {
	cmd, err := p.command(ctx, append([]string{"run", "--json"}, args...)...)
	if err != nil {
		return "", err
	}
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == fault.ExitRunFailed && want == run.Failure) {
		return "", fmt.Errorf("%v: %w: %s", args, err, &talk)
	}
	var said struct {
		ID         run.ID     `json:"run_id"`
		Status     run.Status `json:"status"`
		Deliveries []struct{ Channel, State string }
	}
	channels := map[run.Status]int{run.Success: 1, run.Failure: 2}[want]
	if err := json.Unmarshal(out.Bytes(), &said); err != nil || said.ID == "" || said.Status != want || len(said.Deliveries) != channels {
		return "", fmt.Errorf("%w: %v said %q %s (%v)", errNotRun, args, &out, &talk, err)
	}
	for _, d := range said.Deliveries {
		if d.State != "SENT" {
			return "", fmt.Errorf("%w: %v: %s has not been told: %s %s", errNotRun, args, d.Channel, d.State, &talk)
		}
	}
	return said.ID, nil
}

// dev starts what looks after everything, until the returned function is called.
func (p process) dev(ctx context.Context) (stop func() error, err error) {
	cmd, err := p.command(ctx, "dev", "-o", "jsonl")
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() error { return errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()) }, nil
}
