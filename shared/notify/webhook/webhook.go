// Package webhook posts messages as JSON to a program of yours, signed as https://www.standardwebhooks.com says, so that
// libraries in most languages verify them.
//
//	POST /your/path
//	Content-Type: application/json; charset=utf-8
//	Idempotency-Key: the message's key; the same for every try
//	Webhook-Id: the same
//	Webhook-Timestamp: 1782086400
//	Webhook-Signature: v1,base64 of HMAC-SHA256(key, id + "." + timestamp + "." + body)
//
//	{"version": 1, "id": "...", "line": "FAILED gallery: 3 steps", "subject": "...", "text": "...", "report": {...}}
//
// Any status of 2xx means taken. 429 and 503 with Retry-After slow the channel down, 413, 400 and 422 ask for a smaller
// message, 401, 403, 404 and 410 park the channel. It imports notify, httppost and secret of ours.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"waggle/shared/notify"
	"waggle/shared/notify/httppost"
	"waggle/shared/secret"
)

// Version is of the body's form. Fields may be added; any other change counts it up.
const Version = 1

// Body is what is posted.
type Body struct {
	Version int    `json:"version"`
	ID      string `json:"id"`   // the message's key
	Line    string `json:"line"` // state, subject, one number
	Subject string `json:"subject"`
	Text    string `json:"text"`
	// Markdown is GitHub's.
	Markdown string `json:"markdown,omitempty"`
	// Report is for programs; a plain message has none.
	Report json.RawMessage `json:"report,omitempty"`
	// Thread is what the message follows, by ids.
	Thread *notify.Thread `json:"thread,omitempty"`
	// Attachments are files that go with mails, with their data (base64) where all of them are 1 MB at most.
	Attachments []Attachment `json:"attachments,omitempty"`
	Footer      string       `json:"footer,omitempty"`
}

// Attachment is a file.
type Attachment struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type,omitempty"`
	Bytes       int    `json:"bytes"`
	Data        []byte `json:"data,omitempty"`
}

const maxData = 1 << 20

// Sender posts to one URL. Safe for several goroutines.
type Sender struct {
	url, key secret.Value
	client   *httppost.Client
	now      func() time.Time
}

// New returns a sender to a URL. key signs; the zero value does not. A key that begins with whsec_ is base64 after it, any
// other is taken as it is. now is the clock of signatures.
func New(url, key secret.Value, now func() time.Time, opts *httppost.Options) *Sender {
	s := &Sender{url, key, httppost.New(opts), now}
	s.client.Mask(url)
	s.client.Mask(key)
	return s
}

// Send posts a message.
func (s *Sender) Send(ctx context.Context, key string, c notify.Content, t notify.Thread) notify.Answer {
	c = c.Filled()
	b := Body{Version: Version, ID: key, Line: c.Line, Subject: c.Subject, Text: c.Text, Markdown: c.Markdown, Report: c.JSON, Footer: c.Footer}
	if t != (notify.Thread{}) {
		b.Thread = &t
	}
	total := 0
	for _, a := range c.Attachments {
		total += len(a.Data)
	}
	for _, a := range c.Attachments {
		file := Attachment{Name: notify.Clean(a.Name), ContentType: a.ContentType, Bytes: len(a.Data)}
		if total <= maxData {
			file.Data = a.Data
		}
		b.Attachments = append(b.Attachments, file)
	}
	body, err := json.Marshal(b)
	if err != nil {
		return notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonRefused, Error: notify.ErrorText("not sent: "+err.Error(), nil)}
	}
	header := http.Header{"Idempotency-Key": {key}, "Webhook-Id": {key}, "Webhook-Timestamp": {strconv.FormatInt(s.now().Unix(), 10)}}
	if !s.key.IsZero() {
		header.Set("Webhook-Signature", "v1,"+sign(s.key, key, header.Get("Webhook-Timestamp"), body))
	}
	res, answer := s.client.Post(ctx, s.url, header, body)
	if res == nil {
		return answer
	}
	if res.OK() {
		return notify.Answer{Kind: notify.Sent, Reason: notify.ReasonTaken, Ref: key}
	}
	return s.client.Failed(res)
}

func sign(key secret.Value, id, timestamp string, body []byte) string {
	raw := []byte(key.Reveal())
	if encoded, ok := strings.CutPrefix(key.Reveal(), "whsec_"); ok {
		if decoded, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			raw = decoded
		}
	}
	mac := hmac.New(sha256.New, raw)
	_, _ = mac.Write([]byte(id + "." + timestamp + "."))
	_, _ = mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Tolerance is how old, or how far ahead, a timestamp may be that Verify accepts.
const Tolerance = 5 * time.Minute

// Verify is for who receives: it reports a body that was not signed with key, or too long before or after now. Without it
// anybody who knows the URL can post.
func Verify(key secret.Value, header http.Header, body []byte, now time.Time) error {
	if key.IsZero() {
		return errors.New("no key to verify with")
	}
	id, timestamp := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return errors.New("header Webhook-Timestamp is no time")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > Tolerance || age < -Tolerance {
		return errors.New("header Webhook-Timestamp is too far from now")
	}
	want := []byte(sign(key, id, timestamp, body))
	for signature := range strings.FieldsSeq(header.Get("Webhook-Signature")) { // several while a key is exchanged
		if got, ok := strings.CutPrefix(signature, "v1,"); ok && hmac.Equal([]byte(got), want) {
			return nil
		}
	}
	return errors.New("header Webhook-Signature does not fit the body")
}
