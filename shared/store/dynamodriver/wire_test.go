package dynamodriver_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
)

// wire is a server in DynamoDB's place. It gives one reply after the other, and fails the test on any request more.
type wire struct {
	*httptest.Server
	t testing.TB

	connections atomic.Int64

	mu       sync.Mutex
	replies  []reply
	requests []request
}

// request is one as it came.
type request struct {
	Operation string
	Body      any
}

type reply func(w http.ResponseWriter, r *http.Request)

// setup serves the replies and opens a driver on them, without a check of the table.
func setup(t testing.TB, opts *dynamodriver.Options, replies ...reply) (*wire, *dynamodriver.Driver) {
	t.Helper()
	w := newWire(t, replies...)
	if opts == nil {
		opts = &dynamodriver.Options{}
	}
	o := *opts
	o.SkipCheck, o.Config, o.Indexes = true, connection(w.URL), []string{"due", "all"}
	if o.Clock == nil {
		o.Clock = func() time.Time { return time.Unix(1000, 0) }
	}
	d, err := dynamodriver.Open(t.Context(), "runs", &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return w, d
}

func newWire(t testing.TB, replies ...reply) *wire {
	w := &wire{t: t, replies: replies}
	w.Server = httptest.NewUnstartedServer(w)
	w.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			w.connections.Add(1)
		}
	}
	w.Start()
	t.Cleanup(func() {
		w.CloseClientConnections()
		w.Close()
		if len(w.replies) > 0 {
			t.Errorf("%d replies were not asked for", len(w.replies))
		}
	})
	return w
}

func (s *wire) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body any
	text, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // whoever asked has given up
	}
	if err := json.Unmarshal(text, &body); err != nil {
		s.t.Errorf("request %s: %v", text, err)
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	s.mu.Lock()
	s.requests = append(s.requests, request{operation, body})
	var next reply
	if len(s.replies) > 0 {
		next, s.replies = s.replies[0], s.replies[1:]
	}
	s.mu.Unlock()
	if next == nil {
		s.t.Errorf("one request too many: %s %s", operation, text)
		next = failing(400, "ValidationException", "too many")
	}
	next(w, r)
}

// sent returns the requests so far.
func (s *wire) sent() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// wantSent compares a request with its operation and JSON.
func (s *wire) wantSent(n int, operation, body string) {
	s.t.Helper()
	if len(s.sent()) <= n {
		s.t.Fatalf("%d requests were sent", len(s.sent()))
	}
	got := s.sent()[n]
	if diff := cmp.Diff(request{operation, decoded(s.t, body)}, got); diff != "" {
		s.t.Fatalf("request %d (-want +got):\n%s", n, diff)
	}
}

func decoded(t testing.TB, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// ok is an answer of success.
func ok(body string, args ...any) reply {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = fmt.Fprintf(w, body, args...)
	}
}

// failing is an answer of an error; more are further members of its JSON.
func failing(status int, code, message string, more ...string) reply {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":%q%s}`, code, message, strings.Join(append([]string{""}, more...), ","))
	}
}

// silent never answers.
func silent(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// dropped reads the request and closes the connection.
func dropped(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// broken closes the connection in the middle of the answer.
func broken(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `{"Cons`)
	panic(http.ErrAbortHandler)
}

var (
	throttled = failing(400, "ProvisionedThroughputExceededException", "slow down")
	down      = failing(500, "InternalServerError", "try again")
)

var meta = driver.Key{Partition: "RUN#1", Sort: "META"}

const metaKey = `"pk":{"S":"RUN#1"},"sk":{"S":"META"}`

// mine and other are items as DynamoDB returns them.
const (
	mine  = `{` + metaKey + `,"version":{"N":"2"},"data":{"M":{"owner":{"S":"me"}}}}`
	other = `{` + metaKey + `,"version":{"N":"7"},"data":{"M":{"owner":{"S":"you"}}}}`
)

func row(version int64) driver.Item {
	return driver.Item{Key: meta, Version: version, Data: []byte(`{"owner":"me"}`)}
}

func wantCode(t testing.TB, err error, code fault.Code, words ...string) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Fatalf("error is %q (%v), want %q", fault.CodeOf(err), err, code)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
}

// wantConflict checks for a conflict with an item of that version; 0: with none.
func wantConflict(t testing.TB, err error, key driver.Key, version int64) {
	t.Helper()
	wantCode(t, err, fault.Conflict)
	conflict, isConflict := err.(*driver.ConflictError)
	switch {
	case !isConflict || conflict.Key != key:
		t.Fatalf("error is %#v, want a conflict on %s", err, key)
	case version == 0 && conflict.Stored != nil, version != 0 && (conflict.Stored == nil || conflict.Stored.Version != version):
		t.Fatalf("conflict with %+v, want version %d", conflict.Stored, version)
	}
}
