package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// runtimeAPI answers a function as Lambda's runtime interface does: it hands out events, one after another, and takes what becomes of them.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type runtimeAPI struct {
	address string
	ready   chan time.Time // when the function first asked for an event
	events  chan string
	answers chan answer
	server  *http.Server
}

type answer struct {
	failed bool
	body   string
}

func serveRuntime() (*runtimeAPI, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &runtimeAPI{address: listener.Addr().String(), ready: make(chan time.Time, 1), events: make(chan string), answers: make(chan answer)}
	a.server = &http.Server{Handler: a, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = a.server.Serve(listener) }()
	return a, nil
}

func (a *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, what, _ := strings.Cut(r.URL.Path, "/runtime/")
	if what == "invocation/next" {
		select {
		case a.ready <- time.Now():
		default:
		}
		select {
		case event := <-a.events:
			h := w.Header()
			h.Set("Lambda-Runtime-Aws-Request-Id", strconv.FormatInt(time.Now().UnixNano(), 36))
			h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10))
			h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:waggle-bench")
			_, _ = io.WriteString(w, event)
		case <-r.Context().Done():
		}
		return
	}
	body, _ := io.ReadAll(r.Body)
	w.WriteHeader(http.StatusAccepted)
	select {
	case a.answers <- answer{failed: !strings.HasSuffix(what, "/response"), body: string(body)}:
	case <-r.Context().Done():
	}
}

// invoke has the function take an event, and returns how long its answer took.
func (a *runtimeAPI) invoke(ctx context.Context, event string) (time.Duration, error) {
	began := time.Now()
	select {
	case a.events <- event:
	case <-ctx.Done():
		return 0, fmt.Errorf("the function does not ask for an event: %w", ctx.Err())
	}
	select {
	case got := <-a.answers:
		if got.failed {
			return 0, fmt.Errorf("it answers %s with %s", event, got.body)
		}
		return time.Since(began), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("the function does not answer: %w", ctx.Err())
	}
}

func (a *runtimeAPI) close() { _ = a.server.Close() }
