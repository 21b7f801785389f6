package plainbody_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"waggle/shared/plainbody"
)

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

func TestABodyCanOnlyBeRead(t *testing.T) {
	t.Parallel()
	sent := errors.New("sent")
	client := plainbody.Client{Doer: doer(func(r *http.Request) (*http.Response, error) {
		if _, ok := r.Body.(io.WriterTo); ok {
			t.Error("net/http may ask it to write itself")
		}
		if data, err := io.ReadAll(r.Body); string(data) != "body" || err != nil || r.ContentLength != 4 {
			t.Errorf("%q of %d bytes, %v", data, r.ContentLength, err)
		}
		return nil, sent
	})}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Body.(io.WriterTo); !ok {
		t.Fatal("nothing to take away")
	}
	if _, err := client.Do(r); !errors.Is(err, sent) {
		t.Error(err)
	}
}

func TestNoBodyStaysNone(t *testing.T) {
	t.Parallel()
	client := plainbody.Client{Doer: doer(func(r *http.Request) (*http.Response, error) {
		if r.Body != http.NoBody {
			t.Errorf("%T", r.Body)
		}
		return nil, nil
	})}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(r); err != nil {
		t.Error(err)
	}
	client.CloseIdleConnections() // of another client: nothing
}
