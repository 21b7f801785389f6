// Package httppost posts a message to a web server once, and turns what goes wrong into an answer: the part that
// is the same for Slack and for webhooks.
//
// It imports notify and secret of ours.
package httppost

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"waggle/shared/notify"
	"waggle/shared/secret"
)

// Timeout is how long a post may take in all, answer included.
const Timeout = 10 * time.Second

// bodyLimit is how much of an answer is read.
const bodyLimit = 64 << 10

// Options are the optional parts of a Client. The zero value and nil mean all defaults.
type Options struct {
	// Timeout defaults to Timeout.
	Timeout time.Duration
	// RootCAs verify servers. Nil: the system's.
	RootCAs *x509.CertPool
	// Masker takes secrets out of errors. Nil: only those of the request are.
	Masker *secret.Masker
	// Now is the clock that dates in answers are read by. Nil: time.Now.
	Now func() time.Time
}

// Client posts. Safe for several goroutines.
type Client struct {
	http   *http.Client
	limit  time.Duration
	masker *secret.Masker
	now    func() time.Time
}

// New returns a client. It follows no redirects, since those turn a post into a get, and honours HTTPS_PROXY.
func New(opts *Options) *Client {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Timeout == 0 {
		o.Timeout = Timeout
	}
	if o.Masker == nil {
		o.Masker = secret.NewMasker()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12}
	return &Client{
		http:  &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		limit: o.Timeout, masker: o.Masker, now: o.Now,
	}
}

// Mask has the client take a secret out of every error.
func (c *Client) Mask(v secret.Value) { c.masker.Add(v) }

// Response is what a server answered.
type Response struct {
	Status int
	Body   []byte // its first 64 KB
	Header http.Header
}

// OK reports whether the server took the post.
func (r Response) OK() bool { return r.Status >= 200 && r.Status < 300 }

// Post sends body once. Where there is no answer, answer says so and response is nil; a response of any status has none.
func (c *Client) Post(ctx context.Context, url secret.Value, header http.Header, body []byte) (response *Response, answer notify.Answer) {
	limited, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	var written atomic.Bool // has the whole request left?
	trace := httptrace.WithClientTrace(limited, &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { written.Store(false) },
		WroteRequest: func(info httptrace.WroteRequestInfo) { written.Store(info.Err == nil) },
	})
	req, err := http.NewRequestWithContext(trace, http.MethodPost, url.Reveal(), bytes.NewReader(body))
	if err != nil {
		return nil, notify.Answer{Kind: notify.Park, Reason: notify.ReasonRejected, Error: c.text("the URL of the channel cannot be read")}
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "Waggle")
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unanswered(ctx, err, written.Load())
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, bodyLimit))
	if err != nil && res.StatusCode >= 200 && res.StatusCode < 300 {
		return nil, c.unanswered(ctx, fmt.Errorf("status %d, and the answer broke off: %w", res.StatusCode, err), true)
	}
	return &Response{res.StatusCode, text, res.Header}, notify.Answer{}
}

// unanswered is the answer where the server gave none.
func (c *Client) unanswered(ctx context.Context, err error, written bool) notify.Answer {
	a := notify.Answer{Kind: notify.Retry, Reason: notify.ReasonNoAnswer, Ambiguous: written}
	var unverified *tls.CertificateVerificationError
	switch {
	case errors.As(err, &unverified):
		a = notify.Answer{Kind: notify.Park, Reason: notify.ReasonTLS}
	case errors.Is(ctx.Err(), context.Canceled):
		a.Reason = notify.ReasonCanceled
	case written && !errors.Is(err, context.DeadlineExceeded):
		a.Reason = notify.ReasonCutOff
	}
	text := err.Error()
	if errors.Is(err, context.DeadlineExceeded) {
		text = fmt.Sprintf("no answer within %s: %s", c.limit, text)
	}
	a.Error = c.text(text)
	return a
}

// Failed is the answer to a status that is not 2xx, as far as the status alone says it.
func (c *Client) Failed(r *Response) notify.Answer {
	a := notify.Answer{Error: c.Said(r)}
	switch s := r.Status; {
	case s == http.StatusTooManyRequests:
		a.Kind, a.Reason, a.After = notify.Retry, notify.ReasonRateLimited, c.after(r.Header)
	case s == http.StatusRequestTimeout || s == http.StatusTooEarly:
		a.Kind, a.Reason, a.After = notify.Retry, notify.ReasonServerError, c.after(r.Header)
	case s >= 500:
		// A gateway's 502 or 504, and a 500 halfway through, may come after the message was taken; a 503 is a refusal.
		a.Kind, a.Reason, a.After = notify.Retry, notify.ReasonServerError, c.after(r.Header)
		a.Ambiguous = s != http.StatusServiceUnavailable
	case s == http.StatusRequestEntityTooLarge:
		a.Kind, a.Reason = notify.Smaller, notify.ReasonTooLarge
	case s == http.StatusBadRequest || s == http.StatusUnprocessableEntity:
		a.Kind, a.Reason = notify.Smaller, notify.ReasonRefused
	case s == http.StatusNotFound || s == http.StatusGone:
		a.Kind, a.Reason = notify.Park, notify.ReasonGone
	case s == http.StatusUnauthorized || s == http.StatusForbidden || s == http.StatusProxyAuthRequired:
		a.Kind, a.Reason = notify.Park, notify.ReasonDenied
	default:
		a.Kind, a.Reason = notify.Park, notify.ReasonRejected
	}
	return a
}

// Said is a response for people: "429 Too Many Requests: slow down".
func (c *Client) Said(r *Response) string {
	text := strconv.Itoa(r.Status) + " " + http.StatusText(r.Status)
	if to := r.Header.Get("Location"); to != "" && r.Status >= 300 && r.Status < 400 {
		text += " to " + to
	}
	if len(bytes.TrimSpace(r.Body)) > 0 {
		text += ": " + string(r.Body)
	}
	return c.text(strings.TrimSpace(text))
}

func (c *Client) text(text string) string { return notify.ErrorText(text, c.masker) }

// maxAfter bounds what a server may ask for, so that a slip of theirs does not silence a channel for years.
const maxAfter = time.Hour

// after reads Retry-After: seconds, or a date.
func (c *Client) after(h http.Header) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0
	}
	wait := time.Duration(0)
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 {
		wait = maxAfter
		if seconds < maxAfter.Seconds() {
			wait = time.Duration(seconds * float64(time.Second))
		}
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(c.now())
	}
	return min(max(wait, 0), maxAfter)
}
