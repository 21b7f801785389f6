//go:build aws

package sesmail_test

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ses"

	"waggle/localstack/emulator"
	"waggle/shared/notify"
	"waggle/shared/notify/notifytest"
	"waggle/shared/notify/sesmail"
)

// TestMailsArriveByMiniStack sends by the emulator, which hands mails on to a mail server as SES does: with a Message-ID of its own. Its ids
// have their domain already, where those of AWS have none.
func TestMailsArriveByMiniStack(t *testing.T) {
	arrived := make(chan struct{}, 10)
	server := notifytest.NewMail(t, notifytest.MailOptions{Data: func([]byte) error { arrived <- struct{}{}; return nil }})
	t.Setenv("SMTP_HOST", net.JoinHostPort(server.Host, strconv.Itoa(server.Port)))
	ministack, err := emulator.MiniStack(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ministack.Close)
	client := ses.NewFromConfig(configuration(ministack.Endpoint))
	s := sender(ministack.Endpoint, nil)
	received := func() notifytest.Received {
		t.Helper()
		select {
		case <-arrived:
		case <-time.After(30 * time.Second):
			t.Fatal("no mail came")
		}
		// The server keeps the mail once it has answered.
		for range 1000 {
			if got := server.Take(); len(got) == 1 {
				return got[0]
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatal("the mail is not there")
		return notifytest.Received{}
	}
	verify := func(address string) {
		t.Helper()
		if _, err := client.VerifyEmailIdentity(t.Context(), &ses.VerifyEmailIdentityInput{EmailAddress: &address}); err != nil {
			t.Fatal(err)
		}
	}

	a := s.Send(t.Context(), "run#7", content, notify.Thread{})
	if a.Kind != notify.Park || a.Reason != notify.ReasonDenied || !strings.Contains(a.Error, "verify the sender alerts@example.com") {
		t.Errorf("from a stranger: %+v", a)
	}
	verify("alerts@example.com")

	first := s.Send(t.Context(), "run#7", content, notify.Thread{})
	if first.Kind != notify.Sent || first.Ref == "" {
		t.Fatalf("%+v", first)
	}
	got := received()
	m := got.Message(t)
	if m.Header.Get("Message-ID") != first.Ref || got.From != "alerts@example.com" || !slices.Equal(got.To, []string{"a@example.com", "b@example.com", "c@example.com"}) {
		t.Errorf("%s, %s to %v, want %s", m.Header.Get("Message-ID"), got.From, got.To, first.Ref)
	}
	for _, part := range []string{"multipart/mixed", "multipart/alternative", "text/plain", "text/html", `filename="validation_warnings.json"`, "eyJ3YXJuaW5ncyI6W119"} {
		if !strings.Contains(string(got.Data), part) {
			t.Errorf("the mail lacks %s", part)
		}
	}
	second := s.Send(t.Context(), "run#8", content, notify.Thread{Root: first.Ref})
	if h := received().Message(t).Header; h.Get("In-Reply-To") != first.Ref || h.Get("References") != first.Ref || h.Get("Message-ID") != second.Ref {
		t.Errorf("the second follows %v", h)
	}

	large := content
	large.Attachments = []notify.Attachment{{Name: "large.csv", Data: make([]byte, 7<<20)}}
	if a := s.Send(t.Context(), "run#9", large, notify.Thread{}); a.Kind != notify.Sent {
		t.Errorf("7 MB of files: %+v", a)
	}
	if got := received(); len(got.Data) < 9<<20 {
		t.Errorf("%d bytes came", len(got.Data))
	}

	enterSandbox(t, ministack.Endpoint)
	if a := s.Send(t.Context(), "run#10", content, notify.Thread{}); a.Kind != notify.Park || a.Reason != notify.ReasonNoRecipients || !strings.Contains(a.Error, "production access") {
		t.Errorf("nobody is verified: %+v", a)
	}
	verify("c@example.com")
	a = s.Send(t.Context(), "run#11", content, notify.Thread{})
	if a.Kind != notify.Recipient || !slices.Equal(a.Refused, []string{"a@example.com", "b@example.com"}) {
		t.Errorf("one is verified: %+v", a)
	}
	if got := received(); !slices.Equal(got.To, []string{"c@example.com"}) {
		t.Errorf("to %v", got.To)
	}
	if a := sender(ministack.Endpoint, func(o *sesmail.Options) { o.Timeout = time.Nanosecond }).Send(t.Context(), "run#12", content, notify.Thread{}); a.Kind != notify.Retry || a.Ambiguous {
		t.Errorf("no time: %+v", a)
	}
}

// enterSandbox has the emulator send to verified addresses alone, as each new account of AWS does.
func enterSandbox(t *testing.T, endpoint string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint+"/v2/email/account/details", strings.NewReader(`{"ProductionAccessEnabled":false,"MailType":"TRANSACTIONAL","WebsiteURL":"https://example.com"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261122/eu-west-1/ses/aws4_request, SignedHeaders=host, Signature=x")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
}
