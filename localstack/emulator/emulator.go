// Package emulator starts programs that answer like AWS, on free ports of 127.0.0.1, for tests and benches. What it
// starts ends with Close, or with the process that started it.
//
// It imports loopback of ours.
package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// startWithin is how long an emulator may take to answer: 2 to 5 s as a rule, more on a busy machine.
const startWithin = 60 * time.Second

// Emulator is a running one.
type Emulator struct {
	// Endpoint is where it answers: http://127.0.0.1:PORT, or https://.
	Endpoint string
	// Certificate is the file with the certificate that it shows, for AWS_CA_BUNDLE. Empty: it answers without TLS.
	Certificate string

	client *http.Client
	cmd    *exec.Cmd
	stdin  io.Closer
	ended  chan struct{}
	output *tail
	clean  func()
}

// Folder is the folder localstack of this source tree, where package.json and requirements.txt are installed.
func Folder() (string, error) {
	_, file, _, ok := runtime.Caller(0)
	folder := filepath.Dir(filepath.Dir(file))
	if _, err := os.Stat(filepath.Join(folder, "package.json")); !ok || err != nil {
		return "", errors.New("the folder localstack is not where this program was built")
	}
	return folder, nil
}

// start runs a command until it answers at the port.
func start(ctx context.Context, cmd *exec.Cmd, port int, ready string) (*Emulator, error) {
	return (&Emulator{Endpoint: fmt.Sprintf("http://127.0.0.1:%d", port), client: http.DefaultClient}).start(ctx, cmd, ready)
}

func (e *Emulator) start(ctx context.Context, cmd *exec.Cmd, ready string) (*Emulator, error) {
	e.cmd, e.ended, e.output, e.clean = cmd, make(chan struct{}), &tail{}, func() {}
	cmd.Stdout, cmd.Stderr = e.output, e.output
	var err error
	if e.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	go func() {
		_ = cmd.Wait()
		close(e.ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for !e.answers(ctx, ready) {
		select {
		case <-ctx.Done():
			e.Close()
			return nil, fmt.Errorf("%s does not answer within %s:\n%s", filepath.Base(cmd.Path), startWithin, e.output)
		case <-e.ended:
			return nil, fmt.Errorf("%s ended:\n%s", filepath.Base(cmd.Path), e.output)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return e, nil
}

func (e *Emulator) answers(ctx context.Context, path string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.Endpoint+path, nil)
	if err != nil {
		return false
	}
	answer, err := e.client.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return true // any status: it listens
}

// At is an emulator that somebody else has started, and ends.
func At(endpoint string) *Emulator {
	ended := make(chan struct{})
	close(ended)
	return &Emulator{Endpoint: endpoint, client: http.DefaultClient, ended: ended, stdin: io.NopCloser(nil), output: &tail{}, clean: func() {}}
}

// Client makes requests that trust its certificate.
func (e *Emulator) Client() *http.Client { return e.client }

// Output is the last of what it wrote.
func (e *Emulator) Output() string { return e.output.String() }

// Close ends it and waits until it has: first by closing its input, then by force.
func (e *Emulator) Close() {
	_ = e.stdin.Close()
	select {
	case <-e.ended:
	case <-time.After(5 * time.Second):
		_ = e.cmd.Process.Kill()
		<-e.ended
	}
	e.clean()
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// tail keeps the last of what was written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailBytes; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
