package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// program is a built binary.
type program struct{ file string }

func (p program) build(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", p.file, "waggle/bench/cli/onejob")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// run runs the job in a home and returns how long the process lived. It must have said that the asset was made.
func (p program) run(ctx context.Context, home string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, p.file, "run", "only", "--home", home, "--json")
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	if err != nil {
		return 0, fmt.Errorf("%v: %w: %s", cmd.Args, err, &talk)
	}
	var said struct {
		Status string
		Assets []struct{ Key string }
	}
	if err := json.Unmarshal(out.Bytes(), &said); err != nil || said.Status != "SUCCESS" || len(said.Assets) != 1 || said.Assets[0].Key != "one" {
		return 0, fmt.Errorf("%v said %q: %w", cmd.Args, &out, err)
	}
	return took, nil
}
