// Package slackwebhook sends to Slack by an incoming webhook: one URL, one Slack channel. A webhook never says what
// it called the message, so there are no edits and no threads: what follows a message is a message of its own.
//
// It imports notify, httppost, slackmessage and secret of ours.
package slackwebhook

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"waggle/shared/notify"
	"waggle/shared/notify/httppost"
	"waggle/shared/notify/slackmessage"
	"waggle/shared/secret"
)

// Sender posts to one webhook. Safe for several goroutines.
type Sender struct {
	url    secret.Value
	client *httppost.Client
}

// New returns a sender to a webhook's URL.
func New(url secret.Value, opts *httppost.Options) *Sender {
	s := &Sender{url, httppost.New(opts)}
	s.client.Mask(url)
	return s
}

// payload is what a webhook takes.
type payload struct {
	slackmessage.Payload
	UnfurlLinks bool `json:"unfurl_links"` // false: a link in an error is no invitation to show its page
	UnfurlMedia bool `json:"unfurl_media"`
}

// Send posts a message. The key and the thread are not sent: Slack has no place for either.
func (s *Sender) Send(ctx context.Context, _ string, c notify.Content, _ notify.Thread) notify.Answer {
	p, err := slackmessage.Of(c)
	if err != nil {
		return notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonTooLarge, Error: notify.ErrorText("not sent: "+err.Error(), nil)}
	}
	body, err := json.Marshal(payload{Payload: p})
	if err != nil {
		return notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonRefused, Error: notify.ErrorText(err.Error(), nil)}
	}
	res, answer := s.client.Post(ctx, s.url, http.Header{}, body)
	if res == nil {
		return answer
	}
	word, _, _ := strings.Cut(strings.TrimSpace(string(res.Body)), "\n")
	if res.OK() && (word == "ok" || word == "") {
		return notify.Answer{Kind: notify.Sent, Reason: notify.ReasonTaken}
	}
	// Slack answers some errors with 200, so the word counts before the status.
	answer = s.client.Failed(res)
	if kind, reason, known := slackmessage.Meaning(word); known && res.Status != http.StatusTooManyRequests {
		answer.Kind, answer.Reason, answer.Ambiguous = kind, reason, slackmessage.Unclear(word)
	} else if res.OK() {
		answer.Kind, answer.Reason = notify.Park, notify.ReasonRejected // something else than Slack is at this URL
	}
	return answer
}
