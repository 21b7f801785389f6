// Package notifytest has servers that messages are sent to in tests: a web server that behaves as a script says, and a
// mail server. Both listen on the loopback alone, keep what they get, and fail the test where that is not what it takes out.
package notifytest

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Step is how a server answers one request. The request's body was read.
type Step func(http.ResponseWriter, *http.Request)

// Reply answers with a status, a body and headers in pairs.
func Reply(status int, body string, headers ...string) Step {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// Silence answers nothing until the client gives up.
func Silence() Step {
	return func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
}

// Drop closes the connection without an answer.
func Drop() Step { return raw("") }

// Half begins an answer, promises more and closes.
func Half() Step { return raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok") }

// raw writes bytes in place of an answer and closes the connection.
func raw(text string) Step {
	return func(w http.ResponseWriter, _ *http.Request) {
		hijacker, ok := w.(http.Hijacker)
		if !ok {
			panic("the server cannot hand over its connection")
		}
		conn, buffer, err := hijacker.Hijack()
		if err != nil {
			panic(err)
		}
		say(buffer, text)
		_ = conn.Close()
	}
}

func say(w *bufio.ReadWriter, text string) {
	_, _ = w.WriteString(text)
	_ = w.Flush()
}

// Request is what the server got.
type Request struct {
	Method, Path string
	Header       http.Header
	Body         []byte
}

// Web is a web server on a script.
type Web struct {
	*httptest.Server
	t testing.TB

	mu    sync.Mutex
	steps []Step
	got   []Request
}

// NewWeb starts a server that answers the first request by the first step, and so on. At the end of the test it fails it
// for each request beyond the script, each step that was not asked for, and each request that nobody took out.
func NewWeb(t testing.TB, steps ...Step) *Web {
	t.Helper()
	s := &Web{t: t, steps: steps}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.end)
	return s
}

// NewSecureWeb is NewWeb by https, with a certificate that only its own client trusts.
func NewSecureWeb(t testing.TB, steps ...Step) *Web {
	t.Helper()
	s := &Web{t: t, steps: steps}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = quiet
	s.StartTLS()
	t.Cleanup(s.end)
	return s
}

func (s *Web) end() {
	s.CloseClientConnections()
	s.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.steps) > 0 {
		s.t.Errorf("%d more requests were expected", len(s.steps))
	}
	for _, r := range s.got {
		s.t.Errorf("nobody looked at the request %s %s: %.200s", r.Method, r.Path, r.Body)
	}
}

// ServeHTTP makes the script a handler.
func (s *Web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Errorf("the request broke off: %v", err)
	}
	s.mu.Lock()
	s.got = append(s.got, Request{r.Method, r.URL.Path, r.Header.Clone(), body})
	var step Step
	if len(s.steps) > 0 {
		step, s.steps = s.steps[0], s.steps[1:]
	}
	s.mu.Unlock()
	if step == nil {
		s.t.Errorf("one request too many: %s %s %.200s", r.Method, r.URL.Path, body)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	step(w, r)
}

// Take returns the requests since the last Take.
func (s *Web) Take() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

// One returns the only request since the last Take.
func (s *Web) One() Request {
	s.t.Helper()
	got := s.Take()
	if len(got) != 1 {
		s.t.Fatalf("%d requests, want 1", len(got))
	}
	return got[0]
}

// Secret is a path that must never be in an error.
const Secret = "/services/T0SECRET/B0SECRET/xyzSECRETxyz"

// Leaks reports whether a text has a part of Secret.
func Leaks(text string) bool { return strings.Contains(text, "SECRET") }
