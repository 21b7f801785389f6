package webhook_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"waggle/shared/notify"
	"waggle/shared/notify/notifytest"
	"waggle/shared/notify/webhook"
	"waggle/shared/secret"
)

var now = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

var key = secret.New("whsec_c2VjcmV0IFNFQ1JFVA==")

func setup(t *testing.T, key secret.Value, steps ...notifytest.Step) (*notifytest.Web, *webhook.Sender) {
	t.Helper()
	server := notifytest.NewWeb(t, steps...)
	return server, webhook.New(secret.New(server.URL+notifytest.Secret), key, func() time.Time { return now }, nil)
}

func TestAPostIsVersionedSignedAndTheSameOnEveryTry(t *testing.T) {
	t.Parallel()
	server, s := setup(t, key, notifytest.Reply(500, ""), notifytest.Reply(204, ""))
	c := notify.Content{Line: "FAILED gallery: 3", Subject: "[Waggle] gallery failed", Text: "why", Markdown: "**why**", JSON: json.RawMessage(`{"kind":"failure","n":3}`),
		Footer: "You get this because", Attachments: []notify.Attachment{{Name: "a.json", Data: []byte("{}")}}}
	thread := notify.Thread{Root: "first"}
	if a := s.Send(t.Context(), "run#7", c, thread); a.Kind != notify.Retry {
		t.Errorf("%+v", a)
	}
	if a := s.Send(t.Context(), "run#7", c, thread); a.Kind != notify.Sent || a.Ref != "run#7" {
		t.Errorf("%+v", a)
	}
	got := server.Take()
	if len(got) != 2 || string(got[0].Body) != string(got[1].Body) {
		t.Fatalf("%d requests", len(got))
	}
	r := got[1]
	if r.Header.Get("Idempotency-Key") != "run#7" || r.Header.Get("Webhook-Timestamp") != "1795312800" {
		t.Errorf("%v", r.Header)
	}
	var b webhook.Body
	if err := json.Unmarshal(r.Body, &b); err != nil {
		t.Fatal(err)
	}
	if b.Version != 1 || b.ID != "run#7" || b.Line != c.Line || b.Subject != c.Subject || b.Text != "why" || string(b.Report) != `{"kind":"failure","n":3}` ||
		b.Thread.Root != "first" || b.Footer == "" || len(b.Attachments) != 1 || string(b.Attachments[0].Data) != "{}" {
		t.Errorf("%s", r.Body)
	}
	if err := webhook.Verify(key, r.Header, r.Body, now.Add(time.Minute)); err != nil {
		t.Error(err)
	}
}

func TestASignatureHoldsForItsBodyKeyAndTimeAlone(t *testing.T) {
	t.Parallel()
	server, s := setup(t, key, notifytest.Reply(200, ""))
	_ = s.Send(t.Context(), "k", notify.Content{Line: "x"}, notify.Thread{})
	r := server.One()
	with := func(name, value string) http.Header { h := r.Header.Clone(); h.Set(name, value); return h }
	for name, err := range map[string]error{
		"another body":    webhook.Verify(key, r.Header, append(r.Body, ' '), now),
		"another key":     webhook.Verify(secret.New("other"), r.Header, r.Body, now),
		"no key":          webhook.Verify(secret.Value{}, r.Header, r.Body, now),
		"too late":        webhook.Verify(key, r.Header, r.Body, now.Add(6*time.Minute)),
		"too early":       webhook.Verify(key, r.Header, r.Body, now.Add(-6*time.Minute)),
		"another time":    webhook.Verify(key, with("Webhook-Timestamp", "1795312801"), r.Body, now),
		"another id":      webhook.Verify(key, with("Webhook-Id", "l"), r.Body, now),
		"no signature":    webhook.Verify(key, with("Webhook-Signature", ""), r.Body, now),
		"another version": webhook.Verify(key, with("Webhook-Signature", "v2"+r.Header.Get("Webhook-Signature")[2:]), r.Body, now),
		"no time":         webhook.Verify(key, with("Webhook-Timestamp", "now"), r.Body, now),
	} {
		if err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if err := webhook.Verify(key, with("Webhook-Signature", "v1,AAAA "+r.Header.Get("Webhook-Signature")), r.Body, now); err != nil {
		t.Errorf("of two keys in exchange, one is enough: %v", err)
	}
}

// The vector of the specification's own libraries.
func TestTheSignatureIsThatOfStandardWebhooks(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	h.Set("Webhook-Id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	h.Set("Webhook-Timestamp", "1614265330")
	h.Set("Webhook-Signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	if err := webhook.Verify(secret.New("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), h, []byte(`{"test": 2432232314}`), time.Unix(1614265330, 0)); err != nil {
		t.Error(err)
	}
}

func TestWithoutAKeyNothingIsSigned(t *testing.T) {
	t.Parallel()
	server, s := setup(t, secret.Value{}, notifytest.Reply(200, ""))
	_ = s.Send(t.Context(), "k", notify.Content{Line: "x"}, notify.Thread{})
	if r := server.One(); r.Header["Webhook-Signature"] != nil || strings.Contains(string(r.Body), "thread") {
		t.Errorf("%v %s", r.Header, r.Body)
	}
}

func TestLargeFilesAreNamedAlone(t *testing.T) {
	t.Parallel()
	server, s := setup(t, secret.Value{}, notifytest.Reply(200, ""))
	_ = s.Send(t.Context(), "k", notify.Content{Line: "x", Attachments: []notify.Attachment{{Name: "big.csv", Data: make([]byte, 30<<20)}}}, notify.Thread{})
	if r := server.One(); len(r.Body) > 1000 || !strings.Contains(string(r.Body), `"bytes":31457280`) {
		t.Errorf("%d bytes", len(r.Body))
	}
}

func TestAStatusDecidesWhatFollows(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]notify.Answer{
		400: {Kind: notify.Smaller, Reason: notify.ReasonRefused}, 422: {Kind: notify.Smaller, Reason: notify.ReasonRefused}, 413: {Kind: notify.Smaller, Reason: notify.ReasonTooLarge},
		401: {Kind: notify.Park, Reason: notify.ReasonDenied}, 403: {Kind: notify.Park, Reason: notify.ReasonDenied},
		404: {Kind: notify.Park, Reason: notify.ReasonGone}, 410: {Kind: notify.Park, Reason: notify.ReasonGone}, 405: {Kind: notify.Park, Reason: notify.ReasonRejected},
		301: {Kind: notify.Park, Reason: notify.ReasonRejected}, 408: {Kind: notify.Retry, Reason: notify.ReasonServerError}, 429: {Kind: notify.Retry, Reason: notify.ReasonRateLimited},
		502: {Kind: notify.Retry, Reason: notify.ReasonServerError, Ambiguous: true}, 503: {Kind: notify.Retry, Reason: notify.ReasonServerError},
	} {
		server, s := setup(t, key, notifytest.Reply(status, "because of "+notifytest.Secret))
		a := s.Send(t.Context(), "k", notify.Content{Line: "x"}, notify.Thread{})
		_ = server.One()
		if a.Kind != want.Kind || a.Reason != want.Reason || a.Ambiguous != want.Ambiguous || notifytest.Leaks(a.Error) || !strings.Contains(a.Error, "because of [masked]") {
			t.Errorf("%d: %+v", status, a)
		}
	}
}
