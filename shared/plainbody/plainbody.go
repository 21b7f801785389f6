// Package plainbody keeps net/http from closing connections under the AWS SDK's requests. Whoever makes a client of AWS
// wraps its HTTP client.
//
// It imports nothing of ours.
package plainbody

import (
	"io"
	"net/http"
)

// Doer sends requests, as *http.Client and the SDK's own clients do.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Client sends bodies that can only be read. The SDK closes a body as soon as the answer begins, while net/http may
// still look whether the body has ended. The SDK's body, asked by WriteTo, then returns io.EOF (smithy-go 1.28.8), which is no
// end there but an error, and net/http closes the connection under the answer: with a server on the same machine
// several in a hundred requests, tried again for nothing, and where nothing is tried again, failed. Asked by Read it ends.
type Client struct{ Doer }

// Do implements Doer.
func (c Client) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.Doer.Do(r)
}

// CloseIdleConnections closes those of an *http.Client.
func (c Client) CloseIdleConnections() {
	if own, ok := c.Doer.(*http.Client); ok {
		own.CloseIdleConnections()
	}
}
