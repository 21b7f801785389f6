package emulator

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// MiniStack starts the LocalStack-compatible emulator that `pip install -r requirements.txt` put into localstack/.venv.
func MiniStack(ctx context.Context) (*Emulator, error) { return MiniStackWith(ctx) }

// MiniStackWith adds variables to the emulator's environment: SMTP_HOST=127.0.0.1:PORT has it hand mails on to a server.
func MiniStackWith(ctx context.Context, variables ...string) (*Emulator, error) {
	folder, err := Folder()
	if err != nil {
		return nil, err
	}
	python := filepath.Join(folder, ".venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		return nil, fmt.Errorf("MiniStack is not installed: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "ministack")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(python, filepath.Join(folder, "start_ministack.py"))
	cmd.Dir = scratch
	cmd.Env = append(os.Environ(), "END_WITH_STDIN=1", "BIND_HOST=127.0.0.1", "MINISTACK_HOST=127.0.0.1", "GATEWAY_PORT="+strconv.Itoa(port),
		// Lambda functions get this one, and would else call AWS.
		"AWS_ENDPOINT_URL=http://127.0.0.1:"+strconv.Itoa(port), "LOG_LEVEL=WARNING", "TMPDIR="+scratch)
	cmd.Env = append(cmd.Env, variables...)
	e, err := start(ctx, cmd, port, "/_ministack/health")
	if err != nil {
		_ = os.RemoveAll(scratch)
		return nil, err
	}
	e.clean = func() { _ = os.RemoveAll(scratch) }
	return e, nil
}
