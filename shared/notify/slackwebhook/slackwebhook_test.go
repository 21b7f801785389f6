package slackwebhook_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"waggle/shared/notify"
	"waggle/shared/notify/httppost"
	"waggle/shared/notify/notifytest"
	"waggle/shared/notify/slackwebhook"
	"waggle/shared/secret"
)

var content = notify.Content{Line: "FAILED gallery: <3> & more", Text: "sales_raw: no `file`\nsecond line"}

func send(t *testing.T, url string, opts *httppost.Options, c notify.Content) notify.Answer {
	t.Helper()
	a := slackwebhook.New(secret.New(url+notifytest.Secret), opts).Send(t.Context(), "k", c, notify.Thread{})
	if notifytest.Leaks(a.Error) {
		t.Errorf("the error shows the webhook: %s", a.Error)
	}
	return a
}

func TestAMessageArrivesAsTextAndBlocksWithItsMarkupNeutralised(t *testing.T) {
	t.Parallel()
	server := notifytest.NewWeb(t, notifytest.Reply(200, "ok"))
	if a := send(t, server.URL, nil, content); a.Kind != notify.Sent || a.Reason != notify.ReasonTaken || a.Ref != "" || a.Error != "" {
		t.Errorf("%+v", a)
	}
	r := server.One()
	var got struct {
		Text   string
		Blocks []struct {
			Type string
			Text struct{ Type, Text string }
		}
		UnfurlLinks *bool `json:"unfurl_links"`
	}
	if err := json.Unmarshal(r.Body, &got); err != nil {
		t.Fatal(err)
	}
	if r.Method != "POST" || r.Path != notifytest.Secret || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || got.UnfurlLinks == nil || *got.UnfurlLinks {
		t.Errorf("%s %s %v", r.Method, r.Path, r.Header)
	}
	if got.Text != "FAILED gallery: &lt;3&gt; &amp; more" || len(got.Blocks) != 1 || got.Blocks[0].Text.Text != "sales_raw: no 'file'\nsecond line" {
		t.Errorf("%+v", got)
	}
}

func TestWhatSlackSaysDecidesWhatFollows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		step notifytest.Step
		want notify.Answer // its Error: a part of it
	}{
		"429 with seconds": {notifytest.Reply(429, "rate_limited", "Retry-After", "30"),
			notify.Answer{Kind: notify.Retry, Reason: notify.ReasonRateLimited, After: 30 * time.Second, Error: "429 Too Many Requests: rate_limited"}},
		"429 with a date": {notifytest.Reply(429, "", "Retry-After", "Sun, 22 Nov 2026 02:00:45 GMT"),
			notify.Answer{Kind: notify.Retry, Reason: notify.ReasonRateLimited, After: 45 * time.Second, Error: "429"}},
		"429 for a year": {notifytest.Reply(429, "", "Retry-After", "31536000"),
			notify.Answer{Kind: notify.Retry, Reason: notify.ReasonRateLimited, After: time.Hour, Error: "429"}},
		"429 with nonsense":  {notifytest.Reply(429, "", "Retry-After", "soon"), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonRateLimited, Error: "429"}},
		"500":                {notifytest.Reply(500, "<html>oops</html>"), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonServerError, Ambiguous: true, Error: "500 Internal Server Error: <html>"}},
		"503":                {notifytest.Reply(503, "", "Retry-After", "2"), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonServerError, After: 2 * time.Second, Error: "503"}},
		"200 no_service":     {notifytest.Reply(200, "no_service"), notify.Answer{Kind: notify.Park, Reason: notify.ReasonGone, Error: "200 OK: no_service"}},
		"200 of a stranger":  {notifytest.Reply(200, "<html>hello"), notify.Answer{Kind: notify.Park, Reason: notify.ReasonRejected, Error: "hello"}},
		"404 no_service":     {notifytest.Reply(404, "no_service"), notify.Answer{Kind: notify.Park, Reason: notify.ReasonGone, Error: "404 Not Found: no_service"}},
		"404":                {notifytest.Reply(404, ""), notify.Answer{Kind: notify.Park, Reason: notify.ReasonGone, Error: "404"}},
		"410":                {notifytest.Reply(410, "channel_is_archived"), notify.Answer{Kind: notify.Park, Reason: notify.ReasonGone, Error: "channel_is_archived"}},
		"403 invalid_token":  {notifytest.Reply(403, "invalid_token"), notify.Answer{Kind: notify.Park, Reason: notify.ReasonDenied, Error: "invalid_token"}},
		"400 invalid_token":  {notifytest.Reply(400, "invalid_token"), notify.Answer{Kind: notify.Park, Reason: notify.ReasonDenied, Error: "invalid_token"}},
		"400 invalid_blocks": {notifytest.Reply(400, "invalid_blocks"), notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonRefused, Error: "400 Bad Request: invalid_blocks"}},
		"400 msg_too_long":   {notifytest.Reply(400, "msg_too_long"), notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonTooLarge, Error: "msg_too_long"}},
		"413":                {notifytest.Reply(413, ""), notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonTooLarge, Error: "413"}},
		"302":                {notifytest.Reply(302, "", "Location", "https://elsewhere.example.com/"), notify.Answer{Kind: notify.Park, Reason: notify.ReasonRejected, Error: "elsewhere"}},
		"closed":             {notifytest.Drop(), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonCutOff, Ambiguous: true, Error: "EOF"}},
		"closed in answer":   {notifytest.Half(), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonCutOff, Ambiguous: true, Error: "status 200, and the answer broke off"}},
		"an error with URL":  {notifytest.Reply(500, "cannot serve "+notifytest.Secret), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonServerError, Ambiguous: true, Error: "[masked]"}},
		"an endless error":   {notifytest.Reply(500, strings.Repeat("a", 5<<20)), notify.Answer{Kind: notify.Retry, Reason: notify.ReasonServerError, Ambiguous: true, Error: "… +64,"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := notifytest.NewWeb(t, c.step)
			now := func() time.Time { return time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC) }
			a := send(t, server.URL, &httppost.Options{Now: now}, content)
			_ = server.One()
			if !strings.Contains(a.Error, c.want.Error) || len([]rune(a.Error)) > 1000 {
				t.Errorf("the error is %.300q, want %q in it", a.Error, c.want.Error)
			}
			a.Error = c.want.Error
			if a.Kind != c.want.Kind || a.Reason != c.want.Reason || a.After != c.want.After || a.Ambiguous != c.want.Ambiguous {
				t.Errorf("got %+v, want %+v", a, c.want)
			}
		})
	}
}

func TestAServerThatSaysNothingIsGivenUpAndTheMessageMayHaveArrived(t *testing.T) {
	t.Parallel()
	server := notifytest.NewWeb(t, notifytest.Silence())
	a := send(t, server.URL, &httppost.Options{Timeout: 50 * time.Millisecond}, content)
	_ = server.One()
	if a.Kind != notify.Retry || a.Reason != notify.ReasonNoAnswer || !a.Ambiguous || !strings.Contains(a.Error, "no answer within 50ms") {
		t.Errorf("%+v", a)
	}
	if httppost.Timeout != 10*time.Second {
		t.Errorf("the default is %s", httppost.Timeout)
	}
}

func TestWhereNobodyListensNothingCanHaveArrived(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	_ = l.Close()
	if a := send(t, url, nil, content); a.Kind != notify.Retry || a.Reason != notify.ReasonNoAnswer || a.Ambiguous || !strings.Contains(a.Error, "refused") {
		t.Errorf("%+v", a)
	}
}

func TestACertificateThatDoesNotVerifyParksTheChannel(t *testing.T) {
	t.Parallel()
	server := notifytest.NewSecureWeb(t)
	if a := send(t, server.URL, nil, content); a.Kind != notify.Park || a.Reason != notify.ReasonTLS || !strings.Contains(a.Error, "certificate") {
		t.Errorf("%+v", a)
	}
	if got := server.Take(); got != nil {
		t.Errorf("it got %v", got)
	}
}

func TestAProgramThatEndsIsNoFailureOfSlack(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := notifytest.NewWeb(t, func(w http.ResponseWriter, r *http.Request) { cancel(); notifytest.Silence()(w, r) })
	a := slackwebhook.New(secret.New(server.URL), nil).Send(ctx, "k", content, notify.Thread{})
	_ = server.One()
	if a.Kind != notify.Retry || a.Reason != notify.ReasonCanceled || !a.Ambiguous {
		t.Errorf("%+v", a)
	}
}

func TestWhatDoesNotFitIsNeverPosted(t *testing.T) {
	t.Parallel()
	server := notifytest.NewWeb(t)
	for name, c := range map[string]notify.Content{
		"a megabyte":  {Line: "FAILED", Text: strings.Repeat("x ", 500_000)},
		"51 blocks":   {Line: "FAILED", Blocks: json.RawMessage("[" + strings.Repeat(`{"type":"divider"},`, 50) + `{"type":"divider"}]`)},
		"no blocks":   {Line: "FAILED", Blocks: json.RawMessage(`{"type":`)},
		"a long head": {Line: "FAILED", Blocks: json.RawMessage(`[{"type":"header","text":{"type":"plain_text","text":"` + strings.Repeat("é", 151) + `"}}]`)},
	} {
		if a := send(t, server.URL, nil, c); a.Kind != notify.Smaller || !strings.Contains(a.Error, "not sent") {
			t.Errorf("%s: %+v", name, a)
		}
	}
}
