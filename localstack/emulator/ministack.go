package emulator

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// MiniStack starts the LocalStack-compatible emulator that `pip install -r requirements.txt` put into localstack/.venv.
func MiniStack(ctx context.Context) (*Emulator, error) { return MiniStackWith(ctx) }

// MiniStackWith adds variables to the emulator's environment: SMTP_HOST=127.0.0.1:PORT has it hand mails on to a server.
func MiniStackWith(ctx context.Context, variables ...string) (*Emulator, error) {
	return ministack(ctx, variables, func(e *Emulator, _ string) ([]string, error) {
		e.client = http.DefaultClient
		return nil, nil
	})
}

// MiniStackEnforcing is MiniStackWith where each caller may do what the policies of its role allow, and no more; the access key test, with
// the secret test, may do everything. It answers by TLS alone, since policies refuse anything else.
func MiniStackEnforcing(ctx context.Context, variables ...string) (*Emulator, error) {
	return ministack(ctx, variables, func(e *Emulator, scratch string) ([]string, error) {
		key, roots, err := certify(scratch)
		if err != nil {
			return nil, err
		}
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
		e.Endpoint, e.Certificate, e.client = "https"+strings.TrimPrefix(e.Endpoint, "http"), filepath.Join(scratch, certificateFile), &http.Client{Transport: transport}
		return []string{"AUTH=true", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_SESSION_TOKEN=", "USE_SSL=1", "MINISTACK_SSL_CERT=" + e.Certificate,
			"MINISTACK_SSL_KEY=" + key, "AWS_CA_BUNDLE=" + e.Certificate}, nil
	})
}

// ministack starts one that prepare makes variables for, given a folder that lives as long as it.
func ministack(ctx context.Context, variables []string, prepare func(e *Emulator, scratch string) ([]string, error)) (_ *Emulator, err error) {
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
	defer func() {
		if err != nil {
			_ = os.RemoveAll(scratch)
		}
	}()
	e := &Emulator{Endpoint: "http://127.0.0.1:" + strconv.Itoa(port)}
	more, err := prepare(e, scratch)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(python, filepath.Join(folder, "start_ministack.py"))
	cmd.Dir = scratch
	cmd.Env = slices.Concat(os.Environ(), []string{"END_WITH_STDIN=1", "BIND_HOST=127.0.0.1", "MINISTACK_HOST=127.0.0.1", "GATEWAY_PORT=" + strconv.Itoa(port),
		// Lambda functions get this one, and would else call AWS.
		"AWS_ENDPOINT_URL=" + e.Endpoint, "LOG_LEVEL=WARNING", "TMPDIR=" + scratch}, more, variables)
	if e, err = e.start(ctx, cmd, "/_ministack/health"); err != nil {
		return nil, err
	}
	e.clean = func() { _ = os.RemoveAll(scratch) }
	return e, nil
}
