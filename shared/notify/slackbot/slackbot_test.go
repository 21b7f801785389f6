package slackbot_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"waggle/shared/notify"
	"waggle/shared/notify/notifytest"
	"waggle/shared/notify/slackbot"
	"waggle/shared/secret"
)

const token = "xoxb-SECRET-token"

func setup(t *testing.T, steps ...notifytest.Step) (*notifytest.Web, *slackbot.Sender) {
	t.Helper()
	server := notifytest.NewWeb(t, steps...)
	return server, slackbot.New(secret.New(token), "C1", &slackbot.Options{API: server.URL + "/api/"})
}

func arguments(t *testing.T, r notifytest.Request) map[string]any {
	t.Helper()
	if r.Header.Get("Authorization") != "Bearer "+token {
		t.Errorf("authorization is %q", r.Header.Get("Authorization"))
	}
	var args map[string]any
	if err := json.Unmarshal(r.Body, &args); err != nil {
		t.Fatal(err)
	}
	return args
}

const taken = `{"ok":true,"channel":"C0REAL","ts":"1700000000.000100"}`

var content = notify.Content{Line: "FAILED gallery: 3 steps", Text: "sales_raw\nartworks_raw"}

func TestAMessageOpensAThreadWhichIsEditedAndRepliedTo(t *testing.T) {
	t.Parallel()
	server, bot := setup(t, notifytest.Reply(200, taken), notifytest.Reply(200, taken), notifytest.Reply(200, `{"ok":true,"channel":"C0REAL","ts":"1700000009.000100"}`))
	first := bot.Send(t.Context(), "a", content, notify.Thread{})
	if first.Kind != notify.Sent || first.Ref != "C0REAL/1700000000.000100" {
		t.Fatalf("%+v", first)
	}
	edit := bot.Send(t.Context(), "b", content, notify.Thread{Root: first.Ref, Edit: true})
	reply := bot.Send(t.Context(), "c", notify.Content{Line: "RESOLVED gallery after 2 h"}, notify.Thread{Root: first.Ref, Broadcast: true})
	if edit.Kind != notify.Sent || edit.Reason != notify.ReasonEdited || edit.Ref != first.Ref || reply.Kind != notify.Sent || reply.Ref == first.Ref {
		t.Errorf("edit %+v, reply %+v", edit, reply)
	}
	got := server.Take()
	if len(got) != 3 || got[0].Path != "/api/chat.postMessage" || got[1].Path != "/api/chat.update" || got[2].Path != "/api/chat.postMessage" {
		t.Fatalf("%v", got)
	}
	if a := arguments(t, got[0]); a["channel"] != "C1" || a["thread_ts"] != nil || a["text"] != content.Line || len(a["blocks"].([]any)) != 1 {
		t.Errorf("post %v", a)
	}
	if a := arguments(t, got[1]); a["channel"] != "C0REAL" || a["ts"] != "1700000000.000100" {
		t.Errorf("update %v", a)
	}
	if a := arguments(t, got[2]); a["thread_ts"] != "1700000000.000100" || a["reply_broadcast"] != true || a["blocks"] != nil {
		t.Errorf("reply %v", a)
	}
}

func TestAnEditWithoutBlocksTakesThoseOfBeforeAway(t *testing.T) {
	t.Parallel()
	server, bot := setup(t, notifytest.Reply(200, taken))
	_ = bot.Send(t.Context(), "a", notify.Content{Line: "RESOLVED gallery"}, notify.Thread{Root: "C1/1.2", Edit: true})
	if blocks, ok := arguments(t, server.One())["blocks"].([]any); !ok || len(blocks) != 0 {
		t.Errorf("blocks %v", blocks)
	}
}

func TestWhatCanNoLongerBeEditedOrRepliedToIsPostedAnew(t *testing.T) {
	t.Parallel()
	for word, thread := range map[string]notify.Thread{
		"message_not_found":  {Root: "C9/1.2", Edit: true},
		"edit_window_closed": {Root: "C9/1.2", Edit: true},
		"thread_not_found":   {Root: "C9/1.2"},
	} {
		server, bot := setup(t, notifytest.Reply(200, `{"ok":false,"error":"`+word+`"}`), notifytest.Reply(200, taken))
		if a := bot.Send(t.Context(), "a", content, thread); a.Kind != notify.Sent || a.Reason != notify.ReasonTaken || a.Ref != "C0REAL/1700000000.000100" {
			t.Errorf("%s: %+v", word, a)
		}
		got := server.Take()
		if a := arguments(t, got[1]); len(got) != 2 || a["channel"] != "C1" || a["thread_ts"] != nil || a["ts"] != nil {
			t.Errorf("%s: %v", word, a)
		}
	}
}

func TestWhatSlackSaysDecidesWhatFollows(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]notify.Answer{
		`{"ok":false,"error":"invalid_auth"}`:      {Kind: notify.Park, Reason: notify.ReasonDenied},
		`{"ok":false,"error":"token_revoked"}`:     {Kind: notify.Park, Reason: notify.ReasonDenied},
		`{"ok":false,"error":"not_in_channel"}`:    {Kind: notify.Park, Reason: notify.ReasonDenied},
		`{"ok":false,"error":"channel_not_found"}`: {Kind: notify.Park, Reason: notify.ReasonGone},
		`{"ok":false,"error":"invalid_blocks"}`:    {Kind: notify.Smaller, Reason: notify.ReasonRefused},
		`{"ok":false,"error":"msg_too_long"}`:      {Kind: notify.Smaller, Reason: notify.ReasonTooLarge},
		`{"ok":false,"error":"ratelimited"}`:       {Kind: notify.Retry, Reason: notify.ReasonRateLimited},
		`{"ok":false,"error":"fatal_error"}`:       {Kind: notify.Retry, Reason: notify.ReasonServerError, Ambiguous: true},
		`{"ok":false,"error":"brand_new_error"}`:   {Kind: notify.Park, Reason: notify.ReasonRejected},
		`<html>a proxy`:                            {Kind: notify.Retry, Reason: notify.ReasonServerError, Ambiguous: true},
	} {
		server, bot := setup(t, notifytest.Reply(200, body))
		a := bot.Send(t.Context(), "a", content, notify.Thread{})
		_ = server.One()
		if !strings.Contains(a.Error, body) {
			t.Errorf("%s: the error is %q", body, a.Error)
		}
		if a.Kind != want.Kind || a.Reason != want.Reason || a.Ambiguous != want.Ambiguous {
			t.Errorf("%s: %+v", body, a)
		}
	}
	server, bot := setup(t, notifytest.Reply(429, `{"ok":false,"error":"ratelimited"}`, "Retry-After", "7"))
	if a := bot.Send(t.Context(), "a", content, notify.Thread{}); a.Kind != notify.Retry || a.After != 7*time.Second {
		t.Errorf("%+v", a)
	}
	_ = server.One()
}

func TestTheTokenIsInNoError(t *testing.T) {
	t.Parallel()
	server, bot := setup(t, notifytest.Reply(500, "bad header Bearer "+token))
	if a := bot.Send(t.Context(), "a", content, notify.Thread{}); notifytest.Leaks(a.Error) || !strings.Contains(a.Error, "[masked]") {
		t.Errorf("%q", a.Error)
	}
	_ = server.One()
}
