package eventbridge_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"waggle/shared/event"
	"waggle/shared/eventbus/eventbridge"
	"waggle/shared/fault"
	"waggle/shared/run"
)

// wire is a server in EventBridge's place. It gives one reply after another, the last one again and again, and keeps the ids of the events
// of each request.
type wire struct {
	*httptest.Server
	t testing.TB

	mu       sync.Mutex
	replies  []reply
	requests []request
}

// request is one as it came.
type request struct {
	Operation string
	Name      string // of DescribeEventBus
	Entries   []struct {
		EventBusName, Source, DetailType, Detail string
		Time                                     float64
	}
}

// ids are those of the events in it, joined.
func (r request) ids() string {
	var ids []string
	for _, e := range r.Entries {
		var d event.Event
		_ = json.Unmarshal([]byte(e.Detail), &d)
		ids = append(ids, d.ID)
	}
	return strings.Join(ids, " ")
}

type reply func(w http.ResponseWriter, r *http.Request, in request)

// setup serves the replies and opens a publisher on them.
func setup(t testing.TB, opts *eventbridge.Options, replies ...reply) (*wire, *eventbridge.Publisher) {
	t.Helper()
	w := newWire(t, replies...)
	var o eventbridge.Options
	if opts != nil {
		o = *opts
	}
	o.Config, o.SkipCheck = w.config(), true
	p, err := eventbridge.Open(t.Context(), "waggle-test", &o)
	if err != nil {
		t.Fatal(err)
	}
	return w, p
}

func newWire(t testing.TB, replies ...reply) *wire {
	w := &wire{t: t, replies: replies}
	w.Server = httptest.NewServer(w)
	t.Cleanup(func() {
		w.CloseClientConnections()
		w.Close()
	})
	return w
}

func (w *wire) config() *aws.Config { return connection(w.URL) }

// connection is for a server on this machine. Nothing comes from the environment.
func connection(endpoint string) *aws.Config {
	return &aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

func (w *wire) ServeHTTP(answer http.ResponseWriter, r *http.Request) {
	var in request
	text, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // whoever asked has given up
	}
	if err := json.Unmarshal(text, &in); err != nil {
		w.t.Errorf("request %s: %v", text, err)
	}
	_, in.Operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.mu.Lock()
	w.requests = append(w.requests, in)
	next := w.replies[0]
	if len(w.replies) > 1 {
		w.replies = w.replies[1:]
	}
	w.mu.Unlock()
	answer.Header().Set("Content-Type", "application/x-amz-json-1.1")
	next(answer, r, in)
}

// sent are the ids of the events in each request.
func (w *wire) sent() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, r := range w.requests {
		all = append(all, r.ids())
	}
	return all
}

// taken takes every event but those of the ids, with an error code each: "3 ThrottlingException".
func taken(but ...string) reply {
	return func(w http.ResponseWriter, _ *http.Request, in request) {
		entries, failed := make([]string, len(in.Entries)), 0
		ids := strings.Fields(in.ids())
		for i, id := range ids {
			entries[i] = fmt.Sprintf(`{"EventId": "%s"}`, id)
			for _, refused := range but {
				if which, code, _ := strings.Cut(refused, " "); which == id {
					failed++
					entries[i] = fmt.Sprintf(`{"ErrorCode": %q, "ErrorMessage": "no"}`, code)
				}
			}
		}
		_, _ = fmt.Fprintf(w, `{"FailedEntryCount": %d, "Entries": [%s]}`, failed, strings.Join(entries, ", "))
	}
}

// failing is an answer of an error.
func failing(status int, code string) reply {
	return func(w http.ResponseWriter, _ *http.Request, _ request) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"__type": %q, "message": "as it says"}`, code)
	}
}

// silent never answers.
func silent(_ http.ResponseWriter, r *http.Request, _ request) { <-r.Context().Done() }

// dropped closes the connection without an answer.
func dropped(http.ResponseWriter, *http.Request, request) { panic(http.ErrAbortHandler) }

// garbled breaks off in the middle of the answer.
func garbled(w http.ResponseWriter, _ *http.Request, _ request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `{"Failed`)
	panic(http.ErrAbortHandler)
}

// events have the ids 1 to n.
func events(n int) []event.Event {
	list := make([]event.Event, n)
	for i := range list {
		list[i] = event.Event{ID: fmt.Sprint(i + 1), Type: event.RunStatus, Time: time.Date(2026, 7, 1, 1, 0, i, 0, time.UTC), Run: "0199f3c2-1a2b-7c3d-8e4f-5a6b7c8d9e0f", Seq: int64(i + 1),
			Status: run.Started}
	}
	return list
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
