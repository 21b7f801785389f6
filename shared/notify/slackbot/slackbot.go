// Package slackbot sends to a Slack channel with a bot's token: chat.postMessage, chat.update and threads.
//
// It imports notify, httppost, slackmessage and secret of ours.
package slackbot

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

// DefaultAPI is Slack's.
const DefaultAPI = "https://slack.com/api"

// Options are the optional parts of a Sender. The zero value and nil mean all defaults.
type Options struct {
	// API is where the methods are. Defaults to DefaultAPI; https://slack-gov.com/api for GovSlack.
	API string
	// HTTP is how to post.
	HTTP httppost.Options
}

// Sender posts to one Slack channel. Safe for several goroutines.
type Sender struct {
	token   secret.Value
	channel string
	api     string
	client  *httppost.Client
}

// New returns a sender with a token (xoxb-) to a Slack channel's id.
func New(token secret.Value, channel string, opts *Options) *Sender {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.API == "" {
		o.API = DefaultAPI
	}
	s := &Sender{token, channel, strings.TrimSuffix(o.API, "/"), httppost.New(&o.HTTP)}
	s.client.Mask(token)
	return s
}

// call is the arguments of chat.postMessage and chat.update.
type call struct {
	slackmessage.Payload
	Channel        string `json:"channel"`
	TS             string `json:"ts,omitempty"`        // of the message to edit
	ThreadTS       string `json:"thread_ts,omitempty"` // of the message to reply to
	ReplyBroadcast bool   `json:"reply_broadcast,omitempty"`
	UnfurlLinks    bool   `json:"unfurl_links"`
	UnfurlMedia    bool   `json:"unfurl_media"`
}

// said is the answer of every method.
type said struct {
	OK       bool            `json:"ok"`
	Error    string          `json:"error"`
	Channel  string          `json:"channel"`
	TS       string          `json:"ts"`
	Metadata json.RawMessage `json:"response_metadata"`
}

// Send posts a message, edits the root of the thread, or replies below it. What can no longer be edited or replied to,
// as somebody deleted it, is posted anew; the answer's Ref then is another one than the thread's root.
//
// The Ref of a message is "channel/timestamp", both Slack's.
func (s *Sender) Send(ctx context.Context, _ string, c notify.Content, t notify.Thread) notify.Answer {
	p, err := slackmessage.Of(c)
	if err != nil {
		return notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonTooLarge, Error: notify.ErrorText("not sent: "+err.Error(), nil)}
	}
	fresh := call{Payload: p, Channel: s.channel}
	channel, ts, found := strings.Cut(t.Root, "/")
	if !found || ts == "" {
		answer, _ := s.call(ctx, "chat.postMessage", fresh)
		return answer
	}
	follow, method := call{Payload: p, Channel: channel, ThreadTS: ts, ReplyBroadcast: t.Broadcast}, "chat.postMessage"
	if t.Edit {
		follow, method = call{Payload: p, Channel: channel, TS: ts}, "chat.update"
		if len(p.Blocks) == 0 {
			follow.Blocks = json.RawMessage("[]") // else the blocks of before stay
		}
	}
	answer, word := s.call(ctx, method, follow)
	if lostRoot[word] {
		answer, _ = s.call(ctx, "chat.postMessage", fresh)
	} else if t.Edit && answer.Kind == notify.Sent {
		answer.Reason = notify.ReasonEdited
	}
	return answer
}

// Edits reports that messages can be edited.
func (s *Sender) Edits() bool { return true }

// lostRoot are the words for a message that cannot be edited or replied to any more.
var lostRoot = map[string]bool{"message_not_found": true, "thread_not_found": true, "cant_update_message": true, "edit_window_closed": true, "invalid_thread_ts": true,
	"cannot_reply_to_message": true}

// call calls a method, and returns Slack's word for what went wrong.
func (s *Sender) call(ctx context.Context, method string, args call) (notify.Answer, string) {
	body, err := json.Marshal(args)
	if err != nil {
		return notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonRefused, Error: notify.ErrorText(err.Error(), nil)}, ""
	}
	header := http.Header{"Authorization": {"Bearer " + s.token.Reveal()}}
	res, answer := s.client.Post(ctx, secret.New(s.api+"/"+method), header, body)
	if res == nil {
		return answer, ""
	}
	if !res.OK() {
		return s.client.Failed(res), ""
	}
	var got said
	if err := json.Unmarshal(res.Body, &got); err != nil {
		return notify.Answer{Kind: notify.Retry, Reason: notify.ReasonServerError, Ambiguous: true, Error: s.client.Said(res)}, ""
	}
	if got.OK {
		return notify.Answer{Kind: notify.Sent, Reason: notify.ReasonTaken, Ref: got.Channel + "/" + got.TS}, ""
	}
	kind, reason, known := slackmessage.Meaning(got.Error)
	if !known {
		kind, reason = notify.Park, notify.ReasonRejected
	}
	return notify.Answer{Kind: kind, Reason: reason, Error: s.client.Said(res), Ambiguous: slackmessage.Unclear(got.Error)}, got.Error
}
